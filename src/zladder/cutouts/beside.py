"""What stands beside the pixels of a stamp and is known before a frame is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.tables.stamp_files import stamp_datasets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    Stamps = dict[str, np.ndarray]  # the datasets of a shard (`stamp_datasets`), N rows each


def empty_pixels(n_galaxies: int, settings: Mapping[str, Any]) -> np.ndarray:
    """Return memory for the pixels of so many stamps (`bands`, `stamp_pixels`), not cleared."""
    dtype, entry = stamp_datasets(len(settings["bands"]), settings["stamp_pixels"])["flux"]
    return np.empty((n_galaxies, *entry), dtype)


def empty_stamps(
    galaxies: pd.DataFrame, settings: Mapping[str, Any], pixels: np.ndarray | None = None
) -> Stamps:
    """Return the datasets of the galaxies with everything that the frames do not tell.

    The pixels are whatever was in memory, in that of `pixels` (`empty_pixels`, N or more) where
    it is given: fresh memory for every field would cost a third of the cutting. Widths of the
    point-spread function that the catalogue does not tell are the survey's (`psf_fwhm_arcsec` of
    the settings), else NaN.
    """
    bands = settings["bands"]
    described = stamp_datasets(len(bands), settings["stamp_pixels"])
    n = len(galaxies)
    stamps = {name: np.zeros((n, *entry), dtype) for name, (dtype, entry) in described.items()
              if name != "flux"}  # fmt: skip
    stamps = {"flux": empty_pixels(n, settings) if pixels is None else pixels[:n], **stamps}
    for name in ("object_id", "ra", "dec"):
        stamps[name][:] = galaxies[name]
    stamps["extinction_mag"][:] = galaxies[[f"extinction_{band}" for band in bands]]
    stamps["ebv_mag"][:] = ebv_mag(galaxies, bands, settings.get("extinction_per_ebv", {}))
    for index, band in enumerate(bands):
        widths = stamps["psf_fwhm_arcsec"][:, index]
        widths[:] = galaxies.get(f"psf_fwhm_arcsec_{band}", np.nan)
        widths[np.isnan(widths)] = settings.get("psf_fwhm_arcsec", {}).get(band, np.nan)
    return stamps


def ebv_mag(
    galaxies: pd.DataFrame, bands: Sequence[str], per_ebv: Mapping[str, float]
) -> np.ndarray:
    """Return E(B-V) of N galaxies, float64 (N,), NaN where it is not known.

    The column `ebv_mag` where it tells; else the E(B-V) whose extinctions R_b E(B-V) lie nearest
    to those of the catalogue by least squares, where R_b is known in every band. Samples have
    extinctions on the scale of `extinction_per_ebv` (stage catalogs).
    """
    told = np.full(len(galaxies), np.nan)
    told[:] = galaxies.get("ebv_mag", np.nan)
    if any(band not in per_ebv for band in bands):
        return told
    scale = np.array([per_ebv[band] for band in bands])
    extinction = galaxies[[f"extinction_{band}" for band in bands]].to_numpy(dtype=np.float64)
    return np.where(np.isnan(told), extinction @ scale / (scale @ scale), told)


def some(stamps: Stamps, rows: np.ndarray) -> Stamps:
    """Return some rows of the stamps, given by their numbers or as bool (N,)."""
    return {name: values[rows] for name, values in stamps.items()}
