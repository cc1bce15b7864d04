"""Draw how the error falls with the number of labelled galaxies, one line a method."""

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
    parser.add_input("--dataset")
    parser.add_settings("--settings", "title, convention and ladder of the study")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Count the labels of each rung, draw the curves."""
    from zladder.report.label_curve import count_labels, draw_labels
    from zladder.report.methods import roles_of
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    scores, differences, dataset = (
        read_table(path) for path in (options.scores, options.differences, options.dataset)
    )
    figure = draw_labels(scores, roles_of(scores, differences), dataset, options.settings)
    save_figure(figure, options.figure, options.dpi)
    fractions = {rung["fraction"] for rung in options.settings["ladder"].values()}
    return {"counts": {f"{share:g}": count_labels(dataset, share) for share in sorted(fractions)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
