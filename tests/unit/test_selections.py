"""Selections that surveys ship stand in the place where a sample uses them, in every band."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zladder.catalogs.select import select_sample
from zladder.config.documents import read_yaml
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


def test_masked_objects_of_cfhtls_are_not_counted_as_saturated():
    """Terapix's flag: 1 like a star, 2 a saturated star, 4 to 128 inside the mask of a band."""
    survey = read_yaml(Path(__file__).parents[2] / "config/surveys/cfhtls_t0007.yaml")
    tree = settings([{"use": "deep.clean"}])
    tree["survey_files"]["deep"] = survey
    flags = np.array([0, 0, 1, 2, 3, 4, 6, 16, 128, 130, np.nan])
    table = pd.DataFrame({"object_id": np.arange(len(flags)), "flag": flags})
    table = table.assign(**{f"mag_{band}": 22.0 for band in survey["bands"]})
    used = {"name": "mine", "deredden": False, "cuts": sample_cuts(tree, "mine")}
    sample, cutflow = select_sample(table, table, None, used, Path("clean.parquet"))
    assert sample["object_id"].tolist() == [0, 1]
    lost = cutflow.set_index("cut")["n_lost"]
    assert lost["not like a star"] == 3  # one of them without a flag
    assert lost["saturated in no band"] == 3
    assert lost["outside the masks"] == 3
