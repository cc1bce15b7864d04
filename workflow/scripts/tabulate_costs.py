"""Write what each rule and each run cost."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--records", several=True)
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read all sidecars, write the page."""
    from zladder.report.costs_page import costs_page
    from zladder.report.records import read_records

    records = read_records(options.records)
    options.page.write_text(costs_page(records), encoding="utf-8")
    return {"counts": {"jobs": len(records)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
