"""The part of docs/formats.md about stamps: datasets of a shard, its flags, reasons of a loss."""

from __future__ import annotations

from zladder.docs.markdown import code, table
from zladder.tables.stamp_files import LOSING, STAMP_FLAGS, STAMP_SCHEMA, stamp_datasets
from zladder.tables.stamp_pixels import ENCODINGS

STAMP_OPENING = f"""\
A stamp shard is an HDF5 file of contiguous, uncompressed datasets of N galaxies, B bands and
S × S pixels; its attributes are `schema` (`{STAMP_SCHEMA}`), `bands`, `pixel_scale_arcsec` and
`unit` (nmgy: AB magnitude 22.5 - 2.5 log10 of it). With `cutouts.grid: frame` each band is cut
about its own position by the rule of astropy's `Cutout2D`; with `sky` all bands are resampled
onto one grid, the galaxy in the middle, north up, east left (Lanczos-3; tested against SWarp), of
pixels as wide as the frames' or of `cutouts.grid_scale_arcsec`, below 1.5 of theirs: from there on
SWarp averages several positions a pixel. Such files have one more attribute, `noise_correlation`:
that of white noise between pixels 0 to 3 rows and columns apart, averaged over how frames lie; in
files without it noise counts as white. Flux is per pixel of the stamp. In an image dataset
`shard` and `row` say where a stamp lies."""

STAMP_MEANINGS = {
    "flux": "nanomaggies, as in the frame: not de-reddened; y before x; stored as float32, "
    "or as below",
    "object_id": "identifier",
    "ra": "right ascension in deg, ICRS",
    "dec": "declination in deg, ICRS",
    "flags": "sum of the bits below, band by band; all but `neighbour` and `mosaicked` find fault "
    "with pixels: figures prefer stamps without, and `datasets.images.leave_out_flags` says which "
    "are left out of image datasets",
    "extinction_mag": "the catalogue's Galactic extinction; of published images their file's own, "
    "else the catalogue's, else 0 where the survey says `dust: unknown`",
    "ebv_mag": "E(B-V): the catalogue's, else the least squares of the extinctions over the "
    "survey's `extinction_per_ebv`, else NaN; of published images with extinctions of their own "
    "only the least squares",
    "offset_pixels": "the galaxy's position (x, y) minus the stamp's centre (S - 1) / 2, "
    "within (-0.5, 0.5]; 0 on the sky's grid; of published images the place of their middle, as "
    "the galaxy's own is not told: ±0.5 where one side is odd and the other even, else 0",
    "sky_sigma_nmgy": "noise of a pixel of the sky: the frame's (median absolute deviation; of "
    "HSC's images the root of the variance plane, the median where nothing is detected); on the "
    "sky's grid times the area of a pixel and what Lanczos-3 leaves of the noise where this "
    "stamp's pixels lie between the frame's (0.78 to 1 of white noise, 0.893 on average; more of "
    "stacks, of which the correlation of neighbours is measured); of published images 1.4826 "
    "times the median absolute deviation of the stamp's outermost two rows and columns without "
    "pixels of exactly 0, else NaN",
    "psf_fwhm_arcsec": "width of the point-spread function: the catalogue's "
    "`psf_fwhm_arcsec_BAND`, else the survey's `frames.psf_fwhm_arcsec`, "
    "else, of `cfhtls_tiles` and `hsc_coadds`, measured on the frame's own stars (one number a "
    "frame and band), else NaN; each source's own definition (`docs/choices.md`)",
}

ENCODING_OPENING = """\
`cutouts.encoding` says how pixels are stored; the attribute `encoding` of the file has its name
(`float32` where there is none). Of the asinh encodings a code c stands for
`softening_nmgy` sinh((c - `zero_code`) `asinh_step`), each an attribute with one number a band.
With h half of `asinh_step` a stored flux f is off by at most (e^h - 1) sqrt(softening² + f²),
beside float32's own rounding, and 0 stays 0. The scale is declared, not measured: the softening is
the survey's `softening_nmgy`, about the noise of a pixel; the range is `cutouts.lowest_softenings`
to `cutouts.highest_softenings` of it. A galaxy's codes are thus the same in whichever shard it
lies. No pixel is cut off: a galaxy with one outside of the range (of float16: beyond 65,504 nmgy)
is lost, with the reason `unfit`. The table's errors are those of the default range, -10,000 to
1,000,000 softenings, wide enough for saturated stars and the ringing of a resampled one; for -5 to
1000 they are 0.4 times as large, for ten times the range at both ends 1.2 times. Steps of asinh8
are then 0.096 softenings at the sky, where they add 0.16 % to the variance of a noise of one
softening, and 10 % of a bright pixel. Files whose attributes tell another scale, each its own, are
decoded by that:
`zladder.tables.stamp_pixels` reads all of them."""

ENCODING_MEANINGS = {
    "float32": ("0", "229 GB"),
    "float16": ("2^-11 of the flux, at least 2^-25 nmgy", "114 GB"),
    "asinh16": ("0.019 % of softening and flux in quadrature", "114 GB"),
    "asinh8": ("4.9 % of softening and flux in quadrature", "57 GB"),
}

STAMP_FLAG_MEANINGS = {
    "edge": "the stamp leaves the frame",
    "not_finite": "some pixel is NaN or infinite",
    "saturated": "some pixel is full: at the header's SATURATE, else at 60,000 counts (NMGY); of "
    "HSC's images also where the mask says SAT",
    "masked": "the survey's mask marks some pixel (SDSS corrected frames carry none); of published "
    "images: some pixel of the stamp's outermost two rows and columns is exactly 0, filled in",
    "neighbour": "all pixels are a neighbouring frame's",
    "mosaicked": "the pixels are those of two frames, side by side",
    "missing": "no exposure covers some pixel (HSC's NO_DATA; CFHTLS: no weight)",
}

LOSS_OPENING = """\
A galaxy without a stamp stands in `SHARD.losses.csv` with what names its
frames, the band at fault and the
reason: `frame` (missing, damaged, or not what its name says), `outside` (the frame does not hold
the galaxy), `edge`, `not_finite`, `empty` (a band of zeros, or a galaxy whose own pixel is
`missing`) or `unfit` (a pixel that `cutouts.encoding` does not hold); of published images, which
have no field, `no_image`, `not_finite`, `empty` (a band of zeros), `no_dust` (its extinction is not
known) or `unfit`. Galaxies that lie in no image or tile are dealt to all shards, empty ones too.
Above `cutouts.max_lost_fraction` they are bad input. The fields of a run and camera column share
rows: with `cutouts.edge: neighbour` a stamp that leaves its frame there is taken from the next
field's where that holds it whole, with `mosaic` also put together from both: on the sky's grid each
resampled onto it, in whole pixels only where those of the two coincide within 0.02 pixel. Nothing
is padded."""


def stamp_section() -> list[str]:
    """Return the paragraphs and tables about stamps."""
    rows = []
    for name, (dtype, entry) in stamp_datasets(-1, -2).items():
        words = {-1: "B", -2: "S"}
        shape = ", ".join(["N", *(words.get(side, str(side)) for side in entry)])
        rows.append((code(name), dtype.lstrip("<"), f"({shape})", STAMP_MEANINGS[name]))
    flags = [
        (str(bit), str(2**bit), name, _flag_meaning(name)) for name, bit in STAMP_FLAGS.items()
    ]
    encodings = [
        (code(name), dtype.lstrip("<|"), *ENCODING_MEANINGS[name])
        for name, dtype in ENCODINGS.items()
    ]
    return [
        STAMP_OPENING,
        table(("dataset", "type", "shape", "meaning"), rows),
        ENCODING_OPENING,
        table(
            ("encoding", "type", "error at most", "a million stamps, 5 bands, 107 px"), encodings
        ),
        table(("bit", "value", "flag", "meaning"), flags),
        LOSS_OPENING,
    ]


def _flag_meaning(name: str) -> str:
    lost = "; such a galaxy is listed as lost, not written" if name in LOSING else ""
    return STAMP_FLAG_MEANINGS[name] + lost
