"""Train one network as its run card says; interruptible at every step."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--dataset")
    parser.add_input("--parent", required=False)
    parser.add_settings("--card-json", "the run card (`zladder card RUN` prints it)")
    parser.add_training()
    for option in ("--weights", "--card", "--history"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Train, write weights, card and history."""
    import torch

    from zladder.provenance.code import code_digest
    from zladder.train.network import resume_folder, train_network, write_run

    torch.set_num_threads(options.threads)
    card, data = options.card_json, (options.dataset, options.parent)
    code = code_digest(Path(__file__))
    options.resume_folder = resume_folder(options.resume_folder, card, *data, code)
    trained = train_network(card, *data, options.resume_folder, options.minutes)
    told = write_run(trained, options.weights, options.card, options.history, options.dataset)
    return {**trained.summary(), "splits": told}


def tidy(options: argparse.Namespace) -> None:
    """Forget the resume folder, now that the outputs stand."""
    from zladder.learning.resume import discard

    discard(options.resume_folder)


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv, tidy)


if __name__ == "__main__":
    sys.exit(main())
