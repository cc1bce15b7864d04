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
    from zladder.catalogs.select import select_sample
    from zladder.tables.read import read_table
    from zladder.tables.standard import write_standard

    labels, photometry = (read_table(path) for path in (options.labels, options.photometry))
    pairs = read_table(options.match) if options.match else None
    sample, cutflow = select_sample(labels, photometry, pairs, options.settings, options.photometry)
    write_standard(sample, options.sample, {"sample": options.settings["name"]})
    cutflow.to_csv(options.cutflow, index=False, lineterminator="\n")
    n_in = len(sample) if cutflow.empty else int(cutflow["n_in"].iloc[0])
    counts = {"n_in": n_in, "n_out": len(sample)}
    return {"flux_kind": options.settings.get("flux_kind"), "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
