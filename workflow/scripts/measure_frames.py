"""Measure the fluxes of listed objects on one shard of the mock sky's frames."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--index")
    parser.add_input("--catalogs", several=True)
    parser.add_settings("--settings", "what was painted, the seed, how to measure, JSON")
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    parser.add_output("--measured")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Measure field by field, write."""
    import torch

    from zladder.survey.measured_shards import measure_shard

    torch.set_num_threads(options.threads)
    measured, counts = measure_shard(options.settings, options.index, options.catalogs)
    measured.to_parquet(options.measured, index=False)
    return {"flux_kind": "measured", "seed": options.settings["seed"], "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
