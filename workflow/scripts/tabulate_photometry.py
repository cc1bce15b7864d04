"""Integrate the spectra of the mock sky through the filters of every instrument, once."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_settings("--settings", "filters and last redshift of each instrument, JSON")
    parser.add_output("--photometry")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Tabulate and write."""
    from zladder.survey.tabulate import tabulate_photometry

    return {"counts": tabulate_photometry(options.photometry, options.settings)}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
