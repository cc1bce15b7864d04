"""Accounts come from the environment, and nowhere does one come to stand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import PassingBadInput

if TYPE_CHECKING:
    from collections.abc import Mapping


HSC = ("ZLADDER_HSC_USER", "ZLADDER_HSC_PASSWORD")
CASJOBS = ("ZLADDER_SCISERVER_TOKEN",)
_OF_SERVICES: dict[str, tuple[str, ...]] = {"hsc": HSC, "casjobs": CASJOBS}


def needed_accounts(archive: Mapping[str, Any]) -> list[str]:
    """Return the variables of the environment that an archive, or its service, needs."""
    of_service = _OF_SERVICES.get(archive.get("service", ""), ())
    return list(dict.fromkeys([*of_service, *archive.get("needs", [])]))


def missing_accounts(archive: Mapping[str, Any]) -> list[str]:
    """Return those that are not set."""
    return [name for name in needed_accounts(archive) if not os.environ.get(name)]


def accounts_of(archive: Mapping[str, Any]) -> dict[str, str]:
    """Return {variable: value} of the account that an archive needs.

    Raises
    ------
    PassingBadInput
        For the first variable that is not set.
    """
    missing = missing_accounts(archive)
    if missing:
        hint = (
            "register there, then export it in the shell that starts the workflow; no file holds it"
        )
        raise PassingBadInput("the environment", missing[0], f"an account for {archive['name']}",
                              "nothing", hint)  # fmt: skip
    return {name: os.environ[name] for name in needed_accounts(archive)}
