"""Hold the samples of the mock sky beside numbers that were measured on the real one."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--samples", several=True)
    parser.add_argument("--names", nargs="+", required=True, help="name of each sample")
    parser.add_settings("--references", "the documents of config/references, JSON")
    parser.add_output("--realism")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and write; the counts say how many numbers agree."""
    from zladder.evaluate.realism import measure_realism
    from zladder.tables.read import read_table
    from zladder.tables.standard import write_standard

    paths = dict(zip(options.names, options.samples, strict=True))
    samples = {name: read_table(path) for name, path in paths.items()}
    realism = measure_realism(samples, options.references, paths)
    write_standard(realism, options.realism)
    return {"counts": {"numbers": len(realism), "within": int(realism["within"].sum())}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
