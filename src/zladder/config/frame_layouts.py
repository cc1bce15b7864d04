"""What a survey says of its images: where they lie, how their files are called."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

from zladder.config.names import FRAME_NUMBER, FRAME_PLACES
from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SDSS, CUTOUTS, TILES = "sdss_frames", "hsc_cutouts", ("hsc_coadds", "cfhtls_tiles")
WEIGHED = "cfhtls_tiles"
BAND_FIELDS = {"band", "BAND"}


def require_frames(settings: Mapping[str, Any]) -> None:
    """Refuse images that lie in no place or in two, and what does not tell bands, or those unknown.

    Raises
    ------
    BadInput
        With the survey's file and the key at fault.
    """
    for name, survey in settings["survey_files"].items():
        if "frames" in survey:
            file = f"config/surveys/{name}.yaml"
            _require_place(survey["frames"], file)
            _require_path(survey["frames"], file)
            _require_number(survey["frames"], file)
            _require_layers(survey["frames"], survey.get("extra_columns", []), file)
            _require_band_files(survey["frames"], survey.get("bands", []), file)
            for band in survey["frames"].get("psf_fwhm_arcsec", {}):
                require_known(band, survey.get("bands", []), file, "frames.psf_fwhm_arcsec")


def template_fields(template: str) -> set[str]:
    """Return the names in braces of a template; an empty one for braces without a name."""
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def _require_place(frames: Mapping[str, Any], file: str) -> None:
    places = [place for place in FRAME_PLACES if place in frames]
    if len(places) != 1:
        raise BadInput(file, "frames", f"one of {', '.join(FRAME_PLACES)}",
                       f"{' and '.join(places) or 'none of them'}",
                       "say once where the images lie")  # fmt: skip
    if places == ["archive"] and frames["layout"] != SDSS:
        raise BadInput(file, "frames.archive", f"frames of the layout {SDSS}",
                       f"layout {frames['layout']}",
                       "fetch the images by hand, and say their `folder`")  # fmt: skip


def _require_number(frames: Mapping[str, Any], file: str) -> None:
    if FRAME_NUMBER in frames and frames["layout"] != SDSS:
        raise BadInput(file, f"frames.{FRAME_NUMBER}", f"no such key but with layout {SDSS}",
                       f"{frames[FRAME_NUMBER]!r}",
                       "leave it out: what a field takes is known of those alone")  # fmt: skip


def _require_layers(frames: Mapping[str, Any], columns: Sequence[str], file: str) -> None:
    """Refuse layers that no tile's name tells, or by a column that no sample will have."""
    if "layers" not in frames:
        return
    place, column = "frames.layers", frames["layers"]["column"]
    if frames["layout"] not in TILES:
        raise BadInput(file, place, f"no such key with layout {frames['layout']}", f"{column!r}",
                       f"leave it out: it is of {' and '.join(TILES)}")  # fmt: skip
    if "layer" not in template_fields(frames.get("path", "")):
        raise BadInput(file, place, "{layer} in frames.path", repr(frames.get("path", "")),
                       "name it there, or leave frames.layers out")  # fmt: skip
    if column not in columns:
        raise BadInput(file, f"{place}.column", "one of extra_columns", f"{column!r}",
                       f"add it: extra_columns: {[*columns, column]}")  # fmt: skip


def _require_band_files(frames: Mapping[str, Any], bands: Sequence[str], file: str) -> None:
    """Refuse names of bands where no tile is called by them, and one that means two bands."""
    named = frames.get("band_files", {})
    if named and frames["layout"] not in TILES:
        raise BadInput(file, "frames.band_files", f"no such key with layout {frames['layout']}",
                       f"{named!r}", f"leave it out: it is of {' and '.join(TILES)}")  # fmt: skip
    for band in named:
        require_known(band, bands, file, "frames.band_files")
    every = [(name, band) for band in bands for name in named.get(band, [band])]
    meant: dict[str, str] = {}
    for name, band in every:
        other = meant.setdefault(name.upper(), band)  # {BAND} is in capitals
        if other != band:
            raise BadInput(file, f"frames.band_files.{band}", "names of this band alone",
                           f"'{name}', of {other} too", "leave it to one of them")  # fmt: skip


def _require_path(frames: Mapping[str, Any], file: str) -> None:
    layout = frames["layout"]
    if layout == SDSS:
        for key in ("path", "weights", "zero_point_mag"):
            if key in frames:
                raise BadInput(file, f"frames.{key}", f"no such key with layout {SDSS}",
                               f"{frames[key]!r}",
                               "the archive's own names and unit hold: leave it out")  # fmt: skip
        return
    if "path" not in frames:
        raise BadInput(file, "frames", "the key 'path'", "no such key",
                       f"say how the files of layout {layout} are called")  # fmt: skip
    _require_fields(frames["path"], layout, f"{file}", "frames.path")
    if "weights" in frames:
        if layout != WEIGHED:
            raise BadInput(file, "frames.weights", f"no such key with layout {layout}",
                           f"{frames['weights']!r}", "its mask stands in the file")  # fmt: skip
        _require_fields(frames["weights"], layout, file, "frames.weights")
        unknown = template_fields(frames["weights"]) - template_fields(frames["path"]) - BAND_FIELDS
        if unknown:
            raise BadInput(file, "frames.weights", "names in braces that frames.path has too",
                           f"{sorted(unknown)}", "use the same names")  # fmt: skip


def _require_fields(template: str, layout: str, file: str, place: str) -> None:
    """Refuse a template without a band, or without the identifier where each galaxy has a file."""
    fields = template_fields(template)
    wanted = "{band} or {BAND}" + (", and {object_id}" if layout == CUTOUTS else "")
    wrong = not fields & BAND_FIELDS or any(not field.isidentifier() for field in fields)
    if layout == CUTOUTS:
        wrong = wrong or fields - BAND_FIELDS != {"object_id"}
    if wrong:
        hint = "see docs/real-data.md, Its images"
        raise BadInput(file, place, f"a file name with {wanted}", repr(template), hint)
