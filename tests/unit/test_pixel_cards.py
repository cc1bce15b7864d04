"""Cards of trainings on pixels: complete, canonical, linked to their parents, limited by scale."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from zladder.config.cards import resolve_cards
from zladder.config.plan import make_plan
from zladder.provenance.digests import canonical_json, derive_seed, value_digest
from zladder.provenance.errors import BadInput

STUDIES = ["label_efficiency", "class_residuals"]
COMMON = {"task", "run", "seed", "data", "inputs", "parent"}
# What each kind of training reads of its card; `precision` and `label_range_z` beside.
KEYS = {
    "pretrain": COMMON | {"model", "objective", "augmentation", "optimizer", "schedule",
                          "precision"},
    "image": COMMON | {"model", "output", "loss", "augmentation", "optimizer", "schedule",
                       "precision", "label_range_z"},
    "probe": COMMON | {"penalties", "label_range_z"},
    "head": COMMON | {"output", "labels", "labels_from", "optimizer", "schedule", "precision",
                      "label_range_z"},
}  # fmt: skip


@pytest.fixture
def tree(settings):
    return settings()


def pixel_cards(tree):
    cards = resolve_cards(tree, STUDIES)
    return {run: card for run, card in cards.items() if card["task"] in KEYS}


def card_of(tree, method, study="label_efficiency"):
    return resolve_cards(tree, [study])[f"{study}.{method}-s0"]


def changed(tree, change) -> set[str]:
    """Return the methods whose cards a change of the settings changes."""
    before = deepcopy(resolve_cards(tree, STUDIES))  # cards hold values of the tree itself
    change(tree)
    after = resolve_cards(tree, STUDIES)
    assert after.keys() == before.keys()
    return {run.split(".")[1].removesuffix("-s0") for run in before if after[run] != before[run]}


def test_a_card_is_canonical_json_and_holds_what_its_training_reads(tree):
    cards = pixel_cards(tree)
    assert {card["task"] for card in cards.values()} == set(KEYS)
    for run, card in cards.items():
        assert json.loads(canonical_json(card)) == card
        assert card.keys() == KEYS[card["task"]], run
        assert card["run"] == run
        assert card["seed"] == derive_seed(tree["master_seed"], "train", run)


def test_a_pretraining_knows_no_labels(tree):
    card = card_of(tree, "moco")
    assert card["data"] == {"dataset": "deep_images"}  # no fraction of labels
    assert "label_range_z" not in card
    assert card["parent"] is None


def test_what_a_network_sees_is_told_by_the_survey_and_the_stage(tree):
    inputs = card_of(tree, "supervised_f100")["inputs"]
    survey = tree["survey_files"]["mock_sdss"]
    assert inputs == {
        "bands": ["u", "g", "r", "i", "z"],
        "dereddened": True,
        "extinction_per_ebv": survey["extinction_per_ebv"],
        "pixel_scale_arcsec": 0.396,
        "crop_pixels": 32,
        "stretch": "sqrt",
    }
    assert card_of(tree, "moco")["inputs"] == inputs


def test_probes_and_heads_see_the_features_of_their_parent(tree):
    probe = card_of(tree, "probe_joint_f20")
    assert probe["inputs"] == {"features_of": "label_efficiency.joint-s0"}
    head = card_of(tree, "step3", "class_residuals")
    assert head["inputs"] == {"features_of": "class_residuals.baseline-s0", "copies": 4}
    assert "copies" not in head  # said once
    for card in (probe, head):
        assert card["parent"]["run"] == card["inputs"]["features_of"]


def test_links_hold_the_digest_of_the_other_card(tree):
    cards = resolve_cards(tree, STUDIES)
    links = [card[key] for card in cards.values() for key in ("parent", "labels_from")
             if card.get(key)]  # fmt: skip
    assert len(links) == 8 + 8 + 4 + 3  # fine-tuned, probes, heads; labels of Step 3, 3a, 3b
    for link in links:
        assert link == {"run": link["run"], "card": value_digest(cards[link["run"]])}
    order = list(cards)
    for run, card in cards.items():
        for key in ("parent", "labels_from"):
            if card.get(key):
                assert order.index(card[key]["run"]) < order.index(run)


def test_each_seed_has_encoders_of_its_own(tree):
    tree["train"]["n_seeds"] = 2
    cards = resolve_cards(tree, STUDIES)
    for seed in (0, 1):
        child = cards[f"label_efficiency.finetuned_f20-s{seed}"]
        assert child["parent"]["run"] == f"label_efficiency.moco-s{seed}"
        assert f"class_residuals.step2-s{seed}" in cards
    assert len({card["seed"] for card in cards.values()}) == len(cards)


def test_the_scale_limits_the_steps_but_never_prolongs_them(tree):
    tree["pretrain"]["steps_limit"] = 70
    tree["train"] |= {"image_steps_limit": 80, "head_steps_limit": 90}
    tree["pretrain"]["encoders"]["joint"]["schedule"]["steps"] = 7
    cards = pixel_cards(tree)
    steps = {run.split(".")[1]: card["schedule"]["steps"] for run, card in cards.items()
             if "schedule" in card}  # fmt: skip
    assert steps["moco-s0"] == steps["colour-s0"] == 70
    assert steps["joint-s0"] == 7
    assert steps["untrained-s0"] == 0
    assert steps["supervised_f20-s0"] == steps["baseline-s0"] == 80
    assert {steps[f"step{n}-s0"] for n in ("2", "3", "3a", "3b")} == {90}


def test_the_scale_paper_trains_as_long_as_its_limits_allow(settings):
    tree = settings("paper")
    limits = {
        "pretrain": tree["pretrain"]["steps_limit"],
        "image": tree["train"]["image_steps_limit"],
        "head": tree["train"]["head_steps_limit"],
    }
    cards = pixel_cards(tree)
    trained = {run: card for run, card in cards.items() if card.get("schedule", {}).get("steps")}
    untrained = {run for run in cards.keys() - trained.keys() if cards[run]["task"] != "probe"}
    assert untrained == {f"label_efficiency.untrained-s{seed}" for seed in range(5)}
    for run, card in trained.items():
        assert card["schedule"]["steps"] == limits[card["task"]], run
        assert card["schedule"]["batch_size"] == 256, run
    assert min(limits.values()) >= 40_000


def test_the_scale_paper_has_the_papers_queue_and_balance(settings):
    cards = pixel_cards(settings("paper")).values()
    for card in (card for card in cards if card["task"] == "pretrain"):
        sizes = [card["objective"][key] for key in ("queue_size", "momentum", "projection_units")]
        assert sizes == [65_536, 0.999, 128]
    limits = {card["labels"]["cell_limit"] for card in cards if card["task"] == "head"}
    assert limits == {200}


@pytest.mark.parametrize(("scale", "n_galaxies"), [("small", 40_000), ("paper", 500_000)])
def test_a_shard_of_a_large_scale_stays_a_job_of_one_machine(settings, scale, n_galaxies):
    tree = settings(scale)
    assert tree["survey"]["n_main"] == n_galaxies
    assert n_galaxies / tree["cutouts"]["n_shards"] < 10_000


def test_a_study_lays_its_values_over_an_image_recipe(tree):
    recipe = tree["train"]["image_networks"]["resnet_regression"]
    entry = tree["study_files"]["label_efficiency"]["networks"]["supervised"]
    entry |= {"optimizer": {"trunk_factor": 0.3}, "schedule": {"batch_size": 7}}
    optimizer = card_of(tree, "supervised_f100")["optimizer"]
    assert optimizer == {**recipe["optimizer"], "trunk_factor": 0.3}
    schedule = card_of(tree, "supervised_f100")["schedule"]
    limit = tree["train"]["image_steps_limit"]
    assert schedule == {**recipe["schedule"], "steps": limit, "batch_size": 7}


def test_an_encoders_recipe_changes_its_card_and_its_childrens_only(tree):
    def change(tree):
        tree["pretrain"]["encoders"]["joint"]["objective"]["temperature"] = 0.2

    assert changed(tree, change) == {
        "joint", "joint_finetuned_f20", "joint_finetuned_f100", "probe_joint_f20",
        "probe_joint_f100",
    }  # fmt: skip


def test_a_balanced_recipe_changes_the_heads_whose_labels_follow_from_it(tree):
    def change(tree):
        labels = tree["train"]["heads"]["balanced"]["labels"]
        tree["train"]["heads"]["balanced"]["labels"] = {**labels, "cell_limit": 3}

    # Step 3, 3a and 3b take their own cell limit, but their labels from Step 2's answers.
    assert changed(tree, change) == {"step2", "step3", "step3a", "step3b"}


def test_a_recipe_without_children_changes_its_own_cards(tree):
    def change(tree):
        tree["train"]["probes"]["linear_probe"]["penalties"] = [1.0]

    names = ("untrained", "moco", "joint", "colour")
    wanted = {f"probe_{name}_{rung}" for name in names for rung in ("f20", "f100")}
    assert changed(tree, change) == wanted


def test_the_crop_changes_all_that_look_at_pixels_and_their_children(tree):
    def change(tree):
        tree["pretrain"]["pixels"]["crop_pixels"] = 24

    untouched = {"catalogue_f20", "catalogue_f100", "mean_z", "boosting"}
    methods = {run.split(".")[1].removesuffix("-s0") for run in resolve_cards(tree, STUDIES)}
    assert changed(tree, change) == methods - untouched


def test_more_fractions_change_no_card(tree):
    before = resolve_cards(tree, STUDIES)
    tree["train"]["label_fractions"] = [0.05, 0.2, 0.5, 1.0]
    after = resolve_cards(tree, STUDIES)
    assert {run: after[run] for run in before} == before
    assert len(after) == len(before) + 2 * (4 + 4 + 1)  # on images, probes, catalogue


def test_an_image_network_sees_what_its_encoder_saw(tree):
    survey = tree["survey_files"]["mock_sdss_deep"]
    survey["extinction_per_ebv"] = {**survey["extinction_per_ebv"], "u": 4.0}
    with pytest.raises(BadInput) as caught:
        resolve_cards(tree, ["label_efficiency"])
    error = caught.value
    assert error.file == "config/studies/label_efficiency.yaml"
    assert error.place == "networks.finetuned.parent"  # as it stands there, without the rung
    assert error.expected.startswith("the parent's inputs: ")
    assert "'u': 4.0" in error.expected
    assert "'u': 4.239" in error.found


def test_an_image_network_sees_pixels_as_wide_as_its_encoders(tree):
    tree["survey_files"]["mock_sdss_deep"]["frames"]["pixel_scale_arcsec"] = 0.3
    with pytest.raises(BadInput) as caught:
        resolve_cards(tree, ["label_efficiency"])
    error = caught.value
    assert error.place == "networks.finetuned.parent"
    assert error.expected == "the parent's inputs: {'pixel_scale_arcsec': 0.3}"
    assert error.found == "{'pixel_scale_arcsec': 0.396}"
    tree["cutouts"] |= {"grid": "sky", "grid_scale_arcsec": 0.35}
    cards = resolve_cards(tree, ["label_efficiency"])
    seen = [card["inputs"] for card in cards.values() if "crop_pixels" in card["inputs"]]
    assert {inputs["pixel_scale_arcsec"] for inputs in seen} == {0.35}


def test_samples_of_a_dataset_have_stamps_of_one_scale(tree):
    tree["survey_files"]["mock_sdss_deep"]["frames"]["pixel_scale_arcsec"] = 0.3
    own = tree["datasets"]["datasets"]["deep_images"]["samples"]["mock"]
    tree["datasets"]["datasets"]["deep_images"]["samples"]["mock"] = [*own, "mock_main"]
    with pytest.raises(BadInput) as caught:
        resolve_cards(tree, ["label_efficiency"])
    error = caught.value
    assert (error.file, error.place) == ("config/stages/datasets.yaml",
                                         "datasets.deep_images.samples")  # fmt: skip
    assert error.expected == "stamps of one pixel scale: 0.3 arcsec"
    assert error.found == "0.396 arcsec in mock_main"


@pytest.mark.parametrize("key", ["embed_on", "test_on"])
def test_a_network_is_asked_about_pixels_as_wide_as_it_learned_from(tree, key):
    """Released images stay as they are where the others are resampled: found before any work."""
    tree["survey_files"]["mock_sdss_deep"]["frames"]["pixel_scale_arcsec"] = 0.3
    tree["studies"], tree["studies_if_data"] = ["label_efficiency"], []
    study = tree["study_files"]["label_efficiency"]
    study["networks"] = {"supervised": study["networks"]["supervised"]}
    study["encoders"] = {"untrained": {"recipe": "untrained", "dataset": "main_images"}}
    make_plan(tree)
    study[key] = "deep_images" if key == "embed_on" else ["main_images", "deep_images"]
    with pytest.raises(BadInput) as caught:
        make_plan(tree)
    error = caught.value
    assert (error.file, error.place) == ("config/studies/label_efficiency.yaml",
                                         "dataset deep_images")  # fmt: skip
    assert error.expected.startswith("stamps of 0.396 arcsec a pixel")
    assert error.found == "0.3 arcsec"


@pytest.mark.parametrize(("study", "method"), [("label_efficiency", "probe_joint"),
                                               ("class_residuals", "step2")])  # fmt: skip
def test_a_probe_or_a_head_without_a_parent_is_refused(tree, study, method):
    del tree["study_files"][study]["networks"][method]["parent"]
    with pytest.raises(BadInput) as caught:
        resolve_cards(tree, [study])
    assert caught.value.file == f"config/studies/{study}.yaml"
    assert caught.value.place == f"networks.{method}.parent"
    assert caught.value.found == "none"


def test_a_survey_without_extinctions_is_refused(tree):
    del tree["survey_files"]["mock_sdss"]["extinction_per_ebv"]
    with pytest.raises(BadInput) as caught:
        resolve_cards(tree, ["class_residuals"])
    error = caught.value
    assert (error.file, error.place) == ("config/surveys/mock_sdss.yaml", "extinction_per_ebv")
    assert error.found == "no such key"
