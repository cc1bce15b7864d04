"""Send the stamps of a dataset through a trained encoder and keep the features."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--weights")
    parser.add_input("--dataset")
    parser.add_input("--stamps", several=True)
    parser.add_argument("--copies", type=int, default=0, help="turned copies of training galaxies")
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    parser.add_output("--features")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Embed every galaxy, write the features."""
    import torch

    from zladder.train.embed import embed_images

    torch.set_num_threads(options.threads)
    data = (options.weights, options.dataset, options.stamps)
    return embed_images(*data, options.copies, options.features)


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
