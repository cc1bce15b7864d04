"""Write the numbers of a study: every metric of every method, with intervals."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--scores")
    parser.add_input("--differences")
    parser.add_input("--found", several=True, required=False)
    parser.add_settings("--settings", "title, question and convention of the study")
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write the page."""
    from zladder.report.scores_page import scores_page
    from zladder.tables.read import read_table

    scores, differences = (read_table(path) for path in (options.scores, options.differences))
    found = [(path.stem, read_table(path)) for path in options.found or []]
    page = scores_page(scores, differences, options.settings, found)
    options.page.write_text(page, encoding="utf-8")
    return {"counts": {"scores": len(scores), "differences": len(differences)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
