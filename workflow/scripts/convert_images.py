"""Convert published images of a sample's galaxies into one shard of stamps."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.digests import written
from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--sample")
    parser.add_input("--images", several=True, large=True)
    parser.add_argument("--shard", type=int, required=True, help="which shard, from 0")
    parser.add_settings("--settings", "layout, bands, sizes, number of shards, JSON")
    parser.add_output("--stamps")
    parser.add_output("--losses")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Convert, write the shard and the list of losses."""
    from zladder.cutouts.convert import convert_images
    from zladder.cutouts.losses import losses_beside

    listed = losses_beside(options.log)
    counts = convert_images(
        options.sample, options.images, options.shard, options.settings,
        options.stamps, options.losses, listed,
    )  # fmt: skip
    return {"counts": counts, "written": written(options.stamps)}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
