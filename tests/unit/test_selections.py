"""Selections that surveys ship stand in the place where a sample uses them, in every band."""

from __future__ import annotations

import pytest

from zladder.config.selections import require_selections, sample_cuts
from zladder.provenance.errors import BadInput

SHIPPED = [
    {"name": "seen", "finite": ["mag_{band}", "z_true"]},
    {"name": "clean", "keep": "{band}_flag == False"},
    {"name": "once", "duplicates": "drop_all", "of": "object_id"},
]


def settings(cuts, selections=None):
    surveys = {
        "deep": {"bands": ["g", "r"], "selections": {"clean": SHIPPED}},
        "spec": {"selections": selections or {"sure": [{"name": "sure", "keep": "q == 4"}]}},
        "other": {"bands": ["u"], "selections": {"clean": SHIPPED}},
    }
    sample = {"labels": "spec", "photometry": "deep", "cuts": cuts}
    return {"survey_files": surveys, "catalogs": {"samples": {"mine": sample}}}


def test_selections_stand_in_their_place_and_each_band_in_its():
    own = {"name": "own", "keep": "mag_g < 20"}
    tree = settings([{"use": "spec.sure"}, own, {"use": "deep.clean"}])
    require_selections(tree)
    assert sample_cuts(tree, "mine") == [
        {"name": "sure", "keep": "q == 4"},
        own,
        {"name": "seen", "finite": ["mag_g", "mag_r", "z_true"]},
        {"name": "clean", "keep": "(g_flag == False) and (r_flag == False)"},
        {"name": "once", "duplicates": "drop_all", "of": "object_id"},
    ]


@pytest.mark.parametrize(
    ("cuts", "place", "expected", "hint"),
    [
        ([{"use": "other.clean"}], "cuts.0.use", "one of spec, deep", "take one of these"),
        ([{"use": "deep.claen"}], "cuts.0.use", "one of clean", "did you mean 'clean'?"),
        ([{"use": "deep.clean", "name": "x"}], "cuts.0", "no name", "cut-flow"),
        ([{"keep": "q == 4"}], "cuts.0", "the name of the cut", "cut-flow"),
        ([{"name": "x", "keep": "q == 4", "finite": ["q"]}], "cuts.0", "one of use, keep", "two"),
        ([{"name": "x", "keep": "q == 4", "of": "q"}], "cuts.0", "'of'", "of: object_id"),
        ([{"name": "x", "duplicates": "drop_all"}], "cuts.0", "'of'", "of: object_id"),
    ],
)
def test_cuts_that_cannot_mean_anything_are_refused_at_the_start(cuts, place, expected, hint):
    with pytest.raises(BadInput) as caught:
        require_selections(settings(cuts))
    error = caught.value
    assert (error.file, error.place) == ("config/stages/catalogs.yaml", f"samples.mine.{place}")
    assert expected in error.expected
    assert hint in error.hint


def test_a_bad_selection_of_a_survey_is_refused_there():
    with pytest.raises(BadInput) as caught:  # a selection uses no other
        require_selections(settings([], {"sure": [{"use": "deep.clean"}]}))
    assert (caught.value.file, caught.value.place) == (
        "config/surveys/spec.yaml",
        "selections.sure.0",
    )
