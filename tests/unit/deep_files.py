"""Small HSC-like and CFHTLS-like files, written by astropy, right or with one thing wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

HSC_BANDS, CFHTLS_BANDS = ["g", "r", "i", "z", "y"], ["u", "g", "r", "i", "z"]
HSC_COUNT_NMGY, CFHTLS_COUNT_NMGY = 10 ** (-0.4 * (27.0 - 22.5)), 10 ** (-0.4 * (30.0 - 22.5))
HSC: dict[str, Any] = {
    "bands": HSC_BANDS, "stamp_pixels": 40, "pixel_scale_arcsec": 0.168, "grid": "frame",
    "layout": "hsc_cutouts", "path": "{band}/{object_id}.fits", "zero_point_mag": 27.0,
    "n_shards": 1, "max_lost_fraction": 0.0,
}  # fmt: skip
COADDS = HSC | {"layout": "hsc_coadds", "path": "{tract}/calexp-HSC-{BAND}-{tract}-{patch}.fits"}
CFHTLS: dict[str, Any] = HSC | {
    "bands": CFHTLS_BANDS, "pixel_scale_arcsec": 0.186, "layout": "cfhtls_tiles",
    "path": "CFHTLS_{layer}_{band}_{position}_T0007_MEDIAN.fits", "zero_point_mag": 30.0,
}  # fmt: skip
SIGMA_COUNTS = 2.0
PLANES = {"MP_SAT": 1, "MP_DETECTED": 5, "MP_NO_DATA": 8, "MP_NEWER_PLANE": 20, "MP_CR": 31}


def projection(
    scale_arcsec: float, reference: tuple[float, float], sky: tuple[float, float]
) -> fits.Header:
    """North up, as a tract or a tile has it; pixels of the reference from 1."""
    step = scale_arcsec / 3600
    return fits.Header({
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": reference[0],
        "CRPIX2": reference[1], "CRVAL1": sky[0], "CRVAL2": sky[1], "CD1_1": -step,
        "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step, "EQUINOX": 2000.0,
    })  # fmt: skip


def changed(header: fits.Header, changes: dict[str, Any]) -> fits.Header:
    for name, value in changes.items():
        if value is None:
            header.remove(name, ignore_missing=True)
        else:
            header[name] = value
    return header


def counts(shape: tuple[int, int] = (64, 64), seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, SIGMA_COUNTS, shape).astype(np.float32)


def hsc_hdus(
    image: np.ndarray, band: str = "r", corner: tuple[int, int] = (20000, 9000),
    sky: tuple[float, float] = (150.0, 1.5), mask: np.ndarray | None = None, **changes: Any,
) -> fits.HDUList:  # fmt: skip
    """Image, mask and variance of a piece of a tract; changes go to the image's header."""
    primary = fits.PrimaryHDU(header=fits.Header({"FILTER": f"HSC-{band.upper()}"}))
    primary.header["FLUXMAG0"] = 63095734448.0194
    wcs = projection(0.168, (18000.5 - corner[0], 18000.5 - corner[1]), sky)
    hdus = [primary]
    blank = np.zeros(image.shape, dtype=np.int32) if mask is None else mask.astype(np.int32)
    variance = np.full(image.shape, SIGMA_COUNTS**2, dtype=np.float32)
    for name, data in (("IMAGE", image), ("MASK", blank), ("VARIANCE", variance)):
        header = wcs.copy()
        header["EXTTYPE"] = name
        if name == "MASK":
            for plane, bit in PLANES.items():
                header[f"HIERARCH {plane}" if len(plane) > 8 else plane] = bit
        hdus.append(fits.ImageHDU(data, header))
    changed(hdus[1].header, changes)
    return fits.HDUList(hdus)


def write_hsc(path: Path, image: np.ndarray, band: str = "r", **changes: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    hsc_hdus(image, band, **changes).writeto(path, overwrite=True)
    return path


def write_tile(
    path: Path, image: np.ndarray, band: str = "r", sky: tuple[float, float] = (35.5, -4.5),
    **changes: Any,
) -> Path:  # fmt: skip
    """A tile as T0007's: one image of counts in HDU 0."""
    rows, columns = image.shape
    header = projection(0.186, ((columns + 1) / 2, (rows + 1) / 2), sky)
    header.update({"FILTER": f"{band}.MP9601", "PHOTZP": 30.0, "SATURATE": 5e4})
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.PrimaryHDU(image, changed(header, changes)).writeto(path, overwrite=True)
    return path


def catalogue(path: Path, hdu: int, xy: np.ndarray, bands: list[str], first: int = 1000) -> Any:
    """Galaxies at pixels (from 0) of an image, by astropy's own projection."""
    sky = WCS(fits.getheader(path, hdu)).all_pix2world(np.asarray(xy, dtype=float), 0)
    table = pd.DataFrame({"object_id": first + np.arange(len(sky))})
    table["ra"], table["dec"] = sky.T
    return table.assign(**{f"extinction_{band}": 0.1 for band in bands})
