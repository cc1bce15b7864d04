"""Names that one document mentions and another defines: each must exist.

Every shipped document is looked at, not only those that the configured studies need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.archives import require_archives
from zladder.config.frame_layouts import require_frames
from zladder.config.image_references import require_image_parts, require_images
from zladder.config.methods import claimable, recipe_names
from zladder.config.run_references import require_runs
from zladder.config.selections import require_selections
from zladder.config.split_references import (
    require_draws,
    require_given_parts,
    require_held_out,
    require_one_test_set,
    require_told,
)
from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def require_references(settings: Mapping[str, Any]) -> None:
    """Refuse a settings tree in which a name stands for nothing, or for what cannot be used there.

    Raises
    ------
    BadInput
        With the file and the path of the mention, and the nearest name that exists.
    """
    for key in ("studies", "studies_if_data"):
        _require_all(settings[key], settings["study_files"], "config/config.yaml", key)
    for study, document in settings["study_files"].items():
        _require_study(settings, study, document)
    require_archives(settings)
    require_frames(settings)
    _require_data(settings)
    require_selections(settings)
    samples = settings["catalogs"]["samples"]
    _require_all(list(settings["real_samples"]), samples, "config/real_samples.yaml", "sample")
    require_images(settings)
    for study in settings["study_files"]:
        require_runs(settings, study)
        require_held_out(settings, study)
    for name, document in settings["reference_files"].items():
        samples = settings["catalogs"]["samples"]
        require_known(document["sample"], samples, f"config/references/{name}.yaml", "sample")
    for paper, document in settings["claim_files"].items():
        for claim, content in document["claims"].items():
            file, place = f"config/claims/{paper}.yaml", f"claims.{claim}"
            _require_claim(settings["study_files"], settings["train"], content, file, place)


def _require_study(settings: Mapping[str, Any], study: str, document: Mapping[str, Any]) -> None:
    """Check the recipes and datasets of a study, and that no method has two meanings."""
    file, train = f"config/studies/{study}.yaml", settings["train"]
    datasets = settings["datasets"]["datasets"]
    names = recipe_names(train)
    for method, entry in document.get("encoders", {}).items():
        recipes = settings["pretrain"]["encoders"]
        require_known(entry["recipe"], recipes, file, f"encoders.{method}.recipe")
        require_known(entry["dataset"], datasets, file, f"encoders.{method}.dataset")
        if method in document["networks"]:
            expected, found = "a name of its own", f"'{method}', which is a network"
            raise BadInput(file, f"encoders.{method}", expected, found, "rename the encoder")
    for method, entry in document["networks"].items():
        require_known(entry["recipe"], names, file, f"networks.{method}.recipe")
        if names.count(entry["recipe"]) > 1:
            expected, found = "a recipe of one section", f"'{entry['recipe']}', which stands in two"
            hint = "rename one of them in config/stages/train.yaml"
            raise BadInput(file, f"networks.{method}.recipe", expected, found, hint)
        require_known(entry["dataset"], datasets, file, f"networks.{method}.dataset")
        if method in train["controls"]:
            expected, found = "a name of its own", f"'{method}', which is a control"
            raise BadInput(file, f"networks.{method}", expected, found, "rename the network")
    require_known(document["controls"]["dataset"], datasets, file, "controls.dataset")
    _require_all(
        document["controls"].get("methods", []), train["controls"], file, "controls.methods"
    )
    if "embed_on" in document:
        require_known(document["embed_on"], datasets, file, "embed_on")
    _require_all(document["test_on"], datasets, file, "test_on")


def _require_data(settings: Mapping[str, Any]) -> None:
    """Check the samples of datasets, the surveys of samples, and that photometry has bands."""
    samples, surveys = settings["catalogs"]["samples"], settings["survey_files"]
    require_draws(settings)
    for name, survey in surveys.items():
        require_image_parts(survey, f"config/surveys/{name}.yaml")
    for dataset, entry in settings["datasets"]["datasets"].items():
        require_told(dataset, entry)
        require_one_test_set(dataset, entry)
        for sky, names in entry["samples"].items():
            place = f"datasets.{dataset}.samples.{sky}"
            _require_all(names, samples, "config/stages/datasets.yaml", place)
    for sample, entry in samples.items():
        file = "config/stages/catalogs.yaml"
        for part in ("labels", "photometry"):
            require_known(entry[part], surveys, file, f"samples.{sample}.{part}")
        if "images" in entry:
            published = [name for name, survey in surveys.items() if "images" in survey]
            require_known(entry["images"], published, file, f"samples.{sample}.images")
        if "bands" not in surveys[entry["photometry"]]:
            expected, found = "a survey with bands", f"'{entry['photometry']}', which has none"
            hint = "name another survey, or add its bands and magnitudes"
            raise BadInput(file, f"samples.{sample}.photometry", expected, found, hint)
        _require_bands(surveys, sample, entry)
        if entry["labels"] != entry["photometry"] and "match_radius_arcsec" not in entry:
            expected, found = "the key 'match_radius_arcsec'", "no such key"
            hint = "two surveys are matched on the sphere: say how far apart a match may be"
            raise BadInput(file, f"samples.{sample}", expected, found, hint)
    for dataset in settings["datasets"]["datasets"]:
        require_given_parts(settings, dataset)


def _require_bands(surveys: Mapping[str, Any], sample: str, entry: Mapping[str, Any]) -> None:
    """Refuse images in other bands than the magnitudes and extinctions of the same sample."""
    bands = surveys[entry["photometry"]]["bands"]
    found = surveys[entry.get("images", entry["photometry"])]["bands"]
    if found != bands:
        expected = f"images in the bands {', '.join(bands)} of '{entry['photometry']}'"
        raise BadInput("config/stages/catalogs.yaml", f"samples.{sample}.images", expected,
                       f"those of '{entry['images']}' in {', '.join(found)}",
                       "name a survey with the same bands, in this order")  # fmt: skip


def _require_claim(
    studies: Mapping[str, Any],
    train: Mapping[str, Any],
    claim: Mapping[str, Any],
    file: str,
    place: str,
) -> None:
    """Check that the study of a claim has its test set and both of its methods."""
    require_known(claim["study"], studies, file, f"{place}.study")
    study = studies[claim["study"]]
    require_known(claim["dataset"], study["test_on"], file, f"{place}.dataset")
    for side in ("worse", "better"):
        require_known(claim[side], claimable(study, train["controls"]), file, f"{place}.{side}")


def _require_all(names: Iterable[str], known: Iterable[str], file: str, place: str) -> None:
    known = list(known)
    for name in names:
        require_known(name, known, file, place)
