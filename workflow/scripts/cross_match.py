"""Match a sample's labels to its photometry on the sphere."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--labels")
    parser.add_input("--photometry")
    parser.add_argument("--radius-arcsec", type=float, required=True, help="largest separation")
    parser.add_argument("--keep", default="", help="condition on the photometry to match with")
    parser.add_output("--match")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Match each label to at most one photometric object; return the quality figures."""
    from zladder.catalogs.matching import candidates, match_tables
    from zladder.tables.read import read_table
    from zladder.tables.standard import write_standard

    labels, photometry = (read_table(path) for path in (options.labels, options.photometry))
    files = (options.labels, options.photometry)
    rows = candidates(photometry, options.keep, options.photometry)
    pairs, quality = match_tables(labels, photometry.iloc[rows], options.radius_arcsec, *files)
    pairs["row_big"] = rows[pairs["row_big"]]
    write_standard(pairs, options.match)
    return {"counts": quality}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
