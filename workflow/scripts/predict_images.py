"""Predict with a regression network on images: every galaxy but those of the training split."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--model", "--card"):
        parser.add_input(option)
    for option in ("--stamps", "--datasets", "--trained-on"):
        parser.add_input(option, several=True)
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    parser.add_output("--predictions")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Load the network, predict each dataset, write one table."""
    import torch

    from zladder.evaluate.predict_images import predict_images
    from zladder.evaluate.trained import read_card
    from zladder.learning.device import best_device
    from zladder.tables.split_notes import notes_of
    from zladder.tables.standard import write_standard

    torch.set_num_threads(options.threads)
    asked = options.datasets, options.trained_on
    run = read_card(options.card)[0]["run"]
    device = best_device()
    table, counts = predict_images(*asked, options.stamps, (options.model, options.card), device)
    splits = notes_of(options.datasets)
    write_standard(table, options.predictions, metadata={"run": run, "splits": splits})
    return {"run": run, "splits": splits, "counts": counts, "device": str(device)}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
