"""Measure mode collapse and the residual slope of all methods of a study, with intervals."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--predictions", several=True)
    parser.add_input("--datasets", several=True)
    parser.add_settings("--settings", "bins, range_z, slope_above_z, bootstraps, seed")
    parser.add_output("--collapse")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write total variation with its floor, Wasserstein-1 distance and slope of every method."""
    from zladder.evaluate.collapse import ESTIMATE, measure_collapse
    from zladder.evaluate.study import read_answers
    from zladder.tables.split_notes import require_same_splits, with_notes
    from zladder.tables.standard import write_standard

    notes = require_same_splits(options.predictions, options.datasets)
    answers = read_answers(options.predictions, ESTIMATE)
    found = measure_collapse(answers, options.settings)
    write_standard(with_notes(found, notes), options.collapse)
    counts = {"galaxies": len(answers.galaxies), "methods": len(answers.z_phot)}
    return {"seed": options.settings["seed"], "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
