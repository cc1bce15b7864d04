"""The page of claims: each with its verdict, its reason, its source and what limits it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from report_pages import about_claims, claims_of, parsed

from zladder.report.claims_page import (
    BOUND_ONLY,
    NOT_STATED,
    ORDERING_ONLY,
    claims_page,
    count_verdicts,
)
from zladder.report.numerals import fixed
from zladder.report.records import Record


def test_claims_stand_with_ours_verdict_reason_and_source(report_world):
    claims = claims_of(report_world)
    tree = parsed(claims_page(claims, about_claims(), []))
    text = "".join(tree.itertext())
    assert len(claims["transfer"]) == len(report_world.claims)
    for _, row in claims["transfer"].iterrows():
        cell = next(cell for cell in tree.iter("td") if cell.get("data-claim") == row["claim"])
        if np.isnan(row["ratio"]) and np.isfinite(row["lo95"]):
            assert cell.text.startswith("≥ ")
        else:
            assert cell.text == fixed(row["ratio"], len(cell.text.partition(".")[2]))
        for words in (row["text"], row["source"], row["verdict"], row["reason"]):
            assert words in text
    counted = {cell.get("data-verdict"): int(cell.text) for cell in tree.iter("td")
               if cell.get("data-verdict")}  # fmt: skip
    assert counted == count_verdicts(claims)
    assert sum(counted.values()) == len(report_world.claims)


def test_a_study_without_claims_says_so_and_a_real_sky_is_not_called_mock(report_world):
    claims = {"main_sample": claims_of(report_world)["main_sample"]}
    assert claims["main_sample"].empty
    about = {"main_sample": {"title": "Real", "simulated": False}}
    text = claims_page(claims, about, [])
    assert "No published claim is held against this study" in text
    assert "mock sky can confirm" not in text
    assert "mock sky can confirm" in claims_page(
        claims, {"main_sample": {"title": "x", "simulated": True}}, []
    )


def test_an_ordering_is_not_given_a_number(report_world):
    found = claims_of(report_world)["transfer"]
    tree = parsed(claims_page({"transfer": found}, about_claims(), []))
    dashes = [span for span in tree.iter("span") if span.get("title") == ORDERING_ONLY]
    assert len(dashes) == found["published_ratio"].isna().sum() > 0


def test_a_metric_that_its_source_does_not_define_is_called_so_in_its_row(report_world):
    found = claims_of(report_world)["transfer"]
    found.loc[found.index[0], "definition"] = "stated"
    tree = parsed(claims_page({"transfer": found}, about_claims(), []))
    rows = [row for row in tree.iter("tr") if any(c.get("data-claim") for c in row.iter("td"))]
    told = [NOT_STATED in "".join(row.findall("td")[2].itertext()) for row in rows]
    assert told == list(found["definition"] == "not stated")
    assert told == [False] + [True] * (len(found) - 1)


@pytest.mark.parametrize(
    ("lo95", "shown"), [(38.749, "≥ 38.74"), (0.9999, "≥ 0.99"), (1.0, "≥ 1.00"), (np.inf, None)]
)
def test_a_lower_bound_is_shown_as_one_and_never_rounded_up(report_world, lo95, shown):
    found = claims_of(report_world)["transfer"].iloc[[0]]
    found = found.assign(ratio=np.nan, lo95=lo95, hi95=np.inf)
    tree = parsed(claims_page({"transfer": found}, about_claims(), []))
    cell = next(cell for cell in tree.iter("td") if cell.get("data-claim"))
    assert cell.text == shown
    expected = BOUND_ONLY if shown else "–"
    assert cell.find("span").text == expected


def test_trainings_that_the_limit_stopped_are_named_for_their_study_only(report_world):
    told = {"transfer.base-s0": "epochs", "transfer.combined-s0": "patience",
            "main_sample.single-s0": "epochs", "transfer.transfer-s0": None}  # fmt: skip
    records = [
        Record(Path(f"runs/{run}/sidecar.json"), {"stopped_by": by} if by else {})
        for run, by in told.items()
    ]
    claims = {"transfer": claims_of(report_world)["transfer"]}
    text = claims_page(claims, about_claims(), records)
    assert "what they could: transfer.base-s0. A claim" in text
    assert "Stopped by the limit" not in claims_page(claims, about_claims(), records[1:])
