"""Predict with a linear probe: every galaxy of the test datasets but the training split."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--model", "--card", "--features"):
        parser.add_input(option)
    for option in ("--datasets", "--trained-on"):
        parser.add_input(option, several=True)
    parser.add_output("--predictions")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Load the probe, predict each dataset, write one table."""
    from zladder.evaluate.predict_features import predict_probe
    from zladder.evaluate.trained import read_card
    from zladder.tables.split_notes import notes_of
    from zladder.tables.standard import write_standard

    asked = options.datasets, options.trained_on
    run = read_card(options.card)[0]["run"]
    table, counts = predict_probe(*asked, options.features, (options.model, options.card))
    splits = notes_of(options.datasets)
    write_standard(table, options.predictions, metadata={"run": run, "splits": splits})
    return {"run": run, "splits": splits, "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
