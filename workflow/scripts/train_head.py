"""Train a head of classes on cached features as its run card says; interruptible."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--dataset", "--features"):
        parser.add_input(option)
    parser.add_input("--labels-from", required=False)
    parser.add_settings("--card-json", "the run card (`zladder card RUN` prints it)")
    parser.add_training()
    for option in ("--weights", "--card", "--history"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Train, write weights, card and history."""
    import torch

    from zladder.learning.image_run import image_resume_folder, write_image_run
    from zladder.provenance.code import code_digest
    from zladder.train.head_run import train_head

    torch.set_num_threads(options.threads)
    card, code = options.card_json, code_digest(Path(__file__))
    data = (options.dataset, options.features, options.labels_from)
    files = [path for path in data if path]
    options.resume_folder = image_resume_folder(options.resume_folder, card, files, code)
    run, labels = train_head(card, *data, options.resume_folder, options.minutes)
    told = write_image_run(run, options.weights, options.card, options.history, options.dataset)
    return {**run.summary(), "splits": told, "labels": labels}


def tidy(options: argparse.Namespace) -> None:
    """Forget the resume folder, now that the outputs stand."""
    from zladder.learning.resume import discard

    discard(options.resume_folder)


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv, tidy)


if __name__ == "__main__":
    sys.exit(main())
