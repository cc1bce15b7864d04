"""Join samples into one dataset, each galaxy once, with its split."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--samples", several=True)
    parser.add_settings("--settings", "splits, cells, given parts and master seed, JSON")
    parser.add_output("--dataset")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read the samples in the order of their precedence, join and split them, write."""
    from zladder.datasets.build import build_dataset
    from zladder.datasets.samples import read_samples
    from zladder.tables.split_notes import dataset_metadata
    from zladder.tables.standard import write_standard

    samples = read_samples(options.samples)
    settings = options.settings
    dataset, counts = build_dataset(
        samples, settings, settings["given_parts"], settings["master_seed"], options.samples[0]
    )
    said = dataset_metadata(dataset, settings["conventions"], settings["pair_radius_arcsec"])
    write_standard(dataset, options.dataset, said)
    return {"counts": counts, "split": said["split"], "seed": settings["master_seed"]}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
