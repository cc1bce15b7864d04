"""Write with what, from what and by which code every number was made."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--records", several=True)
    parser.add_input("--cards", several=True)
    parser.add_settings("--settings", "sky, scale and master seed")
    parser.add_output("--page")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read all sidecars and run cards, write the page."""
    import json

    from zladder.report.provenance_page import provenance_page
    from zladder.report.records import read_records

    stored = [json.loads(path.read_text(encoding="utf-8")) for path in options.cards]
    cards = {entry["card"]["run"]: entry["card"] for entry in stored}
    page = provenance_page(read_records(options.records), cards, options.settings)
    options.page.write_text(page, encoding="utf-8")
    return {"counts": {"runs": len(cards)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
