"""Draw what a cross-match is worth: separations, losses, completeness."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--quality")
    parser.add_settings("--settings", "name of the sample, titles of its labels and photometry")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw the quality of one match."""
    from zladder.report.match_plot import draw_match
    from zladder.report.style import save_figure

    quality = json.loads(options.quality.read_text(encoding="utf-8"))
    save_figure(draw_match(quality, options.settings), options.figure, options.dpi)
    return {"counts": {"pairs": quality["counts"]["n_pairs"]}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
