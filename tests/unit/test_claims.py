"""Claims judged on the answers of a study; names on the ladder of label fractions."""

from __future__ import annotations

import numpy as np
import pytest
from claim_world import CLAIM, SETTINGS, answers, judged

from zladder.evaluate.claims import judge_claims
from zladder.evaluate.rungs import NotApplicable, method_named
from zladder.evaluate.study import Answers


def test_a_claim_is_judged_on_the_test_split():
    row = judged(published_ratio=5.0, tolerance=0.2)
    assert row["ratio"] == pytest.approx(5.0, rel=0.05)
    assert row["verdict"] == "reproduced"
    assert row["n_used"] == 100
    for key, value in CLAIM.items():
        assert key == "study" or row[key] == value
    assert judged(published_ratio=5.0, tolerance=0.2, simulated=True)["verdict"] == (
        "ordering reproduced"
    )
    assert judged(worse="b", better="a")["verdict"] == "not reproduced"


def test_the_reason_of_a_claim_by_construction_is_the_claim_s_own():
    given = {"published_ratio": 5.0, "tolerance": 0.2, "by_construction": "drawn so"}
    row = judged(**given, simulated=True)
    assert (row["verdict"], row["reason"]) == ("by construction", "drawn so")
    assert judged(**given)["verdict"] == "reproduced"


def test_a_range_takes_its_galaxies_only():
    z_true = answers().part("toy", "test").z_true
    row = judged(range_z=[0.3, 0.5])
    assert row["n_used"] == ((z_true > 0.3) & (z_true <= 0.5)).sum()


def test_a_range_without_galaxies_is_not_applicable():
    row = judged(range_z=[3.0, 4.0])
    assert row["verdict"] == "not applicable"
    assert row["n_used"] == 0
    assert "0 galaxies" in row["reason"]


def test_two_metrics_that_are_zero_have_no_verdict():
    row = judged(metric="fcat_1")
    assert row["verdict"] == "undecided"
    assert "zero" in row["reason"]


def test_a_study_without_claims_gives_an_empty_table_with_its_columns():
    table = judge_claims(answers(), SETTINGS | {"claims": {}})
    assert len(table) == 0
    assert {"claim", "verdict", "reason", "ratio", "lo95", "hi95"} <= set(table.columns)


def test_the_required_ratio_of_a_claim_is_told_and_asked():
    row = judged(simulated=True)
    assert (row["at_least"], row["verdict"]) == (1.0, "ordering reproduced")
    row = judged(simulated=True, at_least=4.5)
    assert (row["at_least"], row["verdict"]) == (4.5, "ordering reproduced")
    assert judged(simulated=True, at_least=5.0)["verdict"] == "undecided"
    assert judged(simulated=True, at_least=6)["verdict"] == "not reproduced"


LADDER = {
    "a_f2": {"base": "a", "fraction": 0.02},
    "a_f100": {"base": "a", "fraction": 1.0},
    "b_f20": {"base": "b", "fraction": 0.2},
    "b_f100": {"base": "b", "fraction": 1.0},
}


@pytest.mark.parametrize(
    ("name", "method"),
    [("a", "a"), ("a_at_fewest", "a_f2"), ("a_at_all", "a_f100"), ("b_at_all", "b_f100")],
)
def test_a_name_on_the_ladder_stands_for_a_label_fraction(name, method):
    assert method_named(name, LADDER, ["a", *LADDER]) == method


@pytest.mark.parametrize(
    ("name", "ladder", "said"),
    [
        ("b_at_fewest", LADDER, "b was not trained on 2 % of the labels"),  # as few as the others
        ("c_at_all", LADDER, "c was not trained on 100 % of the labels"),
        ("c", LADDER, "no results of c"),
        ("a_at_fewest", {"a_f100": LADDER["a_f100"]}, "on a part of the labels"),
        ("a_at_fewest", {}, "on a part of the labels"),
        ("a_at_fewest", {"a_f1": {"base": "a", "fraction": 0.01}}, "no results of a_f1"),
    ],
)
def test_a_name_without_results_is_not_applicable(name, ladder, said):
    with pytest.raises(NotApplicable, match=said):
        method_named(name, ladder, LADDER)


def test_a_claim_about_a_fraction_names_the_method_that_was_compared():
    given = answers()
    moved = {"a_f2": given.z_phot["a"], "b_f2": given.z_phot["b"]}
    ladder = {name: {"base": name[0], "fraction": 0.02} for name in moved}
    names = {"worse": "a_at_fewest", "better": "b_at_fewest", "simulated": True}
    row = judged(Answers(given.galaxies, moved), settings={"ladder": ladder}, **names)
    assert (row["worse"], row["better"]) == ("a_f2", "b_f2")
    assert row["verdict"] == "ordering reproduced"
    row = judged(settings={"ladder": {}}, **names)
    assert (row["worse"], row["verdict"]) == ("a_at_fewest", "not applicable")
    assert "part of the labels" in row["reason"]
    assert np.isnan(row["ratio"])
    assert row["n_used"] == 0
