"""Frames as SDSS publishes them: noise, rounding, header, the four HDUs, the index of a shard.

Layout: https://data.sdss.org/datamodel, BOSS_PHOTOOBJ/frames (see docs/formats.md). What the
mock says beyond it stands in COMMENT cards and in SATURATE.
"""

from __future__ import annotations

import bz2
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from zladder.config.imaging import RERUN, FieldNumber, frame_name
from zladder.provenance.digests import file_digest
from zladder.provenance.outputs import whole_or_nothing
from zladder.survey.conditions import Conditions, draw_conditions
from zladder.survey.imaging import HEIGHT_PIXELS, WIDTH_PIXELS, ImagingField
from zladder.survey.painting import paint_field
from zladder.survey.streams import generator

EXPOSURE_S = 53.907456
SKY_SHAPE = (192, 256)  # of the coarse grid on which the sky is kept
KEPT_BITS = 10  # significant binary digits of a pixel's value
FLOAT32_BITS = 24
INDEX_COLUMNS = {
    "run": "int64",
    "camcol": "int64",
    "field": "int64",
    "band": "str",
    "path": "str",
    "digest": "str",
    "sky_sigma_nmgy": "float64",
    "psf_fwhm_arcsec": "float64",
    "saturation_nmgy": "float64",
    "n_objects": "int64",
}


def write_field(
    folder: Path,
    field: ImagingField,
    scene: pd.DataFrame,
    settings: Mapping[str, Any],
    seed: int,
) -> list[dict[str, Any]]:
    """Paint one field, add noise, write its five frames whole or not at all.

    Parameters
    ----------
    folder
        Above ``{run}/{camcol}``.
    field, scene
        The field and its objects.
    settings
        Blocks ``imaging`` and ``sdss``.
    seed
        The sky's.

    Returns
    -------
    list
        The rows of the shard's index (`INDEX_COLUMNS`), one a band.
    """
    conditions = draw_conditions(settings, seed, field.number)
    light = paint_field(field, scene, conditions)
    imaging = settings["imaging"]
    listed, compression = imaging["galaxies_per_field"], imaging["compression"]
    names = [frame_name(field.number, band, compression) for band in conditions.bands]
    paths = [folder / name for name in names]
    comment = f"Simulated by zladder, overdense: {listed} listed galaxies, not about 3"
    with whole_or_nothing(paths) as partial:
        for index, path in enumerate(partial):
            rng = generator(seed, "frames", *field.number, index)
            image = rounded(with_noise(rng, light[index], conditions, index))
            hdus = frame_hdus(image, field, conditions, index, comment)
            _write(path, hdus, compression)
        digests = [file_digest(path) for path in partial]
    return [
        {
            **field.number._asdict(),
            "band": band,
            "path": names[index],
            "digest": digests[index],
            "sky_sigma_nmgy": conditions.sky_sigma_nmgy[index],
            "psf_fwhm_arcsec": conditions.seeing_fwhm_arcsec[index],
            "saturation_nmgy": saturation_nmgy(conditions, index),
            "n_objects": len(scene),
        }
        for index, band in enumerate(conditions.bands)
    ]


def _write(path: Path, hdus: fits.HDUList, compression: str) -> None:
    """Write a frame, as it is or packed as the archive's are."""
    if compression == "none":
        hdus.writeto(path)
        return
    plain = io.BytesIO()
    hdus.writeto(plain)
    path.write_bytes(bz2.compress(plain.getvalue()))


def frame_index(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the index of a shard, which may have no frames; paths are relative to its folder."""
    return pd.DataFrame(rows, columns=list(INDEX_COLUMNS)).astype(INDEX_COLUMNS)


def with_noise(
    rng: np.random.Generator, light_nmgy: NDArray[np.float32], conditions: Conditions, index: int
) -> NDArray[np.float32]:
    """Return a frame with the noise of photons and detector, its full pixels cut off.

    In counts the variance is (light + sky) / gain + dark (SDSS's frame data model); so many
    photons fall that it is Gaussian.
    """
    per_count = conditions.nmgy_per_count[index]
    slope = per_count / conditions.electrons_per_count[index]  # nmgy of one electron
    variance = np.maximum(light_nmgy, 0) * np.float32(slope)
    variance += np.float32(conditions.sky_sigma_nmgy[index] ** 2)
    noise = rng.standard_normal(light_nmgy.shape, dtype=np.float32)
    noise *= np.sqrt(variance, out=variance)
    noise += light_nmgy
    return np.minimum(noise, np.float32(conditions.saturation_nmgy[index]), out=noise)


def rounded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values rounded to `KEPT_BITS` significant binary digits, halves away from zero."""
    dropped = FLOAT32_BITS - KEPT_BITS
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    half, mask = np.uint32(1 << (dropped - 1)), np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return ((bits + half) & mask).view(np.float32)


def saturation_nmgy(conditions: Conditions, index: int) -> float:
    """Return the value of a full pixel as it stands in the frame, rounded as the pixels are."""
    return float(rounded(np.array([conditions.saturation_nmgy[index]], dtype=np.float32))[0])


def frame_hdus(
    image: NDArray[np.float32], field: ImagingField, conditions: Conditions, index: int,
    comment: str,
) -> fits.HDUList:  # fmt: skip
    """Return image, calibration vector, sky table and the stub of the astrometric structure."""
    primary = fits.PrimaryHDU(image.astype(">f4"))  # swapped here, not piece by piece
    primary.header.extend(_cards(field, conditions, index), end=True)
    primary.header.add_comment(comment)
    calibration = np.full(WIDTH_PIXELS, conditions.nmgy_per_count[index], dtype=np.float32)
    return fits.HDUList(
        [
            primary,
            fits.ImageHDU(calibration),
            _sky_table(conditions.sky_counts[index]),
            _astrometry_stub(field.number),
        ]
    )


def _cards(field: ImagingField, conditions: Conditions, index: int) -> list[tuple[str, Any, str]]:
    number, cd = field.number, field.cd
    count = conditions.nmgy_per_count[index]
    return [
        ("TELESCOP", "2.5m", "as the mock's template"),
        ("ORIGIN", "SDSS", "layout of the file"),
        ("FLAVOR", "science", ""),
        ("RUN", number.run, ""),
        ("FRAME", number.field, "field number"),
        ("CAMCOL", number.camcol, ""),
        ("RERUN", str(RERUN), ""),
        ("STRIPE", 10, ""),
        ("STRIP", "N", ""),
        ("FILTER", conditions.bands[index], ""),
        ("EXPTIME", EXPOSURE_S, "s"),
        ("TAI", 4.5e9 + 1000.0 * number.field, "s, invented"),
        ("SYS_SCN", "mean", ""),
        ("EQUINOX", 2000.0, ""),
        ("RADECSYS", "ICRS", ""),
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", (WIDTH_PIXELS + 1) / 2, "pixels from 1"),
        ("CRPIX2", (HEIGHT_PIXELS + 1) / 2, "pixels from 1"),
        ("CRVAL1", field.ra_deg, "deg"),
        ("CRVAL2", field.dec_deg, "deg"),
        ("CD1_1", float(cd[0, 0]), "deg per pixel"),
        ("CD1_2", float(cd[0, 1]), "deg per pixel"),
        ("CD2_1", float(cd[1, 0]), "deg per pixel"),
        ("CD2_2", float(cd[1, 1]), "deg per pixel"),
        ("BUNIT", "nanomaggy", "1 nanomaggy = 3.631e-6 Jy"),
        ("NMGY", float(count), "nanomaggies per count"),
        ("NMGYIVAR", float(1 / (0.01 * count) ** 2), "its inverse variance"),
        ("SATURATE", saturation_nmgy(conditions, index), "value of a full pixel"),
    ]


def _sky_table(sky_counts: float) -> fits.BinTableHDU:
    """Return the sky on its coarse grid, with the places at which to interpolate it."""
    height, width = SKY_SHAPE
    columns = {
        "ALLSKY": np.full(SKY_SHAPE, sky_counts),
        "XINTERP": (np.arange(WIDTH_PIXELS) + 0.5) * width / WIDTH_PIXELS - 0.5,
        "YINTERP": (np.arange(HEIGHT_PIXELS) + 0.5) * height / HEIGHT_PIXELS - 0.5,
    }
    # in the file's byte order: astropy would swap it number by number
    row = np.zeros(1, dtype=[(name, ">f4", column.shape) for name, column in columns.items()])
    for name, column in columns.items():
        row[name] = column
    return fits.BinTableHDU(row.view(fits.FITS_rec))


def _astrometry_stub(number: FieldNumber) -> fits.BinTableHDU:
    """Return what stands in for asTrans: readers use the header's projection, which is exact."""
    columns = [
        fits.Column(name, "J", array=np.array([value], dtype=np.int32))
        for name, value in number._asdict().items()
    ]
    return fits.BinTableHDU.from_columns(columns)
