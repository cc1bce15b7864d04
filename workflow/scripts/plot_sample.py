"""Draw what a sample is made of: redshifts, magnitudes, colours."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--sample")
    parser.add_settings("--settings", "name, bands and surveys of the sample")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw n(z), and a magnitude and a colour against redshift."""
    from zladder.report.sample_plot import draw_sample
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    sample = read_table(options.sample)
    save_figure(draw_sample(sample, options.settings), options.figure, options.dpi)
    return {"counts": {"galaxies": len(sample)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
