"""Write whom to cite for data, papers, methods and software."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_settings("--settings", "surveys with title, licence, citation; names of the papers")
    parser.add_output("--page")
    parser.add_output("--bibtex")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write the page and the BibTeX file."""
    from zladder.report.citations_page import citations_bibtex, citations_page

    options.page.write_text(citations_page(options.settings), encoding="utf-8")
    options.bibtex.write_text(citations_bibtex(options.settings), encoding="utf-8")
    return {"counts": {"surveys": len(options.settings["surveys"])}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
