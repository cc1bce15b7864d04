"""What of a dataset its page looks at: which columns are read, colours, S/N, their words."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from zladder.tables.fluxes import MAG_PER_LN
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

_PLAIN = ("object_id", "ra", "dec", "z_true", "z_true_kind", "split", "fraction_rank", "shard",
          "row", "stamp_flags")  # fmt: skip
_OF_BANDS = ("mag_{band}", "mag_err_{band}", "extinction_{band}", "psf_fwhm_arcsec_{band}")
# Of images, `dataset_imaging` finds both in the stamps.
_IMAGING = ("psf_fwhm_arcsec_{band}", "sky_sigma_nmgy_{band}")


def read_shown_columns(path: Path, bands: Sequence[str]) -> pd.DataFrame:
    """Return a dataset with the columns that its page shows, where it has them; N rows.

    Raises
    ------
    BadInput
        As `read_table`; a dataset always has ``object_id`` and ``split``.
    """
    names = [*_PLAIN, *(name.format(band=band) for band in bands for name in _OF_BANDS)]
    there = set(pq.read_schema(path).names) if path.is_file() else set(names)
    needed = ("object_id", "split")
    return read_table(path, columns=[name for name in names if name in there or name in needed])


def bands_of(dataset: pd.DataFrame, bands: Sequence[str]) -> list[str]:
    """Return the bands, of those named, in which the dataset has magnitudes."""
    return [band for band in bands if f"mag_{band}" in dataset]


def middle_band(dataset: pd.DataFrame, bands: Sequence[str]) -> str:
    """Return the middle one of the bands in which the dataset has magnitudes, else of all."""
    here = bands_of(dataset, bands) or list(bands)
    return here[len(here) // 2]


def imaging_columns(dataset: pd.DataFrame, bands: Sequence[str]) -> dict[str, np.ndarray]:
    """Return {name: one float64 a galaxy, (N,)} of the seeing and the noise of the sky.

    In the middle band: ``psf_fwhm_arcsec_{band}`` (arcsec), ``sky_sigma_nmgy_{band}`` (nmgy); those
    that the dataset has.
    """
    names = [name.format(band=middle_band(dataset, bands)) for name in _IMAGING]
    return {name: _numbers(dataset, name) for name in names if name in dataset}


def signal_to_noise(mag_err: np.ndarray) -> np.ndarray:
    """Return flux over its error, float64 (N,), of errors of magnitudes: 1.0857 / mag_err.

    NaN where the error is not a positive number.
    """
    error = np.asarray(mag_err, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error > 0, MAG_PER_LN / error, np.nan)


def compared_columns(dataset: pd.DataFrame, bands: Sequence[str]) -> dict[str, np.ndarray]:
    """Return {name: one float64 a galaxy, (N,)} of what is compared between splits.

    Redshift, magnitudes, colours of neighbouring bands, and of the middle band the error of the
    magnitude, the extinction, seeing and noise of the sky (those of the others follow them);
    where the dataset has them.
    What is not a finite number does not count.
    """
    found = {"z_true": _numbers(dataset, "z_true")} if "z_true" in dataset else {}
    here = bands_of(dataset, bands)
    light = {band: _numbers(dataset, f"mag_{band}") for band in here}
    found |= {f"mag_{band}": values for band, values in light.items()}
    with np.errstate(invalid="ignore"):  # inf - inf: detected in neither band
        found |= {f"{blue} − {red}": light[blue] - light[red]
                  for blue, red in pairwise(here)}  # fmt: skip
    middle = [name.format(band=middle_band(dataset, bands)) for name in _OF_BANDS[1:3]]
    found |= {name: _numbers(dataset, name) for name in middle if name in dataset}
    return found | imaging_columns(dataset, bands)


def _numbers(dataset: pd.DataFrame, name: str) -> np.ndarray:
    return dataset[name].to_numpy(dtype=np.float64, na_value=np.nan)
