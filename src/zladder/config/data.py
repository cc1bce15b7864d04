"""Where the files of a survey lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOCAL = Path("data")
FETCHED = LOCAL / "fetched"
ALONE = "archives"
DATA_VARIABLE = "ZLADDER_DATA"


def survey_files(name: str, survey: Mapping[str, Any], simulated_folder: str) -> dict[str, str]:
    """Return {part: path} of a survey's native files.

    A simulated survey's file lies in `simulated_folder`. Any other is looked for below
    ``ZLADDER_DATA``, then below ``data/``; where it is in neither and an archive has it, it will
    lie in ``data/fetched/SURVEY``. A part of `fetch` alone lies only there.
    """
    source = survey["source"]
    if "simulated" in source:
        return {"all": f"{simulated_folder}/{source['simulated']}"}
    files, fetched = source.get("files", {}), source.get("fetch", {})
    return {
        part: str(_located(files.get(part), name, part if part in fetched else None))
        for part in dict.fromkeys([*files, *fetched])
    }


def image_parts(survey: Mapping[str, Any]) -> list[str]:
    """Return the parts of a survey that hold published images; none where it has no such images.

    All of its parts, if `images` names none: they hold the catalogue as well.
    """
    source = survey["source"]
    every = dict.fromkeys([*source.get("files", {}), *source.get("fetch", {})])
    return list(survey["images"].get("parts", every)) if "images" in survey else []


def image_survey(settings: Mapping[str, Any], sample: str) -> str:
    """Return the survey that a sample's images are of: that of its photometry, or its `images`."""
    entry = settings["catalogs"]["samples"][sample]
    return str(entry.get("images", entry["photometry"]))


def parts_of_images(settings: Mapping[str, Any], sample: str) -> list[str]:
    """Return the parts of published images that a galaxy's image tells, and its catalogue does not.

    A catalogue in one file may have images in three: then the file that holds a galaxy's image says
    which part it is of.
    """
    labels, images = (
        settings["catalogs"]["samples"][sample]["labels"],
        image_survey(settings, sample),
    )
    survey = settings["survey_files"][images]
    parts = image_parts(survey)
    told = catalogue_parts(survey, parts) if labels == images else []
    return [part for part in parts if part not in told]


def given_image_parts(
    settings: Mapping[str, Any], entry: Mapping[str, Any], samples: Iterable[str]
) -> list[tuple[str, str]]:
    """Return (sample, part) of the images whose parts a dataset takes as splits, all of a sample's.

    None for a dataset without images, and for parts that are the catalogue's own.
    """
    given = set(entry.get("given_parts", {}).values()) if "images" in entry else set()
    told = {sample: parts_of_images(settings, sample) for sample in samples} if given else {}
    return [
        (sample, part) for sample, parts in told.items() if given & set(parts) for part in parts
    ]


def catalogue_parts(survey: Mapping[str, Any], parts: Iterable[str]) -> list[str]:
    """Return those of the parts that hold a catalogue: not the ones that hold images alone."""
    images = survey.get("images", {}).get("parts", [])
    return [part for part in parts if part not in images]


def missing_files(name: str, survey: Mapping[str, Any]) -> list[str]:
    """Return the native files of a survey that are not on this machine."""
    if "simulated" in survey["source"]:
        return []
    files = survey_files(name, survey, "").values()
    return [path for path in files if not Path(path).is_file()]


def require_obtainable(
    name: str, survey: Mapping[str, Any], archives: Mapping[str, Any]
) -> None:  # fmt: skip
    """Refuse a survey whose files are neither here nor at a known address."""
    places = {fetched_path(name, part): part for part in survey["source"].get("fetch", {})}
    for path in missing_files(name, survey):
        if path not in places:
            where = os.environ.get(DATA_VARIABLE, "not set")
            hint = f"put it there, or point {DATA_VARIABLE} (now {where}) at the folder that has it"
            place = f"survey {name} (config/surveys/{name}.yaml: source.files)"
            raise BadInput(path, place, "a file", "nothing", hint)
        archive = survey["source"]["fetch"][places[path]]
        if archives[archive]["url"] is None:
            expected = f"a file, or the address of {archive} (config/archives.yaml)"
            own = survey["source"].get("files", {}).get(places[path], path)
            hint = f"put {own} below {DATA_VARIABLE} or data/, or give the address of {archive}"
            place = f"survey {name} (config/surveys/{name}.yaml: source.fetch)"
            raise BadInput(path, place, expected, "neither", hint)


def fetched_path(name: str, part: str) -> str:
    """Return where the fetched file of a part of a survey lies."""
    return str(FETCHED / name / part)


def fetched_archive(archive: str) -> str:
    """Return where an entry's file lies that is fetched by itself, for no survey."""
    return str(FETCHED / ALONE / archive)


def fetched_frames(name: str) -> str:
    """Return the folder of the frames that are fetched for a survey."""
    return str(FETCHED / name / "frames")


def data_folder(folder: str) -> Path:
    """Return where a folder of data lies: below ``ZLADDER_DATA`` if it is there, else ``data/``."""
    outside = os.environ.get(DATA_VARIABLE)
    places = [Path(outside) / folder] if outside else []
    return next((path for path in places if path.is_dir()), LOCAL / folder)


def _located(file: str | None, name: str, fetched_part: str | None) -> Path:
    """Return the path of a data file: the first of the places that has it, else the last."""
    places = []
    if file:
        folder = os.environ.get(DATA_VARIABLE)
        places += [Path(folder) / file] if folder else []
        places.append(LOCAL / file)
    if fetched_part:
        places.append(FETCHED / name / fetched_part)
    return next((path for path in places if path.is_file()), places[-1])
