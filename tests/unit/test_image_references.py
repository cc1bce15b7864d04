"""What images need to go together, and what pixels an encoder may not see."""

from __future__ import annotations

import pytest
from refusing import CLASSES, HAYAT, LIN, PIXELS, put, refused

from zladder.config.image_references import shows_held_out
from zladder.config.plan import make_plan
from zladder.config.references import require_references
from zladder.learning.room import room_pixels
from zladder.provenance.errors import BadInput


def test_pixels_are_kept_away_from_another_image_dataset(settings):
    tree = settings()
    for name in ("main", "deep_images"):  # one without images, and itself
        put(tree, ("datasets", "datasets", "deep_images", "away_from"), [name])
        error = refused(tree)
        assert error.place == "datasets.deep_images.away_from"
        known = (
            "one of main_images, specz_images, specz_images_as_published, photoz_images, "
            "combined_images, photoz_images_as_published, hsc_images, main_images_as_published"
        )
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


def test_an_encoder_learns_from_a_dataset_that_is_all_for_training(settings):
    tree = settings()
    put(tree, (*PIXELS, "encoders", "moco", "dataset"), "main_images")
    error = refused(tree)
    assert (error.file, error.place) == (HAYAT, "encoders.moco.dataset")
    assert error.found == "'main_images', which has splits"


def test_features_are_not_asked_of_images_in_other_bands_or_pixels_of_other_width(settings):
    tree = settings()
    tree["studies"], study = ["label_efficiency"], tree["study_files"]["label_efficiency"]
    study["networks"] = {"probe_moco": study["networks"]["probe_moco"]}
    for encoder in study["encoders"].values():
        encoder["dataset"] = "cfhtls_images"
    with pytest.raises(BadInput) as caught:
        make_plan(tree)
    assert (caught.value.file, caught.value.place) == (HAYAT, "dataset main_images")
    assert caught.value.found == "0.396 arcsec"
    tree["cutouts"] |= {"grid": "sky", "grid_scale_arcsec": 0.25}
    tree["survey"]["hsc_images"]["stamp_pixels"] = 80  # room for stamps on that grid
    make_plan(tree)  # SDSS has the same five, and now pixels as wide
    study["embed_on"] = "hsc_images"
    with pytest.raises(BadInput) as caught:
        make_plan(tree)
    assert (caught.value.file, caught.value.place) == (HAYAT, "embed_on")
    assert caught.value.found == "'hsc_images', in g, r, i, z, y"


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


@pytest.mark.parametrize("encoding", ["asinh16", "asinh8"])
@pytest.mark.parametrize("bands", ["ugriz", "z"])
def test_encoded_stamps_need_the_softening_of_every_band(settings, encoding, bands):
    tree = settings()
    known = tree["survey_files"]["mock_sdss"]["softening_nmgy"]
    tree["survey_files"]["mock_sdss"]["softening_nmgy"] = {
        band: value for band, value in known.items() if band not in bands
    }
    require_all = settings()  # floats need none
    require_all["survey_files"] = tree["survey_files"]
    require_references(require_all)
    tree["cutouts"]["encoding"] = encoding
    error = refused(tree)
    assert (error.file, error.place) == ("config/surveys/mock_sdss.yaml", "softening_nmgy")
    assert error.expected == f"nanomaggies for each band, for cutouts.encoding: {encoding}"
    assert error.found == f"none of {list(bands)}"
    assert "cutouts.encoding: float32" in error.hint


@pytest.mark.parametrize("encoding", ["asinh16", "asinh8"])
def test_every_shipped_survey_with_images_has_softenings(settings, encoding):
    tree = settings()
    tree["cutouts"]["encoding"] = encoding
    require_references(tree)
    imaged = {name: survey for name, survey in tree["survey_files"].items()
              if "frames" in survey or "images" in survey}  # fmt: skip
    assert len(imaged) >= 10
    for survey in imaged.values():
        assert set(survey["softening_nmgy"]) == set(survey["bands"])


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
        "['main_images', 'deep_images', 'specz_images', 'specz_images_as_published', "
        "'photoz_images', 'combined_images', "
        "'photoz_images_as_published', 'hsc_images', 'cfhtls_images', 'main_images_as_published']"
    )
    assert error.expected == f"a dataset with images: one of {wanted}"
    assert error.found == "'main', which has none"


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
