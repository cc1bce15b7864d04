"""What an image network sees beside the galaxy: seeing and noise of the sky, of its stamp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.report.dataset_pixels import shards_of
from zladder.tables.stamp_files import stamp_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

OF_STAMPS = ("psf_fwhm_arcsec", "sky_sigma_nmgy")


def imaging_of_stamps(
    shards: Sequence[Path], dataset: pd.DataFrame, band: str
) -> dict[str, np.ndarray]:
    """Return {name_BAND: one float64 a galaxy, (N,)} of the numbers that stamps carry in a band.

    Parameters
    ----------
    shards
        Stamp files; SAMPLE/SHARD.h5 is the shard ``SAMPLE/SHARD``.
    dataset
        ``shard row`` of an image dataset; N rows, in any order.
    band
        Its name.

    Returns
    -------
    imaging
        ``psf_fwhm_arcsec_{band}`` (arcsec) and ``sky_sigma_nmgy_{band}`` (nanomaggies); NaN where
        it is not known, and in stamps without the band.

    Raises
    ------
    BadInput
        As `shards_of`.
    """
    found = {name: np.full(len(dataset), np.nan) for name in OF_STAMPS}
    places_of = dataset.groupby("shard").indices
    row = dataset["row"].to_numpy(dtype=np.int64)
    for about, _ in shards_of(shards, dataset):
        if band not in about.bands:
            continue
        places = places_of[f"{about.path.parent.name}/{about.path.stem}"]
        for name, values in found.items():
            column = stamp_column(about.path, name)[:, about.bands.index(band)]
            values[places] = column[row[places]]
    return {f"{name}_{band}": values for name, values in found.items()}
