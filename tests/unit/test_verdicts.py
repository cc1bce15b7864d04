"""The verdict that a ratio and its interval give."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.evaluate.claims import judge_ratio
from zladder.report.claims_page import VERDICTS


@pytest.mark.parametrize(
    ("ratio", "lo95", "hi95", "published", "tolerance", "simulated", "verdict"),
    [
        (5.0, 4.0, 6.0, 5.0, 0.2, False, "reproduced"),
        (6.0, 4.0, 8.0, 5.0, 0.2, False, "reproduced"),  # just within the tolerance
        (6.1, 4.0, 8.0, 5.0, 0.2, False, "ordering reproduced"),
        (1.5, 1.01, 2.0, 5.0, 0.2, False, "ordering reproduced"),
        (1.5, 1.01, 2.0, None, None, False, "reproduced"),  # only an ordering was claimed
        (1.5, 1.0, 2.0, None, None, False, "undecided"),
        (5.0, 0.9, 9.0, 5.0, 0.2, False, "undecided"),
        (0.9, 0.8, 1.0, None, None, False, "undecided"),
        (0.5, 0.4, 0.9, 5.0, 0.2, False, "not reproduced"),
        (5.0, 4.0, 6.0, 5.0, 0.2, True, "ordering reproduced"),  # the mock sky proves no number
        (1.5, 1.01, 2.0, None, None, True, "ordering reproduced"),
        (5.0, 0.9, 9.0, 5.0, 0.2, True, "undecided"),
        (0.5, 0.4, 0.9, 5.0, 0.2, True, "not reproduced"),
        (np.nan, np.nan, np.nan, 5.0, 0.2, False, "undecided"),
        (2.0, np.nan, np.nan, 5.0, 0.2, False, "undecided"),
        (np.inf, 2.0, np.inf, 5.0, 0.2, False, "ordering reproduced"),
        (np.inf, 2.0, np.inf, None, None, True, "ordering reproduced"),
        # a lower bound only: the bias of the better method is compatible with 0
        (np.nan, 38.7, np.inf, 4.5, 0.2, False, "ordering reproduced"),
        (np.nan, 38.7, np.inf, 4.5, 0.2, True, "ordering reproduced"),
        (np.nan, 1.01, np.inf, None, None, False, "ordering reproduced"),  # never `reproduced`
        (np.nan, 1.0, np.inf, None, None, False, "undecided"),
        (np.nan, 0.4, np.inf, 4.5, 0.2, True, "undecided"),
    ],
)
def test_the_table_of_verdicts(ratio, lo95, hi95, published, tolerance, simulated, verdict):
    numbers = ratio, lo95, hi95, published, tolerance
    found, reason = judge_ratio(*numbers, simulated=simulated, better="b")
    assert found == verdict
    assert found in VERDICTS
    bounded = "the bias of b is compatible with 0: the ratio has only a lower bound"
    assert (bounded in reason) == (np.isnan(ratio) and not np.isnan(lo95))
    assert reason


@pytest.mark.parametrize(
    ("ratio", "lo95", "hi95", "simulated", "verdict"),
    [
        (5.0, 4.0, 6.0, True, "by construction"),
        (5.0, 0.9, 9.0, True, "by construction"),  # neither does a small sample test it
        (np.nan, 0.4, np.inf, True, "by construction"),
        (np.nan, np.nan, np.nan, True, "by construction"),
        (0.5, 0.4, 0.9, True, "not reproduced"),  # the opposite came out: that must be seen
        (5.0, 4.0, 6.0, False, "reproduced"),  # nothing was put into a real sky
        (5.0, 0.9, 9.0, False, "undecided"),
    ],
)
def test_by_construction_is_said_on_a_simulated_sky_only(ratio, lo95, hi95, simulated, verdict):
    found, reason = judge_ratio(
        ratio, lo95, hi95, 5.0, 0.2, simulated=simulated, better="b", by_construction="we did it"
    )
    assert found == verdict
    assert (reason == "we did it") == (verdict == "by construction")


@pytest.mark.parametrize(
    ("ratio", "lo95", "hi95", "verdict", "said"),
    [
        (7.0, 5.1, 9.0, "ordering reproduced", "lies above 5"),
        (7.0, 5.0, 9.0, "undecided", "contains 5"),
        (3.0, 2.0, 5.0, "undecided", "contains 5"),
        (3.0, 2.0, 4.9, "not reproduced", "lies below 5"),
        (0.5, 0.4, 0.6, "not reproduced", "lies below 5"),
        (np.nan, 5.1, np.inf, "ordering reproduced", "which lies above 5"),
        (np.nan, 4.9, np.inf, "undecided", "which lies not above 5"),
        (np.nan, np.nan, np.nan, "undecided", "zero for both"),
    ],
)
def test_a_required_ratio_takes_the_place_of_1(ratio, lo95, hi95, verdict, said):
    found, reason = judge_ratio(
        ratio, lo95, hi95, None, None, simulated=True, better="b", at_least=5.0, quantity="slope"
    )
    assert found == verdict
    assert said in reason
    assert ("the slope of b" in reason) == (np.isnan(ratio) and not np.isnan(lo95))


def test_nothing_is_ever_reproduced_on_the_mock_sky():
    draw = np.random.default_rng(1)
    for _ in range(300):
        lo95, ratio, hi95 = np.sort(draw.uniform(0, 8, 3))
        published, tolerance = draw.choice([None, 3.0]), 5.0
        found, _ = judge_ratio(ratio, lo95, hi95, published, tolerance, simulated=True, better="b")
        assert found in ("ordering reproduced", "undecided", "not reproduced")
