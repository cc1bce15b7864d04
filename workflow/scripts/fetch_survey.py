"""Fetch one published file and check its SHA-256."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_argument("--url", required=True, help="public address of the file")
    parser.add_argument("--sha256", required=True, help="digest that the file must have")
    parser.add_output("--file")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Download to a temporary name, check, keep."""
    from zladder.survey.fetch import fetch

    fetch(options.url, options.sha256, options.file)
    return {"url": options.url, "sha256": options.sha256}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
