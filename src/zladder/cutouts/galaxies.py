"""The galaxies of one shard, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.tables.check import require_numbers
from zladder.tables.names import column_names
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
        A missing column, a galaxy twice, or a position, field number or extinction that is not
        there.
    """
    numbers = ["ra", "dec", *FIELD, *(f"extinction_{band}" for band in bands)]
    beside = ["ebv_mag", *(f"psf_fwhm_arcsec_{band}" for band in bands)]
    there = column_names(sample, "parquet")
    beside = [name for name in beside if name in there]
    frame = read_table(sample, "parquet", ["object_id", *numbers, *beside])
    frame = require_numbers(frame, [*numbers, *beside], sample)
    for name in numbers:
        _require_finite(frame[name], name, sample)
    doubled = frame.duplicated("object_id").to_numpy()
    if doubled.any():
        row = int(np.argmax(doubled))
        raise BadInput(sample, f"column 'object_id', row {row + 1}", "one row a galaxy",
                       f"{frame['object_id'].iloc[row]} a second time",
                       "drop duplicates in the sample's cuts")  # fmt: skip
    for name in FIELD:
        frame[name] = _whole(frame[name], name, sample)
    mine = frame[frame["field"] % n_shards == shard]
    return mine.sort_values([*FIELD, "object_id"]).reset_index(drop=True)


def fields_of(indexes: Sequence[Path]) -> set[tuple[int, int, int]] | None:
    """Return the fields (run, camcol, field) of indexes of frames; None where there is no index.

    A frame that an archive does not have, or only damaged, is not counted (column `state`).
    """
    found: set[tuple[int, int, int]] = set()
    for index in indexes:
        table = pd.read_parquet(index)  # one without rows is no fault: a shard without fields
        if "state" in table.columns:
            table = table[table["state"] == "here"]
        found |= {(int(r), int(c), int(f)) for r, c, f in table[FIELD].drop_duplicates().to_numpy()}
    return found if indexes else None


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
