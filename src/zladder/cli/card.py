"""``zladder card``: print the run card of a run, as it was trained."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from zladder.cli.locate import find_run
from zladder.provenance.errors import EXIT_DONE

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``card`` to the subcommands."""
    parser = subparsers.add_parser(
        "card",
        help="the complete description of a training",
        description="Print the run card of a trained run as JSON: data, model, loss, seed.",
    )
    parser.add_argument("run_name", metavar="RUN", help="name of a run, or its folder")
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Print the card."""
    folder = find_run(args.run_name, args.results)
    content = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(content["card"], indent=2, sort_keys=True) + "\n")
    return EXIT_DONE
