"""What is asked of the splits and label draws of datasets before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.data import (
    catalogue_parts,
    given_image_parts,
    parts_of_images,
    survey_files,
)
from zladder.config.image_references import holds
from zladder.config.names import BY_GALAXY, VALIDATION_AS_TEST
from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "config/stages/datasets.yaml"
# How a dataset with a paper's own splits is called: every table and figure prints its name.
MARK = "_as_published"


def require_draws(settings: Mapping[str, Any]) -> None:
    """Refuse more seeds than there are draws of labels: each seed has a draw of its own.

    Raises
    ------
    BadInput
        If there are.
    """
    n_draws, n_seeds = settings["datasets"]["label_draws"], settings["train"]["n_seeds"]
    if n_seeds > n_draws:
        hint = "raise it, or lower train.n_seeds"
        raise BadInput(FILE, "label_draws", f"at least train.n_seeds ({n_seeds})", n_draws, hint)


def require_told(dataset: str, entry: Mapping[str, Any]) -> None:
    """Refuse a dataset whose name hides, or only pretends, that its splits are a paper's own.

    Raises
    ------
    BadInput
        If `conventions` and the end of the name do not agree.
    """
    if bool(entry.get("conventions")) == dataset.endswith(MARK):
        return
    place = f"datasets.{dataset}"
    if "conventions" in entry:
        expected, hint = f"a name that ends in {MARK}", "every table shows by it what they are"
    else:
        expected, hint = "the key 'conventions'", f"names in {MARK} are kept for papers' own splits"
    raise BadInput(FILE, place, expected, f"'{dataset}' with {entry.get('conventions')}", hint)


def require_one_test_set(dataset: str, entry: Mapping[str, Any]) -> None:
    """Refuse a published test set beside validation galaxies that are test galaxies too.

    Raises
    ------
    BadInput
        If both are asked for: the scores would pool two test sets, one of which chose the models.
    """
    test = entry.get("given_parts", {}).get("test")
    if test is None or VALIDATION_AS_TEST not in entry.get("conventions", ()):
        return
    place, found = f"datasets.{dataset}.given_parts.test", f"'{test}' and {VALIDATION_AS_TEST}"
    hint = "leave one of them out, or give the part as the validation split"
    raise BadInput(FILE, place, "one test set", found, hint)


def require_given_parts(settings: Mapping[str, Any], dataset: str) -> None:
    """Refuse published parts that no survey of a dataset has, or that its splits cannot follow.

    The samples of the dataset are known.

    Raises
    ------
    BadInput
        For an unknown part, parts of an image dataset that is not marked as split by galaxy, and
        four given splits that leave some part of a survey without one.
    """
    entry = settings["datasets"]["datasets"][dataset]
    given, place = entry.get("given_parts", {}), f"datasets.{dataset}.given_parts"
    if not given:
        return
    if "images" in entry and BY_GALAXY not in entry.get("conventions", ()):
        hint = f"add 'conventions: [{BY_GALAXY}]' and {MARK} to the name, or leave given_parts out"
        expected = f"the convention {BY_GALAXY}: stamps of two published parts may share pixels"
        raise BadInput(FILE, place, expected, f"{entry.get('conventions', 'none')}", hint)
    if "away_from" in entry:
        hint = "leave one of them out"
        raise BadInput(FILE, place, "no parts beside away_from", f"{given}", hint)
    parts, others = _parts(settings, entry)
    for split, part in given.items():
        require_known(part, [*parts, *others], FILE, f"{place}.{split}")
    left = [part for part in parts if part not in given.values()]
    if left and len(given) == len(settings["datasets"]["splits"]):
        hint = "name them too, or leave one split out: it takes what is left"
        raise BadInput(FILE, place, "every part of the survey", f"none of {left}", hint)


def _parts(settings: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the parts that the samples of a dataset come in, and others that it could ask for.

    The parts of a sample are those of its images where the dataset names one of them, else those of
    its catalogue.
    """
    surveys = settings["survey_files"]
    found: dict[str, None] = {}
    others: dict[str, None] = {}
    names = [name for names in entry["samples"].values() for name in names]
    by_image = {sample for sample, _ in given_image_parts(settings, entry, names)}
    for sample in names:
        survey = settings["catalogs"]["samples"][sample]["labels"]
        files = survey_files(survey, surveys[survey], "")
        catalogue = catalogue_parts(surveys[survey], files)
        images = parts_of_images(settings, sample) if "images" in entry else []
        found |= dict.fromkeys(images if sample in by_image else catalogue)
        others |= dict.fromkeys([] if sample in by_image else images)
    return list(found), list(others)


def require_held_out(settings: Mapping[str, Any], study: str) -> None:
    """Refuse trainings that see the test galaxies of their study, as far as the splits tell it.

    What follows from the galaxies alone (two samples of one sky) is refused with the predictions.

    Raises
    ------
    BadInput
        With the training, and the test set that it sees.
    """
    document, file = settings["study_files"][study], f"config/studies/{study}.yaml"
    trainings = {f"networks.{method}": entry for method, entry in document["networks"].items()}
    for place, entry in {**trainings, "controls": document["controls"]}.items():
        for test in document["test_on"]:
            if sees_tested(settings, entry["dataset"], test):
                expected = f"splits that keep the test galaxies of '{test}' out of the training"
                found = f"'{entry['dataset']}', whose galaxies are split otherwise"
                hint = "train and test with the same kind of splits, or take them for two studies"
                raise BadInput(file, f"{place}.dataset", expected, found, hint)


def sees_tested(settings: Mapping[str, Any], dataset: str, test: str) -> bool:
    """Return whether who trains on a dataset sees test galaxies of another of the same samples.

    To be chosen by galaxies that a paper reports too is that paper's own convention, and allowed.
    """
    one, other = (settings["datasets"]["datasets"][name] for name in (dataset, test))
    names = [
        {sample for listed in e["samples"].values() for sample in listed} for e in (one, other)
    ]
    if dataset == test or not set.intersection(*names):
        return False
    if "away_from" in one:
        return not any(holds(settings, whole, test) for whole in one["away_from"])
    if any(_drawn(one, key) != _drawn(other, key) for key in ("images", "given_parts", BY_GALAXY)):
        return True
    return _drawn(one, VALIDATION_AS_TEST) and not _drawn(other, VALIDATION_AS_TEST)


def _drawn(entry: Mapping[str, Any], key: str) -> Any:
    """Return a key of a dataset, or whether it follows a convention of this name."""
    return (
        entry.get(key) if key in ("images", "given_parts") else key in entry.get("conventions", ())
    )
