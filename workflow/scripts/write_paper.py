"""Write one paper's page: what it asks, what was built, what came out, the verdicts."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for option in ("scores", "differences", "claims", "figures", "cards", "records", "cutflows"):
        parser.add_input(f"--{option}", several=True)
    parser.add_settings("--settings", "paper, sky, scale; title, question, … of each study")
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write the page."""
    import json

    import pandas as pd

    from zladder.report.paper_page import figures_by_subject, paper_page
    from zladder.report.records import read_records
    from zladder.report.summary_page import read_found

    about, figures = options.settings, figures_by_subject(options.figures)
    tables = zip(options.scores, options.differences, options.claims, strict=True)
    names = [path.parent.name for path in options.scores]
    studies = {
        name: read_found(about["studies"][name], *files, figures[name]["planes"])
        for name, files in zip(names, tables, strict=True)
    }
    cards = [json.loads(path.read_text(encoding="utf-8"))["card"] for path in options.cards]
    cutflows = {path.name.split(".")[0]: pd.read_csv(path) for path in options.cutflows}
    page = paper_page(about, studies, figures, cards, read_records(options.records), cutflows)
    options.page.write_text(page, encoding="utf-8")
    return {"counts": {"studies": len(studies), "runs": len(cards)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
