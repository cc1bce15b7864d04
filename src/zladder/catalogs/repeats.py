"""Rows that repeat an earlier one: found by sorting keys of 64 bits, in memory of a few arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

# Keys of text are two hashes, together 128 bits: among 10^7 different texts two share both with a
# chance of 10^-25. The key of one numeric column is its value.
_HASH_KEYS = ("zladder-hash-one", "zladder-hash-two")
_ODD = np.uint64(0x9E3779B97F4A7C15)  # mixes the columns of a key


def row_keys(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (keys, known) of N rows: uint64 (2, N), equal for equal values, and bool (N,).

    A row is not known if one of the columns holds nothing there: it repeats no other.
    """
    known = frame[list(columns)].notna().all(axis=1).to_numpy()
    keys = np.zeros((2, len(frame)), dtype=np.uint64)
    for name in columns:
        keys = keys * _ODD ^ _halves(frame[name])
    return keys, known


def _halves(column: pd.Series) -> np.ndarray:
    """Return 128 bits for each value, uint64 (2, N): the same for 5 and 5.0, whatever the type.

    The second half of whole numbers is 0.
    """
    if not pd.api.types.is_numeric_dtype(column):
        words = column.astype("object").map(str).to_numpy(dtype=object)
        hashed = [pd.util.hash_array(words, hash_key=key) for key in _HASH_KEYS]
        return np.stack(hashed)
    if column.dtype.kind == "f":  # an integer column with gaps comes as floats
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        whole = np.isfinite(values) & (np.abs(values) < 2.0**63) & (np.trunc(values) == values)
        as_integers = np.where(whole, values, 0.0).astype(np.int64).view(np.uint64)
        low = np.where(whole, as_integers, values.view(np.uint64))
        return np.stack([low, (~whole).astype(np.uint64)])
    wide = np.uint64 if column.dtype.kind == "u" else np.int64
    low = column.to_numpy(dtype=wide, na_value=0).view(np.uint64)
    return np.stack([low, np.zeros_like(low)])


def key_order(keys: Sequence[np.ndarray]) -> np.ndarray:
    """Return the rows sorted by their keys (K arrays of shape (N,)), equal ones in their order."""
    if len(keys) == 1:
        return np.argsort(keys[0], kind="stable")
    return np.lexsort(tuple(keys))


def repeats(keys: Sequence[np.ndarray], order: np.ndarray, keep_first: bool) -> np.ndarray:
    """Return the rows that repeat another one: indices, int64, in no order.

    Parameters
    ----------
    keys
        K integer arrays of shape (N,).
    order
        The rows that count, in the order of `key_order`.
    keep_first
        True leaves the first of several equal rows out of the answer.
    """
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        in_order = key[order]
        same &= in_order[1:] == in_order[:-1]
    later = order[1:][same]
    return later if keep_first else np.unique(np.concatenate([later, order[:-1][same]]))


def repeated(key: np.ndarray, keep_first: bool) -> np.ndarray:
    """Return whether each row repeats another in one integer key, (N,): bool (N,)."""
    found = np.zeros(len(key), dtype=bool)
    found[repeats([key], key_order([key]), keep_first)] = True
    return found
