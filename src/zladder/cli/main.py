"""``zladder``: the command for people."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from zladder.cli import card, predict, runs, score
from zladder.provenance.errors import EXIT_BAD_INPUT, BadInput


def parser() -> ArgumentParser:
    """Return the parser of all subcommands; each sets ``run``."""
    top = ArgumentParser(prog="zladder", description="From survey catalogues to redshifts.")
    subparsers = top.add_subparsers(required=True, metavar="COMMAND")
    for command in (score, predict, runs, card):
        command.add_parser(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand; exit code 2, with the message on stderr, for bad input."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
