"""Time and memory of a selection with its cut-flow over a large catalogue: ours beside pandas.

Ours streams the standard catalogue (and the match file) in batches and writes the sample; pandas
reads the table in one go, joins, cuts and writes it. Each runs in a fresh process, whose whole peak
memory is given, imports and all.

Measured on a busy AMD EPYC with 2 cores, 10^7 rows (matched: 10^6 labels), zladder against pandas:
one table 9.1 s and 581 MB, 13.6 s and 4397 MB; with a step for duplicates 13.0 s and 704 MB, 14.4 s
and 3642 MB; matched 9.0 s and 525 MB, 6.6 s and 2591 MB; the same galaxies.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

BANDS = ("u", "g", "r", "i", "z")
CUTS = [
    {"name": "primary detection", "keep": "mode == 1"},
    {"name": "a galaxy by its image", "keep": "type == 3"},
    {"name": "clean photometry", "keep": "clean == 1"},
    {"name": "sure redshift", "keep": "zWarning == 0"},
    {"name": "redshift range", "keep": "z_true > 0 and z_true < 0.4"},
    {"name": "bright", "keep": "mag_r < 17.8"},
    {"name": "measured in every band", "finite": [f"mag_{band}" for band in BANDS]},
]
ONCE = {"name": "one row a galaxy", "duplicates": "drop_all", "of": "specObjID"}
MATCHED_SHARE = 0.1  # of the photometry that has a label
ROWS_AT_A_TIME = 1_000_000


def make_catalogue(path: Path, rows: int, kinds: tuple[str, ...]) -> None:
    """Write a standard catalogue with labels, photometry or both, a million rows at a time."""
    from zladder.tables.standard import standard_schema
    from zladder.tables.write import parquet_writer

    rng = np.random.default_rng(rows)
    schema = standard_schema(some_rows(0, 1, rng, kinds).schema, {"survey": "bench"})
    with parquet_writer(path, schema) as write:
        for start in range(0, rows, ROWS_AT_A_TIME):
            write(some_rows(start, min(ROWS_AT_A_TIME, rows - start), rng, kinds))


def some_rows(start: int, n: int, rng: np.random.Generator, kinds: tuple[str, ...]) -> pa.Table:
    """Return n rows of the catalogue."""
    columns = {
        "object_id": np.arange(start, start + n) + 2**60,
        "ra": rng.uniform(0, 360, n),
        "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
    }
    if "labels" in kinds:
        columns |= {
            "z_true": rng.gamma(3.0, 0.05, n).astype(np.float32),
            "z_true_err": np.full(n, 1e-4, dtype=np.float32),
            "zWarning": (rng.random(n) < 0.05).astype(np.int32),
            "specObjID": rng.integers(0, 10**8, n).astype(np.uint64) + 2**63,
        }
    for band in BANDS if "photometry" in kinds else ():
        mag = rng.normal(18.0, 1.5, n).astype(np.float32)
        mag[rng.random(n) < 0.01] = np.nan
        columns[f"mag_{band}"] = mag
        columns[f"mag_err_{band}"] = np.abs(rng.normal(0.02, 0.005, n)).astype(np.float32)
        columns[f"extinction_{band}"] = rng.gamma(2.0, 0.03, n).astype(np.float32)
    if "photometry" in kinds:
        columns |= {
            "mode": (1 + (rng.random(n) < 0.1)).astype(np.int32),
            "type": (3 + 3 * (rng.random(n) < 0.3)).astype(np.int32),
            "clean": (rng.random(n) < 0.9).astype(np.int32),
        }
    return pa.table({**columns, "part": pa.array(["all"] * n)})


def make_match(path: Path, n_labels: int, rows: int) -> None:
    """Write pairs of every label with some photometric object, in no order of the latter."""
    from zladder.catalogs.select import LEFT, RIGHT, SEPARATION

    rng = np.random.default_rng(5)
    partner = rng.choice(rows, n_labels, replace=False)
    pairs = {LEFT: np.arange(n_labels), RIGHT: partner, SEPARATION: rng.uniform(0, 1, n_labels)}
    pd.DataFrame(pairs).to_parquet(path)


def select_ours(folder: Path, case: str) -> int:
    """Return the galaxies of the sample that zladder writes."""
    from zladder.catalogs.select import write_sample

    labels, photometry, match = files(folder, case)
    cuts = [*CUTS, *([ONCE] if case == "duplicates" else [])]
    settings = {"name": "bench", "deredden": True, "cuts": cuts}
    flow, _ = write_sample(labels, photometry, match, settings, folder / f"{case}.ours.parquet")
    return int(flow["n_out"].iloc[-1])


def select_pandas(folder: Path, case: str) -> int:
    """Return the galaxies of the sample that pandas writes, as most would do it."""
    labels, photometry, match = files(folder, case)
    table = pd.read_parquet(photometry)
    if match is not None:
        pairs, named = pd.read_parquet(match), pd.read_parquet(labels)
        left, right, _ = pairs.columns
        seen = table.iloc[pairs[right]].reset_index(drop=True)
        own = named.iloc[pairs[left]].reset_index(drop=True)
        table = seen.join(own[["z_true", "z_true_err", "zWarning", "specObjID"]])
    for band in BANDS:
        table[f"mag_{band}"] = table[f"mag_{band}"] - table[f"extinction_{band}"]
    for cut in CUTS:
        table = table.query(cut["keep"]) if "keep" in cut else table.dropna(subset=cut["finite"])
    if case == "duplicates":
        table = table.drop_duplicates("specObjID", keep=False)
    table.to_parquet(folder / f"{case}.pandas.parquet")
    return len(table)


def files(folder: Path, case: str) -> tuple[Path, Path, Path | None]:
    """Return labels, photometry and match of a case."""
    if case == "matched":
        return folder / "labels.parquet", folder / "photometry.parquet", folder / "match.parquet"
    return folder / "one.parquet", folder / "one.parquet", None


METHODS = {"zladder": select_ours, "pandas": select_pandas}


def measure(name: str, folder: Path, case: str) -> tuple[int, float, float]:
    """Return galaxies, seconds and the peak memory of the process in MB."""
    start = time.perf_counter()
    galaxies = METHODS[name](folder, case)
    seconds = time.perf_counter() - start
    return galaxies, seconds, peak_mb()


def peak_mb() -> float:
    """Return the peak memory of this process (ru_maxrss would count what its parent held)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


def main(argv: list[str] | None = None) -> int:
    """Print a line for each case and method; return 1 if the galaxies are not as many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the catalogue")
    parser.add_argument("--only", choices=METHODS, help="one of the methods")
    options = parser.parse_args(argv)
    rows, equal = options.rows, True
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_catalogue(folder / "one.parquet", rows, ("labels", "photometry"))
        n_labels = int(MATCHED_SHARE * rows)
        make_catalogue(folder / "labels.parquet", n_labels, ("labels",))
        make_catalogue(folder / "photometry.parquet", rows, ("photometry",))
        make_match(folder / "match.parquet", n_labels, rows)
        for case in ("one table", "duplicates", "matched"):
            found = {}
            for method in [options.only] if options.only else METHODS:
                with fresh.Pool(1) as pool:  # one after the other, each in a process of its own
                    found[method] = pool.starmap(measure, [(method, folder, case)])[0]
                galaxies, seconds, peak_mb = found[method]
                print(f"{case:10s} {method:8s} {rows} rows: {galaxies} galaxies, {seconds:.1f} s, "
                      f"{rows / seconds / 1e6:.2f} million rows/s, {peak_mb:.0f} MB")  # fmt: skip
            equal &= len({galaxies for galaxies, _, _ in found.values()}) == 1
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
