"""Cuts as they are written: selections that a survey ships, and words that stand for each band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Cut = dict[str, Any]
BAND = "{band}"
_KINDS = ("keep", "finite", "missing", "duplicates")
_STAGE = "config/stages/catalogs.yaml"


def sample_cuts(settings: Mapping[str, Any], sample: str) -> list[Cut]:
    """Return the cuts of a sample in order: selections in their place, each band in its place.

    ``{band}`` in a condition: it must hold in every band of the photometric survey; in a list of
    columns: the columns of all of them.
    """
    entry = settings["catalogs"]["samples"][sample]
    bands = settings["survey_files"][entry["photometry"]]["bands"]
    return [_in_bands(cut, bands) for cut in _used(settings, sample)]


def require_selections(settings: Mapping[str, Any]) -> None:
    """Refuse cuts that cannot mean anything, in samples and in the selections of surveys.

    Raises
    ------
    BadInput
        A cut of no kind or of two, one without a name, a selection that its survey does not have,
        or one of a survey that gives the sample nothing.
    """
    for name, survey in settings["survey_files"].items():
        for selection, cuts in survey.get("selections", {}).items():
            place = f"selections.{selection}"
            for index, cut in enumerate(cuts):
                file = f"config/surveys/{name}.yaml"
                _require_one_kind(cut, _KINDS, file, f"{place}.{index}")
    for sample, entry in settings["catalogs"]["samples"].items():
        for index, cut in enumerate(entry["cuts"]):
            place = f"samples.{sample}.cuts.{index}"
            _require_one_kind(cut, ("use", *_KINDS), _STAGE, place)
            if "use" in cut:
                _require_selection(settings, entry, cut["use"], f"{place}.use")


def _used(settings: Mapping[str, Any], sample: str) -> Iterator[Cut]:
    for cut in settings["catalogs"]["samples"][sample]["cuts"]:
        if "use" in cut:
            survey, selection = cut["use"].split(".")
            yield from settings["survey_files"][survey]["selections"][selection]
        else:
            yield cut


def _in_bands(cut: Mapping[str, Any], bands: list[str]) -> Cut:
    return {key: _value_in_bands(key, value, bands) for key, value in cut.items()}


def _value_in_bands(key: str, value: Any, bands: list[str]) -> Any:
    if key == "keep" and BAND in value:
        return " and ".join(f"({value.replace(BAND, band)})" for band in bands)
    if key in ("finite", "missing"):
        return [
            name.replace(BAND, band)
            for name in value
            for band in (bands if BAND in name else bands[:1])
        ]
    return value


def _require_one_kind(cut: Mapping[str, Any], known: Sequence[str], file: str, place: str) -> None:
    kinds = [kind for kind in known if kind in cut]
    if len(kinds) != 1 or not set(cut) <= {*known, "name", "of"}:
        found = f"the keys {', '.join(cut)}"
        raise BadInput(file, place, f"one of {', '.join(known)}", found, "make two cuts of it")
    if ("name" in cut) == (kinds == ["use"]):
        found, hint = f"the keys {', '.join(cut)}", "its name stands in the cut-flow"
        expected = "no name: its cuts have their own" if "name" in cut else "the name of the cut"
        raise BadInput(file, place, expected, found, hint)
    if ("of" in cut) != (kinds == ["duplicates"]):
        expected = "'of' (the columns in which duplicates agree) with 'duplicates', and only there"
        raise BadInput(file, place, expected, f"the keys {', '.join(cut)}", "as in of: object_id")


def _require_selection(
    settings: Mapping[str, Any], entry: Mapping[str, Any], used: str, place: str
) -> None:
    survey, _, selection = used.partition(".")
    known = dict.fromkeys([entry["labels"], entry["photometry"]])
    require_known(survey, known, _STAGE, place)
    shipped = settings["survey_files"][survey].get("selections", {})
    require_known(selection, shipped, _STAGE, place)
