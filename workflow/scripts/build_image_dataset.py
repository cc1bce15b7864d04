"""Join samples with their stamps into one image dataset whose splits share no pixel."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--samples", several=True)
    parser.add_input("--stamps", several=True)
    parser.add_input("--away-from", several=True, required=False)
    parser.add_input("--part-files", several=True, required=False, large=True)
    parser.add_settings("--settings", "splits, cells and master seed, JSON")
    parser.add_output("--dataset")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read the samples in the order of their precedence, join, split, drop borders, write."""
    from zladder.datasets.images import build_image_dataset
    from zladder.datasets.samples import read_samples
    from zladder.tables.read import read_table
    from zladder.tables.split_notes import dataset_metadata
    from zladder.tables.standard import write_standard

    samples = read_samples(options.samples)
    away_from = [read_table(path) for path in options.away_from or ()]
    settings = options.settings
    dataset, counts = build_image_dataset(
        samples, options.stamps, settings, away_from, options.samples[0], options.part_files or ()
    )
    said = dataset_metadata(dataset, settings["conventions"], settings["pair_radius_arcsec"])
    write_standard(dataset, options.dataset, said)
    return {"counts": counts, "split": said["split"], "seed": settings["master_seed"]}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
