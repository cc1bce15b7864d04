"""Write the page of the mock sky: its figures, and what was held against published numbers."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--figures", several=True)
    parser.add_input("--tables", several=True)
    parser.add_settings("--settings", "depth of each band, what was asked for")
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read the tables, write the page."""
    from zladder.report.mock_sky_page import mock_sky_page, named_tables
    from zladder.tables.read import read_table

    found = {name: read_table(path) for name, path in named_tables(options.tables).items()}
    page = mock_sky_page(options.figures, found, options.settings)
    options.page.write_text(page, encoding="utf-8")
    return {"counts": {"figures": len(options.figures), "tables": len(found)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
