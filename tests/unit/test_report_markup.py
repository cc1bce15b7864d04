"""HTML is escaped by construction; numbers keep their digits and NaN its reason."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from zladder.report.markup import Html, breakable, joined, tag
from zladder.report.numerals import (
    count,
    count_cell,
    decimals_for,
    fixed,
    interval_cell,
    interval_text,
    seconds_text,
)
from zladder.report.page import page, table

NASTY = """<script>alert("x")</script> & 'quotes' ]]> – é"""


def test_text_and_attributes_come_back_as_they_went_in():
    element = ElementTree.fromstring(tag("p", NASTY, title=NASTY, class_="a", data_x="1"))
    assert element.text == NASTY
    assert element.attrib == {"title": NASTY, "class": "a", "data-x": "1"}


def test_what_is_html_already_is_not_escaped_again():
    assert tag("p", tag("b", "<"), "<") == "<p><b>&lt;</b>&lt;</p>"
    assert joined("a&b", None, Html("<br/>")) == "a&amp;b<br/>"
    assert tag("img", src="x") == '<img src="x"/>'
    assert tag("span", class_="bar") == '<span class="bar"></span>'


def test_a_long_name_may_break_at_its_underscores_and_stays_the_same_text():
    shown = breakable("probe_moco_f20<")
    assert shown == "probe_<wbr/>moco_<wbr/>f20&lt;"
    text = "".join(ElementTree.fromstring(tag("th", shown)).itertext())
    assert text == "probe_moco_f20<"
    assert breakable("plain") == "plain"


def test_a_page_is_well_formed_whatever_its_title_says():
    text = page(NASTY, NASTY, table([NASTY], [[NASTY], [tag("td", NASTY)]]))
    tree = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    assert tree.find("./body/main/h1").text == NASTY
    assert [cell.text for cell in tree.iter("td")] == [NASTY, NASTY]


# Half the interval is 0.00123: two significant digits of it end at the fourth decimal.
@pytest.mark.parametrize(
    ("low", "high", "decimals"),
    [
        (0.0, 0.00246, 4),
        (0.0, 0.0246, 3),
        (1.0, 3.0, 2),
        (0, 1e-9, 6),
        (math.nan, 1.0, 4),
        (2, 2, 4),
    ],
)
def test_decimals_follow_the_interval(low, high, decimals):
    assert decimals_for(low, high) == decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "+0.012"), (-0.01234, "−0.012"), (-0.0001, "0.000"), (0.0, "0.000")],
)
def test_signs_are_true_minus_signs_and_zero_has_none(value, text):
    assert fixed(value, 3, signed=True) == text


def test_an_interval_is_written_with_the_digits_that_it_supports():
    assert interval_text(0.012345, 0.0111, 0.0135) == "0.0123 [0.0111, 0.0135]"
    assert interval_text(-0.012345, -0.02, 0.004, signed=True) == "−0.012 [−0.020, 0.004]"
    assert interval_text(0.5, math.nan, math.nan) == "0.5000"
    assert interval_text(math.nan, math.nan, math.nan) == "–"


def test_no_number_is_a_dash_with_its_reason():
    cell = ElementTree.fromstring(interval_cell(math.nan, math.nan, math.nan, "too few"))
    assert (cell[0].text, cell[0].get("title")) == ("–", "too few")
    cell = ElementTree.fromstring(count_cell(None, "not asked"))
    assert (cell[0].text, cell[0].get("title")) == ("–", "not asked")


def test_a_value_without_interval_says_so_and_stays():
    cell = ElementTree.fromstring(interval_cell(0.25, math.nan, math.nan, "unused"))
    assert cell.text == "0.2500"
    assert cell.find("./span/span").text == "–"
    assert "not defined in every resample" in cell.find("./span/span").get("title")


def test_counts_and_durations():
    assert count(1234567) == "1,234,567"
    assert [seconds_text(s) for s in (3.21, 600, 7200)] == ["3.2 s", "10.0 min", "2.0 h"]
