"""The methods of a study: names on the ladder of labels, parents at the same rung."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from zladder.config.methods import (
    at_fraction,
    claimable,
    controls_of,
    ladder_of,
    methods_of,
    recipe_names,
    recipe_of,
)

FRACTIONS = [0.01, 0.2, 1.0]


@pytest.fixture
def study():
    """A study with networks on the ladder and beside it."""
    return {
        "encoders": {"moco": {"recipe": "moco", "dataset": "deep"}},
        "networks": {
            "tuned": {"recipe": "net", "dataset": "main", "parent": "moco", "ladder": True},
            "probe": {"recipe": "ridge", "dataset": "main", "parent": "tuned", "ladder": True},
            "alone": {"recipe": "net", "dataset": "main", "parent": "moco"},
            "child": {"recipe": "head", "dataset": "main", "parent": "alone",
                      "labels_from": "alone"},
        },
        "controls": {"dataset": "main"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fraction", "name"),
    [(1.0, "net_f100"), (1, "net_f100"), (0.02, "net_f2"), (0.1, "net_f10"), (0.005, "net_f0p5"),
     (0.125, "net_f12p5"), (0.07, "net_f7"), (0.29, "net_f29")],
)  # fmt: skip
def test_a_rung_is_named_for_its_percentage(fraction, name):
    assert at_fraction("net", fraction) == name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)  # part of a run's name, and so of wildcards


def test_every_fraction_of_every_scale_has_a_name_of_its_own(settings):
    for scale in ("test", "demo", "small", "paper"):
        fractions = settings(scale)["train"]["label_fractions"]
        names = [at_fraction("net", fraction) for fraction in fractions]
        assert len(set(names)) == len(names)
        assert all(lower < higher for lower, higher in pairwise(fractions))  # as the curves read
        assert fractions[-1] == 1.0  # what `_at_all` means


def test_a_network_on_the_ladder_becomes_one_method_a_fraction(study):
    methods = methods_of(study, FRACTIONS)
    assert list(methods) == [
        "tuned_f1", "tuned_f20", "tuned_f100", "probe_f1", "probe_f20", "probe_f100", "alone",
        "child",
    ]  # fmt: skip
    assert [methods[f"tuned_f{n}"]["fraction"] for n in (1, 20, 100)] == FRACTIONS
    assert {methods[name]["fraction"] for name in ("alone", "child")} == {1.0}
    assert {entry["base"] for entry in methods.values()} == set(study["networks"])


def test_parents_on_the_ladder_are_those_at_the_same_fraction(study):
    methods = methods_of(study, FRACTIONS)
    assert [methods[f"probe_f{n}"]["parent"] for n in (1, 20, 100)] == [
        "tuned_f1", "tuned_f20", "tuned_f100",
    ]  # fmt: skip
    # An encoder is on no ladder: all rungs start from the same one.
    assert {methods[f"tuned_f{n}"]["parent"] for n in (1, 20, 100)} == {"moco"}
    assert methods["child"]["parent"] == methods["child"]["labels_from"] == "alone"


def test_the_study_itself_is_left_as_it_was(study):
    before = repr(study)
    methods_of(study, FRACTIONS)["tuned_f1"]["dataset"] = "another"
    assert repr(study) == before


def test_the_ladder_lists_its_methods_only(study):
    assert ladder_of(study, FRACTIONS) == {
        f"{base}_f{100 * fraction:g}": {"base": base, "fraction": fraction}
        for base in ("tuned", "probe")
        for fraction in FRACTIONS
    }
    del study["networks"]["tuned"]["ladder"], study["networks"]["probe"]["ladder"]
    assert ladder_of(study, FRACTIONS) == {}


def test_a_claim_names_rungs_by_their_ends_and_encoders_and_controls_by_name(study):
    assert claimable(study, {"knn": {}}) == [
        "moco", "knn", "tuned_at_fewest", "tuned_at_all", "probe_at_fewest", "probe_at_all",
        "alone", "child",
    ]  # fmt: skip


def test_a_study_without_a_list_has_all_controls(study):
    train = {"controls": {"knn": {"kind": "knn"}, "mean_z": {"kind": "mean_z"}}}
    assert controls_of(study, train) == train["controls"]
    study["controls"]["methods"] = ["mean_z"]
    assert controls_of(study, train) == {"mean_z": {"kind": "mean_z"}}


@pytest.mark.parametrize(
    ("name", "task"),
    [("mlp_soriano", "catalogue"), ("resnet_classes", "image"), ("linear_probe", "probe"),
     ("balanced", "head")],
)  # fmt: skip
def test_a_recipes_section_says_its_task(settings, name, task):
    train = settings()["train"]
    assert recipe_of(train, name)[0] == task
    assert name in recipe_names(train)


def test_a_recipe_that_is_nowhere_is_a_defect(settings):
    with pytest.raises(KeyError, match="no recipe 'mlp'"):
        recipe_of(settings()["train"], "mlp")


def test_no_recipe_has_two_meanings(settings):
    names = recipe_names(settings()["train"])
    assert len(set(names)) == len(names)
