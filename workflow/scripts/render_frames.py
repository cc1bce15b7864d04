"""Paint the frames of one shard of the mock sky and write them as SDSS publishes its own."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--scene")
    parser.add_settings(
        "--settings", "what of the survey's settings is painted, and the seed, JSON"
    )
    parser.add_argument("--shard", type=int, required=True, help="which shard, from 0")
    parser.add_argument("--n-shards", type=int, required=True, help="how many there are")
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    parser.add_output("--index")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Paint and write by field; the index comes last, then frames that it does not name go."""
    import torch

    from zladder.survey.frame_files import frame_index
    from zladder.survey.leftovers import FRAMES, frames_of_shard, remove_leftovers
    from zladder.survey.shards import render_shard

    torch.set_num_threads(options.threads)
    shard = (options.shard, options.n_shards)
    folder = options.index.parent
    rows, counts = render_shard(options.settings, options.scene, shard, folder)
    index = frame_index(rows)
    index.to_parquet(options.index, index=False)
    removed = remove_leftovers(folder, FRAMES, index["path"], frames_of_shard(*shard))
    counts["old_frames_removed"] = removed
    return {"seed": options.settings["seed"], "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
