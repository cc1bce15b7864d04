"""Fit an ordinary tool as its run card says."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--dataset")
    parser.add_settings("--card-json", "the run card (`zladder card RUN` prints it)")
    parser.add_output("--weights")
    parser.add_output("--card")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Fit, and write the tool and its card."""
    from zladder.learning.controls import save_control
    from zladder.learning.reference import write_card
    from zladder.tables.split_notes import notes_of
    from zladder.train.controls import train_control

    arrays, reference = train_control(options.card_json, options.dataset)
    save_control(options.weights, arrays, options.card_json)
    splits = notes_of([options.dataset])
    write_card(options.card, options.card_json, reference, splits)
    card = options.card_json
    n_train = reference["n_train"]
    return {"card": card, "seed": card["seed"], "n_train": n_train, "splits": splits}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
