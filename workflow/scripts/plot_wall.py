"""Draw a wall of galaxies in colour: the labelled ones by redshift, then unlabelled ones."""

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
    parser.add_settings("--settings", "name of the dataset, bands and surveys")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Choose the galaxies, read their stamps, hang them."""
    import pandas as pd

    from zladder.report.shown_stamps import read_shown
    from zladder.report.style import save_figure
    from zladder.report.wall import choose_galaxies, draw_wall
    from zladder.tables.read import read_table

    wall = choose_galaxies(read_table(options.dataset), options.settings["bands"])
    stamps = read_shown(options.stamps, pd.concat([wall.labelled, wall.unlabelled]))
    save_figure(draw_wall(wall, stamps, options.settings), options.figure, options.dpi)
    shown = {"labelled": len(wall.labelled), "unlabelled": len(wall.unlabelled)}
    return {"counts": {"shown": shown, "flagged": wall.n_flagged}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
