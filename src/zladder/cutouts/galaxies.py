"""The galaxies of one shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.cutouts.layers import LAYER, layers_of
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_numbers
from zladder.tables.names import column_names
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.cutouts.layouts import Layout


FIELD = ["run", "camcol", "field"]


def read_galaxies(sample: Path, settings: Mapping[str, Any], layout: Layout) -> pd.DataFrame:
    """Return the galaxies of a sample.

    One without extinctions gets them from its E(B-V), where the survey's `extinction_per_ebv` is
    known.

    Parameters
    ----------
    sample
        The table, Parquet.
    settings
        `bands`; `extinction_per_ebv` where it is known; `layers` where a column tells the layer.
    layout
        Of the survey's images.

    Returns
    -------
    pandas.DataFrame
        `object_id, ra, dec` (deg), what the layout needs, `extinction_{band}` (mag); where the
        sample has them `ebv_mag` and `psf_fwhm_arcsec_{band}`, NaN where they are not known;
        `layer` where a column tells it.

    Raises
    ------
    BadInput
        A missing column, a galaxy twice, or a position, number of a field, extinction or layer
        that is not there.
    """
    bands, per_ebv = settings["bands"], settings.get("extinction_per_ebv", {})
    there = column_names(sample, "parquet")
    extinctions = {f"extinction_{band}": per_ebv.get(band) for band in bands}
    by_ebv = None not in extinctions.values() and "ebv_mag" in there
    by_ebv = by_ebv and not any(name in there for name in extinctions)
    numbers = ["ra", "dec", *layout.needs, *(["ebv_mag"] if by_ebv else extinctions)]
    beside = ["ebv_mag", *(f"psf_fwhm_arcsec_{band}" for band in bands)]
    beside = [name for name in beside if name in there and name not in numbers]
    layers = settings.get("layers")
    text = [layers["column"]] if layers else []
    frame = read_table(sample, "parquet", ["object_id", *numbers, *beside, *text])
    frame = require_numbers(frame, [*numbers, *beside], sample)
    for name in numbers:
        _require_finite(frame[name], name, sample)
    require_one_row(frame, sample)
    for name in layout.needs:
        frame[name] = _whole(frame[name], name, sample)
    if layers:
        frame = frame.assign(**{LAYER: layers_of(frame[layers["column"]], layers, sample)})
    if by_ebv:
        frame = frame.assign(**{name: frame["ebv_mag"] * r for name, r in extinctions.items()})
    return frame


def require_one_row(frame: pd.DataFrame, file: Path) -> None:
    """Refuse a table in which an `object_id` stands twice.

    Raises
    ------
    BadInput
        With the first row (from 1) whose galaxy stands above it.
    """
    doubled = frame.duplicated("object_id").to_numpy()
    if doubled.any():
        row = int(np.argmax(doubled))
        raise BadInput(file, f"column 'object_id', row {row + 1}", "one row a galaxy",
                       f"{frame['object_id'].iloc[row]} a second time",
                       "drop duplicates in the sample's cuts")  # fmt: skip


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
