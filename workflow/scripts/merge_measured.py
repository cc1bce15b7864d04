"""Put the magnitudes measured on the frames into a catalogue, in place of the analytic ones."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--catalog")
    parser.add_input("--measured", several=True)
    parser.add_output("--merged")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Merge, write."""
    from zladder.survey.catalogues import write_csv
    from zladder.survey.measured_shards import merge_measured

    merged = merge_measured(options.catalog, options.measured)
    write_csv(merged, options.merged)
    return {"flux_kind": "measured", "counts": {"n_out": len(merged)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
