"""What the rules ask at parse time: which files, which settings, which code. Nothing heavy.

Paths begin with ``<results>``, Snakemake's path variable for ``results/SKY-SCALE``.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from zladder.config.file_lists import folded
from zladder.config.load import load_settings
from zladder.config.plan import make_plan
from zladder.config.wiring_report import ReportWiring
from zladder.provenance.code import code_digests
from zladder.provenance.errors import EXIT_BAD_INPUT, BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class ConfigRefused(SystemExit):
    """Ends Snakemake with exit code 2: its own handler would make it a 1 and add a traceback."""


def wiring_or_exit(root: Path, given: Mapping[str, Any]) -> Wiring:
    """Return the wiring, or end with the contract's message and exit code.

    Raises
    ------
    ConfigRefused
        If the configuration is bad input; the message stands on standard error.
    """
    try:
        settings = load_settings(root, given)
        return Wiring(settings, make_plan(settings))
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        raise ConfigRefused(EXIT_BAD_INPUT) from None


CODE_VARIABLE = "ZLADDER_CODE"


def code_of(scripts: Path, *, spawned: bool) -> dict[str, str]:
    """Return {rule: digest of the code that it runs} for every script in a folder.

    A Snakemake that another one spawned (in a Slurm job) takes over what that one found: it need
    not look again, and what is recorded is the code that was planned with.
    """
    handed = os.environ.get(CODE_VARIABLE)
    if spawned and handed:
        return dict(json.loads(handed))
    digests = code_digests(sorted(scripts.glob("*.py")))
    found = {script.stem: digest for script, digest in digests.items()}
    os.environ[CODE_VARIABLE] = json.dumps(found)
    return found


def names_pattern(names: Iterable[str]) -> str:
    """Return a regular expression that matches just these names (and nothing without any)."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def option(name: str, value: object) -> str:
    """Return an option for a shell command with its value or values; nothing without any."""
    values = value if isinstance(value, list | tuple) else [value]
    return f"{name} {folded([str(one) for one in values])}" if value else ""


class Wiring(ReportWiring):
    """The answers for one configuration."""
