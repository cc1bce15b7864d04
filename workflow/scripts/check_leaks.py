"""Hold the models of a study that see photometry against its oracle."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("--answers", "--datasets"):
        parser.add_input(option, several=True)
    for option in ("--oracle", "--oracle-pdfs", "--truth"):
        parser.add_input(option)
    parser.add_settings("--settings", "level of a comparison, methods that see images")
    parser.add_output("--leaks")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write how each model stands against the oracle; a leak is told, not refused."""
    from zladder.config.names import LEAK
    from zladder.evaluate.leaks import PDF_ENDING, check_leaks
    from zladder.tables.split_notes import require_same_splits, with_notes
    from zladder.tables.standard import write_standard

    tables = [path for path in options.answers if not path.name.endswith(PDF_ENDING)]
    notes = require_same_splits([options.oracle, *tables], options.datasets)
    oracle = options.oracle, options.oracle_pdfs
    found = check_leaks(options.answers, oracle, options.truth, options.settings)
    write_standard(with_notes(found, notes), options.leaks)
    leaks = int((found["verdict"] == LEAK).sum())
    return {"counts": {"comparisons": int((found["n"] > 0).sum()), "leaks": leaks}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
