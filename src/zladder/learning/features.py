"""The cached features of a dataset's images: what an encoder said of each galaxy, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


def read_features(path: Path, object_id: np.ndarray) -> np.ndarray:
    """Return the features of galaxies, in their order: float32, shape (n, D).

    Parameters
    ----------
    path
        HDF5 with `object_id` (N,) and `features` (N, D), in any order, of any galaxies.
    object_id
        int64 (n,), the galaxies wanted.

    Raises
    ------
    BadInput
        A missing or damaged file, a dataset of another shape, and galaxies that are not in it.
    """
    return _rows_of(path, "features", 2, object_id)


def read_reddened(path: Path, object_id: np.ndarray) -> np.ndarray:
    """Return the features of the same galaxies behind more dust, the file's `reddened` (N, D).

    Parameters, shape and errors as of `read_features`.
    """
    return _rows_of(path, "reddened", 2, object_id)


def read_copies(path: Path, object_id: np.ndarray, n_copies: int) -> np.ndarray:
    """Return the features of the first turned copies of galaxies, float32 (n, n_copies, D).

    The file's `copies` is (N, K, D), K at least `n_copies`. Other parameters and errors as of
    `read_features`.
    """
    copies = _rows_of(path, "copies", 3, object_id)
    if copies.shape[1] < n_copies:
        hint = "embed the images of this dataset again (rule embed_images, --copies)"
        expected = f"at least {n_copies} copies of each galaxy"
        raise BadInput(path, "dataset 'copies'", expected, f"{copies.shape[1]}", hint)
    return copies[:, :n_copies]


def require_finite(values: np.ndarray, object_id: np.ndarray, path: Path) -> None:
    """Refuse features (n, ...) that are not finite, to train on.

    Raises
    ------
    BadInput
        With the first galaxy that has one.
    """
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        first = object_id[int(np.argmax(bad))]
        found = f"{int(bad.sum())} galaxies without, the first is object_id {first}"
        hint = "embed the images again, and look at the stamps of these galaxies"
        raise BadInput(path, "features", "finite features of every galaxy", found, hint)


def _rows_of(path: Path, name: str, n_axes: int, wanted: np.ndarray) -> np.ndarray:
    """Return the rows of a dataset that belong to the wanted galaxies."""
    hint = "embed the images of this dataset again (rule embed_images)"
    if not path.is_file():
        raise BadInput(path, "file", "the features of a dataset", "no such file", hint)
    try:
        with h5py.File(path, "r") as file:
            given, values = file["object_id"][()], file[name][()]
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        expected = f"datasets 'object_id' and '{name}'"
        raise BadInput(path, "file", expected, str(error).strip("'\""), hint) from error
    if values.ndim != n_axes or len(values) != len(given):
        expected, found = f"{n_axes} axes, {len(given)} rows", f"shape {values.shape}"
        raise BadInput(path, f"dataset '{name}'", expected, found, hint)
    order = np.argsort(given, kind="stable")
    place = np.minimum(np.searchsorted(given, wanted, sorter=order), len(given) - 1)
    rows = order[place]
    missing = given[rows] != wanted
    if missing.any():
        first = wanted[int(np.argmax(missing))]
        found = f"{int(missing.sum())} of {len(wanted)} are not there, the first is {first}"
        raise BadInput(path, "dataset 'object_id'", "every galaxy of the dataset", found, hint)
    return np.asarray(values[rows], dtype=np.float32)
