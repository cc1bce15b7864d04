"""Draw the mock sky: samples beside the real ones, colours by type, the dust."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--truth")
    parser.add_input("--dust")
    parser.add_input("--samples", several=True)
    parser.add_settings("--quantiles", "what the real samples are like, by sample")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    for output in ("--compared", "--samples-figure", "--tracks", "--dust-figure"):
        parser.add_output(output)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read truth, dust and samples, write the comparison and the figures."""
    from zladder.report.mock_dust import draw_dust
    from zladder.report.mock_samples import compare_quantiles, draw_samples
    from zladder.report.mock_tracks import draw_tracks
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table

    truth = read_table(options.truth)
    samples = {path.stem: read_table(path) for path in options.samples}
    compared = compare_quantiles(samples, options.quantiles)
    compared.to_parquet(options.compared, index=False)
    figure = draw_samples(samples, options.quantiles, compared)
    save_figure(figure, options.samples_figure, options.dpi)
    save_figure(draw_tracks(truth), options.tracks, options.dpi)
    save_figure(draw_dust(read_table(options.dust), truth), options.dust_figure, options.dpi)
    return {"counts": {"objects": len(truth), "within": int(compared["within"].sum())}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
