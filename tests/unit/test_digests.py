"""Digests name contents, and seeds follow from names alone."""

from __future__ import annotations

import os

import numpy as np
import pytest

from zladder.provenance import digests
from zladder.provenance.digests import (
    canonical_json,
    derive_seed,
    file_digest,
    quick_digest,
    value_digest,
)


def test_canonical_json_has_one_text_for_a_value():
    value = {"b": [1, 2.5, None, True], "a": {"y": "é", "x": 1e-3}}
    turned = {"a": {"x": 0.001, "y": "é"}, "b": [1, 2.5, None, True]}
    assert canonical_json(value) == canonical_json(turned)
    expected = '{"a":{"x":0.001,"y":"\\u00e9"},"b":[1,2.5,null,true]}'
    assert canonical_json(value) == expected


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_canonical_json_refuses_what_json_lacks(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": number})


def test_value_digest_tells_values_apart_but_not_their_order():
    assert value_digest({"a": 1, "b": 2}) == value_digest({"b": 2, "a": 1})
    assert value_digest({"a": 1, "b": 2}) != value_digest({"a": 1, "b": 3})
    assert value_digest([1, 2]) != value_digest([2, 1])


def test_file_digest_is_of_the_content(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"abc")
    os.utime(two, (0, 0))
    assert file_digest(one) == file_digest(two)
    # BLAKE2b-128 of "abc": b2sum -l 128
    assert file_digest(one) == "cf4ab791c62b8d2b2109c90275287816"
    two.write_bytes(b"abd")
    assert file_digest(one) != file_digest(two)


def test_a_file_is_read_once_until_its_size_or_time_changes(tmp_path):
    path = tmp_path / "once"
    path.write_bytes(b"abc")
    os.utime(path, ns=(5, 5))
    first = file_digest(path)
    path.write_bytes(b"abd")
    os.utime(path, ns=(5, 5))  # nobody does that; it shows that the file is not read again
    assert file_digest(path) == first
    os.utime(path, ns=(6, 6))
    assert file_digest(path) != first


def test_quick_digest_of_a_large_file_is_of_size_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "QUICK_LIMIT_BYTES", 2)
    path = tmp_path / "large"
    path.write_bytes(b"abc")
    os.utime(path, ns=(5, 5))
    assert quick_digest(path) == "stat-3-5"
    os.utime(path, ns=(6, 6))
    assert quick_digest(path) == "stat-3-6"


@pytest.mark.parametrize(
    ("names", "seed"),
    [
        (("train", "transfer.base-s0"), 8217605369268182255),
        (("survey", "mock"), 7622228872864628439),
        ((), 8898586205396736955),
    ],
)
def test_seeds_are_these_for_ever(names, seed):
    assert derive_seed(1, *names) == seed


def test_seeds_depend_on_all_names_and_the_master_seed():
    seeds = {
        derive_seed(master, *names)
        for master in (0, 1, 2)
        for names in [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("ab",)]
    }
    assert len(seeds) == 18


def test_seeds_are_uniform_in_63_bits():
    seeds = np.array([derive_seed(1, str(i)) for i in range(2000)], dtype=np.float64) / 2.0**63
    assert seeds.min() >= 0
    assert seeds.max() < 1
    # Mean of 2000 uniform draws: sigma = 0.2887 / sqrt(2000) = 0.00645; 5 sigma, P = 6e-7.
    assert abs(seeds.mean() - 0.5) < 0.033
