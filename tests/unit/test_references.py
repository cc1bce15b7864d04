"""A name that nothing defines is refused where it is mentioned, with the nearest that exists."""

from __future__ import annotations

import pytest

from zladder.config.image_references import shows_held_out
from zladder.config.methods import at_fraction
from zladder.config.references import require_references
from zladder.config.run_references import PARENTS, READ
from zladder.learning.room import room_pixels
from zladder.provenance.errors import BadInput


def put(tree, path, value):
    """Set a value at a path of keys and positions."""
    *way, last = path
    for step in way:
        tree = tree[step]
    tree[last] = value


STUDY = ("study_files", "transfer")
PIXELS = ("study_files", "label_efficiency")
CLASSES = ("study_files", "class_residuals")
HAYAT, LIN = (f"config/studies/{path[1]}.yaml" for path in (PIXELS, CLASSES))
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


def refused(tree) -> BadInput:
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert caught.value.hint
    return caught.value


def test_pixels_are_kept_away_from_another_image_dataset(settings):
    tree = settings()
    for name in ("main", "deep_images"):  # one without images, and itself
        put(tree, ("datasets", "datasets", "deep_images", "away_from"), [name])
        error = refused(tree)
        assert error.place == "datasets.deep_images.away_from"
        known = "one of main_images, specz_images, hsc_images, main_images_as_published"
        assert (error.expected, error.found) == (known, f"'{name}'")


def test_no_encoder_sees_what_a_test_set_holds_out(settings):
    def tree(**datasets):
        made = settings()
        made["datasets"]["datasets"] |= datasets
        made["study_files"]["label_efficiency"]["test_on"] = ["main_images", "drawn_as_published"]
        return made

    whole = settings()["datasets"]["datasets"]
    merged, deep = whole["main_images_as_published"], whole["deep_images"]
    by_galaxy = {**merged, "conventions": ["by_galaxy"]}
    elsewhere = {**merged, "samples": whole["hsc_images"]["samples"]}
    for entry in (by_galaxy, elsewhere):
        with pytest.raises(BadInput) as caught:
            require_references(tree(drawn_as_published=entry))
        assert caught.value.place == "encoders.untrained.dataset"
        assert caught.value.found == "'deep_images'"
        assert "'drawn_as_published' under its away_from" in caught.value.hint
    datasets = settings()["datasets"]["datasets"]
    for test, entry, away in (
        ("main_images", {}, ["main_images"]),
        ("main_images_as_published", {}, ["main_images"]),  # of its cells all are held out
        ("drawn_as_published", by_galaxy, ["main_images", "drawn_as_published"]),
        ("drawn_as_published", elsewhere, ["main_images", "drawn_as_published"]),
    ):
        made = {"datasets": {"datasets": {**datasets, "deep_images": {**deep, "away_from": away}}}}
        made["datasets"]["datasets"] |= {test: entry} if entry else {}
        assert not shows_held_out(made, "deep_images", test)
        assert shows_held_out(made, "main_images", test) == (entry is by_galaxy)


def test_probes_are_asked_for_splits_as_published_too(settings):
    """Beside our own, from the same features, or alone; not for more than features are made of."""
    ours, theirs = "main_images", "main_images_as_published"

    def tree(instead: str, tests: list[str]):
        made = settings()
        study = made["study_files"]["label_efficiency"]
        for entry in (*study["networks"].values(), study["controls"]):
            entry["dataset"] = instead if entry["dataset"] == ours else entry["dataset"]
        study |= {"embed_on": instead, "test_on": tests}
        for document in made["claim_files"].values():
            for claim in document["claims"].values():
                if claim["study"] == "label_efficiency":
                    claim["dataset"] = tests[0]
        return made

    require_references(tree(ours, [ours, theirs]))
    require_references(tree(theirs, [theirs]))
    error = refused(tree(theirs, [ours]))
    assert (error.place, error.found) == ("test_on", f"'{ours}'")
    assert error.expected == f"embed_on, '{theirs}'"


def test_an_image_dataset_needs_a_survey_with_frames(settings):
    tree = settings()
    del tree["survey_files"]["mock_sdss_deep"]["frames"]
    error = refused(tree)
    assert (error.file, error.place) == ("config/surveys/mock_sdss_deep.yaml", "frames")
    assert (error.expected, error.found) == ("where the survey's images are", "no such key")
    assert "'deep_images'" in error.hint


def test_images_are_cut_out_of_frames_or_were_published(settings):
    tree = settings()
    tree["survey_files"]["mock_sdss_deep"]["images"] = {"layout": "sdss"}
    error = refused(tree)
    assert (error.place, error.found) == ("frames", "both")


@pytest.mark.parametrize(
    ("parts", "expected", "found"),
    [
        (["images_tests"], "one of all, images_train, images_validation, images_test",
         "'images_tests'"),
        (["all", "images_train", "images_validation", "images_test"], "some parts of `source`",
         "all of them"),
    ],
)  # fmt: skip
def test_parts_with_images_are_some_of_the_surveys_own(settings, parts, expected, found):
    tree = settings()
    tree["survey_files"]["galaxiesml"]["images"]["parts"] = parts
    error = refused(tree)
    assert (error.file, error.place) == ("config/surveys/galaxiesml.yaml", "images.parts")
    assert (error.expected, error.found) == (expected, found)


@pytest.mark.parametrize("bands", ["ugriz", "u"])
def test_an_image_dataset_needs_the_extinction_of_every_band(settings, bands):
    tree = settings()
    survey = tree["survey_files"]["mock_sdss"]
    known = survey.pop("extinction_per_ebv")
    if bands != "ugriz":
        survey["extinction_per_ebv"] = {b: r for b, r in known.items() if b not in bands}
    error = refused(tree)
    assert (error.file, error.place) == ("config/surveys/mock_sdss.yaml", "extinction_per_ebv")
    assert error.expected == "the extinction of each band over E(B-V)"
    assert error.found == f"none of {list(bands)}"


@pytest.mark.parametrize(
    ("path", "dataset", "file", "place"),
    [
        ((*PIXELS, "encoders", "joint"), "main", HAYAT, "encoders.joint.dataset"),
        ((*PIXELS, "networks", "supervised"), "main", HAYAT, "networks.supervised.dataset"),
        ((*PIXELS, "networks", "probe_moco"), "main", HAYAT, "networks.probe_moco.dataset"),
        ((*CLASSES, "networks", "step2"), "main", LIN, "networks.step2.dataset"),
        (CLASSES, "main", LIN, "embed_on"),
        (CLASSES, "main", LIN, "test_on"),
    ],
)
def test_what_looks_at_images_needs_a_dataset_with_images(settings, path, dataset, file, place):
    tree = settings()
    key = place.rsplit(".", 1)[-1]
    put(tree, (*path, key), [dataset] if key == "test_on" else dataset)
    error = refused(tree)
    assert (error.file, error.place) == (file, place)
    wanted = (
        "['main_images', 'deep_images', 'specz_images', 'hsc_images', 'cfhtls_images', "
        "'main_images_as_published']"
    )
    assert error.expected == f"a dataset with images: one of {wanted}"
    assert error.found == "'main', which has none"


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


@pytest.mark.parametrize(
    ("stage", "section", "recipe"),
    [("pretrain", "encoders", "moco"), ("train", "image_networks", "resnet_regression")],
)
@pytest.mark.parametrize("geometry", ["dihedral", "rotation"])
def test_a_stamp_has_room_for_the_augmentation(settings, stage, section, recipe, geometry):
    tree = settings()
    for name, other in (("pretrain", "encoders"), ("train", "image_networks")):
        for entry in tree[name][other].values():  # nothing else may ask for more
            entry["augmentation"] = {**entry["augmentation"], "jitter_pixels": 0}
    augmentation = {"geometry": geometry, "jitter_pixels": 3}
    tree[stage][section][recipe]["augmentation"] |= augmentation
    crop = tree["pretrain"]["pixels"]["crop_pixels"]
    tree["cutouts"]["stamp_pixels"] = room = room_pixels(crop, augmentation)
    require_references(tree)
    tree["cutouts"]["stamp_pixels"] -= 1
    error = refused(tree)
    assert (error.file, error.place) == ("config/stages/cutouts.yaml", "stamp_pixels")
    assert error.expected == f"at least {room} ({section}.{recipe}, crops of {crop})"
    assert error.found == f"{room - 1}"


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
