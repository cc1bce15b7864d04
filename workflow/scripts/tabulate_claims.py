"""Write published numbers beside ours, with a verdict each, for all studies."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--claims", several=True)
    parser.add_input("--records", several=True)
    parser.add_settings("--settings", "title of each study, and whether its sky is simulated")
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write the page."""
    import pandas as pd

    from zladder.report.claims_page import claims_page, count_verdicts
    from zladder.report.records import read_records

    claims = {path.parent.name: pd.read_parquet(path) for path in options.claims}
    text = claims_page(claims, options.settings, read_records(options.records))
    options.page.write_text(text, encoding="utf-8")
    return {"counts": count_verdicts(claims)}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
