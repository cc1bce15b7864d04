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
    parser.add_settings("--settings", "claims, bootstraps, seed, whether the sky is simulated")
    parser.add_output("--claims")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Judge every claim and write the table."""
    from zladder.evaluate.claims import judge_claims
    from zladder.evaluate.study import read_answers
    from zladder.tables.standard import write_standard

    claims = judge_claims(read_answers(options.predictions), options.settings)
    write_standard(claims, options.claims)
    return {"seed": options.settings["seed"], "counts": claims["verdict"].value_counts().to_dict()}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
