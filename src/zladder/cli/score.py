"""``zladder score``: every point metric of a table of redshifts, with intervals."""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cli.score_table import metric_table
from zladder.metrics.bootstrap import bootstrap_metrics
from zladder.metrics.conventions import CONVENTIONS, ordered_ids
from zladder.metrics.counts import counts, point_flags
from zladder.metrics.point import dc1_threshold, finite_rows
from zladder.metrics.residuals import Floats, Residuals
from zladder.provenance.errors import EXIT_DONE, BadInput
from zladder.tables.check import require_numbers
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from argparse import _SubParsersAction

COMMAND_LINE = "command line"
SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0)


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``score`` to the subcommands."""
    parser = subparsers.add_parser(
        "score",
        help="point metrics of a table of redshifts, with intervals",
        description="Print every point metric with bootstrap intervals: JSON on standard output, "
        "a table to read on standard error. dz = (z_phot - z_true) / (1 + z_true).",
    )
    parser.add_argument(
        "table", type=Path, help="CSV, Parquet, FITS, HDF5, VOTable or whitespace text, by suffix"
    )
    parser.add_argument("--z-phot", required=True, metavar="COL", help="column of the estimates")
    parser.add_argument("--z-true", required=True, metavar="COL", help="column of the truth")
    parser.add_argument(
        "--z-phot-std", metavar="COL", help="each estimate's own uncertainty; adds fout_3sig"
    )
    parser.add_argument(
        "--convention", default="hsc", help=f"printed first: {', '.join(CONVENTIONS)} (%(default)s)"
    )
    parser.add_argument(
        "--range", nargs=2, type=float, metavar=("LO", "HI"), help="score LO < z_true <= HI only"
    )
    parser.add_argument("--bootstraps", type=int, default=1000, help="resamples (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (%(default)s)")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Score the table that the arguments name; JSON to stdout, a table to stderr."""
    _check_options(args)
    result = score(args)
    sys.stdout.write(json.dumps(_strict(result), indent=2, allow_nan=False) + "\n")
    sys.stderr.write(metric_table(result))
    return EXIT_DONE


def score(args: Namespace) -> dict[str, Any]:
    """Return counts, flags and metrics with intervals of the table, NaN where undefined."""
    z_phot, z_true, z_phot_std = _read_columns(args)
    numbers = counts(z_phot, z_true)
    used = finite_rows(z_phot, z_true)
    lo, hi = args.range or (-math.inf, math.inf)
    inside = used & (z_true > lo) & (z_true <= hi)
    numbers |= {"n_used": int(inside.sum()), "n_out_of_range": int((used & ~inside).sum())}
    z_phot, z_true = z_phot[inside], z_true[inside]
    z_phot_std = None if z_phot_std is None else z_phot_std[inside]
    found = bootstrap_metrics(z_phot, z_true, None, args.bootstraps, args.seed, z_phot_std)
    metrics = {i: asdict(found[i]) for i in ordered_ids(args.convention, found)}
    for entry in metrics.values():
        del entry["seed_std"]  # a table holds one training
    metrics["fout_dc1"]["threshold"] = float(dc1_threshold(Residuals.of(z_phot, z_true)))
    return {
        "table": str(args.table),
        "z_phot": args.z_phot,
        "z_true": args.z_true,
        "z_phot_std": args.z_phot_std,
        "range": args.range,
        "convention": args.convention,
        "bootstraps": args.bootstraps,
        "seed": args.seed,
        **numbers,
        "flags": point_flags({i: entry["value"] for i, entry in metrics.items()}, len(z_phot)),
        "metrics": metrics,
    }


def _check_options(args: Namespace) -> None:
    ordered_ids(args.convention)
    if args.range and not args.range[0] < args.range[1]:
        found = f"{args.range[0]:g} {args.range[1]:g}"
        hint = "objects with LO < z_true <= HI are scored"
        raise BadInput(COMMAND_LINE, "--range", "two numbers LO < HI", found, hint)
    for name, least in (("bootstraps", 2), ("seed", 0)):
        if getattr(args, name) < least:
            expected, found = f"an integer of {least} or more", f"{getattr(args, name)}"
            raise BadInput(COMMAND_LINE, f"--{name}", expected, found, hint="1000 and 0 are usual")


def _read_columns(args: Namespace) -> tuple[Floats, Floats, Floats | None]:
    """Return z_phot, z_true and, where asked for, z_phot_std, each (n,) float64."""
    names = [name for name in (args.z_phot, args.z_true, args.z_phot_std) if name is not None]
    frame = require_numbers(read_table(args.table, columns=names), names, args.table)
    arrays = {name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names}
    z_phot, z_true = arrays[args.z_phot], arrays[args.z_true]
    for name in (args.z_phot, args.z_true):
        _refuse_rows(
            args.table,
            name,
            arrays[name],
            np.isin(arrays[name], SENTINELS),
            "a redshift, or NaN where there is none",
            "this looks like the mark of a missing value: write NaN in its place",
        )
    _refuse_rows(
        args.table,
        args.z_true,
        z_true,
        z_true <= -1.0,
        "a redshift above -1",
        "dz divides by 1 + z_true: is this column a redshift?",
    )
    if args.z_phot_std is None:
        return z_phot, z_true, None
    sigma = arrays[args.z_phot_std]
    wrong = finite_rows(z_phot, z_true) & ~(np.isfinite(sigma) & (sigma >= 0))
    hint = "fout_3sig needs the uncertainty of every object; leave --z-phot-std out without it"
    _refuse_rows(args.table, args.z_phot_std, sigma, wrong, "a finite uncertainty >= 0", hint)
    return z_phot, z_true, sigma


def _refuse_rows(
    file: Path, column: str, values: Floats, wrong: np.ndarray, expected: str, hint: str
) -> None:
    """Raise `BadInput` with the first wrong row and the number of all."""
    rows = np.flatnonzero(wrong)
    if rows.size:
        found = f"{values[rows[0]]:g} ({rows.size} such rows)"
        raise BadInput(file, f"column '{column}', row {rows[0] + 1}", expected, found, hint)


def _strict(value: Any) -> Any:
    """Return the value with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
