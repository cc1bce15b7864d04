"""Rows that repeat an earlier one: found by sorting keys of 64 bits, in memory of a few arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

# Keys of text are two hashes, together 128 bits: among 10^7 different texts two share both with a
# chance of 10^-25. The key of one numeric column is its value.
_HASH_KEYS = ("zladder of first", "zladder of secon")
_ODD = np.uint64(0x9E3779B97F4A7C15)  # mixes the columns of a key


def row_keys(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (keys, known) of N rows: uint64 (N, 2), equal for equal values, and bool (N,).

    A row is not known if one of the columns holds nothing there: it repeats no other.
    """
    known = frame[list(columns)].notna().all(axis=1).to_numpy()
    keys = np.zeros((len(frame), 2), dtype=np.uint64)
    for name in columns:
        keys = keys * _ODD ^ _halves(frame[name])
    return keys, known


def _halves(column: pd.Series) -> np.ndarray:
    """Return 128 bits for each value, uint64 (N, 2): the same for 5 and 5.0, whatever the type."""
    if not pd.api.types.is_numeric_dtype(column):
        words = column.astype("object").map(str).to_numpy(dtype=object)
        hashed = [pd.util.hash_array(words, hash_key=key) for key in _HASH_KEYS]
        return np.stack(hashed, axis=1)
    if column.dtype.kind == "f":  # an integer column with gaps comes as floats
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        whole = np.isfinite(values) & (np.abs(values) < 2.0**63) & (values % 1 == 0)
        as_integers = np.where(whole, values, 0.0).astype(np.int64).view(np.uint64)
        low = np.where(whole, as_integers, values.view(np.uint64))
        return np.stack([low, (~whole).astype(np.uint64)], axis=1)
    wide = np.uint64 if column.dtype.kind == "u" else np.int64
    low = column.to_numpy(dtype=wide, na_value=0).view(np.uint64)
    return np.stack([low, np.zeros_like(low)], axis=1)


def repeated(keys: np.ndarray, keep_first: bool) -> np.ndarray:
    """Return which rows repeat another: bool (N,).

    Parameters
    ----------
    keys
        (N,) or (N, K) integers.
    keep_first
        True leaves the first of several equal rows out of the answer.
    """
    columns = keys.reshape(len(keys), -1)
    order = np.lexsort(columns.T)  # stable: of equal rows the first comes first
    same = np.ones(max(len(keys) - 1, 0), dtype=bool)
    for column in columns.T:
        in_order = column[order]
        same &= in_order[1:] == in_order[:-1]
    found = np.zeros(len(keys), dtype=bool)
    found[order[1:][same]] = True
    if not keep_first:
        found[order[:-1][same]] = True
    return found
