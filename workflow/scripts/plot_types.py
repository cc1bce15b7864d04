"""Draw galaxies of the mock sky in colour, by their true type and redshift."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--dataset")
    parser.add_input("--stamps", several=True)
    parser.add_input("--truth")
    parser.add_settings("--settings", "name of the dataset, bands and surveys")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Choose the galaxies, read their stamps, hang them."""
    from zladder.report.mock_wall import choose_by_type, draw_type_wall
    from zladder.report.shown_stamps import read_shown
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    galaxies = choose_by_type(read_table(options.dataset), read_table(options.truth))
    stamps = read_shown(options.stamps, galaxies)
    save_figure(draw_type_wall(galaxies, stamps, options.settings), options.figure, options.dpi)
    return {"counts": {"shown": len(galaxies)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
