"""Small SDSS-like frames with stars at known places, and catalogues of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

BANDS = ["u", "g", "r", "i", "z"]
SHAPE = (128, 160)  # rows, columns
SCALE_ARCSEC = 0.396
KEY = (756, 2, 14)  # run, camcol, field
SIGMA_NMGY = 0.02
SETTINGS: dict[str, Any] = {
    "bands": BANDS, "stamp_pixels": 40, "pixel_scale_arcsec": SCALE_ARCSEC,
    "grid": "frame", "edge": "mosaic", "layout": "sdss_frames", "n_shards": 2,
    "max_lost_fraction": 0.0,
}  # fmt: skip


def wcs_of(band: str, turn_deg: float = 63.0) -> WCS:
    """World coordinates that are turned, and in each band shifted by some pixels."""
    index = BANDS.index(band)
    turn = np.radians(turn_deg + 0.3 * index)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [181.3, 12.7]
    wcs.wcs.crpix = [81.0 + 2.37 * index, 63.0 - 1.81 * index]
    c, s = np.cos(turn), np.sin(turn)
    wcs.wcs.cd = SCALE_ARCSEC / 3600 * np.array([[-c, s], [s, c]])
    return wcs


def header_of(band: str, key: tuple[int, int, int] = KEY, **changes: Any) -> fits.Header:
    """A header like that of a corrected frame; a change to None takes the keyword out."""
    header = wcs_of(band).to_header()
    header = fits.Header([c for c in header.cards if not c.keyword.startswith(("PC", "CDELT"))])
    for row in (1, 2):
        for column in (1, 2):
            header[f"CD{row}_{column}"] = wcs_of(band).wcs.cd[row - 1, column - 1]
    values = {"BUNIT": "nanomaggy", "FILTER": band, "NMGY": 0.005, "EQUINOX": 2000.0,
              "RUN": key[0], "CAMCOL": key[1], "FRAME": key[2], **changes}  # fmt: skip
    for name, value in values.items():
        if value is None:
            header.remove(name, ignore_missing=True)
        else:
            header[name] = value
    return header


def path_of(root: Path, band: str, key: tuple[int, int, int] = KEY) -> Path:
    run, camcol, field = key
    return root / f"{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits"


def write_frame(root: Path, band: str, image: np.ndarray, key=KEY, **changes: Any) -> Path:
    """Write a frame as SDSS does: the image in HDU 0, the calibration vector in HDU 1."""
    path = path_of(root, band, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    primary = fits.PrimaryHDU(image.astype(">f4"), header_of(band, key, **changes))
    vector = fits.ImageHDU(np.full(image.shape[1], 0.005, dtype=">f4"))
    fits.HDUList([primary, vector]).writeto(path, overwrite=True)
    return path


def noise(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, SIGMA_NMGY, shape).astype(np.float32)


def write_field(root: Path, key=KEY, seed: int = 0) -> dict[str, np.ndarray]:
    """Write a field of noise in every band; return {band: image}."""
    images = {band: noise(seed + index) for index, band in enumerate(BANDS)}
    for band, image in images.items():
        write_frame(root, band, image, key)
    return images


def galaxies(xy: np.ndarray, key=KEY, first_id: int = 1000) -> pd.DataFrame:
    """Galaxies at these pixels of the r frame."""
    sky = wcs_of("r").wcs_pix2world(np.asarray(xy, dtype=float), 0)
    n = len(sky)
    frame = pd.DataFrame({"object_id": first_id + np.arange(n), "ra": sky[:, 0], "dec": sky[:, 1]})
    for name, value in zip(("run", "camcol", "field"), key, strict=True):
        frame[name] = np.full(n, value)
    for index, band in enumerate(BANDS):
        frame[f"extinction_{band}"] = 0.1 + 0.01 * index + 0.001 * np.arange(n)
    return frame


INSIDE = np.array([[40.2, 50.9], [80.0, 60.5], [110.71, 70.13], [75.49, 99.5 - 28], [60.5, 64.0]])
