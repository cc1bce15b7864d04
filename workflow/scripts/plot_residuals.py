"""Draw the mean residuals of a study against z_true and against z_phot."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--curves")
    parser.add_input("--scores")
    parser.add_input("--differences")
    parser.add_settings("--settings", "title of the study")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw both curves of every network and of the best ordinary tool."""
    from zladder.report.methods import roles_of
    from zladder.report.residuals import draw_residuals
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    curves, scores, differences = (
        read_table(path) for path in (options.curves, options.scores, options.differences)
    )
    figure = draw_residuals(curves, roles_of(scores, differences), options.settings["title"])
    save_figure(figure, options.figure, options.dpi)
    return {"counts": {"bins": len(curves)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
