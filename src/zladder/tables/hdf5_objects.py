"""What an HDF5 file of cutouts says of its galaxies beside the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.tables.check import require_column
from zladder.tables.cutouts import number_of, require_not_negative
from zladder.tables.hdf5 import column_datasets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import h5py

# R_b,DR12: extinctions of SDSS's DR12 over E(B-V) (Hayat et al. 2021, ApJL 911, L33; their code:
# MustafaMustafa/ssl-sky-surveys): they turn stored extinctions into E(B-V), and nothing else.
DR12_EXTINCTION_PER_EBV = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}
# Labels of the public files, the first that is there; a combined file does not say their kind.
_LABELS = {"specz_redshift": "spec", "lp_zPDF_CLASSIC": "photo", "z_truth": None}


def read_objects(path: Path, file: h5py.File, id_name: str, n: int) -> pd.DataFrame:
    """Return `object_id` and, where the file has them, positions and labels of N galaxies.

    Raises
    ------
    BadInput
        Identifiers that are no integers below 2^63, positions that are none, another length.
    """
    columns = {"object_id": _ids(path, file, id_name, n)}
    if "ra" in file and "dec" in file:
        columns |= {name: _numbers(path, file, name, n) for name in ("ra", "dec")}
        _require_positions(path, columns["ra"], columns["dec"])
    for label, kind in _LABELS.items():
        if label in file:
            columns["z_true"] = _numbers(path, file, label, n)
            if f"{label}_err" in file:
                columns["z_true_err"] = _numbers(path, file, f"{label}_err", n)
            if kind:
                columns["z_true_kind"] = np.full(n, kind, dtype=object)
            break
    return pd.DataFrame(columns)


def release_ebv(path: Path, file: h5py.File, bands: Sequence[str], n: int) -> np.ndarray:
    """Return E(B-V) from the extinctions `e_bv` (N, B), float64 (N,): the mean of A_b / R_b,DR12.

    The dataset holds DR12's extinctions in mag, not E(B-V): so reads it the code of Hayat et al.
    2021 (MustafaMustafa/ssl-sky-surveys).

    Raises
    ------
    BadInput
        Another shape than one value a band, bands that SDSS does not have, negative values.
    """
    strangers = [band for band in bands if band not in DR12_EXTINCTION_PER_EBV]
    if strangers:
        expected = f"one extinction for each of {', '.join(DR12_EXTINCTION_PER_EBV)}"
        found = f"the bands {', '.join(bands)}"
        raise BadInput(path, "dataset 'e_bv'", expected, found, "give E(B-V) by --ebv")
    extinction_mag = _matrix(path, file, "e_bv", (n, len(bands)))
    per_ebv = np.array([DR12_EXTINCTION_PER_EBV[band] for band in bands])
    return np.asarray((extinction_mag / per_ebv).mean(axis=1))


def layout_extinction(
    path: Path, file: h5py.File, bands: Sequence[str], n: int
) -> np.ndarray | None:
    """Return extinctions in mag, float64 (N, B), or None.

    From `extinction_mag` (N, B) of zladder's stamps, or from `a_g`, `a_r`, ... (N,) as HSC's
    catalogue calls them.

    Raises
    ------
    BadInput
        Another shape, or negative values.
    """
    if "extinction_mag" in file:
        return _matrix(path, file, "extinction_mag", (n, len(bands)))
    if not all(f"a_{band}" in file for band in bands):
        return None
    values = np.stack([_numbers(path, file, f"a_{band}", n) for band in bands], axis=1)
    require_not_negative(values, path, f"datasets 'a_{bands[0]}' to 'a_{bands[-1]}'")
    return values


def column_ebv(path: Path, file: h5py.File, told: str, n: int) -> np.ndarray:
    """Return the E(B-V) that is told for N galaxies: one number, or a column of the file.

    Raises
    ------
    BadInput
        No such column, or values that no E(B-V) can be.
    """
    number = number_of(told)
    if number is not None:
        return np.full(n, number)
    require_column(told, list(column_datasets(file)), path)
    values = _numbers(path, file, told, n)
    require_not_negative(values, path, f"dataset '{told}'")
    return values


def _ids(path: Path, file: h5py.File, name: str, n: int) -> np.ndarray:
    values = _column(path, file, name, n)
    if values.dtype.kind not in "iu" or (values > np.iinfo(np.int64).max).any():
        expected, hint = "integers below 2^63", "a float does not hold an identifier of 64 bits"
        raise BadInput(path, f"dataset '{name}'", expected, f"{values.dtype}", hint)
    return values.astype(np.int64)


def _numbers(path: Path, file: h5py.File, name: str, n: int) -> np.ndarray:
    values = _column(path, file, name, n)
    if values.dtype.kind not in "fiu":
        hint = "convert it, or take it out of the file"
        raise BadInput(path, f"dataset '{name}'", "numbers", f"{values.dtype}", hint)
    return values.astype(np.float64)


def _matrix(path: Path, file: h5py.File, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Return extinctions in mag of this shape, float64."""
    values = np.asarray(file[name][()])
    if values.shape != shape or values.dtype.kind not in "fiu":
        found = f"{values.dtype} of shape {values.shape}"
        hint = "one extinction a galaxy and band, in mag; or give E(B-V) by --ebv"
        raise BadInput(path, f"dataset '{name}'", f"numbers of shape {shape}", found, hint)
    require_not_negative(values, path, f"dataset '{name}'")
    return values.astype(np.float64)


def _column(path: Path, file: h5py.File, name: str, n: int) -> np.ndarray:
    """Return a dataset of shape (N,) or (N, 1) as (N,)."""
    values = np.asarray(file[name][()])
    if values.shape not in ((n,), (n, 1)):
        expected, found = f"one value for each of {n} cutouts", f"shape {values.shape}"
        raise BadInput(path, f"dataset '{name}'", expected, found, "is the file whole?")
    return values.reshape(n)


def _require_positions(path: Path, ra: np.ndarray, dec: np.ndarray) -> None:
    wrong = ~(np.isfinite(ra) & (np.abs(dec) <= 90.0))
    if wrong.any():
        row = int(np.argmax(wrong))
        found = f"{ra[row]:g}, {dec[row]:g} ({int(wrong.sum())} such rows)"
        hint = "correct the positions, or take both datasets out: they are not needed"
        raise BadInput(path, f"ra, dec, row {row} (from 0)", "a position in deg", found, hint)
