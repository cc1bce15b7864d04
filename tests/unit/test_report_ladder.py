"""Label efficiency and mode collapse as figures: numbers from the tables, counted and named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from pixel_world import (
    BASES,
    LADDER,
    STEPS,
    collapse_table,
    draw_galaxies,
    ladder_scores,
    write_steps,
)

from zladder.provenance.errors import BadInput
from zladder.report.collapse_plot import draw_collapse, read_estimates
from zladder.report.label_curve import count_labels, draw_labels, label_points
from zladder.report.methods import MOST_COLUMNS, MOST_NETWORKS, in_blocks, roles_of
from zladder.report.style import apart, save_figure

ABOUT = {"title": "Labels", "convention": "sdss_cnn", "ladder": LADDER}
STEPS_ONLY = [name for name in STEPS if name != "boosting"]


def words_of(figure) -> str:
    """Return all text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_labels_are_training_galaxies_with_a_redshift_below_the_fraction():
    dataset = pd.DataFrame(
        {"split": ["train"] * 4 + ["test"], "fraction_rank": [0.01, 0.05, 0.5, 0.02, 0.001],
         "z_true": [0.1, 0.2, 0.3, np.nan, 0.5]}
    )  # fmt: skip
    assert [count_labels(dataset, f) for f in (0.01, 0.02, 0.05, 0.06, 1.0)] == [0, 1, 1, 2, 3]


def test_every_rung_is_a_point_with_the_table_s_numbers():
    scores, _ = ladder_scores()
    dataset = draw_galaxies(2000, 5)
    points = label_points(scores, LADDER, dataset, "images", "sigma_nmad")
    assert len(points) == len(LADDER)
    assert points["n_labels"].is_monotonic_increasing
    tested = scores[(scores["split"] == "test") & (scores["metric"] == "sigma_nmad")]
    values = tested.set_index("method")
    for method, rung in LADDER.items():
        n_labels = count_labels(dataset, rung["fraction"])
        row = points[(points["base"] == rung["base"]) & (points["n_labels"] == n_labels)].iloc[0]
        for key in ("value", "lo95", "hi95"):
            assert row[key] == values.loc[method, key]


def test_the_curve_names_every_base_and_the_best_tool_and_counts_labels(tmp_path):
    scores, differences = ladder_scores()
    dataset = draw_galaxies(2000, 5)
    figure = draw_labels(scores, roles_of(scores, differences), dataset, ABOUT)
    save_figure(figure, tmp_path / "labels.png", 50)
    words = words_of(figure).splitlines()
    for name in (*BASES, "boosting"):
        assert words.count(name) == 2  # at the lines' ends of both panels
    for fraction in (0.02, 0.1, 1.0):
        assert f"{count_labels(dataset, fraction):,}" in words


def test_the_axis_turns_logarithmic_only_where_a_weak_method_presses_the_others():
    scores, differences = ladder_scores()
    roles, dataset = roles_of(scores, differences), draw_galaxies(2000, 5)
    wide = draw_labels(scores, roles, dataset, ABOUT)
    able = {m: rung for m, rung in LADDER.items() if not rung["base"].startswith("probe")}
    narrow = draw_labels(scores, roles, dataset, {**ABOUT, "ladder": able})
    assert wide.axes[0].get_yscale() == "log"
    assert narrow.axes[0].get_yscale() == "linear"
    zero = scores.assign(value=scores["value"].where(scores["metric"] != "fout_05", 0.0))
    assert draw_labels(zero, roles, dataset, ABOUT).axes[1].get_yscale() == "linear"


def test_a_rung_without_a_score_is_bad_input():
    scores, _ = ladder_scores()
    short = scores[scores["method"] != "supervised_f10"]
    with pytest.raises(BadInput) as error:
        label_points(short, LADDER, draw_galaxies(50, 0), "images", "sigma_nmad")
    assert (error.value.file, error.value.place) == ("the scores", "images, sigma_nmad")
    assert error.value.expected == "a row of supervised_f10"
    assert "finetuned_f2" in error.value.found


def test_names_are_moved_apart_as_little_as_it_takes():
    assert apart([1.0, 5.0, 3.0], 1.0) == [1.0, 5.0, 3.0]
    assert apart([0.0, 0.0], 1.0) == [-0.5, 0.5]
    moved = apart([0.0, 0.1, 0.2, 5.0], 1.0)
    assert np.diff(moved) == pytest.approx([1.0, 1.0, 3.9])
    assert moved[:3] == pytest.approx([-0.9, 0.1, 1.1])
    rng = np.random.default_rng(2)
    for _ in range(50):
        heights = rng.random(9).tolist()
        found = np.array(apart(heights, 0.1))
        assert np.diff(np.sort(found)).min() > 0.1 - 1e-9
        assert (np.argsort(found) == np.argsort(heights)).all()
    assert apart([], 1.0) == []


# ---------------------------------------------------------------- many methods


def test_of_many_networks_the_best_on_validation_are_shown_and_that_is_said():
    scores, differences = ladder_scores()
    roles = roles_of(scores, differences)
    shown = roles.shown("images")
    assert len(shown) == MOST_NETWORKS + 1
    assert shown[-1] == "boosting"
    assert roles.chosen["images"] in shown
    assert f"the {MOST_NETWORKS} of {len(LADDER)} networks" in roles.left_out
    validation = scores[(scores["split"] == "validation") & (scores["metric"] == "sigma_nmad")]
    ranked = validation[validation["method"].isin(LADDER)].sort_values("value")["method"]
    assert set(shown[:-1]) == {*ranked[:MOST_NETWORKS]}
    assert shown[:-1] == [name for name in LADDER if name in shown]  # the study's order
    worse = scores.assign(value=scores["value"].where(scores["split"] != "test", 9.0))
    assert roles_of(worse, differences).shown("images") == shown  # the test chose nothing


@pytest.mark.parametrize(("n", "lengths"), [(3, [3]), (10, [10]), (11, [6, 5]), (29, [10, 10, 9])])
def test_wide_tables_are_cut_into_blocks_without_losing_a_method(n, lengths):
    blocks = in_blocks([f"m{i}" for i in range(n)])
    assert [len(block) for block in blocks] == lengths
    assert [name for block in blocks for name in block] == [f"m{i}" for i in range(n)]
    assert max(lengths) <= MOST_COLUMNS


# ---------------------------------------------------------------- mode collapse


def test_collapse_shows_each_method_with_its_total_variation(tmp_path):
    files = write_steps(tmp_path)
    estimates = read_estimates(files, list(STEPS))
    figure = draw_collapse(collapse_table(), estimates, STEPS_ONLY, "T")
    save_figure(figure, tmp_path / "collapse.png", 50)
    words = words_of(figure)
    for method, (tv, _) in STEPS.items():
        assert words.splitlines().count(method) == 2
        assert f"TV {tv:.3f}" in words
    assert "floor" in words
    for axes in figure.axes[: len(STEPS)]:
        drawn = sum(patch.get_height() for patch in axes.containers[0])
        assert drawn >= 0.995 * len(estimates.z_true)


def test_an_estimate_is_the_mode_where_there_is_a_pdf(tmp_path):
    files = write_steps(tmp_path, n_test=50)
    table = pd.read_parquet(files[0])
    extra = table.assign(split="validation", z_phot=-1.0)
    pd.concat([table.assign(z_mode=0.123), extra]).to_parquet(files[0])
    estimates = read_estimates(files, list(STEPS))
    assert (estimates.z_phot["baseline"] == 0.123).all()
    assert len(estimates.z_phot["baseline"]) == 50  # the test galaxies alone
    assert estimates.z_phot["step2"].std() > 0.01


def test_a_method_without_predictions_is_bad_input(tmp_path):
    files = write_steps(tmp_path, n_test=50)
    with pytest.raises(BadInput) as error:
        read_estimates(files[1:], list(STEPS))
    assert (error.value.file, error.value.place) == ("the predictions", "their names")
    assert error.value.expected == "a run of baseline"
    assert error.value.found == "step2, step3, step3a, step3b, boosting"


def test_a_slope_without_an_interval_is_drawn_as_a_point(tmp_path):
    table = collapse_table()
    lost = (table["quantity"] == "slope_zs") & (table["method"] == "step2")
    table.loc[lost, ["lo95", "hi95"]] = np.nan
    estimates = read_estimates(write_steps(tmp_path, n_test=200), list(STEPS))
    save_figure(draw_collapse(table, estimates, STEPS_ONLY, "T"), tmp_path / "c.png", 50)
