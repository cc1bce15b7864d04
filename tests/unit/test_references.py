"""A name that nothing defines is refused where it is mentioned, with the nearest that exists."""

from __future__ import annotations

import pytest
from refusing import CLASSES, HAYAT, LIN, PIXELS, put, refused

from zladder.config.methods import at_fraction
from zladder.config.references import require_references
from zladder.config.run_references import PARENTS, READ
from zladder.provenance.errors import BadInput

STUDY = ("study_files", "transfer")
CLAIM = ("claim_files", "soriano2024", "claims", "C3-transfer-rms")


@pytest.mark.parametrize(
    ("path", "value", "file", "place", "hint"),
    [
        (("studies", 0), "transfr", "config/config.yaml", "studies", "transfer"),
        (("studies_if_data", 0), "sdss_main", "config/config.yaml", "studies_if_data",
         "sdss_main_sample"),
        ((*STUDY, "networks", "base", "recipe"), "mlp_sorian", "config/studies/transfer.yaml",
         "networks.base.recipe", "mlp_soriano"),
        ((*STUDY, "networks", "base", "dataset"), "photo", "config/studies/transfer.yaml",
         "networks.base.dataset", "photoz"),
        ((*STUDY, "controls", "dataset"), "combind", "config/studies/transfer.yaml",
         "controls.dataset", "combined"),
        ((*STUDY, "test_on", 1), "spec", "config/studies/transfer.yaml", "test_on", "specz"),
        (("datasets", "datasets", "main", "samples", "mock", 0), "mock_man",
         "config/stages/datasets.yaml", "datasets.main.samples.mock", "mock_main"),
        (("catalogs", "samples", "mock_main", "labels"), "mock_sds",
         "config/stages/catalogs.yaml", "samples.mock_main.labels", "mock_sdss"),
        (("catalogs", "samples", "mock_main", "photometry"), "mock_sds",
         "config/stages/catalogs.yaml", "samples.mock_main.photometry", "mock_sdss"),
        (("catalogs", "samples", "sdss_dr12_released", "images"), "sdss_selfsu",
         "config/stages/catalogs.yaml", "samples.sdss_dr12_released.images", "sdss_selfsup"),
        ((*CLAIM, "study"), "transfers", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.study", "transfer"),
        ((*CLAIM, "dataset"), "spec", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.dataset", "specz"),
        ((*CLAIM, "worse"), "bas", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.worse", "base"),
        ((*CLAIM, "better"), "transfr", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.better", "transfer"),
        ((*PIXELS, "encoders", "moco", "recipe"), "mocco", HAYAT, "encoders.moco.recipe", "moco"),
        ((*PIXELS, "encoders", "moco", "dataset"), "deep_image", HAYAT, "encoders.moco.dataset",
         "deep_images"),
        ((*PIXELS, "embed_on"), "main_image", HAYAT, "embed_on", "main_images"),
        ((*PIXELS, "controls", "methods", 1), "boostin", HAYAT, "controls.methods", "boosting"),
        ((*PIXELS, "networks", "finetuned", "parent"), "mocco", HAYAT, "networks.finetuned.parent",
         "moco"),
        ((*PIXELS, "networks", "probe_moco", "parent"), "mocco", HAYAT,
         "networks.probe_moco.parent", "moco"),
        ((*CLASSES, "networks", "step2", "parent"), "baselin", LIN, "networks.step2.parent",
         "baseline"),
        ((*CLASSES, "networks", "step3", "labels_from"), "stp2", LIN, "networks.step3.labels_from",
         "step2"),
        (("datasets", "datasets", "deep_images", "away_from", 0), "main_image",
         "config/stages/datasets.yaml", "datasets.deep_images.away_from", "main_images"),
        (("reference_files", "sdss_main_sample", "sample"), "mock_mai",
         "config/references/sdss_main_sample.yaml", "sample", "mock_main"),
        (("claim_files", "hayat2021", "claims", "hayat-gate-dust", "better"), "mocco",
         "config/claims/hayat2021.yaml", "claims.hayat-gate-dust.better", "moco"),
        (("claim_files", "hayat2021", "claims", "hayat-gate-probe", "better"),
         "probe_moco_at_al", "config/claims/hayat2021.yaml", "claims.hayat-gate-probe.better",
         "probe_moco_at_all"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused(settings, path, value, file, place, hint):
    tree = settings()
    put(tree, path, value)
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    error = caught.value
    assert (error.file, error.place) == (file, place)
    assert error.found == f"'{value}'"
    assert hint in error.expected
    assert error.hint == f"did you mean '{hint}'?"


@pytest.mark.parametrize(
    ("path", "value", "place", "expected"),
    [
        (("catalogs", "samples", "mock_specz", "photometry"), "mock_galaxiesml",
         "samples.mock_specz.photometry", "a survey with bands"),
        (("catalogs", "samples", "mock_main", "labels"), "mock_galaxiesml",
         "samples.mock_main", "the key 'match_radius_arcsec'"),
        (("catalogs", "samples", "sdss_dr12_released", "images"), "galaxiesml",
         "samples.sdss_dr12_released.images", "images in the bands u, g, r, i, z of 'sdss_dr12'"),
        ((*STUDY, "networks", "knn"), {"recipe": "mlp_soriano", "dataset": "specz"},
         "networks.knn", "a name of its own"),
    ],
)  # fmt: skip
def test_names_that_cannot_go_together_are_refused(settings, path, value, place, expected):
    tree = settings()
    put(tree, path, value)
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert (caught.value.place, caught.value.expected) == (place, expected)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("place", "value"), [("networks.step2.dataset", "deep_images"), ("test_on", ["deep_images"])]
)
def test_probes_and_heads_stay_with_the_galaxies_whose_features_are_kept(settings, place, value):
    tree = settings()
    put(tree, (*CLASSES, *place.split(".")), value)
    error = refused(tree)
    assert (error.file, error.place) == (LIN, place)
    assert (error.expected, error.found) == ("embed_on, 'main_images'", "'deep_images'")


@pytest.mark.parametrize("study", [PIXELS, CLASSES])
def test_a_study_with_features_says_of_which_galaxies(settings, study):
    tree = settings()
    del tree["study_files"][study[1]]["embed_on"]
    error = refused(tree)
    assert (error.place, error.expected) == ("top level", "the key 'embed_on'")
    assert error.found == "no such key"


@pytest.mark.parametrize(("path", "task"), [((*PIXELS, "networks", "probe_moco"), "probe"),
                                            ((*CLASSES, "networks", "step2"), "head")])  # fmt: skip
def test_features_are_taken_from_somebody(settings, path, task):
    tree = settings()
    entry = tree["study_files"][path[1]]["networks"][path[3]]
    del entry["parent"]
    error = refused(tree)
    assert error.place == f"networks.{path[3]}.parent"
    assert (error.expected, error.found) == (f"the parent of a {task}", "none")


@pytest.mark.parametrize(
    ("study", "method", "parent", "kind"),
    [
        (PIXELS, "finetuned", "probe_moco", "probe"),
        (PIXELS, "finetuned", "catalogue", "catalogue"),
        (PIXELS, "probe_joint", "probe_moco", "probe"),
        (PIXELS, "catalogue", "moco", "pretrain"),
        (CLASSES, "step3", "step2", "head"),
    ],
)
def test_a_parent_has_what_its_child_takes(settings, study, method, parent, kind):
    tree = settings()
    entry = tree["study_files"][study[1]]["networks"][method]
    entry["parent"] = parent
    error = refused(tree)
    assert (error.file, error.place) == (
        f"config/studies/{study[1]}.yaml", f"networks.{method}.parent",
    )  # fmt: skip
    assert error.found == f"'{parent}', of the kind {kind}"
    assert error.expected.startswith("a parent of the kind ")
    assert kind not in error.expected


def test_every_kind_of_training_says_what_it_reads_and_whom_it_follows():
    assert READ.keys() == PARENTS.keys() == {"catalogue", "image", "probe", "head"}


@pytest.mark.parametrize(
    ("study", "method", "key", "value", "place", "reads"),
    [
        (PIXELS, "supervised", "loss", {"name": "mse"}, "loss", "optimizer, parent, schedule"),
        (PIXELS, "supervised", "trainable", ["last"], "trainable", "optimizer, parent, schedule"),
        (PIXELS, "probe_moco", "optimizer", {"weight_decay": 0.1}, "optimizer", "parent"),
        (CLASSES, "step3", "schedule", {"steps": 10}, "schedule", "labels_from, parent"),
        (CLASSES, "baseline", "labels_from", "step2", "labels_from", "optimizer, parent, schedule"),
        (PIXELS, "catalogue", "schedule", {"steps": 10}, "schedule.steps",
         "epochs, patience, batch_size, decay"),
        (PIXELS, "catalogue", "optimizer", {"trunk_factor": 0.1}, "optimizer.trunk_factor",
         "learning_rate, weight_decay"),
        (PIXELS, "supervised", "schedule", {"patience": 3}, "schedule.patience",
         "steps, batch_size, checks, decay"),
    ],
)  # fmt: skip
def test_a_key_that_would_change_nothing_is_refused(
    settings, study, method, key, value, place, reads
):
    tree = settings()
    put(tree, (*study, "networks", method, key), value)
    error = refused(tree)
    assert error.place == f"networks.{method}.{place}"
    assert (error.expected, error.found) == (f"one of {reads}", f"'{place.split('.')[-1]}'")


def test_softened_or_shifted_labels_come_from_somebody(settings):
    for method in ("step3", "step3a", "step3b"):
        tree = settings()
        del tree["study_files"]["class_residuals"]["networks"][method]["labels_from"]
        error = refused(tree)
        assert error.place == f"networks.{method}.labels_from"
        assert error.expected.startswith("labels_from (the labels of '")
        assert error.found == "none"


def test_labels_come_from_classes_without_extension(settings):
    tree = settings()
    networks = tree["study_files"]["class_residuals"]["networks"]
    networks["plain"] = {"recipe": "resnet_regression", "dataset": "main_images"}
    for other in ("step3b", "plain"):
        networks["step3"]["labels_from"] = other
        error = refused(tree)
        assert error.place == "networks.step3.labels_from"
        assert error.expected == "a run of classes without extension"
        assert error.found == f"'{other}', which is none"


@pytest.mark.parametrize(
    ("stage", "section", "recipe", "limit"),
    [
        ("pretrain", "encoders", "moco", "steps_limit"),
        ("train", "image_networks", "resnet_classes", "image_steps_limit"),
        ("train", "heads", "balanced", "head_steps_limit"),
    ],
)
def test_a_training_has_as_many_steps_as_checks(settings, stage, section, recipe, limit):
    tree = settings()
    tree[stage][limit] = tree[stage][section][recipe]["schedule"]["checks"]
    tree[stage][section] = {recipe: tree[stage][section][recipe]}
    studies = ["transfer", "main_sample"]  # they use none of the recipes that were left out
    tree["study_files"] = {name: tree["study_files"][name] for name in studies}
    tree |= {"studies": studies, "studies_if_data": [], "claim_files": {}}
    require_references(tree)
    tree[stage][limit] -= 1
    error = refused(tree)
    assert error.file == f"config/stages/{stage}.yaml"
    assert error.place == f"{section}.{recipe}.schedule.checks"
    assert error.expected == f"at most {tree[stage][limit]}, the steps that the scale leaves"
    assert error.found == f"{tree[stage][limit] + 1}"


def test_a_studys_own_schedule_has_as_many_steps_as_checks(settings):
    tree = settings("demo")
    entry = tree["study_files"]["label_efficiency"]["networks"]["supervised"]
    entry["schedule"] = {"steps": 4}
    error = refused(tree)
    assert (error.file, error.place) == (HAYAT, "networks.supervised.schedule.checks")
    assert error.found == "5"
    entry["schedule"] = {"steps": 4, "checks": 4}
    require_references(tree)


def test_an_untrained_network_has_no_steps_and_is_no_error(settings):
    tree = settings()
    schedule = tree["pretrain"]["encoders"]["untrained"]["schedule"]
    assert schedule["steps"] == 0
    schedule["checks"] = 10
    require_references(tree)


def test_no_method_is_called_as_another_ones_rung(settings):
    tree = settings()
    networks = tree["study_files"]["label_efficiency"]["networks"]
    fraction = tree["train"]["label_fractions"][0]
    rung = at_fraction("supervised", fraction)
    networks[rung] = {"recipe": "resnet_regression", "dataset": "main_images"}
    error = refused(tree)
    assert (error.file, error.place) == (HAYAT, f"networks.{rung}")
    assert error.expected == "a name of its own"
    assert error.found == f"'{rung}', which is 'supervised' on the ladder"


def test_a_recipe_stands_in_one_section(settings):
    tree = settings()
    tree["train"]["heads"]["linear_probe"] = tree["train"]["heads"]["balanced"]
    error = refused(tree)
    assert error.place == "networks.probe_untrained.recipe"
    assert error.expected == "a recipe of one section"
    assert error.found == "'linear_probe', which stands in two"
