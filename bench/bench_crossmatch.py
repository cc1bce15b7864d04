"""Match catalogues of up to ten million rows: ours, astropy's, STILTS, LSDB; seconds and memory.

Each matcher runs as a user would run it, in a process of its own, from Parquet to a table of pairs
(STILTS from FITS), one after the other on the same files. Ours is the workflow's script, which also
writes the quality of the match. `match` is the matching alone, of arrays in memory, the shortest
of three times. STILTS and LSDB are left out where they are not installed; LSDB's memory is that of
its first process alone.

Measured on two idle cores (November 2026), whole processes; pairs as astropy has them, row by row:

1e6 x 1e6: zladder 1.62 s and 305 MB, astropy 4.28 s and 547 MB (0.38), STILTS 4.69 s and 751 MB;
the match alone 0.53 s and 2.70 s (0.19).
1e5 x 1e7: zladder 1.30 s and 204 MB, astropy 7.04 s and 1,934 MB (0.18), STILTS 14.1 s and
2,920 MB; the match alone 0.44 s and 4.12 s (0.11).
A further million rows cost 0.048 s up to 3e6 and 0.055 s from there to 1e7.
1e4 x 1e6: LSDB 16.2 s, of which 4.1 s are the match; zladder 0.65 s.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RADIUS_ARCSEC = 1.0
SKY_DEG2 = 10_000.0  # area that the catalogues cover: a wide survey's
WIDTH_DEG = 240.0  # in ra
SCATTER_ARCSEC = 0.1  # position errors of the left objects that have a partner: half of them
REPEATS = 3
SCRIPT = Path(__file__).parents[1] / "workflow" / "scripts" / "crossmatch.py"
# rows of the left and of the right side, the bar for our time over astropy's, and for our memory
CASES = ((1_000_000, 1_000_000, 0.4, None), (100_000, 10_000_000, 0.5, 350.0),
         (10_000_000, 100_000, None, 350.0))  # fmt: skip
GROWING = (1_000_000, 3_000_000, 10_000_000)  # of the right side, with 100,000 on the left
LARGEST_GROWTH = 1.3  # of the seconds that a further row costs, from the first sizes to the last


@dataclass(frozen=True)
class Run:
    """One matcher on one pair of files: of the whole process, and (NaN: not told) the match."""

    seconds: float
    peak_mb: float
    match_seconds: float
    n_pairs: int


def make_tables(n_left: int, n_right: int, folder: str, seed: int = 1) -> None:
    """Write left and right as Parquet and FITS; half of the smaller side has a partner."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from astropy.table import Table

    rng = np.random.default_rng(seed)
    sin_top = SKY_DEG2 / (WIDTH_DEG * np.degrees(1.0))  # from the equator up
    sides = [(rng.uniform(0, WIDTH_DEG, n), np.degrees(np.arcsin(rng.uniform(0, sin_top, n))))
             for n in (n_left, n_right)]  # fmt: skip
    half = min(n_left, n_right) // 2
    here, there = rng.permutation(n_left)[:half], rng.permutation(n_right)[:half]
    sides[1][0][there] = sides[0][0][here]
    sides[1][1][there] = sides[0][1][here] + rng.normal(0, SCATTER_ARCSEC / 3600, half)
    for name, (ra, dec) in zip(("left", "right"), sides, strict=True):
        columns = {"object_id": np.arange(len(ra)), "ra": ra, "dec": dec}
        pq.write_table(pa.table(columns), f"{folder}/{name}.parquet")
        Table(columns).write(f"{folder}/{name}.fits", overwrite=True)


def arrays(folder: str) -> list[list]:
    """Return ra and dec of both sides."""
    import pyarrow.parquet as pq

    tables = [pq.read_table(f"{folder}/{side}.parquet", columns=["ra", "dec"])
              for side in ("left", "right")]  # fmt: skip
    return [[table[name].to_numpy() for name in ("ra", "dec")] for table in tables]


def match_ours(left: list, right: list) -> tuple:
    """Return row pairs, by our library on arrays, the bigger side in batches."""
    import numpy as np

    from zladder.catalogs.crossmatch import cross
    from zladder.catalogs.match_read import BATCH_ROWS, Objects
    from zladder.catalogs.matching import choose

    sides = [
        [Objects(np.arange(k, min(k + BATCH_ROWS, len(ra))), ra[k : k + BATCH_ROWS],
                 dec[k : k + BATCH_ROWS]) for k in range(0, len(ra), BATCH_ROWS)]
        for ra, dec in (left, right)
    ]  # fmt: skip
    n_left = len(left[0])
    found = cross(*sides, RADIUS_ARCSEC, n_left=n_left, left_streams=n_left > len(right[0]))
    pairs = choose(found, "nearest").pairs
    return found.left[pairs], found.right[pairs]


def match_astropy(left: list, right: list) -> tuple:
    """Return row pairs, by astropy."""
    import numpy as np
    from astropy import units as u
    from astropy.coordinates import SkyCoord, match_coordinates_sky

    here, there = (SkyCoord(ra * u.deg, dec * u.deg) for ra, dec in (left, right))
    index, angle, _ = match_coordinates_sky(here, there)
    rows = np.flatnonzero(angle.arcsec <= RADIUS_ARCSEC)
    return rows, index[rows]


def match_lsdb(folder: str) -> tuple:
    """Return row pairs, by LSDB with two workers, and the seconds of the match itself."""
    import lsdb
    import pandas as pd
    from dask.distributed import Client

    frames = [pd.read_parquet(f"{folder}/{side}.parquet") for side in ("left", "right")]
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        left, right = (lsdb.from_dataframe(frame, catalog_name=name, partition_rows=500_000)
                       for frame, name in zip(frames, ("l", "r"), strict=True))  # fmt: skip
        start = time.perf_counter()
        found = left.crossmatch(right, radius_arcsec=RADIUS_ARCSEC, suffixes=("_l", "_r"),
                                suffix_method="all_columns").compute()  # fmt: skip
        seconds = time.perf_counter() - start
    found = found.sort_values("object_id_l")
    return found["object_id_l"].to_numpy(int), found["object_id_r"].to_numpy(int), seconds


def run_one(method: str, folder: str, repeats: int) -> None:
    """Match with one method in this process; write the pairs; print the seconds of the match."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if method == "lsdb":
        *pairs, seconds = match_lsdb(folder)
    else:
        match, sides, taken = globals()[f"match_{method}"], arrays(folder), []
        for _ in range(repeats):
            start = time.perf_counter()
            pairs = match(*sides)
            taken.append(time.perf_counter() - start)
        seconds = min(taken)
    table = pa.table(dict(zip(("left_index", "right_index"), map(pa.array, pairs), strict=True)))
    pq.write_table(table, f"{folder}/{method}.parquet")
    print(seconds)


def timed(command: list[str]) -> tuple[float, float, str]:
    """Run a command; return its seconds, its peak memory in MB, what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        message = f"{command} ended with {os.waitstatus_to_exitcode(status)}"
        raise RuntimeError(message)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, printed


def child(python: str, *words: str) -> list[str]:
    """Return the command that does a part of this program in a process of its own."""
    return [python, __file__, "--do", *words]


def run(method: str, folder: str, lsdb_python: str) -> Run:
    """Return what a method costs on the tables of a folder."""
    import pyarrow.parquet as pq

    alone, output = float("nan"), f"{folder}/{method}.parquet"
    if method == "zladder":
        alone = float(timed(child(sys.executable, "run", "ours", folder, str(REPEATS)))[2])
        seconds, peak, _ = timed([sys.executable, str(SCRIPT), "--left", f"{folder}/left.parquet",
                                  "--right", f"{folder}/right.parquet", "--radius-arcsec",
                                  str(RADIUS_ARCSEC), "--output", output])  # fmt: skip
    elif method == "stilts":
        seconds, peak, _ = timed(["stilts", "-Xmx6000M", "tmatch2", f"in1={folder}/left.fits",
                                  f"in2={folder}/right.fits", "matcher=sky",
                                  f"params={RADIUS_ARCSEC}", "values1=ra dec", "values2=ra dec",
                                  "find=best1", "join=1and2", "progress=none",
                                  f"out={folder}/stilts.fits"])  # fmt: skip
        from astropy.io import fits

        with fits.open(f"{folder}/stilts.fits") as hdus:
            return Run(seconds, peak, alone, int(hdus[1].header["NAXIS2"]))
    else:
        python = lsdb_python if method == "lsdb" else sys.executable
        seconds, peak, _ = timed(child(python, "run", method, folder, "1"))
        if method == "astropy":
            again = timed(child(python, "run", method, folder, str(REPEATS)))
            alone = float(again[2])
        else:
            alone = float(_)
    return Run(seconds, peak, alone, pq.read_metadata(output).num_rows)


def same_pairs(folder: str) -> bool:
    """Tell whether ours and astropy's pairs are the same, row by row."""
    import pyarrow.parquet as pq

    columns = ["left_index", "right_index"]
    ours, theirs = (pq.read_table(f"{folder}/{name}.parquet", columns=columns)
                    for name in ("zladder", "astropy"))  # fmt: skip
    return bool(ours.equals(theirs))


def compare(case: tuple, scale: float, folder: str, lsdb_python: str) -> bool:
    """Print a table of all methods on one pair of sizes; tell whether the bars were held."""
    n_left, n_right = (int(n * scale) for n in case[:2])
    subprocess.run(child(sys.executable, "make", str(n_left), str(n_right), folder), check=True)
    methods = ["zladder", "astropy", *(["stilts"] if shutil.which("stilts") else []),
               *(["lsdb"] if lsdb_python else [])]  # fmt: skip
    print(f"{n_left:,} x {n_right:,}\n  method    whole s  peak MB  match s      pairs", flush=True)
    found = {}
    for method in methods:
        found[method] = cost = run(method, folder, lsdb_python)
        print(f"  {method:8s} {cost.seconds:8.2f} {cost.peak_mb:8.0f} {cost.match_seconds:8.2f} "
              f"{cost.n_pairs:10,}", flush=True)  # fmt: skip
    ours, theirs = found["zladder"], found["astropy"]
    whole, alone = ours.seconds / theirs.seconds, ours.match_seconds / theirs.match_seconds
    same = same_pairs(folder)
    bar, most_mb = case[2:]
    asked = "" if bar is None else f" (bar {bar})"
    print(f"  zladder / astropy: {whole:.2f} of the seconds of the whole, {alone:.2f} of the match"
          f"{asked}; pairs {'the same' if same else 'DIFFER'}")  # fmt: skip
    held = same and (bar is None or max(whole, alone) <= bar)
    return held and (most_mb is None or ours.peak_mb <= most_mb)


def grow(scale: float, folder: str) -> bool:
    """Print how our seconds grow with the right side; tell whether they do in proportion."""
    seconds = []
    for rows in GROWING:
        n_left, n_right = int(100_000 * scale), int(rows * scale)
        subprocess.run(child(sys.executable, "make", str(n_left), str(n_right), folder), check=True)
        cost = min((run("zladder", folder, "") for _ in range(2)), key=lambda one: one.seconds)
        seconds.append(cost.seconds)
        print(
            f"  {n_left:,} x {n_right:,}: {cost.seconds:.2f} s, {cost.peak_mb:.0f} MB", flush=True
        )
    (a, b, c), (x, y, z) = seconds, GROWING
    first, last = (b - a) / (y - x) * 1e6, (c - b) / (z - y) * 1e6
    print(f"  a further million rows: {first:.3f} s, then {last:.3f} s")
    return last <= LARGEST_GROWTH * first


def main(argv: list[str] | None = None) -> int:
    """Print the tables; return 0 if every bar was held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of rows")
    found = sys.executable if importlib.util.find_spec("lsdb") else ""
    parser.add_argument("--lsdb-python", default=found, help="a Python that has LSDB")
    parser.add_argument("--do", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.do:
        what, *words = options.do
        if what == "make":
            make_tables(int(words[0]), int(words[1]), words[2])
        else:
            run_one(words[0], words[1], int(words[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        held = [compare(case, options.scale, folder, options.lsdb_python) for case in CASES]
        held.append(grow(options.scale, folder))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
