"""Selection: named cuts, applied in order and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.catalogs.expressions import columns_of, evaluate, undefined
from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CUTFLOW_COLUMNS = [
    "cut", "description", "n_in", "n_out", "n_lost", "n_lost_alone", "n_lost_nan",
]  # fmt: skip
_KINDS = ("keep", "finite", "missing")


def apply_cuts(
    frame: pd.DataFrame, cuts: Sequence[Mapping[str, Any]], file: Path | str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that pass every cut, and the cut-flow.

    A cut is a ``name`` and one of ``keep`` (an expression that is true for the rows that stay),
    ``finite`` (columns that must hold a number, neither NaN nor inf) or ``missing`` (columns
    that must be NaN). A row with NaN in any column that ``keep`` names, or in a difference of
    two (inf - inf), is lost, also where the expression would be true of it (``!=``, ``not``):
    nothing is known of such a row.

    Returns
    -------
    tuple
        The selected rows with a new index, and one row for each cut: ``cut, description``,
        ``n_in, n_out, n_lost``, ``n_lost_alone`` (what it alone takes from the first sample),
        ``n_lost_nan`` (how many of ``n_lost`` are lost for a NaN).

    Raises
    ------
    BadInput
        An unknown column, an expression that cannot be read or is no condition, two cuts of one
        name, or a cut that leaves no row; the message names the cut.
    """
    stays = np.ones(len(frame), dtype=bool)
    rows: list[dict[str, Any]] = []
    for cut in cuts:
        place = f"cut '{cut.get('name')}'"
        if any(row["cut"] == cut["name"] for row in rows):
            raise BadInput(file, place, "cuts of different names", "this name twice", "rename one")
        kept, unknown = _pass(frame, cut, place, file)
        n_in, lost = int(stays.sum()), stays & ~kept
        stays = stays & kept
        rows.append({
            "cut": cut["name"], "description": _description(cut),
            "n_in": n_in, "n_out": int(stays.sum()), "n_lost": int(lost.sum()),
            "n_lost_alone": int((~kept).sum()), "n_lost_nan": int((lost & unknown).sum()),
        })  # fmt: skip
        if not stays.any():
            raise BadInput(file, place, "a cut that leaves some rows", f"0 of {n_in} rows left",
                           f"it asks for {_description(cut)}: check units and limits")  # fmt: skip
    return frame.loc[stays].reset_index(drop=True), pd.DataFrame(rows, columns=CUTFLOW_COLUMNS)


def _description(cut: Mapping[str, Any]) -> str:
    kind = next(kind for kind in _KINDS if kind in cut)
    return str(cut["keep"]) if kind == "keep" else f"{kind}: {', '.join(cut[kind])}"


def _pass(
    frame: pd.DataFrame, cut: Mapping[str, Any], place: str, file: Path | str
) -> tuple[np.ndarray, np.ndarray]:
    """Return, both of shape (N,) bool, which rows pass and which are lost for a NaN."""
    if sum(kind in cut for kind in _KINDS) != 1:
        raise BadInput(file, place, f"one of {', '.join(_KINDS)}", f"the keys {', '.join(cut)}",
                       "make two cuts of it")  # fmt: skip
    if "keep" in cut:
        names = columns_of(cut["keep"], place, file)
    else:
        names = list(cut.get("finite", cut.get("missing", [])))
    for name in names:
        _require_column(frame, name, place, file)
    nan = frame[names].isna().any(axis=1).to_numpy()
    if "missing" in cut:
        return frame[names].isna().all(axis=1).to_numpy(), np.zeros(len(frame), dtype=bool)
    if "finite" in cut:
        values = frame[names].apply(lambda column: np.isfinite(column.astype(float)))
        return values.all(axis=1).to_numpy() & ~nan, nan
    passes = evaluate(frame, cut["keep"], place, file)
    nan = nan | undefined(frame, cut["keep"], place, file)
    return passes & ~nan, nan


def _require_column(frame: pd.DataFrame, name: str, place: str, file: Path | str) -> None:
    try:
        require_column(name, list(frame.columns), file)
    except BadInput as error:
        raise BadInput(file, f"{place}, {error.place}", error.expected, error.found,
                       error.hint) from None  # fmt: skip
