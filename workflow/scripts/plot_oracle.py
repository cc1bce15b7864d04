"""Draw the oracle of a study: z_phot against the true z, and its PIT."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--predictions")
    parser.add_input("--pdfs")
    parser.add_input("--truth")
    parser.add_settings("--settings", "title and convention of the study")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--figure")
    parser.add_output("--calibration")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Judge the oracle's densities, draw, write how flat the PIT is."""
    from zladder.pdf.pdf_file import read_pdfs
    from zladder.report.mock_oracle import draw_oracle
    from zladder.report.oracle_pit import judge_oracle, pit_table
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table
    from zladder.tables.standard import write_standard

    about, truth = options.settings, read_table(options.truth)
    judged = judge_oracle(read_table(options.predictions), read_pdfs(options.pdfs), truth)
    figure = draw_oracle(judged, about["title"], about["convention"])
    save_figure(figure, options.figure, options.dpi)
    table = pit_table(judged)
    write_standard(table, options.calibration)
    names = table["dataset"] + ", " + table["against"]
    return {"counts": dict(zip(names, table["n"].tolist(), strict=True))}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
