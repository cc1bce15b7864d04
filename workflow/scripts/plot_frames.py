"""Measure noise, PSF and depth back from a few frames, and draw them beside what was put in."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--index", several=True)
    parser.add_input("--truth")
    parser.add_settings("--settings", "number of fields, depth of each band")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--measured")
    parser.add_output("--figure")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Choose fields, measure their frames, draw."""
    import pandas as pd

    from zladder.report.frame_check import check_frames, chosen_fields
    from zladder.report.mock_frames import draw_frames
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    index = pd.concat([read_table(path) for path in options.index], ignore_index=True)
    chosen = chosen_fields(index, options.settings["n_fields"])
    measured = check_frames(chosen, options.index[0].parent, read_table(options.truth))
    measured.to_parquet(options.measured, index=False)
    save_figure(draw_frames(measured, options.settings["depth_mag"]), options.figure, options.dpi)
    return {"counts": {"frames": len(measured), "stars": int(measured["n_stars"].sum())}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
