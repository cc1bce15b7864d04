"""Fetch one published file, going on where an earlier attempt stopped, and check its SHA-256."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_settings("--archive", "entry of config/archives.yaml with its name, JSON")
    parser.add_settings("--manners", "how servers are asked, config/fetching.yaml as JSON")
    help_text = "the file's own path: what is under way, or refused, lies beside it"
    parser.add_argument("--beside", type=Path, required=True, help=help_text)
    parser.add_output("--file")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Download what is missing, check, keep."""
    from zladder.config.data import FETCHED
    from zladder.survey.archives.files import fetch_file
    from zladder.survey.archives.manners import Manners

    manners = Manners(**options.manners, hosts=FETCHED / ".hosts")
    got = fetch_file(options.archive, options.beside, options.file, manners)
    return {
        "archive": options.archive["name"],
        "url": got["url"],
        "sha256": got["sha256"],
        "digest_from": got["digest_from"],
        "bytes": got["bytes"],
        "date": got["date"],
    }


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
