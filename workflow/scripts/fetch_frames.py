"""Fetch the frames of the fields that the stamps of one shard of a catalogue need."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--catalog")
    parser.add_settings("--archive", "entry of config/archives.yaml with its name, JSON")
    parser.add_settings("--manners", "how servers are asked, config/fetching.yaml as JSON")
    parser.add_argument("--bands", nargs="+", required=True, help="bands of the survey")
    parser.add_argument("--shard", type=int, required=True, help="which shard, from 0")
    parser.add_argument("--n-shards", type=int, required=True, help="how many there are")
    help_text = "how far a stamp reaches from its galaxy, for neighbouring fields (default: none)"
    parser.add_argument("--reach-rows", type=float, help=help_text)
    parser.add_argument("--frames", type=Path, required=True, help="folder of the frames")
    parser.add_output("--index")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Fetch what is not here; the index of the frames comes last."""
    from datetime import UTC, datetime

    from zladder.config.data import FETCHED
    from zladder.survey.archives.frames import fetch_frames
    from zladder.survey.archives.manners import Manners

    manners = Manners(**options.manners, hosts=FETCHED / ".hosts")
    shard = (options.shard, options.n_shards)
    index, counts = fetch_frames(
        options.archive, options.catalog, options.bands, shard, options.frames, manners,
        options.reach_rows,
    )  # fmt: skip
    index.to_parquet(options.index, index=False)
    return {
        "archive": options.archive["name"],
        "url": options.archive["url"],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": counts,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
