"""The page of numbers tells of truth and leaks what the tables say, loudly where one is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_pages import numbers_page, parsed
from report_world import STUDIES

from zladder.config.names import AT_CHANCE, LEAK, NOT_COMPARED, QUIET
from zladder.report.metric_words import SIGNED
from zladder.report.numerals import fixed

METRICS = ("sigma_nmad", "bias_mean")


def truth_table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        {"method": method, "dataset": dataset, "metric": metric, "against": against,
         "value": rng.normal(), "n_used": 1390}
        for dataset in ("specz", "photoz")
        for method in ("base", "knn")
        for metric in METRICS
        for against in ("label", "truth")
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(lo95=table["value"] - 0.1, hi95=table["value"] + 0.1)


def leak_table(p_value: float) -> pd.DataFrame:
    compared = {"dataset": "specz", "sees": "photometry", "score": "nll", "n": 390,
                "mean_model": -1.5, "mean_oracle": -1.4, "difference": -0.1, "se": 0.02,
                "level": 1e-4}  # fmt: skip
    verdict = LEAK if p_value <= 1e-4 else QUIET
    rows = [{"method": "base", **compared, "p_value": p_value, "verdict": verdict}]
    nothing = dict.fromkeys(("mean_model", "mean_oracle", "difference", "se", "p_value", "level"),
                            np.nan)  # fmt: skip
    nothing |= {"n": 0, "verdict": NOT_COMPARED}
    rows += [{**compared, **nothing, "method": name, "sees": sees}
             for name, sees in (("resnet", "images"), ("knn", "photometry"))]  # fmt: skip
    return pd.DataFrame(rows)


def side_table(verdict: str = AT_CHANCE) -> pd.DataFrame:
    rows = [{"sample": sample, "source": "order", "n": 5000, "share_correct": 0.503,
             "statistic": 0.2, "p_value": 0.8, "level": 1e-4, "verdict": verdict}
            for sample in ("mock_specz", "mock_photoz")]  # fmt: skip
    return pd.DataFrame(rows)


def sections(world, **of_truth) -> dict[str, str]:
    """Return {heading: all text} of the sections of the page of `transfer`."""
    tree = parsed(numbers_page(world, "transfer", of_truth))
    found = tree.findall("./body/main/section")
    return {section.find("h2").text: "".join(section.itertext()) for section in found}


def test_a_real_sky_has_neither_truth_nor_alarm(report_world):
    for study in STUDIES:
        text = numbers_page(report_world, study)
        assert "Leak alarm" not in text
        assert "against the truth" not in text


def test_every_value_stands_against_label_and_truth(report_world):
    table = truth_table()
    tree = parsed(numbers_page(report_world, "transfer", {"truth_scores": table}))
    heading = "Against the label and against the truth"
    section = next(part for part in tree.iter("section") if part.find("h2").text == heading)
    cells = [cell for cell in section.iter("td") if cell.get("data-against")]
    assert len(cells) == len(table)
    wanted = table.groupby(["dataset", "method", "against", "metric"], sort=False)
    shown = {cell.get("title").split(",")[0] for cell in cells}
    assert shown == {repr(float(group["value"].iloc[0])) for _, group in wanted}
    for cell in cells:
        value = float(cell.get("title").split(",")[0])
        metric = table.loc[np.isclose(table["value"], value), "metric"].item()
        decimals = len(cell.text.partition(".")[2])
        assert cell.text == fixed(value, decimals, signed=metric in SIGNED)
    assert "At most 1,390 galaxies: those that have a true redshift" in "".join(section.itertext())


@pytest.mark.parametrize(("p_value", "words"), [
    (1e-9, "LEAK: base on specz (nll). Do not trust the numbers above."),
    (0.3, "No leak seen."),
])  # fmt: skip
def test_the_alarm_says_first_whether_it_rang(report_world, p_value, words):
    text = sections(report_world, leaks=leak_table(p_value), side_information=side_table())
    assert text["Leak alarm"].startswith(f"Leak alarm{words}")
    assert "bounds proper scores" in text["Leak alarm"]
    assert "they see more than this oracle does: resnet." in text["Leak alarm"]
    assert "without answers or too few of them: knn." in text["Leak alarm"]


@pytest.mark.parametrize("estimated", [(), ("specz",), ("photoz",)])
def test_an_estimated_oracle_is_marked_among_the_comparisons(report_world, estimated):
    of_truth = {"leaks": leak_table(0.3), "side_information": side_table()}
    tree = parsed(numbers_page(report_world, "transfer", of_truth, estimated))
    alarm = tree.findall("./body/main/section")[-2]
    assert alarm.find("h2").text == "Leak alarm"
    cells = ["".join(cell.itertext()) for cell in alarm.iter("td")]
    marked = [text for text in cells if text.endswith("estimated")]
    assert marked == (["−1.4000estimated"] if "specz" in estimated else [])  # the oracle's mean


def test_side_information_of_the_studys_samples_is_told(report_world):
    text = sections(report_world, side_information=side_table(LEAK))["Leak alarm"]
    assert text.startswith("Leak alarmLEAK: order of mock_specz; order of mock_photoz. Do not")
    assert "No oracle was built for this study" in text
    assert "50.3 %" in text
