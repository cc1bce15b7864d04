"""Stamps on a grid on the sky: what SWarp makes of the same frame, and what must stay as it was."""

from __future__ import annotations

import shutil
import subprocess

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from stamp_sky import (
    BANDS,
    INSIDE,
    SCALE_ARCSEC,
    SETTINGS,
    SHAPE,
    SIGMA_NMGY,
    galaxies,
    header_of,
    noise,
    wcs_of,
    write_field,
    write_frame,
)

from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.kept_noise import noise_shares
from zladder.cutouts.resample import areas, noise_correlation, resample, sky_grids
from zladder.tables.stamp_files import (
    NOISE_CORRELATION,
    WHITE_NOISE,
    describe_stamps,
    flag_value,
    stamp_column,
    stamp_noise,
)

SWARP = shutil.which("SWarp") or shutil.which("swarp")
SIDE = 32


def scene(seed: int) -> np.ndarray:
    """Noise with stars up to a thousand times its scatter, the faintest as wide as SDSS's best."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(SHAPE)
    image = noise(seed).astype(float)
    for peak in SIGMA_NMGY * np.geomspace(3, 1000, 40):
        x, y, width = rng.uniform(0, SHAPE[1]), rng.uniform(0, SHAPE[0]), rng.uniform(1.1, 2.0)
        image += peak * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
    return image.astype(np.float32)


def stamps_of(image: np.ndarray, wcs: WCS, ra, dec, scale=SCALE_ARCSEC, side=SIDE):
    """Stamps in flux per new pixel, and which are whole."""
    grids = sky_grids(wcs, np.atleast_1d(ra), np.atleast_1d(dec), scale, side)
    out = np.zeros((len(grids), side, side), dtype=np.float32)
    filled, _, _ = resample(image, grids, out)
    return out * areas(grids)[:, None, None], filled


def swarp(folder, image, band: str, place, scale=SCALE_ARCSEC, side=SIDE) -> np.ndarray:
    """Run SWarp with the settings of papers on the main sample (Pasquet et al. 2019 and later)."""
    fits.PrimaryHDU(image, header_of(band)).writeto(folder / "frame.fits", overwrite=True)
    settings = {
        "IMAGEOUT_NAME": "out.fits", "WEIGHTOUT_NAME": "weight.fits", "WEIGHT_TYPE": "NONE",
        "CELESTIAL_TYPE": "NATIVE", "PROJECTION_TYPE": "TAN", "CENTER_TYPE": "MANUAL",
        "CENTER": f"{place[0]:.10f},{place[1]:.10f}", "PIXELSCALE_TYPE": "MANUAL",
        "PIXEL_SCALE": f"{scale}", "IMAGE_SIZE": f"{side},{side}", "RESAMPLE": "Y",
        "RESAMPLING_TYPE": "LANCZOS3", "OVERSAMPLING": "0", "INTERPOLATE": "N",
        "FSCALASTRO_TYPE": "FIXED", "SUBTRACT_BACK": "N", "COMBINE": "Y", "COMBINE_TYPE": "MEDIAN",
        "WRITE_XML": "N", "VERBOSE_TYPE": "QUIET", "NTHREADS": "1", "RESAMPLE_DIR": ".",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in (f"-{name}", value)]
    done = subprocess.run([str(SWARP), "frame.fits", *options], cwd=folder, capture_output=True,
                          text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return fits.getdata(folder / "out.fits").astype(np.float64)


@pytest.mark.skipif(SWARP is None, reason="no SWarp here (Debian: apt install swarp)")
@pytest.mark.parametrize("band", BANDS)
def test_swarp_makes_the_same_stamp_to_a_hundredth_of_the_noise(tmp_path, band):
    image = scene(BANDS.index(band))
    sample = galaxies(INSIDE[:4])
    ours, filled = stamps_of(image, wcs_of(band), sample["ra"], sample["dec"])
    assert filled.all()
    for stamp, ra, dec in zip(ours, sample["ra"], sample["dec"], strict=True):
        reference = swarp(tmp_path, image, band, (ra, dec))
        assert np.abs(stamp - reference).max() < 0.01 * SIGMA_NMGY


@pytest.mark.skipif(SWARP is None, reason="no SWarp here (Debian: apt install swarp)")
@pytest.mark.parametrize(("ratio", "side"), [(0.3, 48), (0.7, 40), (1.26, 24), (1.49, 24)])
def test_swarp_makes_the_same_stamp_at_other_scales(tmp_path, ratio, side):
    image, sample, scale = scene(2), galaxies(INSIDE[:2]), round(ratio * SCALE_ARCSEC, 4)
    ours, filled = stamps_of(image, wcs_of("r"), sample["ra"], sample["dec"], scale, side)
    assert filled.all()
    for stamp, ra, dec in zip(ours, sample["ra"], sample["dec"], strict=True):
        reference = swarp(tmp_path, image, "r", (ra, dec), scale, side)
        assert np.abs(stamp - reference).max() < 0.01 * SIGMA_NMGY


@pytest.mark.parametrize(
    ("ra", "dec", "off_deg"),
    [(181.3, 12.7, 0.1), (0.0001, -40.0, 0.1), (250.0, 89.999, 0.1), (10.0, -89.9, 0.1),
     (150.1, 2.2, 1.5)],
)  # fmt: skip
def test_the_affine_map_is_the_way_over_the_sky(ra, dec, off_deg):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [1000.0, 700.0]
    north = dec - off_deg if dec > 0 else dec + off_deg
    wcs.wcs.crval = [ra, north]
    wcs.wcs.cd = np.array([[-0.8, 0.6], [0.6, 0.8]]) * SCALE_ARCSEC / 3600
    own = WCS(naxis=2)
    own.wcs.ctype, own.wcs.crval = ["RA---TAN", "DEC--TAN"], [ra, dec]
    own.wcs.crpix, own.wcs.cdelt = [32.5, 32.5], [-SCALE_ARCSEC / 3600, SCALE_ARCSEC / 3600]
    y, x = np.indices((64, 64)).reshape(2, -1)
    truth = wcs.wcs_world2pix(own.wcs_pix2world(np.stack([x, y], axis=1), 0), 0)
    [grid] = sky_grids(wcs, np.array([ra]), np.array([dec]), SCALE_ARCSEC, 64)
    ours = (x - 31.5)[:, None] * grid[:, 0] + (y - 31.5)[:, None] * grid[:, 1] + grid[:, 2]
    np.testing.assert_allclose(ours, truth, atol=1e-4)


def test_a_grid_of_whole_pixels_copies_them():
    image = noise(3)
    grids = np.array([[[1.0, 0.0, 60.0], [0.0, 1.0, 50.0]]])
    out = np.zeros((1, 9, 9), dtype=np.float32)
    filled, brightest, _ = resample(image, grids, out)
    assert filled.all()
    np.testing.assert_array_equal(out[0], image[46:55, 56:65])
    assert brightest[0] == image[46:56, 56:66].max()


def test_four_quarter_turns_are_no_turn():
    image = noise(4, (101, 101))
    turned = image
    turn = np.array([[[0.0, -1.0, 50.0], [1.0, 0.0, 50.0]]])
    for _ in range(4):
        out = np.zeros((1, 95, 95), dtype=np.float32)
        assert resample(np.pad(turned[3:-3, 3:-3], 3), turn, out)[0].all()
        turned = np.pad(out[0], 3)
    np.testing.assert_array_equal(turned[3:-3, 3:-3], image[3:-3, 3:-3])


def test_a_level_stays_a_level_and_its_area_counts():
    image = np.full(SHAPE, 7.0, dtype=np.float32)
    place = galaxies(INSIDE[:1])
    for scale in (0.3, SCALE_ARCSEC, 0.5):
        stamps, filled = stamps_of(image, wcs_of("r"), place["ra"], place["dec"], scale)
        assert filled.all()
        np.testing.assert_allclose(stamps, 7.0 * (scale / SCALE_ARCSEC) ** 2, rtol=1e-5)


def test_the_scatter_of_white_noise_is_what_is_told():
    image = np.random.default_rng(6).normal(size=(700, 700)).astype(np.float32)
    grids = np.array([[[0.9211, -0.3894, 350.2], [0.3894, 0.9211, 350.7]]])
    out = np.zeros((1, 450, 450), dtype=np.float32)
    assert resample(image, grids, out)[0].all()
    # 202,500 pixels, some correlated: standard error below 0.3 %; asserted at 5 of them
    assert out.std() == pytest.approx(noise_shares(grids, 450)[0], rel=0.015)


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.4])
def test_the_correlation_of_neighbours_is_what_is_told(ratio):
    image = np.random.default_rng(7).normal(size=(900, 900)).astype(np.float32)
    out, found = np.zeros((60, 100, 100), dtype=np.float32), np.zeros((4, 4))
    turns = (np.arange(60) + 0.5) * np.pi / 120
    axes = ratio * np.array([[np.cos(turns), -np.sin(turns)], [np.sin(turns), np.cos(turns)]])
    places = np.random.default_rng(9).uniform(110, 790, (60, 2))
    grids = np.concatenate([axes.transpose(2, 0, 1), places[:, :, None]], axis=2)
    assert resample(image, grids, out)[0].all()
    for rows, columns in np.ndindex(4, 4):
        here = out[:, : 100 - rows, : 100 - columns]
        found[rows, columns] = (here * out[:, rows:, columns:]).mean()
    # Each scatters by 0.0028 at most (six seeds); 16 of them beyond 5 sigma: 1 in 100,000.
    np.testing.assert_allclose(found / found[0, 0], noise_correlation(ratio), rtol=0, atol=0.014)


class Cut:
    """Frames and a sample in a folder, cut on the sky's grid."""

    def __init__(self, folder):
        self.root, self.folder = folder / "frames", folder

    def __call__(self, sample, **settings):
        sample.to_parquet(self.folder / "sample.parquet")
        paths = [self.folder / name for name in ("0.h5", "0.losses.csv")]
        wanted = SETTINGS | {"grid": "sky"} | settings
        return cut_stamps(self.folder / "sample.parquet", self.root, 0, wanted, *paths)

    def __getitem__(self, name):
        return stamp_column(self.folder / "0.h5", name)


@pytest.fixture
def cut(tmp_path):
    return Cut(tmp_path)


@pytest.mark.parametrize("scale", [None, 0.3, 0.55])
def test_stars_lie_in_the_middle_of_every_band_with_all_of_their_light(cut, scale):
    sample = galaxies(np.array([[70.27, 66.61], [84.83, 57.39]]))
    rows, columns = np.indices(SHAPE)
    width, total = 1.4, 10.0
    for band in BANDS:
        image = np.zeros(SHAPE)
        for x, y in wcs_of(band).wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0):
            image += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
        write_frame(cut.root, band, total * image / (2 * np.pi * width**2))
    told = {} if scale is None else {"grid_scale_arcsec": scale, "stamp_pixels": 40}
    assert cut(sample, **told)["n_out"] == 2
    scale = scale or SCALE_ARCSEC
    assert describe_stamps(cut.folder / "0.h5").pixel_scale_arcsec == scale
    assert (cut["offset_pixels"] == 0).all()
    y, x = np.indices((40, 40)) - 19.5
    # 3 arcsec in radius: 7.58 pixels hold all but 4e-7 of such a star, and the other is 17 away
    near = np.hypot(x, y) < 3.0 / scale
    for stamp in cut["flux"].reshape(-1, 40, 40):
        flux = stamp * near
        assert flux.sum() == pytest.approx(total, rel=0.005)
        centroid = [(flux * axis).sum() / flux.sum() for axis in (x, y)]
        np.testing.assert_allclose(centroid, 0.0, atol=0.02)


def test_galaxies_whose_stamp_leaves_the_frame_are_lost_not_padded(cut):
    write_field(cut.root)
    xy = np.vstack([INSIDE, [[20.0, 64.0], [300.0, 64.0]]])
    counts = cut(galaxies(xy), max_lost_fraction=0.5)
    assert counts["n_out"] == 5
    assert counts["n_lost"] == {
        "frame": 0,
        "outside": 1,
        "edge": 1,
        "not_finite": 0,
        "empty": 0,
        "unfit": 0,
    }
    np.testing.assert_array_equal(cut["object_id"], 1000 + np.arange(5))


def test_pixels_that_are_not_finite_lose_and_full_ones_are_flagged(cut):
    images = write_field(cut.root)
    sample = galaxies(INSIDE[:3])
    places = wcs_of("i").wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0).round().astype(int)
    images["i"][places[0, 1] + 5, places[0, 0] - 4] = np.nan
    images["i"][places[2, 1] + 15, places[2, 0] + 15] = 400.0
    write_frame(cut.root, "i", images["i"])
    counts = cut(sample, max_lost_fraction=0.5)
    assert (counts["n_out"], counts["n_lost"]["not_finite"]) == (2, 1)
    full = [0, 0, 0, flag_value("saturated"), 0]  # in i alone
    np.testing.assert_array_equal(cut["flags"], [[0] * 5, full])


@pytest.mark.parametrize("told", [{}, {"grid_scale_arcsec": 0.55, "stamp_pixels": 28}])
def test_the_file_knows_how_its_noise_correlates(cut, told):
    write_field(cut.root)
    cut(galaxies(INSIDE), **told)
    ratio = told.get("grid_scale_arcsec", SCALE_ARCSEC) / SCALE_ARCSEC
    np.testing.assert_array_equal(stamp_noise(cut.folder / "0.h5"), noise_correlation(ratio))
    cut(galaxies(INSIDE), grid="frame")
    np.testing.assert_array_equal(stamp_noise(cut.folder / "0.h5"), WHITE_NOISE)
    with h5py.File(cut.folder / "0.h5") as file:
        assert NOISE_CORRELATION not in file.attrs  # the bytes that it always had


@pytest.mark.parametrize("told", [{}, {"grid_scale_arcsec": 0.55, "stamp_pixels": 28}])
def test_the_sky_told_is_that_of_the_pixels(cut, told):
    write_field(cut.root)
    cut(galaxies(INSIDE), **told)
    measured = cut["flux"].std(axis=(2, 3))
    # 1,600 correlated pixels each, 25 stamps: 0.5 % on their mean; asserted at 5 times that
    assert (measured / cut["sky_sigma_nmgy"]).mean() == pytest.approx(1.0, abs=0.025)
