"""A survey's column map: which native column becomes which standard one, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import BadInput, nearest_hint, require_known
from zladder.tables.columns import standard_column

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT = "content"  # the id is made of the row's numbers
TEXT = "text"  # the id is made of the words of a native column
_FAMILIES = ("mag", "mag_err", "mag_limit", "extinction", "psf_fwhm_arcsec")
# What stands for a column of widths that a map makes of moments, while it is read (arcsec2)
MOMENTS = tuple(f"psf_moment_{which}_arcsec2_" for which in ("xx", "yy", "xy"))
_WIDTH = "psf_fwhm_arcsec_"
_MADE = ("part", "z_true_kind", "z_true_origin")
_ALWAYS = ("object_id", "ra", "dec", "z_true", "z_true_err", "ebv_mag")


@dataclass(frozen=True)
class MappedColumn:
    """One standard column and where it comes from; ``native`` is empty for a content id.

    ``declared``: the map itself says the unit. ``made_of``: CONTENT or TEXT for an identifier that
    is made, else empty.
    """

    name: str
    native: str
    unit: str
    declared: bool = False
    made_of: str = ""

    @property
    def is_flux(self) -> bool:
        """Whether a magnitude, or the error of one, comes as a flux."""
        return self.name.startswith("mag_") and self.unit != "mag"


def survey_file(survey: Mapping[str, Any]) -> str:
    """Return what stands for the file in messages about the survey's own settings."""
    return f"survey '{survey.get('name') or survey.get('title', '')}'"


def column_map(survey: Mapping[str, Any]) -> list[MappedColumn]:
    """Return the survey's columns in the order of the standard table.

    A width of the point-spread function that is made of moments is three columns (`MOMENTS`).

    Raises
    ------
    BadInput
        A name that is not standard for the survey's bands, a band without magnitude where others
        have one (a survey of images may have none at all), no object_id, or an extra
        column that would overwrite a standard one.
    """
    bands = list(survey.get("bands", []))  # none where a survey gives labels only
    allowed = [*_ALWAYS, *(f"{family}_{band}" for family in _FAMILIES for band in bands)]
    declared = survey["columns"]
    for name in declared:
        if name not in allowed:
            hint = nearest_hint(name, allowed, f"one of {', '.join(allowed)}")
            raise BadInput(survey_file(survey), f"columns.{name}", "a standard column",
                           f"'{name}'", hint)  # fmt: skip
    magnitudes = [f"mag_{band}" for band in bands]
    wanted = magnitudes if "pictured" not in survey or set(magnitudes) & set(declared) else []
    for name in ("object_id", *wanted):
        if name not in declared:
            hint = f"map it, as in {name}: NAME; ids can be made, object_id: {{from: content}}"
            raise BadInput(survey_file(survey), "columns", f"'{name}' in the column map",
                           ", ".join(declared), hint)  # fmt: skip
    for name in survey.get("extra_columns", []):
        if name in declared or name in _MADE:
            raise BadInput(survey_file(survey), "extra_columns", "names of native columns",
                           f"'{name}', a standard column", "map it or leave it out")  # fmt: skip
    there = (name for name in allowed if name in declared)
    return [column for name in there for column in _columns(name, declared[name], survey)]


def native_columns(survey: Mapping[str, Any]) -> list[str]:
    """Return the native columns that the survey needs, each once: what to read of its files."""
    mapped = [column.native for column in column_map(survey) if column.native]
    return list(dict.fromkeys([*mapped, *survey.get("extra_columns", [])]))


def _columns(name: str, source: Any, survey: Mapping[str, Any]) -> list[MappedColumn]:
    """Return the columns that an entry of the map reads: one, or three moments."""
    if isinstance(source, str) or "moments" not in source:
        return [_mapped(name, source, survey)]
    natives, unit = source["moments"], source.get("unit", "arcsec2")
    place, expected = f"columns.{name}", "columns of I_xx, I_yy and I_xy, for psf_fwhm_arcsec_BAND"
    if not name.startswith(_WIDTH) or "native" in source or len(natives) != len(MOMENTS):
        raise BadInput(survey_file(survey), place, expected, f"{dict(source)}",
                       f"{_WIDTH}BAND: {{moments: [NAME, NAME, NAME]}}")  # fmt: skip
    band, declared = name.removeprefix(_WIDTH), "unit" in source
    return [MappedColumn(f"{start}{band}", native, unit, declared)
            for start, native in zip(MOMENTS, natives, strict=True)]  # fmt: skip


def _mapped(name: str, source: Any, survey: Mapping[str, Any]) -> MappedColumn:
    described = standard_column(name)
    unit = described.unit if described else ""
    if isinstance(source, str):
        return MappedColumn(name, source, unit)
    if source.get("from") == CONTENT and name == "object_id":
        return MappedColumn(name, "", "", made_of=CONTENT)
    if not isinstance(source.get("native"), str):
        raise BadInput(survey_file(survey), f"columns.{name}", "the name of a native column",
                       f"{dict(source)}", f"{name}: NAME, or {name}: {{native: NAME}}")  # fmt: skip
    made_of = TEXT if source.get("from") == TEXT and name == "object_id" else ""
    declared = "unit" in source
    return MappedColumn(name, source["native"], source.get("unit", unit), declared, made_of)


def limits(survey: Mapping[str, Any]) -> dict[str, float]:
    """Return {mag_limit_{band}: AB magnitude} of the depth that a survey declares for all rows.

    Raises
    ------
    BadInput
        For a band that the survey lacks, or one whose limits are a column of the table.
    """
    found = {}
    for band, mag in survey.get("limits_mag", {}).items():
        place = f"limits_mag.{band}"
        require_known(band, survey.get("bands", []), survey_file(survey), place)
        if f"mag_limit_{band}" in survey["columns"]:
            raise BadInput(survey_file(survey), place, "one limit for a band", "two: a column too",
                           f"take it out, or columns.mag_limit_{band}")  # fmt: skip
        found[f"mag_limit_{band}"] = float(mag)
    return found
