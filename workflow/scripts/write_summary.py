"""Write the page that a newcomer reads first."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--scores", "--differences", "--claims", "--figures", "--records"):
        parser.add_input(option, several=True)
    parser.add_settings("--sky", "sky and scale")
    parser.add_settings("--studies", "title, question and convention of each study, by name")
    parser.add_output("--page")
    parser.add_output("--front")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write the page, and its short form for the front page of the report."""
    from zladder.report.records import read_records
    from zladder.report.summary_page import front_fragment, read_found, summary_page

    tables = zip(options.scores, options.differences, options.claims, options.figures, strict=True)
    found = {
        name: read_found(about, *files)
        for (name, about), files in zip(_ordered(options), tables, strict=True)
    }
    page = summary_page(found, read_records(options.records), options.sky)
    options.page.write_text(page, encoding="utf-8")
    options.front.write_text(front_fragment(found), encoding="utf-8")
    return {"counts": {"studies": len(found)}}


def _ordered(options: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    """Return the studies in the order of their files (JSON sorts its keys)."""
    names = [path.parent.name for path in options.scores]
    return [(name, options.studies[name]) for name in names]


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
