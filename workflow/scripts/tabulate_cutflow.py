"""Write how many galaxies went in and out on the way to the splits."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--cutflows", several=True)
    parser.add_input("--records", several=True)
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read the cut-flows and the sidecars of the data, write the page."""
    import pandas as pd

    from zladder.report.cutflow_page import cutflow_page
    from zladder.report.records import read_records

    cutflows = {path.name.split(".")[0]: pd.read_csv(path) for path in options.cutflows}
    page = cutflow_page(cutflows, read_records(options.records))
    options.page.write_text(page, encoding="utf-8")
    return {"counts": {"samples": len(cutflows)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
