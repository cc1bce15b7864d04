"""A galaxy of several label sets is kept once: its spectroscopic copy, else the one named first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zladder.datasets.copies import without_copies
from zladder.provenance.errors import BadInput

ARCSEC = 1 / 3600


def galaxies(**columns):
    frame = pd.DataFrame(columns)
    return frame.assign(z_true=np.arange(len(frame)) / 10)


def kept(frame, radius=1.0, **photometry):
    return without_copies(frame, photometry, radius, "samples/a.parquet")


def test_the_spectroscopic_copy_wins_whatever_is_named_first():
    frame = galaxies(
        object_id=[1, 2, 3, 2, 3, 4], sample=["photo"] * 3 + ["spec"] * 3,
        z_true_kind=["photo"] * 3 + ["spec"] * 3,
    )  # fmt: skip
    joined, counts = kept(frame, photo="hsc", spec="hsc")
    assert joined["object_id"].tolist() == [1, 2, 3, 4]
    assert joined["sample"].tolist() == ["photo", "spec", "spec", "spec"]
    assert counts == {
        "n_copies_dropped": 2, "n_copies_by_id": 2, "n_copies_by_place": 0,
        "n_copies_of": {"photo": 2, "spec": 0},
    }  # fmt: skip


def test_among_labels_of_one_kind_the_sample_named_first_wins():
    frame = galaxies(object_id=[1, 2, 1, 2], sample=["b", "b", "a", "a"], z_true_kind=["spec"] * 4)
    joined, _ = kept(frame, b="hsc", a="hsc")
    assert joined["sample"].tolist() == ["b", "b"]
    joined, _ = kept(frame.drop(columns="z_true_kind"), b="hsc", a="hsc")
    assert joined["sample"].tolist() == ["b", "b"]


def placed(samples, **more):
    """The same two places, 0.6 arcsec apart, in each sample, under other identifiers."""
    n = len(samples)
    frame = galaxies(
        object_id=np.arange(2 * n), sample=np.repeat(samples, 2),
        ra=np.tile([359.99999, 359.99999 + 0.6 * ARCSEC], n) % 360, dec=np.zeros(2 * n),
    )  # fmt: skip
    return frame.assign(**more)


def test_one_galaxy_under_two_identifiers_is_found_by_its_place():
    frame = placed(["photo", "spec"], z_true_kind=["photo", "photo", "spec", "spec"])
    joined, counts = kept(frame, radius=0.5, photo="cosmos", spec="sdss")
    assert joined["sample"].tolist() == ["spec", "spec"]
    assert counts["n_copies_by_place"] == counts["n_copies_of"]["photo"] == 2
    # Two objects of one survey near each other are two galaxies, also within the radius.
    joined, counts = kept(frame, radius=1.0, photo="cosmos", spec="sdss")
    assert joined["sample"].tolist() == ["spec", "spec"]
    joined, counts = kept(frame, radius=1.0, photo="sdss", spec="sdss")
    assert (len(joined), counts["n_copies_dropped"]) == (4, 0)
    joined, counts = kept(frame.assign(dec=[0, 0, 1, 1]), photo="cosmos", spec="sdss")
    assert (len(joined), counts["n_copies_dropped"]) == (4, 0)


def test_a_dropped_copy_drops_nobody():
    # a and b are copies, b and c are, a and c are not: b goes, c stays.
    frame = galaxies(
        object_id=[1, 2, 3], sample=["one", "two", "three"], ra=[10.0] * 3,
        dec=np.array([0.0, 0.8, 1.6]) * ARCSEC,
    )  # fmt: skip
    joined, counts = kept(frame, one="x", two="y", three="z")
    assert joined["sample"].tolist() == ["one", "three"]
    assert counts["n_copies_of"] == {"one": 0, "two": 1, "three": 0}


def test_one_identifier_for_two_places_is_refused():
    frame = galaxies(
        object_id=[7, 8, 7], sample=["a", "a", "b"], ra=[10.0, 11.0, 10.0], dec=[0.0, 0.0, 1.0]
    )
    with pytest.raises(BadInput) as caught:
        kept(frame, a="one", b="two")
    error = caught.value
    assert (error.file, error.place) == ("samples/a.parquet", "object_id 7")
    assert error.expected == "one place for one identifier"
    assert error.found == "one in one, one in two, 3600.0 arcsec apart (1 such)"
    assert "from: content" in error.hint


def test_two_surveys_that_number_alike_are_not_merged_without_positions():
    frame = galaxies(object_id=[7, 8, 9, 8, 7], sample=["a"] * 3 + ["b"] * 2)
    with pytest.raises(BadInput) as caught:
        kept(frame, a="one", b="two")
    error = caught.value
    assert (error.file, error.place) == ("samples/a.parquet", "object_id 8")
    assert error.found == "one in one, another in two, with other numbers (2 such)"
    assert "map ra and dec" in error.hint
    joined, counts = kept(frame, a="one", b="one")  # one survey: its own identifiers
    assert (len(joined), counts["n_copies_by_id"]) == (3, 2)
    apart = frame.assign(object_id=[7, 8, 9, 18, 17])
    assert len(kept(apart, a="one", b="two")[0]) == 5


def test_identifiers_made_of_content_find_copies_without_positions():
    """The same numbers in two surveys, one that is missing among them, are the same galaxy."""
    frame = galaxies(object_id=[7, 8, 9, 8], sample=["a"] * 3 + ["b"])
    frame = frame.assign(z_true=[0.1, 0.2, 0.3, 0.2], mag_g=[20.0, np.nan, 21.0, np.nan])
    joined, counts = kept(frame, a="one", b="two")
    assert (len(joined), counts["n_copies_by_id"]) == (3, 1)
    with pytest.raises(BadInput):
        kept(frame.assign(mag_g=[20.0, np.nan, 21.0, 20.0]), a="one", b="two")


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["spec", "photo"]), st.sampled_from(["a", "b", "c"]),
            st.integers(0, 40),
        ),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_copies_are_those_of_a_plain_reading_of_the_rule(rows):
    """On a line, in steps of 0.3 arcsec: better rows first, dropped if a kept one is near."""
    surveys = {"a": "x", "b": "y", "c": "y"}
    rows = sorted(rows, key=lambda row: row[1])
    frame = galaxies(
        object_id=np.arange(len(rows)), sample=[s for _, s, _ in rows], ra=[120.0] * len(rows),
        dec=[0.3 * place * ARCSEC for _, _, place in rows], z_true_kind=[k for k, _, _ in rows],
    )  # fmt: skip
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0] != "spec", i))
    stay: list[int] = []
    for i in order:
        near = [
            j for j in stay
            if surveys[rows[j][1]] != surveys[rows[i][1]]
            and abs(rows[i][2] - rows[j][2]) <= 3  # 0.9 arcsec
        ]  # fmt: skip
        if not near:
            stay.append(i)
    joined, counts = kept(frame, radius=1.0, **surveys)
    assert joined["object_id"].tolist() == sorted(stay)
    assert counts["n_copies_dropped"] == len(rows) - len(stay)
