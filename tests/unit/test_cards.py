"""Run cards: complete, stable, in the order of their parents, and independent of each other."""

from __future__ import annotations

import json

import pytest

from zladder.config.cards import resolve_cards
from zladder.provenance.digests import canonical_json, derive_seed, value_digest
from zladder.provenance.errors import BadInput


@pytest.fixture
def tree(settings):
    return settings()


def networks(tree, study="transfer"):
    return tree["study_files"][study]["networks"]


def refused(tree, studies=("transfer",)) -> BadInput:
    with pytest.raises(BadInput) as caught:
        resolve_cards(tree, list(studies))
    return caught.value


def test_a_card_is_canonical_json_and_complete(tree):
    for run, card in resolve_cards(tree, ["transfer", "main_sample"]).items():
        assert json.loads(canonical_json(card)) == card
        assert card["run"] == run
        assert {"data", "inputs", "label_range_z", "seed", "model"} <= card.keys()
    network = resolve_cards(tree, ["main_sample"])["main_sample.ensemble-s0"]
    wanted = {"loss", "optimizer", "schedule", "parent", "trainable", "precision"}
    assert wanted <= network.keys()
    expected = {"bands": ["u", "g", "r", "i", "z"], "dereddened": True, "colours": True}
    assert network["inputs"] == expected


def test_a_study_lays_its_values_over_the_recipe(tree):
    entry = networks(tree)["transfer"]
    entry |= {"optimizer": {"learning_rate": 0.123}, "schedule": {"batch_size": 7}}
    entry["loss"] = {"name": "huber", "delta": 0.5}
    card = resolve_cards(tree, ["transfer"])["transfer.transfer-s0"]
    recipe = tree["train"]["networks"]["mlp_soriano"]
    assert card["optimizer"] == {**recipe["optimizer"], "learning_rate": 0.123}
    assert card["schedule"]["batch_size"] == 7
    assert card["schedule"]["patience"] == recipe["schedule"]["patience"]
    assert card["loss"] == {"name": "huber", "delta": 0.5}
    assert card["trainable"] == ["first", "last"]


def test_the_scale_limits_the_epochs_but_never_prolongs_them(tree):
    tree["train"]["networks"]["mlp_soriano"]["schedule"]["epochs"] = 5
    tree["train"]["epochs_limit"] = 12
    cards = resolve_cards(tree, ["main_sample"])
    assert cards["main_sample.ensemble-s0"]["schedule"]["epochs"] == 12
    assert cards["main_sample.single-s0"]["schedule"]["epochs"] == 5


def test_parents_come_first_and_are_of_the_same_seed(tree):
    tree["train"]["n_seeds"] = 3
    entries = networks(tree)
    entries["grandchild"] = {**entries["transfer"], "parent": "transfer"}
    reversed_entries = dict(reversed(entries.items()))
    tree["study_files"]["transfer"]["networks"] = reversed_entries
    cards = resolve_cards(tree, ["transfer"])
    order = list(cards)
    for seed in range(3):
        for child, parent in (("transfer", "base"), ("grandchild", "transfer")):
            card = cards[f"transfer.{child}-s{seed}"]
            assert card["parent"]["run"] == f"transfer.{parent}-s{seed}"
            assert card["parent"]["card"] == value_digest(cards[card["parent"]["run"]])
            assert order.index(card["parent"]["run"]) < order.index(card["run"])


def test_a_circle_of_parents_is_refused(tree):
    networks(tree)["base"]["parent"] = "transfer"
    error = refused(tree)
    assert error.file == "config/studies/transfer.yaml"
    assert "base.parent" in error.place
    assert "transfer.parent" in error.place
    assert "a circle: {'base': ['transfer'], 'transfer': ['base']}" in error.found


def test_a_network_is_not_its_own_parent(tree):
    networks(tree)["base"]["parent"] = "base"
    assert "a circle" in refused(tree).found


def test_a_missing_parent_is_told_with_the_nearest(tree):
    networks(tree)["transfer"]["parent"] = "bse"
    error = refused(tree)
    assert "transfer.parent" in error.place
    assert "'bse', which does not exist" in error.found
    assert error.hint == "did you mean 'base'?"


def test_seeds_follow_from_the_master_seed_and_the_name(tree):
    tree["train"]["n_seeds"] = 2
    cards = resolve_cards(tree, ["transfer", "main_sample"])
    for run, card in cards.items():
        assert card["seed"] == derive_seed(tree["master_seed"], "train", run)
    assert len({card["seed"] for card in cards.values()}) == len(cards)
    tree["master_seed"] += 1
    other = resolve_cards(tree, ["transfer"])["transfer.base-s0"]
    assert other["seed"] != cards["transfer.base-s0"]["seed"]


def test_more_seeds_and_other_studies_change_no_card(tree):
    before = resolve_cards(tree, ["transfer"])
    tree["train"]["n_seeds"] = 3
    tree["study_files"]["another"] = tree["study_files"]["main_sample"]
    after = resolve_cards(tree, ["another", "transfer", "main_sample"])
    assert {run: after[run] for run in before} == before
    assert len(after) > len(before)


def test_a_learning_rate_changes_that_card_and_its_children_only(tree):
    before = resolve_cards(tree, ["transfer", "main_sample"])
    networks(tree)["base"]["optimizer"] = {"learning_rate": 1e-4}
    after = resolve_cards(tree, ["transfer", "main_sample"])
    changed = {run for run in before if after[run] != before[run]}
    assert changed == {"transfer.base-s0", "transfer.transfer-s0"}


def test_a_dataset_must_exist_on_the_sky(tree):
    tree["sky"] = "real"
    error = refused(tree)
    assert error.file == "config/stages/datasets.yaml"
    assert error.place.startswith("datasets.")
    assert "'real'" in error.expected
    assert "['mock']" in error.found
    assert "real: [SAMPLE" in error.hint


@pytest.mark.parametrize(
    ("sample", "difference"), [("mock_main", "'u', 'g', 'r', 'i', 'z'"), ("corrected", "True")]
)
def test_samples_of_a_dataset_must_share_their_photometry(tree, sample, difference):
    samples = tree["catalogs"]["samples"]
    samples["corrected"] = samples["mock_specz"] | {"deredden": True}
    tree["datasets"]["datasets"]["combined"]["samples"]["mock"] = ["mock_specz", sample]
    error = refused(tree)
    assert error.place == "datasets.combined.samples"
    assert "'bands': ['g', 'r', 'i', 'z', 'y'], 'dereddened': False" in error.expected
    assert difference in error.found
    assert error.found.endswith(f"in {sample}")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"recipe": "mlp_ensemble"}, "the parent's model"), ({"dataset": "main"}, "the parent's in")],
)
def test_a_child_is_like_its_parent(tree, changes, expected):
    networks(tree)["transfer"] |= changes
    error = refused(tree)
    assert error.file == "config/studies/transfer.yaml"
    assert error.place == "networks.transfer.parent"
    assert error.expected.startswith(expected)
    assert "the same recipe" in error.hint


def test_each_seed_has_its_draw_of_the_labels(tree):
    tree["train"]["n_seeds"] = 3
    for run, card in resolve_cards(tree, ["label_efficiency", "class_residuals"]).items():
        if card["task"] != "pretrain":
            assert card["data"]["label_draw"] == int(run[-1])
