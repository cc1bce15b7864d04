"""What images need to go together: surveys with frames, stamps with room, schedules with steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.data import image_survey
from zladder.config.encodings import ASINH
from zladder.config.names import BY_GALAXY
from zladder.learning.room import room_pixels
from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    from collections.abc import Mapping


def require_images(settings: Mapping[str, Any]) -> None:
    """Refuse settings of image datasets and recipes on pixels that do not fit each other.

    Raises
    ------
    BadInput
        For `away_from` that names no other image dataset, a survey without frames or without the
        extinction of a band, stamps too small for a recipe, and more checks than steps.
    """
    datasets = settings["datasets"]["datasets"]
    for dataset in image_datasets(settings):
        entry, file = datasets[dataset], "config/stages/datasets.yaml"
        if "away_from" in entry:
            # One that keeps away itself holds nothing out.
            others = [n for n in image_datasets(settings) if "away_from" not in datasets[n]]
            for other in entry["away_from"]:
                require_known(other, others, file, f"datasets.{dataset}.away_from")
        for sample in (name for names in entry["samples"].values() for name in names):
            _require_imaged(settings, sample, dataset)
    train, pretrain = settings["train"], settings["pretrain"]
    for file, section, recipes, limit in (
        ("pretrain", "encoders", pretrain["encoders"], pretrain["steps_limit"]),
        ("train", "image_networks", train["image_networks"], train["image_steps_limit"]),
        ("train", "heads", train["heads"], train["head_steps_limit"]),
    ):
        for name, recipe in recipes.items():
            place = f"{section}.{name}"
            require_checks(recipe["schedule"], limit, f"config/stages/{file}.yaml", place)
            if "augmentation" in recipe:
                _require_room(settings, recipe["augmentation"], place)


def require_image_parts(survey: Mapping[str, Any], file: str) -> None:
    """Refuse published images in parts that the survey lacks, or leave no catalogue.

    Raises
    ------
    BadInput
        With the survey's file.
    """
    source = survey["source"]
    known = list(dict.fromkeys([*source.get("files", {}), *source.get("fetch", {})]))
    parts = survey.get("images", {}).get("parts", [])
    for part in parts:
        require_known(part, known, file, "images.parts")
    if parts and not set(known) - set(parts):
        hint = "leave `parts` out where the same files hold catalogue and images"
        raise BadInput(file, "images.parts", "some parts of `source`", "all of them", hint)


def image_datasets(settings: Mapping[str, Any]) -> list[str]:
    """Return the datasets that are an index over stamps."""
    datasets = settings["datasets"]["datasets"]
    return [name for name, entry in datasets.items() if "images" in entry]


def shows_held_out(settings: Mapping[str, Any], dataset: str, test: str) -> bool:
    """Return whether a training stamp of one image dataset may show what another holds out.

    Splits by cell are the same in all image datasets: stamps for training lie in other cells than
    those held out. What has no such splits must keep away from the other dataset, or from one that
    `holds` all of it.
    """
    datasets = settings["datasets"]["datasets"]
    if "away_from" in datasets[dataset]:
        return not any(holds(settings, other, test) for other in datasets[dataset]["away_from"])
    drawn = {name for one in (dataset, test) for name in datasets[one].get("conventions", ())}
    return dataset != test and BY_GALAXY in drawn


def holds(settings: Mapping[str, Any], whole: str, part: str) -> bool:
    """Return whether one image dataset has all galaxies of another, those held out held out too.

    It does if it has the same samples with our own splits: what follows a paper's convention by
    cell leaves out more (`zladder.datasets.images`).
    """
    one, other = (settings["datasets"]["datasets"][name] for name in (whole, part))
    alike = one["samples"] == other["samples"] and not {"conventions", "away_from"} & one.keys()
    own_cells = "away_from" not in other and BY_GALAXY not in other.get("conventions", ())
    return whole == part or (alike and own_cells)


def require_checks(
    schedule: Mapping[str, Any], steps_limit: int, file: str, recipe_place: str
) -> None:
    """Refuse a schedule that is cut into more parts than it has steps.

    Raises
    ------
    BadInput
        Unless it has no steps at all: a network as it is drawn.
    """
    steps = min(schedule["steps"], steps_limit)
    if steps and schedule["checks"] > steps:
        place = f"{recipe_place}.schedule.checks"
        expected = f"at most {steps}, the steps that the scale leaves"
        hint = "take fewer checks, or more steps"
        raise BadInput(file, place, expected, f"{schedule['checks']}", hint)


def _require_imaged(settings: Mapping[str, Any], sample: str, dataset: str) -> None:
    """Refuse a sample without frames to cut stamps from, or whose dust has no known colour."""
    name = image_survey(settings, sample)
    survey, file = settings["survey_files"][name], f"config/surveys/{name}.yaml"
    kinds = [key for key in ("frames", "images") if key in survey]
    if len(kinds) != 1:
        hint = f"the dataset '{dataset}' has images: say where they are, or leave images out"
        expected, found = "where the survey's images are", "no such key"
        if kinds:
            expected, found = "frames to cut, or `images` that are cut", "both"
        raise BadInput(file, "frames", expected, found, hint)
    expected = "the extinction of each band over E(B-V)"
    hint = "networks on images need it to add and to remove dust"
    _require_bands(survey, file, "extinction_per_ebv", expected, hint)
    encoding = settings["cutouts"]["encoding"]
    if encoding in ASINH:
        expected = f"nanomaggies for each band, for cutouts.encoding: {encoding}"
        hint = "about the noise of a pixel; or set cutouts.encoding: float32"
        _require_bands(survey, file, "softening_nmgy", expected, hint)


def _require_bands(
    survey: Mapping[str, Any], file: str, key: str, expected: str, hint: str
) -> None:
    """Refuse a survey that does not say something of every band."""
    missing = [band for band in survey["bands"] if band not in survey.get(key, {})]
    if missing:
        raise BadInput(file, key, expected, f"none of {missing}", hint)


def _require_room(settings: Mapping[str, Any], augmentation: Mapping[str, Any], place: str) -> None:
    """Refuse stamps that an augmentation would turn or move out of."""
    crop, stamp = settings["pretrain"]["pixels"]["crop_pixels"], settings["cutouts"]["stamp_pixels"]
    room = room_pixels(crop, augmentation)
    if room > stamp:
        file, expected = "config/stages/cutouts.yaml", f"at least {room} ({place}, crops of {crop})"
        hint = "cut larger stamps (config/scales.yaml may say so too), or lower crop or jitter"
        raise BadInput(file, "stamp_pixels", expected, f"{stamp}", hint)
