"""One's own catalogue in standard columns: what ``zladder predict`` reads of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.catalogs.column_map import column_map, native_columns
from zladder.catalogs.described import require_same_units
from zladder.catalogs.standardize import standardize
from zladder.config.documents import read_yaml
from zladder.provenance.errors import BadInput, require_known
from zladder.tables.check import listed
from zladder.tables.formats import format_of
from zladder.tables.names import column_names
from zladder.tables.read import read_table
from zladder.tables.units import read_units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

# What a file like config/surveys/NAME.yaml may hold; the first dozen say little about columns.
_SURVEY_KEYS = ("title", "licence", "citation", "source", "like", "frames", "images",
                "softening_nmgy", "extinction_per_ebv", "stored_extinction_per_ebv", "flux_kind",
                "measured", "name", "bands", "file_format", "names", "columns", "extra_columns",
                "sentinels", "duplicates", "kind", "version", "limits_mag", "selections",
                )  # fmt: skip
_MADE = ("z_true_err", "z_true_origin")  # of labels; no news where the table does not have them
_NO_INPUTS = ("extra_columns", "limits_mag", "selections")

_LABELS = ("z_true", "z_true_err")  # kept where the table has them, for the flags and for scores


def read_catalogue(
    path: Path, survey_file: Path | None, inputs: Mapping[str, Any]
) -> tuple[pd.DataFrame, int]:
    """Return (the table in standard columns, the number of rows in the file).

    Only the columns that a prediction needs are read: identifier, position, magnitudes, their
    errors and E(B-V) as mapped, extinctions where the run is dereddened, labels if they are there.

    Parameters
    ----------
    path
        The table.
    survey_file
        A file like config/surveys/NAME.yaml; None for a table with standard names.
    inputs
        `inputs` of the run's card: `bands, dereddened`.

    Raises
    ------
    BadInput
        A survey file or a table that does not fit the run or each other; no row left.
    """
    if survey_file:
        survey = _own_survey(path, survey_file, inputs)
    else:
        survey = _standard_survey(path, inputs)
    file_format, wanted = survey.get("file_format"), native_columns(survey)
    raw = read_table(path, file_format, wanted, survey.get("names"))
    written = read_units(path, survey.get("file_format") or format_of(path))
    require_same_units(column_map(survey), written, path, "map it with --survey")
    frame, counts = standardize(raw, survey, path, part="all")
    if frame.empty:
        found = f"none of {len(raw)}: each shares its object_id with another"
        hint = "declare duplicates: keep_first in the survey file, or correct the identifiers"
        raise BadInput(path, "rows", "at least one row after duplicates: drop_all", found, hint)
    unknown = [name for name in _MADE if name in frame and name not in survey["columns"]]
    return frame.drop(columns=unknown), counts["rows_in"]


def _own_survey(path: Path, survey_file: Path, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a survey file's settings, reduced to what a prediction needs of this table."""
    survey: dict[str, Any] = {"name": survey_file.stem, **read_yaml(survey_file)}
    _require_map(survey, survey_file)
    if survey.get("bands") != inputs["bands"]:
        found = f"bands {survey.get('bands')}"
        hint = "choose a run that was trained on these bands"
        raise BadInput(survey_file, "bands", f"the run's bands {inputs['bands']}", found, hint)
    columns = dict(survey["columns"])
    if inputs["dereddened"]:
        hint = "map it to a column of the table: extinction_{band}: NAME"
        _require_extinctions(columns, inputs["bands"], survey_file, hint)
    else:
        columns = {key: columns[key] for key in columns if not key.startswith("extinction_")}
        survey.pop("stored_extinction_per_ebv", None)
    unasked = ("mag_limit_", "psf_fwhm_arcsec_")
    columns = {key: columns[key] for key in columns if not key.startswith(unasked)}
    survey = {key: survey[key] for key in survey if key not in _NO_INPUTS}
    needed = {key: columns[key] for key in columns if key not in _LABELS}
    survey["names"] = _names(path, survey, native_columns({**survey, "columns": needed}))
    present = column_names(path, survey.get("file_format"), survey["names"])
    survey["columns"] = {
        key: source
        for key, source in columns.items()
        if key in needed or _native(source) in present
    }
    return survey


def _require_map(survey: Mapping[str, Any], survey_file: Path) -> None:
    """Refuse a survey file without a column map of its own, or with a key that means nothing."""
    for key in survey:
        require_known(key, _SURVEY_KEYS, survey_file, str(key))
    if not isinstance(survey.get("columns"), dict):
        found = "like: " + str(survey["like"]) if "like" in survey else "no such key"
        hint = "give a file with its own 'columns:'"
        raise BadInput(survey_file, "columns", "the map of the columns", found, hint)
    for name, source in survey["columns"].items():
        if not isinstance(source, (str, dict)):
            expected, hint = "the name of a native column", f"{name}: NAME, in quotes if a number"
            raise BadInput(survey_file, f"columns.{name}", expected, repr(source), hint)


def _require_extinctions(
    columns: Mapping[str, Any], bands: Sequence[str], file: Path, hint: str
) -> None:
    """Refuse a map without extinctions, for a run that was trained on corrected magnitudes."""
    for band in bands:
        if f"extinction_{band}" not in columns:
            raise BadInput(
                file, f"column 'extinction_{band}'",
                "the Galactic extinction in mag: the run was trained on dereddened magnitudes",
                "no such column", hint,
            )  # fmt: skip


def _names(path: Path, survey: Mapping[str, Any], needed: Sequence[str]) -> list[str] | None:
    """Return the names to give a text file's columns; None where its own header is to be used.

    `names` describe the survey's own files. A table with other columns must have a header.
    """
    names, file_format = survey.get("names"), survey.get("file_format")
    if names is None:
        return None
    try:
        header = column_names(path, file_format)
    except BadInput:  # no header, or a wrong one: what `names` are for
        return list(names)
    if not set(needed) <= set(header):
        return list(names)
    if len(header) != len(names):
        return None
    for name in needed:
        if name in names and names.index(name) != header.index(name):
            place, expected = f"column '{name}'", f"column {names.index(name) + 1}, as 'names' say"
            found = f"column {header.index(name) + 1} in the header"
            hint = "take 'names' out of a copy of the survey file if the header is right"
            raise BadInput(path, place, expected, found, hint)
    return list(names)


def _native(source: Any) -> str | None:
    """Return the native column of an entry of a column map."""
    return source if isinstance(source, str) else source.get("native")


def _standard_survey(path: Path, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a table that already has standard column names."""
    bands, names = inputs["bands"], column_names(path)
    families = ["mag", "mag_err", *(["extinction"] if inputs["dereddened"] else [])]
    wanted = ["object_id", "ra", "dec", *_LABELS, "ebv_mag"]
    wanted += [f"{family}_{band}" for family in families for band in bands]
    missing = [f"mag_{band}" for band in bands if f"mag_{band}" not in names]
    if missing:
        hint = "rename the columns, or map them with --survey FILE.yaml"
        raise BadInput(path, f"column '{missing[0]}'", f"the run's bands {bands}",
                       listed(names), hint)  # fmt: skip
    columns: dict[str, Any] = {name: name for name in wanted if name in names}
    if inputs["dereddened"]:
        hint = "add the columns extinction_{band}, or map them with --survey FILE.yaml"
        _require_extinctions(columns, bands, path, hint)
    columns.setdefault("object_id", {"from": "content"})
    sentinels = {"nan": "not_observed", "inf": "not_detected"}
    if format_of(path) in ("fits", "votable"):  # as write_table writes them there
        sentinels |= {"99.0": "not_detected", "-99.0": "not_observed"}
    return {"name": path.name, "bands": bands, "columns": columns, "sentinels": sentinels,
            "kind": "spec"}  # fmt: skip
