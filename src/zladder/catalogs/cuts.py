"""Selection: named cuts, applied in order to a table that comes in batches, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.catalogs.expressions import columns_of, evaluate, undefined
from zladder.catalogs.repeats import key_order, repeats, row_keys
from zladder.provenance.errors import BadInput, require_known
from zladder.tables.check import require_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CUTFLOW_COLUMNS = [
    "cut", "description", "n_in", "n_out", "fraction", "n_lost", "n_lost_alone", "n_lost_nan",
]  # fmt: skip
_KINDS = ("keep", "finite", "missing", "duplicates")
_DUPLICATES = {"keep_first": "the first row of each", "drop_all": "no row of a repeated"}


def apply_cuts(
    frame: pd.DataFrame, cuts: Sequence[Mapping[str, Any]], file: Path | str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that pass every cut, with a new index, and the cut-flow.

    Raises
    ------
    BadInput
        As :class:`Selection` does.
    """
    selection = Selection(cuts, file)
    selection.look(frame)
    stays, flow = selection.settle()
    return frame.loc[stays].reset_index(drop=True), flow


@dataclass
class _Looked:
    """What is kept of a batch of N rows: the index of the first cut that a row fails, uint16; why;
    and for each step that looks at other rows the keys, uint64 (2, N), and which are known.
    """

    failed: np.ndarray
    by_nan: np.ndarray
    keys: dict[int, tuple[np.ndarray, np.ndarray]]


class Selection:
    """Cuts on a table whose rows are seen once, some at a time; how many does not matter.

    A cut is a ``name`` and one of ``keep`` (an expression that is true for the rows that stay),
    ``finite`` (columns that must hold a number, neither NaN nor inf), ``missing`` (columns that
    must be NaN) or ``duplicates`` (of the rows left so far that agree in the columns ``of``:
    ``keep_first``, or ``drop_all`` if there are several). A row with NaN in any column that
    ``keep`` names, or in a difference of two (inf - inf), is lost, also where the expression would
    be true of it (``!=``, ``not``): nothing is known of such a row. A row with nothing in a column
    of ``of`` is no duplicate.

    Three bytes a row are held, and 17 more for each ``duplicates``.

    Parameters
    ----------
    cuts
        In order.
    file
        The table that messages name.

    Raises
    ------
    BadInput
        Two cuts of one name, or a cut of no kind or of two.
    """

    def __init__(self, cuts: Sequence[Mapping[str, Any]], file: Path | str) -> None:
        self.cuts, self.file = list(cuts), file
        names: set[str] = set()
        for cut in self.cuts:
            if cut.get("name") in names:
                raise BadInput(file, _place(cut), "cuts of different names", "this name twice",
                               "rename one")  # fmt: skip
            names.add(str(cut.get("name")))
        # Text that cannot be read is refused here, before a row is seen.
        self._asks = [_columns(cut, file) for cut in self.cuts]
        self._alone = [0] * len(self.cuts)
        self._looked: list[_Looked] = []

    def columns(self) -> list[str]:
        """Return the columns that the cuts look at, each once."""
        return list(dict.fromkeys(name for names in self._asks for name in names))

    def require(self, present: Sequence[str]) -> None:
        """Raise BadInput if a cut looks at a column that is not among those present."""
        for cut, names in zip(self.cuts, self._asks, strict=True):
            for name in names:
                _require_column(name, present, _place(cut), self.file)

    def look(self, frame: pd.DataFrame) -> None:
        """See the next rows, with (at least) the columns that the cuts look at.

        Raises
        ------
        BadInput
            An unknown column, or an expression that cannot be evaluated or is no condition; the
            message names the cut.
        """
        self.require(list(frame.columns))
        failed = np.full(len(frame), len(self.cuts), dtype=np.uint16)
        by_nan, keys = np.zeros(len(frame), dtype=bool), {}
        for index, (cut, names) in enumerate(zip(self.cuts, self._asks, strict=True)):
            if "duplicates" in cut:
                keys[index] = row_keys(frame, names)
                continue
            kept, unknown = _pass(frame, cut, names, self.file)
            self._alone[index] += int((~kept).sum())
            lost = ~kept & (failed == len(self.cuts))
            failed[lost], by_nan[lost] = index, unknown[lost]
        self._looked.append(_Looked(failed, by_nan, keys))

    def settle(self) -> tuple[np.ndarray, pd.DataFrame]:
        """Return which of all rows stay, bool (N,), and the cut-flow.

        Returns
        -------
        tuple
            The flow has a row a cut: ``cut, description``, ``n_in, n_out``, ``fraction`` (of n_in
            that stays), ``n_lost``, ``n_lost_alone`` (what it alone takes from the first sample),
            ``n_lost_nan`` (how many of ``n_lost`` are lost for a NaN).

        Raises
        ------
        BadInput
            A cut leaves no row; the message names it.
        """
        end = len(self.cuts)
        failed = _joined([batch.failed for batch in self._looked], np.uint16)
        by_nan = _joined([batch.by_nan for batch in self._looked], bool)
        for index, cut in enumerate(self.cuts):
            if "duplicates" in cut:
                self._drop_repeats(index, failed)
        rows: list[dict[str, Any]] = []
        n_in = len(failed)
        for index, cut in enumerate(self.cuts):
            lost = failed == index
            n_lost = int(lost.sum())
            n_nan = 0 if "duplicates" in cut else int((lost & by_nan).sum())
            if n_lost == n_in:
                raise BadInput(self.file, _place(cut), "a cut that leaves some rows",
                               f"0 of {n_in} rows left", f"it asks for {_description(cut)}: "
                               "check units and limits")  # fmt: skip
            rows.append({
                "cut": cut["name"], "description": _description(cut),
                "n_in": n_in, "n_out": n_in - n_lost, "fraction": (n_in - n_lost) / n_in,
                "n_lost": n_lost, "n_lost_alone": self._alone[index], "n_lost_nan": n_nan,
            })  # fmt: skip
            n_in -= n_lost
        return failed == end, pd.DataFrame(rows, columns=CUTFLOW_COLUMNS)

    def _drop_repeats(self, index: int, failed: np.ndarray) -> None:
        """Settle one step of duplicates: of the rows that no earlier cut has taken."""
        keep_first = self.cuts[index]["duplicates"] == "keep_first"
        seen = [batch.keys.pop(index) for batch in self._looked]  # not needed again
        known = np.concatenate([known for _, known in seen])
        # The second half of whole numbers is 0 throughout: it need not be sorted by.
        halves = [0, 1] if any(keys[1].any() for keys, _ in seen) else [0]
        keys = [np.concatenate([keys[half] for keys, _ in seen]) for half in halves]
        del seen
        order = key_order(keys)
        order = order[known[order]]
        self._alone[index] = len(repeats(keys, order, keep_first))
        failed[repeats(keys, order[failed[order] > index], keep_first)] = index


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=dtype), *arrays])


def _place(cut: Mapping[str, Any]) -> str:
    return f"cut '{cut.get('name')}'"


def _description(cut: Mapping[str, Any]) -> str:
    kind = next(kind for kind in _KINDS if kind in cut)
    if kind == "keep":
        return str(cut["keep"])
    if kind == "duplicates":
        return f"{_DUPLICATES[cut['duplicates']]} {', '.join(_of(cut))}"
    return f"{kind}: {', '.join(cut[kind])}"


def _of(cut: Mapping[str, Any]) -> list[str]:
    named = cut.get("of", [])
    return [named] if isinstance(named, str) else list(named)


def _columns(cut: Mapping[str, Any], file: Path | str) -> list[str]:
    """Return the columns that a cut looks at, if it is one cut of a known kind."""
    if sum(kind in cut for kind in _KINDS) != 1:
        raise BadInput(file, _place(cut), f"one of {', '.join(_KINDS)}",
                       f"the keys {', '.join(cut)}", "make two cuts of it")  # fmt: skip
    if "keep" in cut:
        return columns_of(cut["keep"], _place(cut), file)
    if "duplicates" in cut:
        require_known(str(cut["duplicates"]), _DUPLICATES, file, f"{_place(cut)}, duplicates")
        if not _of(cut):
            raise BadInput(file, _place(cut), "the columns in which duplicates agree", "no 'of'",
                           "as in of: object_id")  # fmt: skip
    return _of(cut) if "duplicates" in cut else list(cut.get("finite", cut.get("missing", [])))


def _pass(
    frame: pd.DataFrame, cut: Mapping[str, Any], names: list[str], file: Path | str
) -> tuple[np.ndarray, np.ndarray]:
    """Return, both of shape (N,) bool, which rows pass and which are lost for a NaN."""
    nan = frame[names].isna().any(axis=1).to_numpy()
    if "missing" in cut:
        return frame[names].isna().all(axis=1).to_numpy(), np.zeros(len(frame), dtype=bool)
    if "finite" in cut:
        values = frame[names].apply(lambda column: np.isfinite(column.astype(float)))
        return values.all(axis=1).to_numpy() & ~nan, nan
    passes = evaluate(frame, cut["keep"], _place(cut), file)
    nan = nan | undefined(frame, cut["keep"], _place(cut), file)
    return passes & ~nan, nan


def _require_column(name: str, present: Sequence[str], place: str, file: Path | str) -> None:
    try:
        require_column(name, present, file)
    except BadInput as error:
        raise BadInput(file, f"{place}, {error.place}", error.expected, error.found,
                       error.hint) from None  # fmt: skip
