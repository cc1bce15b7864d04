"""Where the files of a survey lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

FETCHED = Path("data")
DATA_VARIABLE = "ZLADDER_DATA"


def survey_files(survey: Mapping[str, Any], simulated_folder: str) -> dict[str, str]:
    """Return {part: path} of a survey's native files.

    A simulated survey's file lies in `simulated_folder`. Any other is looked for below
    ``ZLADDER_DATA``, then below ``data/``, where the fetch rules put it.
    """
    source = survey["source"]
    if "simulated" in source:
        return {"all": f"{simulated_folder}/{source['simulated']}"}
    return {part: str(_located(name)) for part, name in source["files"].items()}


def missing_files(survey: Mapping[str, Any]) -> list[str]:
    """Return the native files of a survey that are not on this machine."""
    if "simulated" in survey["source"]:
        return []
    return [str(path) for path in survey_files(survey, "").values() if not Path(path).is_file()]


def require_obtainable(name: str, survey: Mapping[str, Any]) -> None:
    """Refuse a survey whose files are neither here nor declared as fetchable."""
    missing = missing_files(survey)
    if missing and "fetch" not in survey["source"]:
        where = os.environ.get(DATA_VARIABLE, "not set")
        hint = f"put it there, or point {DATA_VARIABLE} (now {where}) at the folder that has it"
        place = f"survey {name} (config/surveys/{name}.yaml: source.files)"
        raise BadInput(missing[0], place, "a file", "nothing", hint)


def _located(name: str) -> Path:
    """Return the path of a data file: where ZLADDER_DATA has it, else below ``data/``."""
    folder = os.environ.get(DATA_VARIABLE)
    candidate = Path(folder) / name if folder else None
    return candidate if candidate and candidate.is_file() else FETCHED / name
