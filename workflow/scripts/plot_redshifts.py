"""Draw z_phot against z_true for the methods of a study."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--predictions", several=True)
    parser.add_input("--scores")
    parser.add_input("--differences")
    parser.add_settings("--settings", "title and convention of the study")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--planes")
    parser.add_output("--front")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw all panels, and the chosen network's alone for the first page."""
    from zladder.report.methods import roles_of
    from zladder.report.planes import draw_front, draw_planes, front_plane, read_planes
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    scores, differences = (read_table(path) for path in (options.scores, options.differences))
    roles, settings = roles_of(scores, differences), options.settings
    planes = read_planes(options.predictions, scores, roles, settings["convention"])
    figure = draw_planes(planes, settings["title"], roles.left_out, **roles.split_words)
    save_figure(figure, options.planes, options.dpi)
    save_figure(draw_front(*front_plane(planes, roles)), options.front, options.dpi)
    return {"counts": {name: panels[0].n_total for name, panels in planes.items()}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
