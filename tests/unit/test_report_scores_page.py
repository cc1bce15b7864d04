"""The page of numbers says what the tables say, completely, and why a number is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_pages import numbers_page, parsed
from report_world import STUDIES

from zladder.metrics.conventions import ordered_ids
from zladder.metrics.point import POINT_METRICS
from zladder.report.metric_words import FORMULAS, OUTLIER_LIMITS, SIGNED, outlier_id
from zladder.report.numerals import MINUS, fixed
from zladder.report.scores_page import scores_page


@pytest.mark.parametrize("study", list(STUDIES))
def test_every_number_of_the_table_stands_on_the_page(report_world, study):
    scores = report_world.table(study, "scores").set_index(["dataset", "split", "method", "metric"])
    tree = parsed(numbers_page(report_world, study))
    sections = tree.findall("./body/main/section")
    seen = 0
    for dataset, section in zip(STUDIES[study].datasets, sections, strict=False):
        assert section.find("h2").text == f"Test galaxies of {dataset}"
        tables = {
            "test": section.find("./div/table"),
            "validation": section.findall("./details")[-1],
        }
        for split, table in tables.items():
            for cell in table.iter("td"):
                metric, method = cell.get("data-metric"), cell.get("data-method")
                if metric is None:
                    continue
                row = scores.loc[(dataset, split, method, metric)]
                decimals = len(cell.text.partition(".")[2])
                assert cell.text == fixed(row["value"], decimals, signed=metric in SIGNED)
                assert repr(float(row["value"])) in cell.get("title")
                ends = f"[{fixed(row['lo95'], decimals)}, {fixed(row['hi95'], decimals)}]"
                assert cell.find("span").text == ends
                seen += 1
    n_methods = len(STUDIES[study].networks) + 5
    assert seen == len(STUDIES[study].datasets) * 2 * n_methods * len(POINT_METRICS)


def test_counts_stand_below_the_metrics(report_world):
    scores = report_world.table("transfer", "scores").set_index(["dataset", "split", "method"])
    table = parsed(numbers_page(report_world, "transfer")).find("./body/main/section/div/table")
    cells = [cell for cell in table.iter("td") if cell.get("data-count")]
    assert len(cells) == 4 * 9
    for cell in cells:
        row = scores.loc[("specz", "test", cell.get("data-method"))].iloc[0]
        assert cell.text == f"{row[cell.get('data-count')]:,}"


@pytest.mark.parametrize("study", list(STUDIES))
def test_the_ids_of_the_convention_come_first(report_world, study):
    table = parsed(numbers_page(report_world, study)).find("./body/main/section/div/table")
    ids = [row.find("./th/code").text for row in table.findall("./tbody/tr")]
    convention = STUDIES[study].convention
    assert tuple(ids[: len(POINT_METRICS)]) == ordered_ids(convention, POINT_METRICS)
    assert ids[len(POINT_METRICS) :] == ["n_total", "n_used", "n_nonfinite", "n_off_grid"]


def test_differences_stand_on_the_page_with_their_sign(report_world):
    differences = report_world.table("transfer", "differences")
    rows = differences.set_index(["dataset", "metric", "method"])
    section = parsed(numbers_page(report_world, "transfer")).find("./body/main/section")
    cells = [cell for cell in section.iter("td") if cell.get("data-difference")]
    assert len(cells) == 6 * 4
    for cell in cells:
        row = rows.loc[("specz", cell.get("data-difference"), cell.get("data-method"))]
        decimals = len(cell.text.partition(".")[2])
        assert cell.text == fixed(row["difference"], decimals, signed=True)
        assert f"{100 * row['relative']:+.1f}".replace("-", MINUS) in cell.findall("span")[1].text


def test_nan_is_a_dash_with_its_reason(report_world):
    scores = report_world.table("main_sample", "scores")
    lost = (scores["method"] == "single") & (scores["split"] == "test")
    scores.loc[lost, ["value", "lo95", "hi95"]] = np.nan
    words = {"study": "x", "title": "x", "question": "?", "convention": "sdss_cnn",
             "estimated": []}  # fmt: skip
    text = scores_page(scores, report_world.table("main_sample", "differences"), words, [])
    table = parsed(text).find("./body/main/section/div/table")
    cells = [cell for cell in table.iter("td") if cell.get("data-method") == "single"]
    shown = [cell.find("span") for cell in cells if cell.get("data-metric")]
    assert {span.text for span in shown} == {"–"}
    assert all("fewer than two galaxies" in span.get("title") for span in shown)
    assert "nan" not in "".join(table.itertext())
    assert "one seed only" in text  # why there is no seed_std


def test_a_collapsed_method_is_called_so(report_world):
    scores = report_world.table("main_sample", "scores")
    flat = (scores["method"] == "trainz") & (scores["metric"] == "sigma_nmad")
    scores.loc[flat, "value"] = 0.0
    words = {"study": "x", "title": "x", "question": "?", "convention": "sdss_cnn",
             "estimated": []}  # fmt: skip
    text = scores_page(scores, report_world.table("main_sample", "differences"), words, [])
    assert "share one residual): trainz" in text
    assert "share one residual" not in numbers_page(report_world, "main_sample")


def with_oracle(world, study):
    """Return the scores of a study with the rows of an oracle, and its differences."""
    scores = world.table(study, "scores")
    oracle = scores[scores["method"] == "knn"].assign(method="oracle")
    return pd.concat([scores, oracle]), world.table(study, "differences")


def test_an_estimated_oracle_is_marked_where_it_stands(report_world):
    words = {"study": "x", "title": "x", "question": "?", "convention": "hsc"}
    datasets = STUDIES["transfer"].datasets
    tables = with_oracle(report_world, "transfer")
    text = scores_page(*tables, words | {"estimated": ["photoz"]}, [])
    sections = parsed(text).findall("./body/main/section")
    for dataset, section in zip(datasets, sections, strict=False):
        marks = {mark.text for mark in section.iter("span") if "knows" in (mark.text or "")}
        known = "knows the sky, estimated" if dataset == "photoz" else "knows the sky"
        assert marks == {known}, dataset
    assert {"specz", "photoz"} <= set(datasets)
    assert "(photoz): the chance that a many-band label is usable" in text
    exact = scores_page(*tables, words | {"estimated": []}, [])
    assert "estimated" not in exact
    # without an oracle there is nothing to mark
    assert "estimated" not in numbers_page(report_world, "transfer", estimated=("photoz",))


def test_words_exist_for_every_metric_and_none_is_signed_by_mistake():
    assert set(FORMULAS) == {*POINT_METRICS, "fout_3sig"}
    assert set(SIGNED) == {name for name in POINT_METRICS if name.startswith("bias")}
    assert [outlier_id(name) for name in ("sdss_cnn", "hsc", "dc1")] == [
        "fout_05",
        "fout_15",
        "fout_15",
    ]
    assert set(OUTLIER_LIMITS) <= set(POINT_METRICS)
