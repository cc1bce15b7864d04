"""Draw every method of a study as a dot with its intervals."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--scores")
    parser.add_input("--differences")
    parser.add_settings("--settings", "title and convention of the study")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw three metrics for each test set."""
    from zladder.report.intervals import draw_intervals
    from zladder.report.methods import roles_of
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    scores, differences = (read_table(path) for path in (options.scores, options.differences))
    roles, settings = roles_of(scores, differences), options.settings
    figure = draw_intervals(scores, roles, settings["convention"], settings["title"])
    save_figure(figure, options.figure, options.dpi)
    return {"counts": {"methods": len(roles.networks) + len(roles.controls)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
