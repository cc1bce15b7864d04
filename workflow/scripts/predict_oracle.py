"""Put the oracle's answers beside those of a study's runs: the same galaxies, in the same order."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--datasets", "--oracles"):
        parser.add_input(option, several=True)
    parser.add_argument("--oracle", required=True, help="its name, for the files")
    for option in ("--predictions", "--pdfs"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Join the samples' answers, write one table and one file of densities."""
    from zladder.evaluate.oracle_tables import oracle_predictions
    from zladder.pdf.pdf_file import write_pdfs
    from zladder.tables.split_notes import notes_of
    from zladder.tables.standard import write_standard

    table, pdfs, counts = oracle_predictions(options.datasets, options.oracles)
    run = options.oracle
    splits = notes_of(options.datasets)
    write_standard(table, options.predictions, metadata={"run": run, "splits": splits})
    write_pdfs(options.pdfs, pdfs, run)
    return {"run": run, "splits": splits, "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
