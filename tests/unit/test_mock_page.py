"""The page of the mock sky and its figures: numbers by hand, escaping, small and empty tables."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.unit.mock_sky import small_sky
from zladder.config.names import AT_CHANCE, LEAK, NOT_COMPARED, QUIET, SHARED
from zladder.report.mock_dust import draw_dust, weighted_quantiles
from zladder.report.mock_samples import compare_quantiles, draw_samples, tolerance_of
from zladder.report.mock_sky_page import mock_sky_page, named_tables
from zladder.report.mock_tables import (
    blend_words,
    contaminant_table,
    frame_table,
    label_table,
    leak_table,
    quantile_table,
    realism_table,
    side_table,
)
from zladder.report.mock_tracks import draw_tracks, surveys_of, tracks
from zladder.report.mock_truth import nearest_type, truth_of

REFERENCES = {
    "one": {
        "real": "Real <galaxies>",
        "quantiles": {"z_true": {"50": 0.5, "95": 0.7}, "mag_r": {"50": 17.0}},
        "histograms": {"z_true": {"start": 0, "width": 0.5, "counts": [1, 3]}},
    }
}
ABOUT = {"numbers": {"galaxies of <one> kind": 1234}, "depth_mag": {"r": 22.7, "g": 23.1},
         "estimated": {"transfer": ["photoz"]}}  # fmt: skip


def sample_of(n=1001):
    z = np.linspace(0, 1, n)
    return pd.DataFrame({"z_true": z, "mag_r": 16.5 + z})


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# ---------------------------------------------------------------- samples


def test_quantiles_are_those_of_the_table_and_held_against_the_real_ones():
    table = compare_quantiles({"one": sample_of()}, REFERENCES)
    assert table["column"].tolist() == ["z_true", "z_true", "mag_r"]
    np.testing.assert_allclose(table["ours"], [0.5, 0.95, 17.0])
    np.testing.assert_allclose(table["difference"], [0.0, 0.95 / 0.7 - 1, 0.0], atol=1e-12)
    assert table["within"].tolist() == [True, False, True]
    middle = table.iloc[0]
    half = 1.96 * np.sqrt(1001 * 0.25) / 1000
    assert middle["lo95"] == pytest.approx(0.5 - half, abs=0.002)
    assert middle["hi95"] == pytest.approx(0.5 + half, abs=0.002)
    assert tolerance_of("mag_r") == pytest.approx(0.1517, abs=1e-4)
    text = text_of(quantile_table(table))
    assert "0.7000" in text
    assert "+35.7 %" in text


def test_galaxies_outside_the_range_do_not_count():
    few = pd.DataFrame({"z_true": [0.1, 0.2, 0.3, 9.0], "mag_r": [16.0, 16.5, 17.0, 17.5]})
    sample = pd.concat([few] * 50)
    about = {"one": {**REFERENCES["one"], "keep": {"mag_r": [16.0, 17.0]}}}
    table = compare_quantiles({"one": sample}, about)
    assert table["n"].tolist() == [100] * 3
    np.testing.assert_allclose(table["ours"], [0.25, 0.3, 16.75])
    figure = draw_samples({"one": sample}, about, table)
    assert "one · 16 < mag_r ≤ 17 · 100 galaxies" in figure.axes[0].get_title("left")


def test_values_that_are_not_finite_do_not_count():
    worse = pd.concat([sample_of(), pd.DataFrame({"z_true": [np.nan], "mag_r": [np.inf]})])
    table = compare_quantiles({"one": worse}, REFERENCES)
    assert table["n"].tolist() == [1001] * 3


@pytest.mark.parametrize("n", [0, 1, 300])
def test_the_samples_are_drawn_whatever_their_number(n):
    sample = sample_of(max(n, 1)).iloc[:n]
    compared = compare_quantiles({"one": sample}, REFERENCES)
    figure = draw_samples({"one": sample}, REFERENCES, compared)
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels == ["z (as labelled)"] * 2 + ["mag_r (AB mag)"] * 2
    assert "–" in text_of(quantile_table(compared)) or n


# ---------------------------------------------------------------- truth, tracks


def test_the_truth_is_found_by_any_identifier():
    truth = pd.DataFrame({"objID": [5, -1, -1], "object_id": [-1, 6, 6], "z": [0.1, 0.2, 0.3]})
    found = truth_of(truth, np.array([6, 5, 7]))
    np.testing.assert_array_equal(found["z"], [0.2, 0.1, np.nan])
    kinds = nearest_type(np.array([0.4, 1.6, 3.0, np.nan, 9.0]))
    np.testing.assert_array_equal(kinds, [0, 2, 3, -1, 3])


def test_a_track_is_the_median_of_its_type_in_each_bin():
    z = np.repeat([0.1, 0.3], 9)
    colour = np.concatenate([np.arange(9.0), np.arange(10.0, 19.0)])
    kind = np.zeros(18, dtype=np.int64)
    kind[-5:] = 2  # four of type 0 are left in the second bin: too few
    found = tracks(z, colour, kind, np.array([0.0, 0.2, 0.4]))
    assert set(found) == {0, 2}
    np.testing.assert_allclose(found[0][0], [0.1])
    np.testing.assert_allclose(found[0][1], [4.0])
    np.testing.assert_allclose(found[2][1], [16.0])


def test_the_tracks_of_the_sky_redden_with_redshift_and_order_by_type():
    truth = small_sky()["truth"]
    assert surveys_of(truth) == {"sdss": list("ugriz"), "hsc": list("grizy")}
    listed = truth[(truth["objID"] != -1) & ~truth["is_star"]]
    colour = (listed["mag_sdss_g"] - listed["mag_sdss_r"]).to_numpy()
    kind = nearest_type(listed["sed_type"].to_numpy())
    found = tracks(listed["z_true"].to_numpy(), colour, kind, np.array([0.02, 0.08, 0.16]))
    assert found[0][1][1] > found[0][1][0] + 0.1  # the break goes through g
    assert found[0][1][0] > found[2][1][0] + 0.2  # E is redder than Scd
    figure = draw_tracks(truth)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == [f"{a} − {b} (mag)" for a, b in ("ug", "gr", "ri", "iz", "gr", "ri", "iz",
                                                      "zy")]  # fmt: skip
    assert {axes.get_xlabel() for axes in figure.axes} == {"z_true"}
    draw_tracks(truth.iloc[:3])
    twice = truth[truth["objID"] != -1].assign(contaminant="duplicate")
    again = draw_tracks(pd.concat([truth, twice]))  # a second listing is not a second galaxy
    for before, after in zip(figure.subfigs, again.subfigs, strict=True):
        assert [t.get_text() for t in after.texts] == [t.get_text() for t in before.texts]


# ---------------------------------------------------------------- dust


def test_quantiles_of_the_dust_weigh_areas():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    np.testing.assert_allclose(weighted_quantiles(values, weights, np.array([0.5])), [2.0])
    even = weighted_quantiles(np.arange(1001.0), np.ones(1001), np.array([0.25, 0.95]))
    np.testing.assert_allclose(even, [250, 950], atol=1)


def test_the_dust_is_drawn_with_its_fields_and_units():
    sky = small_sky()
    figure = draw_dust(sky["dust"], sky["truth"])
    rings = next(line for axes in figure.axes for line in axes.lines if line.get_marker() == "o")
    fields = sky["truth"].query("field >= 0")[["run", "camcol", "field"]].drop_duplicates()
    assert len(rings.get_xdata()) == len(fields)
    left, right = sorted(figure.axes[0].get_xlim())
    assert ((rings.get_xdata() > left) & (rings.get_xdata() < right)).all()
    words = " ".join(axes.get_xlabel() + axes.get_ylabel() for axes in figure.axes)
    for unit in ("(deg)", "E(B−V) (mag)", "(%)"):
        assert unit in words


# ---------------------------------------------------------------- tables


def test_contaminants_are_counted_by_kind_and_list():
    truth = pd.DataFrame({
        "contaminant": ["", "star", "star", None, "blend"],
        "objID": [1, 2, -1, -1, 5], "object_id": [-1, -1, 7, 8, -1],
        "specz_name": ["", "", "a", "b", ""],
    })  # fmt: skip
    html = contaminant_table(truth)
    found = {(kind, name): int(n) for kind, name, n in re.findall(
        r'data-kind="(\w*)" data-list="(\w+)">(\d+)<', html)}  # fmt: skip
    assert found["star", "objID"] == found["star", "object_id"] == 1
    assert found["star", "all"] == 2
    assert found["", "all"] == 2
    assert found["blend", "objID"] == 1
    assert found["", "specz_name"] == 1


def frames_of(bands="rg"):
    rows = [
        {"run": 1, "camcol": 1, "field": field, "band": band, "sky_sigma_nmgy": 0.02,
         "sky_sigma_measured_nmgy": 0.02 * (1 + 0.01 * field), "psf_fwhm_arcsec": 1.3,
         "psf_fwhm_measured_arcsec": 1.3 * (1 - 0.002 * field), "psf_fwhm_scatter_arcsec": 0.0,
         "n_stars": 3, "depth_measured_mag": 22.6 + 0.1 * field}
        for band in bands for field in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_table_of_frames_gives_medians_and_the_farthest():
    text = text_of(frame_table(frames_of(), ABOUT["depth_mag"]))
    assert re.search(r"\bg 3 9 1\.0100 1\.0200 0\.9980 0\.9960 1\.297 22\.70 23\.10", text)
    assert text.index(" g ") < text.index(" r ")
    lost = frames_of("r").assign(psf_fwhm_measured_arcsec=np.nan, depth_measured_mag=np.nan)
    assert "–" in text_of(frame_table(lost, ABOUT["depth_mag"]))


REALISM = pd.DataFrame({
    "quantity": ["g − r of <early> galaxies", "share of late types"], "where": ["z = 0.1", "all"],
    "ours": [0.9712, 0.4], "lo95": [0.95, 0.38], "hi95": [0.99, 0.42],
    "published": [0.97, np.nan], "source": ["Someone & others 2003", "none"],
    "within": [True, None],
})  # fmt: skip
LABELS = pd.DataFrame({
    "case": [SHARED], "n": [812], "sigma_nmad": [0.01234], "bias_mean": [-0.0021],
    "bias_median": [0.0004], "fout_15": [0.012], "error_correlation": [0.31],
    "blended": [0.041], "fout_15_unblended": [0.0075], "outliers_blended": [0.4],
})  # fmt: skip
PIT = pd.DataFrame({
    "dataset": ["specz", "photoz"], "against": ["true z", "label"], "n": [7345, 7340],
    "p_value": [0.31, 2.1e-9], "bins_outside": [1, 15], "is_flat": [True, False],
})  # fmt: skip
LEAKS = pd.DataFrame({
    "method": ["mlp"], "dataset": ["specz"], "score": ["nll"], "n": [700], "mean_model": [-1.25],
    "mean_oracle": [-1.5], "difference": [0.25], "se": [0.02], "p_value": [0.99], "level": [0.001],
    "verdict": [QUIET],
})  # fmt: skip
SIDE = pd.DataFrame({
    "sample": ["mock_specz"], "source": ["order"], "n": [700], "share_correct": [0.502],
    "statistic": [0.1], "p_value": [0.46], "level": [0.001], "verdict": [AT_CHANCE],
})  # fmt: skip


def test_tables_hold_the_numbers_they_were_given():
    text = text_of(realism_table(REALISM))
    assert "0.971 [0.950, 0.990]" in text
    assert "within" in text
    assert "&lt;early&gt;" in text
    text = text_of(label_table(LABELS))
    assert f"{SHARED} 812 0.0123 −0.0021 +0.0004 0.0120 +0.3100" in text
    text = text_of(leak_table({"transfer": LEAKS}))
    assert "+0.2500 ± 0.0200" in text
    assert "transfer mlp specz nll 700" in text
    text = text_of(side_table(SIDE))
    assert "0.502" in text
    (words,) = blend_words(LABELS)
    assert words.startswith(f"{SHARED}: 4.1 % of the labelled galaxies have a neighbour's light")
    assert "40 % of the outliers beyond 0.15" in words
    assert words.endswith("without them fout_15 is 0.0075 instead of 0.0120.")
    assert blend_words(LABELS.assign(outliers_blended=np.nan)) == []
    assert "error_correlation" not in label_table(LABELS.drop(columns="error_correlation"))


@pytest.mark.parametrize(("verdict", "look"), [
    (LEAK, "bad"), (QUIET, "good"), (AT_CHANCE, "good"), (NOT_COMPARED, "none"),
])  # fmt: skip
def test_a_verdict_looks_as_it_is(verdict, look):
    badge = f'<span class="badge {look}">{verdict}</span>'
    assert badge in leak_table({"transfer": LEAKS.assign(verdict=verdict)})
    assert badge in side_table(SIDE.assign(verdict=verdict))


# ---------------------------------------------------------------- the page


def figures_in(folder):
    kinds = ("samples", "tracks", "wall", "dust", "frames")
    paths = [folder / f"mock_sky.{kind}.png" for kind in kinds] + [folder / "transfer.oracle.png"]
    for path in paths:
        Image.new("RGB", (40, 30)).save(path)
    return paths


def test_the_page_shows_every_figure_and_table_in_order_and_escapes(tmp_path):
    truth = pd.DataFrame({"contaminant": ["", "<star>"], "objID": [1, 2]})
    compared = compare_quantiles({"one": sample_of()}, REFERENCES)
    found = {
        "truth": truth, "quantiles": compared, "frames": frames_of(), "realism": REALISM,
        "labels": LABELS, "transfer/leaks": LEAKS, "transfer/pit": PIT,
        "mock_specz/side_information": SIDE,
    }  # fmt: skip
    html = mock_sky_page(figures_in(tmp_path), found, ABOUT)
    assert html.count("<img") == 6
    headings = re.findall(r"<h2>([^<]+)</h2>", html)
    assert headings == [
        "What was simulated", "Redshifts and magnitudes beside the real samples",
        "Colours against redshift", "Galaxies in colour, by type and redshift",
        "The dust of the Milky Way", "Frames, measured back", "The oracle",
        "Colours and types beside measured ones", "Labels made by template fits",
        "What is no plain galaxy",
        "Leak alarm", "Side information",
    ]  # fmt: skip
    assert "galaxies of &lt;one&gt; kind: 1,234" in html
    oracle = text_of(html[html.index("The oracle") :])
    assert "transfer specz true z exact 7,345 0.31 1 flat" in oracle
    assert "transfer photoz label estimated 7,340 2.1e-09 15 not flat" in oracle
    assert "<star>" not in html
    assert "<early>" not in html
    assert "script" not in html.lower()


def test_what_is_not_there_is_left_out(tmp_path):
    html = mock_sky_page(figures_in(tmp_path)[:1], {"truth": pd.DataFrame({"objID": []})}, ABOUT)
    assert html.count("<img") == 1
    assert re.findall(r"<h2>([^<]+)</h2>", html) == [
        "What was simulated", "Redshifts and magnitudes beside the real samples",
    ]  # fmt: skip


def test_tables_are_called_by_their_files(tmp_path):
    files = [tmp_path / name for name in ("survey/truth.parquet", "report/mock_sky.frames.parquet",
             "metrics/transfer/leaks.parquet", "report/transfer.pit.parquet",
             "metrics/mock_main/side_information.parquet")]  # fmt: skip
    assert list(named_tables(files)) == [
        "truth",
        "frames",
        "transfer/leaks",
        "transfer/pit",
        "mock_main/side_information",
    ]
