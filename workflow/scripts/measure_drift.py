"""Measure how far more dust moves galaxies in the features of the encoders of a study."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--features", several=True)
    parser.add_input("--dataset")
    parser.add_settings("--settings", "bootstraps, seed")
    for option in ("--drift", "--galaxies"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write the mean drift of every encoder and the drift of every test galaxy."""
    from zladder.evaluate.drift import measure_drift
    from zladder.tables.split_notes import read_note, with_notes
    from zladder.tables.standard import write_standard

    summary, galaxies = measure_drift(options.features, options.dataset, options.settings)
    notes = {options.dataset.stem: read_note(options.dataset)}
    write_standard(with_notes(summary, notes), options.drift)
    write_standard(galaxies, options.galaxies)
    counts = {"galaxies": int(summary["n_total"].iloc[0]), "encoders": len(summary)}
    return {"seed": options.settings["seed"], "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
