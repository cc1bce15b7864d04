"""Join a sample's labels and photometry and apply its cuts, counted."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--labels")
    parser.add_input("--photometry")
    parser.add_input("--match", required=False)
    parser.add_settings("--settings", "name, deredden and cuts of the sample, JSON")
    parser.add_output("--sample")
    parser.add_output("--cutflow")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Select, write the sample and its cut-flow."""
    from zladder.catalogs.select import write_sample

    settings = options.settings
    cutflow, n_in = write_sample(
        options.labels, options.photometry, options.match, settings, options.sample
    )
    cutflow.to_csv(options.cutflow, index=False, lineterminator="\n")
    n_out = n_in if cutflow.empty else int(cutflow["n_out"].iloc[-1])
    counts = {"n_in": n_in, "n_out": n_out}
    return {"flux_kind": settings.get("flux_kind"), "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
