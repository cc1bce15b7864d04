"""Compare many-band labels with the true redshifts, with and without shared noise."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--catalogue", "--photometry", "--other-noise", "--truth"):
        parser.add_input(option)
    parser.add_settings("--settings", "shares_hsc_noise of the catalogue, JSON")
    parser.add_output("--labels")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write one row a case."""
    from zladder.evaluate.label_comparison import compare_labels
    from zladder.tables.standard import write_standard

    shares = options.settings["shares_hsc_noise"]
    files = (options.catalogue, options.photometry, options.other_noise, options.truth)
    table = compare_labels(*files, shares_hsc_noise=shares)
    write_standard(table, options.labels)
    return {"counts": dict(zip(table["case"], table["n"].tolist(), strict=True))}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
