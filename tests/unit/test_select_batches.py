"""A selection is the same for any size of the batches: what a plain reading of its cuts says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zladder.catalogs.cuts import Selection, apply_cuts
from zladder.catalogs.repeats import key_order, repeated, repeats, row_keys
from zladder.catalogs.select import LEFT, RIGHT, SEPARATION, select_sample, write_sample
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.tables.standard import write_standard

CUTS = [
    {"name": "bright", "keep": "a < 3 or b == 0"},
    {"name": "name once", "duplicates": "keep_first", "of": "name"},
    {"name": "finite", "finite": ["a"]},
    {"name": "no twins", "duplicates": "drop_all", "of": "key"},
    {"name": "faint", "keep": "a > -4 or b == 0"},
]
values = st.one_of(st.integers(-5, 5).map(float), st.just(np.nan), st.just(np.inf))
tables = st.lists(
    st.tuples(values, st.sampled_from(["p", "q", "r", "s", None]), st.integers(0, 6)),
    min_size=0, max_size=30,
)  # fmt: skip


def frame_of(rows):
    """A table with a first row that passes everything."""
    rows = [(0.0, "unique", -1), *rows]
    a, name, key = zip(*rows, strict=True)
    names = pd.array(name, dtype="str")
    return pd.DataFrame({"a": a, "b": np.arange(len(rows)), "name": names, "key": key})


def by_hand(frame):
    """Apply the cuts row by row, in order; return the rows left and the counts."""
    left, counts = list(frame.itertuples()), []
    for cut in CUTS:
        before = len(left)
        if cut["name"] == "bright":
            left = [r for r in left if not np.isnan(r.a) and (r.a < 3 or r.b == 0)]
        elif cut["name"] == "faint":
            left = [r for r in left if r.a > -4 or r.b == 0]
        elif cut["name"] == "finite":
            left = [r for r in left if np.isfinite(r.a)]
        elif cut["name"] == "name once":
            seen, kept = set(), []
            for r in left:
                if pd.isna(r.name) or r.name not in seen:
                    kept.append(r)
                    seen.add(r.name)
            left = kept
        else:
            keys = [r.key for r in left]
            left = [r for r in left if keys.count(r.key) == 1]
        counts.append((before, len(left)))
    return [r.b for r in left], counts


@settings(max_examples=80, deadline=None)
@given(tables, st.lists(st.integers(1, 31), min_size=1, max_size=8))
def test_a_selection_is_what_its_cuts_say_for_any_batches(rows, sizes):
    frame = frame_of(rows)
    expected, counts = by_hand(frame)
    whole, flow = apply_cuts(frame, CUTS, "t")
    assert whole["b"].tolist() == expected
    assert list(zip(flow["n_in"], flow["n_out"], strict=True)) == counts
    np.testing.assert_allclose(flow["fraction"], [n_out / n_in for n_in, n_out in counts])
    selection, start = Selection(CUTS, "t"), 0
    while start < len(frame):
        size = sizes[start % len(sizes)]
        selection.look(frame.iloc[start : start + size])
        start += size
    stays, batched = selection.settle()
    assert frame["b"][stays].tolist() == expected
    pd.testing.assert_frame_equal(batched, flow)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(-3, 3), st.integers(2**62, 2**62 + 3)), max_size=30))
def test_repeats_are_those_of_pandas(numbers):
    column = pd.Series(np.array(numbers, dtype=np.int64))
    for keep in ("first", False):
        expected = column.duplicated(keep=keep).to_numpy()
        np.testing.assert_array_equal(repeated(column.to_numpy(), keep == "first"), expected)
        keys, known = row_keys(column.to_frame("k"), ["k"])
        assert known.all()
        rows = repeats(list(keys), key_order(list(keys)), keep == "first")
        assert sorted(rows) == np.flatnonzero(expected).tolist()


def test_a_key_is_the_same_whether_its_batch_has_gaps_or_not():
    # A batch of integers with a gap comes as floats, or as the nullable integers of pandas.
    kinds = [
        np.array([5, 2**60]), np.array([5.0, np.nan]), pd.array([5, None], dtype="Int64"),
        np.array([5, 2**60], dtype=np.uint64), pd.array([5, 2**60], dtype="UInt64"),
    ]  # fmt: skip
    first = [row_keys(pd.DataFrame({"k": kind}), ["k"])[0][:, 0].tolist() for kind in kinds]
    assert all(key == first[0] for key in first)
    several = pd.DataFrame({"x": [1, 1, 2, 1], "y": ["a", "b", "a", "a"]})
    keys = list(row_keys(several, ["x", "y"])[0])
    assert sorted(repeats(keys, key_order(keys), keep_first=False)) == [0, 3]
    keys, known = row_keys(pd.DataFrame({"k": [0.5, -0.5, np.inf, np.nan]}), ["k"])
    assert known.tolist() == [True, True, True, False]
    assert len(set(map(tuple, keys.T[known]))) == 3


N_LABELS, N_PHOTOMETRY = 37, 90


@pytest.fixture(scope="module")
def catalogues(tmp_path_factory):
    """Labels, photometry and a match on the disk."""
    draw, folder = np.random.default_rng(4), tmp_path_factory.mktemp("catalogues")
    labels = pd.DataFrame({
        "object_id": np.arange(N_LABELS), "ra": 1.0, "dec": 2.0,
        "z_true": draw.uniform(0, 1, N_LABELS).astype(np.float32),
        "z_true_kind": pd.array(["spec"] * N_LABELS, dtype="str"),
        "name": pd.array([f"s{i % 30}" for i in range(N_LABELS)], dtype="str"),
        "many": pd.array([None if i % 5 == 0 else 2**60 + i for i in range(N_LABELS)],
                         dtype="Int64"),
    })  # fmt: skip
    bands = {}
    for band in "gr":
        bands[f"mag_{band}"] = draw.uniform(15, 25, N_PHOTOMETRY).astype(np.float32)
        bands[f"mag_limit_{band}"] = np.full(N_PHOTOMETRY, 26, dtype=np.float32)
        bands[f"extinction_{band}"] = draw.uniform(0, 1, N_PHOTOMETRY).astype(np.float32)
    photometry = pd.DataFrame({
        "object_id": np.arange(N_PHOTOMETRY) + 2**60, "ra": 3.0, "dec": 4.0, **bands,
        "flag": draw.random(N_PHOTOMETRY) < 0.8, "z_true": np.float32(7.0),
    })  # fmt: skip
    pairs = pd.DataFrame({
        LEFT: np.arange(N_LABELS), RIGHT: draw.permutation(N_PHOTOMETRY)[:N_LABELS],
        SEPARATION: draw.uniform(0, 1, N_LABELS),
    })  # fmt: skip
    tables = {"labels": labels, "photometry": photometry, "match": pairs}
    files = {}
    for name, table in tables.items():
        files[name] = folder / f"{name}.parquet"
        write_standard(table, files[name])
    return tables, files, folder


SAMPLE = {
    "name": "toy", "deredden": True,
    "cuts": [
        {"name": "bright", "keep": "mag_r < 24"},
        {"name": "a name once", "duplicates": "keep_first", "of": "name"},
        {"name": "flag", "keep": "flag"},
        {"name": "redshift", "keep": "z_true < 0.9"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("matched", [True, False])
def test_a_written_sample_is_the_one_in_memory_for_any_batches(catalogues, matched, monkeypatch):
    monkeypatch.setattr("zladder.catalogs.select._PAIRS", 11)
    tables, files, folder = catalogues
    settings_ = SAMPLE if matched else SAMPLE | {"cuts": SAMPLE["cuts"][:1] + SAMPLE["cuts"][2:3]}
    pairs = tables["match"] if matched else None
    expected, flow = select_sample(
        tables["labels"], tables["photometry"], pairs, settings_, files["photometry"]
    )
    written = set()
    for batch_rows in (1, 10, 10**6):
        path = folder / f"sample-{matched}-{batch_rows}.parquet"
        found, n_in = write_sample(
            files["labels"], files["photometry"], files["match"] if matched else None,
            settings_, path, batch_rows,
        )  # fmt: skip
        pd.testing.assert_frame_equal(found, flow)
        assert n_in == (N_LABELS if matched else N_PHOTOMETRY)
        written.add(path.read_bytes())
    assert len(written) == 1
    frame = read_table(path)
    pd.testing.assert_frame_equal(frame, expected)
    right = tables["match"][RIGHT] if matched else np.arange(N_PHOTOMETRY)
    seen = tables["photometry"].iloc[right].set_index("object_id").loc[frame["object_id"]]
    np.testing.assert_allclose(
        frame["mag_limit_g"], seen["mag_limit_g"] - seen["extinction_g"], rtol=1e-6
    )


def test_a_sample_without_cuts_is_all_of_it(catalogues):
    _, files, folder = catalogues
    path = folder / "all.parquet"
    flow, n_in = write_sample(
        files["photometry"], files["photometry"], None,
        {"name": "toy", "deredden": False, "cuts": []}, path,
    )  # fmt: skip
    assert flow.empty
    assert (n_in, len(read_table(path))) == (N_PHOTOMETRY, N_PHOTOMETRY)


def test_a_galaxy_that_stands_twice_in_a_sample_is_refused(catalogues):
    tables, files, folder = catalogues
    pairs = tables["match"].assign(**{RIGHT: 5})
    twice = folder / "twice.parquet"
    write_standard(pairs, twice)
    settings_ = {"name": "toy", "deredden": False, "cuts": []}
    with pytest.raises(BadInput) as caught:
        write_sample(files["labels"], files["photometry"], twice, settings_, folder / "no.parquet")
    error = caught.value
    assert (error.place, error.expected) == (
        f"object_id {2**60 + 5}", "every galaxy once in the sample",
    )  # fmt: skip
    assert "duplicates: drop_all" in error.hint


def failure(cut):
    with pytest.raises(BadInput) as caught:
        apply_cuts(frame_of([]), [cut], "t")
    return caught.value


def test_a_step_of_duplicates_must_say_which_and_what(catalogues):
    error = failure({"name": "x", "duplicates": "drop_all"})
    assert (error.place, error.found) == ("cut 'x'", "no 'of'")
    error = failure({"name": "x", "duplicates": "keep_last", "of": "key"})
    assert (error.place, error.found) == ("cut 'x', duplicates", "'keep_last'")
    error = failure({"name": "x", "duplicates": "drop_all", "of": "kee"})
    assert (error.place, error.hint) == ("cut 'x', column 'kee'", "did you mean 'key'?")
    _, flow = apply_cuts(
        frame_of([]), [{"name": "x", "duplicates": "keep_first", "of": "key"}], "t"
    )
    assert flow["description"].tolist() == ["the first row of each key"]
