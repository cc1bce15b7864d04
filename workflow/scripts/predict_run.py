"""Predict everything that a run is scored on: every split but the training one."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--model")
    parser.add_input("--card")
    parser.add_input("--datasets", several=True)
    parser.add_input("--trained-on", several=True)
    parser.add_output("--predictions")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Load the run, predict each dataset, write one table."""
    from zladder.evaluate.predict import predict_datasets
    from zladder.evaluate.trained import load_run
    from zladder.tables.split_notes import notes_of
    from zladder.tables.standard import write_standard

    run = load_run(options.model, options.card)
    predictions, counts = predict_datasets(options.datasets, options.trained_on, run)
    splits = notes_of(options.datasets)
    write_standard(
        predictions, options.predictions, metadata={"run": run.card["run"], "splits": splits}
    )
    return {"run": run.card["run"], "splits": splits, "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
