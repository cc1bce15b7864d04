"""Figures are PNGs of the asked resolution, show every galaxy or count it, and name ids only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image
from report_world import STUDIES, World, make_sample

from zladder.provenance.code import code_digest
from zladder.report.intervals import draw_intervals
from zladder.report.methods import Roles, first_seed_files, ordered_methods, roles_of
from zladder.report.planes import Plane, draw_front, draw_planes, front_plane, read_planes
from zladder.report.residuals import draw_residuals, slope_text
from zladder.report.sample_plot import draw_sample
from zladder.report.style import PALETTE, look_of, new_figure, save_figure

ROOT = Path(__file__).parents[2]
DPI = 61


def roles(world: World, study: str) -> Roles:
    """Return the roles of a study's methods."""
    return roles_of(world.table(study, "scores"), world.table(study, "differences"))


def planes(world: World, study: str) -> dict:
    """Return the panels of a study."""
    files = world.files(f"predictions/{study}.*.parquet")
    scores = world.table(study, "scores")
    return read_planes(files, scores, roles(world, study), STUDIES[study].convention)


def figure_of(world: World, kind: str, study: str = "main_sample"):
    """Return one figure of a study."""
    about, found = STUDIES[study], roles(world, study)
    if kind == "planes":
        return draw_planes(planes(world, study), about.title)
    if kind == "front":
        return draw_front(*front_plane(planes(world, study), found))
    if kind == "residuals":
        return draw_residuals(world.table(study, "curves"), found, about.title)
    if kind == "intervals":
        return draw_intervals(world.table(study, "scores"), found, about.convention, about.title)
    return draw_sample(make_sample(800), {"sample": "s", "bands": list("grizy"), "surveys": ["S"]})


KINDS = ("planes", "front", "residuals", "intervals", "sample")


def words_of(figure) -> str:
    """Return all text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_pngs_of_the_configured_resolution(report_world, tmp_path, kind):
    path = tmp_path / f"{kind}.png"
    figure = figure_of(report_world, kind)
    save_figure(figure, path, DPI)
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.info["dpi"] == pytest.approx((DPI, DPI), rel=0.01)
        assert picture.size == pytest.approx(tuple(figure.get_size_inches() * DPI), abs=1)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20  # something is drawn


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    written = []
    for name in "ab":
        figure = new_figure(1, 1)
        figure.subplots().plot([0, 1], [0, 1])
        save_figure(figure, tmp_path / name, DPI)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_never_say_a_bare_bias_or_scatter(report_world, kind):
    words = words_of(figure_of(report_world, kind)).replace("bias_mean", "")
    assert not re.search(r"\b(bias|scatter|outliers?|catastrophic)\b", words, re.IGNORECASE)


def test_planes_show_all_networks_and_the_best_tool_with_their_numbers(report_world):
    found = roles(report_world, "transfer")
    panels = planes(report_world, "transfer")
    words = words_of(draw_planes(panels, "T"))
    scores = report_world.table("transfer", "scores")
    scores = scores.set_index(["dataset", "split", "method", "metric"])["value"]
    for dataset, row in panels.items():
        assert len(row) == len(found.shown(dataset)) == 5
        assert row[-1].title == f"best ordinary tool: {found.peer[dataset]}"
        for method in found.shown(dataset):
            value = scores[(dataset, "test", method, "sigma_nmad")]
            assert f"sigma_nmad {value:.4f}" in words
    assert "★" in words


def test_many_panels_are_put_into_rows_and_none_is_lost(report_world, tmp_path):
    panels = planes(report_world, "transfer")
    many = {name: row * 2 for name, row in panels.items()} | {"few": panels["specz"][:2]}
    figure = draw_planes(many, "T", " · shown: the 8 of 25")
    save_figure(figure, tmp_path / "many.png", 40)
    drawn = [axes for axes in figure.axes if axes.collections and axes.get_title(loc="left")]
    assert len(drawn) == 3 * 10 + 2
    assert figure.get_size_inches()[0] < 14
    assert "shown: the 8 of 25" in words_of(figure)


@pytest.mark.parametrize("kind", ["planes", "residuals", "intervals"])
def test_a_figure_says_whose_splits_it_shows_and_cuts_no_word_off(report_world, kind):
    """Both conventions at once do not fit one line of the narrowest of these figures."""
    scores = report_world.table("main_sample", "scores")
    scores["split_convention"] = "by_galaxy + validation_as_test"
    found = roles_of(scores, report_world.table("main_sample", "differences"))
    if kind == "planes":
        figure = draw_planes(planes(report_world, "main_sample"), "T", **found.split_words)
    elif kind == "residuals":
        figure = draw_residuals(report_world.table("main_sample", "curves"), found, "T")
    else:
        figure = draw_intervals(scores, found, STUDIES["main_sample"].convention, "T")
    figure.draw_without_rendering()
    (told,) = [text for text in figure.findobj(Text) if "as published" in text.get_text()]
    assert " ".join(told.get_text().split()).endswith("choose the models, are the test galaxies")
    assert told.get_window_extent().x1 <= figure.bbox.x1


def test_no_galaxy_of_a_plane_is_lost_without_a_count(report_world):
    for row in planes(report_world, "transfer").values():
        for panel in row:
            lost = panel.n_total - len(panel.z_true)
            told = [note for note in panel.notes if note.startswith("no answer")]
            assert told == ([f"no answer {lost}"] if lost else [])
    panel, dataset = front_plane(planes(report_world, "transfer"), roles(report_world, "transfer"))
    panel.z_phot[:3] = 50.0
    figure = draw_front(panel, dataset)
    drawn = int(figure.axes[0].collections[0].get_array().sum())
    assert f"outside {len(panel.z_true) - drawn}" in words_of(figure)
    assert len(panel.z_true) - drawn >= 3


def test_a_panel_without_a_point_in_range_is_empty_and_says_so(tmp_path):
    z_true = np.linspace(0.05, 0.3, 40)
    far = Plane("far", 40, z_true, np.full(40, 7.0), ["sigma_nmad 9"], 0.15)
    near = Plane("near", 40, z_true, z_true + 0.01, ["sigma_nmad 0"], 0.15)
    for panels in ([near, far], [far]):
        figure = draw_planes({"d": panels}, "T")
        figure.savefig(tmp_path / "planes.png")
        assert "outside 40" in words_of(figure)
    draw_front(far, "d").savefig(tmp_path / "front.png")


def test_slopes_stand_in_the_legend(report_world):
    curves, found = report_world.table("main_sample", "curves"), roles(report_world, "main_sample")
    words = words_of(draw_residuals(curves, found, "T"))
    for method in found.shown("main"):
        for against in ("z_true", "z_phot"):
            chosen = curves[(curves["method"] == method) & (curves["against"] == against)]
            assert slope_text(chosen) in words
    assert "slope_zs" in words
    assert "slope_zp" in words


def test_a_curve_without_a_fit_says_why():
    curve = pd.DataFrame({"slope": [np.nan], "slope_err": [np.nan]})
    assert slope_text(curve) == "–"
    curve = pd.DataFrame({"slope": [-0.01234], "slope_err": [0.0031]})
    assert slope_text(curve) == "−0.0123 ± 0.0031"


def test_a_study_of_few_galaxies_can_be_drawn(report_world, tmp_path):
    curves = report_world.table("main_sample", "curves").assign(hollow=True, slope=np.nan)
    curves.loc[curves["n"] > 0, "value"] = 0.01
    figure = draw_residuals(curves, roles(report_world, "main_sample"), "T")
    save_figure(figure, tmp_path / "few.png", DPI)
    assert "–: fewer than two full bins, no slope" in words_of(figure)


def test_a_method_without_a_value_or_beyond_the_axis_is_drawn_and_named(report_world, tmp_path):
    scores = report_world.table("main_sample", "scores")
    lost = (scores["method"] == "knn") & (scores["split"] == "test")
    scores.loc[lost, ["value", "lo68", "hi68", "lo95", "hi95"]] = np.nan
    figure = draw_intervals(scores, roles(report_world, "main_sample"), "sdss_cnn", "T")
    save_figure(figure, tmp_path / "lost.png", DPI)
    words = words_of(figure)
    assert "knn" in words
    value = scores[(scores["method"] == "mean_z") & (scores["metric"] == "sigma_nmad")]["value"]
    assert f"{value.iloc[-1]:.3f}" in words  # far beyond the networks: arrow and number


def test_methods_are_ordered_by_validation_alone(report_world):
    scores = report_world.table("transfer", "scores")
    order = ordered_methods(scores, "specz")
    changed = scores.copy()
    changed.loc[changed["split"] == "test", "value"] *= -1
    assert ordered_methods(changed, "specz") == order
    validation = scores[(scores["dataset"] == "specz") & (scores["split"] == "validation")]
    values = validation[validation["metric"] == "sigma_nmad"].set_index("method")["value"]
    assert list(values[order]) == sorted(values)


def test_seeds_are_one_method_and_the_first_is_shown():
    files = [Path(f"transfer.{name}.parquet") for name in ("base-s0", "base-s1", "a-sample-s0")]
    assert first_seed_files(files) == {"base": files[0], "a-sample": files[2]}


def test_networks_are_told_apart_and_controls_are_grey():
    networks = [f"n{i}" for i in range(len(PALETTE))]
    looks = [look_of(name, networks) for name in networks]
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == 8
    assert look_of("knn", networks)["color"] not in PALETTE


def test_a_sample_without_detections_in_a_band_is_counted(tmp_path):
    sample = make_sample(300)
    sample["mag_i"] = np.inf
    figure = draw_sample(sample, {"sample": "s", "bands": list("grizy"), "surveys": []})
    save_figure(figure, tmp_path / "dark.png", DPI)
    some = draw_sample(make_sample(300), {"sample": "s", "bands": list("grizy"), "surveys": []})
    assert "not detected or observed: 10" in words_of(some)


COLOURS_OF_ONE_PLOT = {
    "planes": ("DENSITY_COLOURS", "plot_redshifts"),
    "sample_plot": ("DENSITY_COLOURS", "plot_sample"),
    "residuals": ("MARKER_SIZE", "plot_residuals"),
    "intervals": ("NETWORK_COLOUR", "plot_scores"),
}


@pytest.mark.parametrize("module", list(COLOURS_OF_ONE_PLOT))
def test_a_plot_s_own_colour_concerns_that_plot_alone(module):
    """The constant stands in a module that just one script of all reaches through its imports."""
    constant, rule = COLOURS_OF_ONE_PLOT[module]
    tree = ast.parse((ROOT / "src/zladder/report" / f"{module}.py").read_text(encoding="utf-8"))
    assigned = [target.id for node in tree.body if isinstance(node, ast.Assign)
                for target in node.targets if isinstance(target, ast.Name)]  # fmt: skip
    assert constant in assigned
    users = [script.stem for script in sorted((ROOT / "workflow/scripts").glob("*.py"))
             if f"zladder.report.{module} " in script.read_text(encoding="utf-8")]  # fmt: skip
    assert users == [rule]
    others = [path.stem for path in (ROOT / "src/zladder").rglob("*.py")
              if f"zladder.report.{module} " in path.read_text(encoding="utf-8")]  # fmt: skip
    assert others == []
    assert len(code_digest(ROOT / "workflow/scripts" / f"{rule}.py")) == 16
