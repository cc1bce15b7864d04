"""The galaxies of one shard, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.check import require_numbers
from zladder.tables.names import column_names
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

FIELD = ["run", "camcol", "field"]


def read_galaxies(sample: Path, bands: Sequence[str], shard: int, n_shards: int) -> pd.DataFrame:
    """Return the galaxies of a sample whose field belongs to a shard, sorted by field and id.

    Fields are dealt to shards by their number: shard = field modulo `n_shards`.

    Returns
    -------
    pandas.DataFrame
        `object_id, ra, dec` (deg), `run, camcol, field`, `extinction_{band}` (mag); where the
        sample has them `ebv_mag` and `psf_fwhm_arcsec_{band}`, NaN where they are not known.

    Raises
    ------
    BadInput
        A missing column, or a position, field number or extinction that is not there.
    """
    numbers = ["ra", "dec", *FIELD, *(f"extinction_{band}" for band in bands)]
    beside = ["ebv_mag", *(f"psf_fwhm_arcsec_{band}" for band in bands)]
    there = column_names(sample, "parquet")
    beside = [name for name in beside if name in there]
    frame = read_table(sample, "parquet", ["object_id", *numbers, *beside])
    frame = require_numbers(frame, [*numbers, *beside], sample)
    for name in numbers:
        _require_finite(frame[name], name, sample)
    for name in FIELD:
        frame[name] = _whole(frame[name], name, sample)
    mine = frame[frame["field"] % n_shards == shard]
    return mine.sort_values([*FIELD, "object_id"]).reset_index(drop=True)


def _require_finite(column: pd.Series, name: str, file: Path) -> None:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argmax(wrong))
        hint = "add a cut to the sample: {name: placed, finite: [" + name + "]}"
        raise BadInput(file, f"column '{name}', row {row + 1}", "a finite number",
                       f"{values[row]} ({int(wrong.sum())} such rows)", hint)  # fmt: skip


def _whole(column: pd.Series, name: str, file: Path) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64)
    wrong = (values != np.floor(values)) | (values < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BadInput(file, f"column '{name}', row {row + 1}", "a whole number, 0 or above",
                       f"{values[row]}", f"map the survey's own {name}")  # fmt: skip
    return values.astype(np.int64)
