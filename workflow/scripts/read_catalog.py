"""Read a survey's native tables into one standard catalogue."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program

log = logging.getLogger("zladder")


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--files", several=True)
    parser.add_argument("--parts", nargs="+", required=True, help="name of each file's part")
    parser.add_settings("--survey", "the survey's settings, JSON (config/surveys/NAME.yaml)")
    parser.add_output("--catalog")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read, standardise, write; return the counts."""
    from zladder.catalogs.native import write_survey

    parts = dict(zip(options.parts, options.files, strict=True))
    counts = write_survey(parts, options.survey, options.catalog)
    for part, counted in counts["parts"].items():
        for warning in counted["warnings"]:
            log.warning("warning: part %s: %s", part, warning)
    return {"flux_kind": options.survey.get("flux_kind"), "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
