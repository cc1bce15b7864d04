"""Predict with a classifier, on images (--stamps) or on features (--features): estimates, PDFs."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--model", "--card"):
        parser.add_input(option)
    for option in ("--datasets", "--trained-on"):
        parser.add_input(option, several=True)
    parser.add_input("--features", required=False)
    parser.add_input("--stamps", several=True, required=False)
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    for option in ("--predictions", "--pdfs"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Ask the classifier for each dataset, write one table and one file of densities."""
    from zladder.evaluate.predict_classes import answering_device, class_odds, predict_classes
    from zladder.evaluate.trained import read_card
    from zladder.pdf.pdf_file import write_pdfs
    from zladder.tables.split_notes import notes_of
    from zladder.tables.standard import write_standard

    run = read_card(options.card)[0]["run"]
    device = answering_device(options.features)
    inputs = options.features, options.stamps, options.threads, device
    odds_of = partial(class_odds, options.model, *inputs)
    asked = options.datasets, options.trained_on, options.card
    table, pdfs, counts = predict_classes(*asked, odds_of)
    splits = notes_of(options.datasets)
    write_standard(table, options.predictions, metadata={"run": run, "splits": splits})
    write_pdfs(options.pdfs, pdfs, run)
    return {"run": run, "splits": splits, "counts": counts, "device": device}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
