"""Draw the distributions of the estimates, and total variation against residual slope."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--collapse")
    parser.add_input("--predictions", several=True)
    parser.add_input("--scores")
    parser.add_input("--differences")
    parser.add_settings("--settings", "title of the study")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw every network and the best ordinary tool."""
    from zladder.report.collapse_plot import draw_collapse, read_estimates
    from zladder.report.methods import roles_of
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    collapse, scores, differences = (
        read_table(path) for path in (options.collapse, options.scores, options.differences)
    )
    roles = roles_of(scores, differences)
    estimates = read_estimates(options.predictions, roles.shown(roles.datasets[0]))
    figure = draw_collapse(collapse, estimates, roles.networks, options.settings["title"])
    save_figure(figure, options.figure, options.dpi)
    return {"counts": {"galaxies": len(estimates.z_true), "methods": len(estimates.z_phot)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
