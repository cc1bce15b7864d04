"""Time and memory of reading a native catalogue into the standard one, beside a plain read.

Ours reads some rows at a time, checks units, sentinels, positions and identifiers, and writes
Parquet. The plain read takes the same columns in one go, with pandas (CSV, Parquet) or astropy
(FITS, HDF5), checks nothing and writes nothing. Each runs in a fresh process, whose whole peak
memory is given, imports and all.

Measured on an AMD EPYC with 2 cores, 2 10^6 rows, zladder and the plain read: CSV 8.7 s and 683 MB,
1.1 s and 1006 MB; FITS 2.6 s and 978 MB (the file is mapped, its pages count), 0.6 s and 341 MB;
Parquet 3.1 s and 614 MB, 1.3 s and 797 MB; HDF5 3.3 s and 493 MB, 0.2 s and 317 MB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

BANDS = ("u", "g", "r", "i", "z")
SUFFIXES = {"csv": "csv", "fits": "fits", "parquet": "parquet", "hdf5": "h5"}
SURVEY: dict[str, Any] = {
    "name": "bench",
    "bands": list(BANDS),
    "columns": {
        "object_id": "objID", "ra": "ra", "dec": "dec", "z_true": "z", "z_true_err": "zErr",
        **{f"mag_{band}": f"mag_{band}" for band in BANDS},
        **{f"mag_err_{band}": f"err_{band}" for band in BANDS},
    },
    "extra_columns": ["specObjID", "type", "zWarning"],
    "sentinels": {"-9999": "not_observed"},
    "kind": "spec",
}  # fmt: skip


def native(rows: int) -> dict[str, np.ndarray]:
    """Return the native columns: 18 of them."""
    rng = np.random.default_rng(2)
    columns: dict[str, np.ndarray] = {
        "objID": np.arange(rows) + 2**60,
        "ra": rng.uniform(0, 360, rows),
        "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, rows))),
        "z": rng.gamma(3.0, 0.05, rows),
        "zErr": np.full(rows, 1e-4),
        "specObjID": rng.integers(0, 2**62, rows),
        "type": rng.integers(3, 7, rows),
        "zWarning": rng.integers(0, 2, rows),
    }
    for band in BANDS:
        columns[f"mag_{band}"] = np.round(rng.normal(18.0, 1.0, rows), 4)
        columns[f"mag_{band}"][rng.random(rows) < 0.01] = -9999
        columns[f"err_{band}"] = np.round(rng.uniform(0.01, 0.05, rows), 4)
    return columns


def write(path: Path, kind: str, rows: int) -> None:
    """Write the native table in a format."""
    columns = native(rows)
    if kind == "fits":
        from astropy.table import Table

        Table(columns).write(path)
    elif kind == "hdf5":
        import h5py

        with h5py.File(path, "w") as file:
            for name, column in columns.items():
                file[name] = column
    else:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet

        table = pa.table(columns)
        if kind == "csv":
            pyarrow.csv.write_csv(table, path)
        else:
            pyarrow.parquet.write_table(table, path)


def read_ours(path: Path, kind: str) -> int:
    """Return the rows of the standard catalogue that zladder writes."""
    from zladder.catalogs.native import write_survey

    out = path.with_name(f"{kind}-standard.parquet")
    counts = write_survey({"all": path}, SURVEY | {"file_format": kind}, out)
    return int(counts["rows_out"])


def read_plain(path: Path, kind: str) -> int:
    """Return the rows of the table, read as most would do it."""
    if kind in ("csv", "parquet"):
        import pandas as pd

        return len(pd.read_csv(path) if kind == "csv" else pd.read_parquet(path))
    if kind == "fits":
        from astropy.table import Table

        return len(Table.read(path))
    import h5py

    with h5py.File(path) as file:
        return len({name: item[()] for name, item in file.items()}["objID"])


METHODS = {"zladder": read_ours, "plain": read_plain}


def measure(name: str, path: Path, kind: str) -> tuple[int, float, float]:
    """Return rows, seconds and the peak memory of the process in MB."""
    start = time.perf_counter()
    rows = METHODS[name](path, kind)
    seconds = time.perf_counter() - start
    return rows, seconds, peak_mb()


def peak_mb() -> float:
    """Return the peak memory of this process (ru_maxrss would count what its parent held)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


def main(argv: list[str] | None = None) -> int:
    """Print a line for each format and method; return 1 if rows are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the catalogue")
    rows = parser.parse_args(argv).rows
    fresh, whole = multiprocessing.get_context("spawn"), True
    with tempfile.TemporaryDirectory() as folder:
        for kind, suffix in SUFFIXES.items():
            path = Path(folder) / f"native.{suffix}"
            write(path, kind, rows)
            for name in METHODS:  # one after the other, each in a process of its own
                with fresh.Pool(1) as pool:
                    found, seconds, peak_mb = pool.starmap(measure, [(name, path, kind)])[0]
                whole &= found == rows
                print(f"{kind:8s} {name:8s} {found} rows: {seconds:.1f} s, "
                      f"{found / seconds / 1e6:.2f} million rows/s, {peak_mb:.0f} MB")  # fmt: skip
            path.unlink()
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
