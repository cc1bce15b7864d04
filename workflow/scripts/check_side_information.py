"""Try to tell redshifts from identifiers, order, tile and position of galaxies."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--sample")
    parser.add_settings("--settings", "level of a comparison, seed")
    parser.add_output("--found")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write what each source tells of the redshift; a leak is told, not refused."""
    from zladder.evaluate.side_information import LEAK, check_sample
    from zladder.tables.standard import write_standard

    found = check_sample(options.sample, options.settings)
    write_standard(found, options.found)
    leaks = int((found["verdict"] == LEAK).sum())
    counts = {"comparisons": len(found), "leaks": leaks}
    return {"seed": options.settings["seed"], "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
