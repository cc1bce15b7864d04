"""``zladder``: the command for people."""

from __future__ import annotations

import errno
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from zladder.cli import card, fetch, predict, runs, score
from zladder.provenance.errors import EXIT_BAD_INPUT, EXIT_DONE, BadInput

_HINTS = {
    errno.ENOSPC: "make room on the disk, or write elsewhere",
    errno.EDQUOT: "make room in your quota, or write elsewhere",
    errno.EEXIST: "a file stands where a folder is needed: choose another path",
    errno.ENOTDIR: "a file stands where a folder is needed: choose another path",
    errno.EISDIR: "that is a folder: give the path of a file in it",
}


def parser() -> ArgumentParser:
    """Return the parser of all subcommands; each sets ``run``."""
    about = "From survey images and catalogues to redshifts."
    top = ArgumentParser(prog="zladder", description=about)
    subparsers = top.add_subparsers(required=True, metavar="COMMAND")
    for command in (score, predict, runs, card, fetch):
        command.add_parser(subparsers)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand; exit code 2, with the message on stderr, for bad input.

    A file that cannot be read or written is bad input too. A reader of the output that has gone
    away (``zladder runs | head``) is no error.
    """
    args = parser().parse_args(argv)
    try:
        code = int(args.run(args))
        sys.stdout.flush()  # here, not at the interpreter's end, a closed pipe can be caught
        return code
    except BrokenPipeError:
        # What is still buffered must go somewhere at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
    except OSError as error:
        sys.stderr.write(f"{_as_bad_input(error, args)}\n")
    return EXIT_BAD_INPUT


def _as_bad_input(error: OSError, args: Namespace) -> BadInput:
    """Return what to tell of a file that the system refused, by its own or the output's name."""
    named = error.filename
    output = getattr(args, "output", None) or "standard output"
    # Libraries name no file when a disk is full; a temporary name means nothing to the user.
    file = output if named is None or Path(str(named)).name.startswith(".partial-") else named
    hint = _HINTS.get(error.errno or 0, "check the path and its permissions")
    found = error.strerror or str(error)
    return BadInput(file, "the file", "a path that can be read or written", found, hint)


if __name__ == "__main__":
    sys.exit(main())
