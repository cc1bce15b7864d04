"""Laying one configuration over another."""

from __future__ import annotations

import pytest

from zladder.config.merge import holds, overlay


def test_mappings_merge_and_everything_else_is_replaced():
    base = {"a": {"x": 1, "y": {"p": 1, "q": 2}}, "list": [1, 2, 3], "n": 1}
    top = {"a": {"y": {"q": 3}, "z": 4}, "list": [9], "new": None}
    expected = {
        "a": {"x": 1, "y": {"p": 1, "q": 3}, "z": 4}, "list": [9], "n": 1, "new": None,
    }  # fmt: skip
    assert overlay(base, top) == expected


@pytest.mark.parametrize(
    ("base", "top", "expected"),
    [({"a": {"x": 1}}, {"a": 2}, {"a": 2}), ({"a": 2}, {"a": {"x": 1}}, {"a": {"x": 1}})],
)
def test_a_mapping_and_a_value_replace_each_other(base, top, expected):
    assert overlay(base, top) == expected


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ({"gamma": 0.2}, {"name": "tanaka", "gamma": 0.2}),
        ({"name": "tanaka", "gamma": 0.2}, {"name": "tanaka", "gamma": 0.2}),
        ({"name": "huber", "delta": 0.1}, {"name": "huber", "delta": 0.1}),
    ],
)
def test_a_mapping_of_another_name_is_replaced(top, expected):
    assert overlay({"loss": {"name": "tanaka", "gamma": 0.15}}, {"loss": top}) == {"loss": expected}


def test_neither_side_is_changed():
    base, top = {"a": {"x": 1}}, {"a": {"y": 2}}
    merged = overlay(base, top)
    merged["a"]["x"] = 5
    assert (base, top) == ({"a": {"x": 1}}, {"a": {"y": 2}})


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ([], True), (["a"], True), (["a", "b", 1], True), (["a", "b", 2], False),
        (["a", "c"], False), (["a", "b", "x"], False), (["n", "x"], False),
    ],
)  # fmt: skip
def test_holds_follows_keys_and_positions(path, held):
    assert holds({"a": {"b": [1, 2]}, "n": 3}, path) is held
