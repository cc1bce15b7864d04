"""Hold a study's results beside the published claims."""

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
    parser.add_input("--drifts", required=False)
    parser.add_settings(
        "--settings", "claims, ladder, collapse, bootstraps, seed, simulated or not"
    )
    parser.add_output("--claims")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Judge every claim and write the table."""
    from zladder.evaluate.claims import judge_claims
    from zladder.evaluate.collapse import ESTIMATE
    from zladder.evaluate.study import read_answers
    from zladder.tables.read import read_table
    from zladder.tables.split_notes import require_same_splits, with_notes
    from zladder.tables.standard import write_standard

    notes = require_same_splits(options.predictions, options.datasets)
    settings, answers = options.settings, read_answers(options.predictions)
    modes = read_answers(options.predictions, ESTIMATE) if settings.get("collapse") else None
    drifts = read_table(options.drifts) if options.drifts else None
    claims = with_notes(judge_claims(answers, settings, modes, drifts), notes)
    write_standard(claims, options.claims)
    return {"seed": settings["seed"], "counts": claims["verdict"].value_counts().to_dict()}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
