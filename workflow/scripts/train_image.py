"""Train a network on images as its run card says; interruptible at every step."""

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
    parser.add_input("--stamps", several=True)
    parser.add_input("--parent", required=False)
    parser.add_settings("--card-json", "the run card (`zladder card RUN` prints it)")
    parser.add_training()
    parser.add_argument("--resident-mb", type=int, help="images that take more are streamed")
    for option in ("--weights", "--card", "--history"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Train, write weights, card and history."""
    import torch

    from zladder.learning.image_run import image_resume_folder, write_image_run
    from zladder.learning.image_set import room_of
    from zladder.provenance.code import code_digest
    from zladder.train.image import train_image

    torch.set_num_threads(options.threads)
    card, data = options.card_json, (options.dataset, options.stamps, options.parent)
    files = [options.dataset, *options.stamps, *([options.parent] if options.parent else [])]
    folder = image_resume_folder(options.resume_folder, card, files, code_digest(Path(__file__)))
    options.resume_folder, room = folder, room_of(options.resident_mb)
    run = train_image(card, *data, folder, options.minutes, room)
    told = write_image_run(run, options.weights, options.card, options.history, options.dataset)
    return {**run.summary(), "splits": told}


def tidy(options: argparse.Namespace) -> None:
    """Forget the resume folder, now that the outputs stand."""
    from zladder.learning.resume import discard

    discard(options.resume_folder)


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv, tidy)


if __name__ == "__main__":
    sys.exit(main())
