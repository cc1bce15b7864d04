"""Cut the stamps of one shard of a sample out of the survey's frames."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from zladder.provenance.digests import written
from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--sample")
    parser.add_input("--frame-index", several=True, required=False)
    parser.add_argument("--frames", type=Path, required=True, help="folder of the frames")
    parser.add_argument("--shard", type=int, required=True, help="which shard, from 0")
    parser.add_settings("--settings", "bands, sizes, number of shards, allowed losses, JSON")
    parser.add_output("--stamps")
    parser.add_output("--losses")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Cut, write the shard and the list of losses."""
    from zladder.cutouts.cut import cut_stamps
    from zladder.cutouts.losses import losses_beside

    listed = losses_beside(options.log)
    counts = cut_stamps(
        options.sample, options.frames, options.shard, options.settings,
        options.stamps, options.losses, options.frame_index or [], listed,
    )  # fmt: skip
    return {"counts": counts, "written": written(options.stamps)}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
