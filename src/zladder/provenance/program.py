"""The frame around every workflow script: log, digests, stamps, outputs, sidecar, exit code.

A script declares its options on a `ProgramParser` and hands a function to `run_program`. The
frame gives that function temporary names for its outputs and renames them when it returns, so
that no script can leave half a file behind.
"""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.provenance.code import code_digest
from zladder.provenance.digests import file_digest, quick_digest
from zladder.provenance.errors import (
    EXIT_BAD_INPUT,
    EXIT_DONE,
    EXIT_UNFINISHED,
    BadInput,
    Unfinished,
)
from zladder.provenance.outputs import whole_or_nothing
from zladder.provenance.sidecar import write_sidecar
from zladder.provenance.stamps import KnownBadInput, refuse_known_bad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    Work = Callable[[argparse.Namespace], dict[str, Any]]

log = logging.getLogger("zladder")

# When the process began, by the monotonic clock: every script imports this module first.
STARTED_SECONDS = time.monotonic()


class ProgramParser(argparse.ArgumentParser):
    """An argument parser that knows which options are input files and which are outputs."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawTextHelpFormatter)
        self.input_names: list[str] = []
        self.large_names: list[str] = []
        self.output_names: list[str] = []
        self.beside: dict[str, tuple[str, str]] = {}
        self.add_argument("--log", type=Path, help="log file (default: standard error)")
        self.add_argument("--sidecar", type=Path, help="where to write how this was made")
        self.add_argument("--code-digest", help="stop if the code is no longer this one")

    def add_input(
        self, option: str, *, several: bool = False, required: bool = True, large: bool = False
    ) -> None:
        """Declare an option that names one input file, or several.

        Of `large` ones, of which a program reads a part, the sidecar has `quick_digest`.
        """
        name = option.removeprefix("--").replace("-", "_")
        self.input_names.append(name)
        self.large_names += [name] if large else []
        nargs = "+" if several else None
        self.add_argument(option, type=Path, required=required, nargs=nargs)

    def add_output(
        self, option: str, *, several: bool = False, required: bool = True,
        beside: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Declare an option that names one output file, or several.

        With ``beside``, another output's option and a suffix, it is by default that file with
        this suffix.
        """
        name = option.removeprefix("--").replace("-", "_")
        self.output_names.append(name)
        required, nargs = required and beside is None, "+" if several else None
        self.add_argument(option, type=Path, required=required, nargs=nargs)
        if beside:
            self.beside[name] = beside[0].removeprefix("--").replace("-", "_"), beside[1]

    def add_training(self) -> None:
        """Declare the options of every training that can be interrupted."""
        self.add_argument("--resume-folder", type=Path, required=True, help="where state is kept")
        self.add_argument("--minutes", type=float, help="length of the job (default: no limit)")
        self.add_argument("--threads", type=int, default=1, help="threads of the numerics")

    def parse_args(self, *arguments: Any, **more: Any) -> Any:
        """Parse as always; then name the outputs that stand beside others."""
        options = super().parse_args(*arguments, **more)
        for name, (other, suffix) in self.beside.items():
            if getattr(options, name) is None:
                setattr(options, name, getattr(options, other).with_suffix(suffix))
        return options

    def add_settings(self, option: str, help_text: str) -> None:
        """Declare an option whose value is JSON."""
        self.add_argument(option, type=json.loads, required=True, help=help_text)


def run_program(
    parser: ProgramParser,
    work: Work,
    argv: Sequence[str] | None = None,
    tidy: Callable[[argparse.Namespace], None] | None = None,
) -> int:
    """Parse, run `work` inside the frame, and return the exit code of the contract.

    `work` gets the parsed options, with output paths replaced by temporary ones, and returns what
    the sidecar should hold beside command, code, inputs, versions and seconds (counts, card, …;
    `device` where it is not the CPU).
    `tidy` gets them once outputs and sidecar stand, to remove what only a resumed run needs.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser.parse_args(arguments)
    script = Path(work.__code__.co_filename)
    _open_log(options.log)
    log.info("cd %s && %s", shlex.quote(str(Path.cwd())),
             shlex.join([sys.executable, str(script.resolve()), *arguments]))  # fmt: skip
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _run_checked(parser, options, arguments, script, work)
        if tidy:
            tidy(options)
    except (BadInput, KnownBadInput) as error:
        return _ended(str(error), EXIT_BAD_INPUT)
    except (Unfinished, KeyboardInterrupt) as pause:
        return _ended(f"unfinished: {str(pause) or 'interrupted'}; run me again", EXIT_UNFINISHED)
    except Exception:
        log.exception("defect")
        raise
    return EXIT_DONE


def _run_checked(
    parser: ProgramParser, options: argparse.Namespace, arguments: list[str], script: Path,
    work: Work,
) -> None:  # fmt: skip
    """Check code and stamp, run the work on temporary outputs, write the sidecar."""
    started = time.monotonic()
    code = code_digest(script)
    if options.code_digest and options.code_digest != code:
        message = f"the code changed while the workflow ran ({options.code_digest} is now {code})"
        raise Unfinished(message)
    inputs = _paths(options, parser.input_names)
    with refuse_known_bad(options.log, arguments, code, inputs):
        for path in inputs:
            if not path.exists():
                raise BadInput(path, "the file", "an input file", "nothing", "check the path")
        outputs = _paths(options, parser.output_names)
        sidecar = [options.sidecar] if options.sidecar else []
        with whole_or_nothing([*outputs, *sidecar]) as partial:
            _replace_paths(options, parser.output_names, iter(partial))
            extra = work(options)
            seconds = round(time.monotonic() - started, 3)
            content: dict[str, Any] = {
                "script": script.name,
                "arguments": arguments,
                "code_digest": code,
            }
            content |= {"seconds": seconds, "device": "cpu"}
            for path in partial[len(outputs) :]:
                large = _paths(options, parser.large_names)
                digests = {
                    str(path): (quick_digest if path in large else file_digest)(path)
                    for path in inputs
                }
                write_sidecar(path, {**content, "inputs": digests, **extra})
    log.info("done in %.1f s", seconds)


def _open_log(path: Path | None) -> None:
    """Send log lines to the file, or to standard error without one."""
    handler: logging.Handler = logging.StreamHandler()
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    for old in log.handlers[:]:
        log.removeHandler(old)
        old.close()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _paths(options: argparse.Namespace, names: list[str]) -> list[Path]:
    """Return the paths of the named options in order; absent optional ones left out."""
    values = [getattr(options, name) for name in names]
    return [path for value in values if value is not None
            for path in (value if isinstance(value, list) else [value])]  # fmt: skip


def _replace_paths(options: argparse.Namespace, names: list[str], partial: Iterator[Path]) -> None:
    """Put the temporary names where the final ones stood."""
    for name in names:
        value = getattr(options, name)
        if value is None:
            continue
        new = [next(partial) for _ in value] if isinstance(value, list) else next(partial)
        setattr(options, name, new)


def _ended(message: str, code: int) -> int:
    """Say once in the log and once to the person why the program ends early."""
    log.error(message)
    if not any(type(handler) is logging.StreamHandler for handler in log.handlers):
        sys.stderr.write(message + "\n")
    return code
