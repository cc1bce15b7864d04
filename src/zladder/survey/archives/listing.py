"""What fetching would mean: what is here, what would come, how much, and what is missing for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.config.data import (
    ALONE,
    fetched_archive,
    fetched_frames,
    fetched_path,
    survey_files,
)
from zladder.config.grids import reach_rows
from zladder.config.imaging import FRAME_NAME
from zladder.survey.archives.accounts import missing_accounts
from zladder.survey.archives.kept import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.config.imaging import FieldNumber


@dataclass(frozen=True)
class Part:
    """One part of a survey that an archive has, or its frames.

    Attributes
    ----------
    survey, part, archive
        Names; `part` is `frames` for frames.
    entry
        The archive's entry.
    path
        Where it lies, or will lie.
    here
        Whether all of it is here.
    kept_bytes
        What is here of a download that is under way.
    total_bytes
        Its size; None where nobody knows.
    about
        Whether that is an estimate.
    note
        What else there is to say.
    """

    survey: str
    part: str
    archive: str
    entry: Mapping[str, Any]
    path: str
    here: bool
    kept_bytes: int = 0
    total_bytes: int | None = None
    about: bool = False
    note: str = ""

    @property
    def missing(self) -> list[str]:
        """What must be given before it can be fetched: variables, or an address."""
        if self.here:
            return []
        address = [f"the address of {self.archive}"] if self.entry["url"] is None else []
        return [*address, *missing_accounts(self.entry)]


def parts_of(settings: Mapping[str, Any], survey: str, catalog: Path) -> list[Part]:
    """Return the parts of a survey that archives have.

    `catalog` is the survey's standard catalogue, which tells of the frames if it is there.
    """
    document, archives = settings["survey_files"][survey], settings["archives"]
    files = survey_files(survey, document, "")
    found = [
        _file(survey, part, archive, archives[archive], files[part])
        for part, archive in document["source"].get("fetch", {}).items()
    ]
    if "archive" in document.get("frames", {}):
        archive = document["frames"]["archive"]
        entry = archives[archive]
        pace = entry.get("requests_per_second", settings["fetching"]["requests_per_second"])
        reach = reach_rows(settings["cutouts"], document["frames"])
        found.append(_frames(survey, archive, entry, document["bands"], catalog, pace, reach))
    return found


def alone(settings: Mapping[str, Any], archive: str) -> Part:
    """Return an entry that is fetched by itself, for no survey."""
    return _file(ALONE, archive, archive, settings["archives"][archive], fetched_archive(archive))


def _file(survey: str, part: str, archive: str, entry: Mapping[str, Any], path: str) -> Part:
    place = Place(Path(fetched_path(survey, part)))
    here = Path(path).is_file()
    kept = place.partial.stat().st_size if place.partial.is_file() else 0
    kept += sum(page.stat().st_size for page in place.folder.glob("pages-*/*.csv"))
    if here:
        size: int | None = Path(path).stat().st_size
    else:
        size = entry.get("bytes") or entry.get("bytes_about")
    note = f"refused before: {place.refused}" if place.refused.is_file() else ""
    about = not here and not entry.get("bytes") and size is not None
    return Part(survey, part, archive, entry, path, here, 0 if here else kept, size, about, note)


def _frames(
    survey: str, archive: str, entry: Mapping[str, Any], bands: Sequence[str], catalog: Path,
    requests_per_second: float, reach: float | None,
) -> Part:  # fmt: skip
    """Return the frames of a survey: how many there are is known once its catalogue was read."""
    folder = Path(fetched_frames(survey))
    if not catalog.is_file():
        note = f"which ones tells {catalog}, which is not there yet"
        return Part(survey, "frames", archive, entry, str(folder), here=False, note=note)
    from zladder.survey.archives.field_plan import plan_fields

    plan = plan_fields(catalog, bands, (0, 1), reach)
    fields = [*plan.fields, *plan.beside]
    sizes = [
        size for field in fields for band in bands if (size := _frame_bytes(folder, field, band))
    ]
    wanted, size = len(fields) * len(bands), sum(sizes)
    total = size * wanted // len(sizes) if sizes else None  # by the mean of those that are here
    note = f"{len(sizes)} of {wanted} frames are here"
    whole = len(sizes) == wanted
    hours = (wanted - len(sizes)) / requests_per_second / 3600
    note += "" if whole else f"; {requests_per_second:g} a second: {hours:.3g} hours at least"
    return Part(survey, "frames", archive, entry, str(folder), whole, size, total, not whole, note)


def _frame_bytes(folder: Path, field: FieldNumber, band: str) -> int:
    plain = folder / FRAME_NAME.format(**field._asdict(), band=band)
    packed = plain.with_name(plain.name + ".bz2")
    return next((path.stat().st_size for path in (plain, packed) if path.is_file()), 0)
