"""No two galaxies near each other are in two splits, wherever they are on the sky."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import toys
from zladder.datasets.build import build_dataset
from zladder.datasets.pairs import without_pairs_across
from zladder.datasets.splits import SPLITS
from zladder.tables.sky_cells import healpix_index

ARCSEC = 1 / 3600
SETTINGS = {
    "splits": {"train": 0.4, "validation": 0.2, "calibration": 0.1, "test": 0.3},
    "sky_cell_order": 13,
    "duplicate_radius_arcsec": 1.0,
    "label_draws": 1,
    "photometry": {"one": "deep"},
}
CENTRES = ((0.0, 0.0), (359.9999, 12.0), (77.0, 89.9995), (200.0, -89.9999), (45.0, 41.81))


def crowd(centre: tuple[float, float], n: int, seed: int, spread_arcsec: float) -> pd.DataFrame:
    """Galaxies around a place in groups of three or so."""
    draw = np.random.default_rng(seed)
    middle = SkyCoord(*centre, unit="deg")
    away = spread_arcsec * np.sqrt(draw.uniform(0, 1, (n + 2) // 3)) * units.arcsec
    hosts = middle.directional_offset_by(draw.uniform(0, 360, len(away)) * units.deg, away)
    near = hosts[np.arange(n) // 3].directional_offset_by(
        draw.uniform(0, 360, n) * units.deg, draw.exponential(2.0, n) * units.arcsec
    )
    galaxies = toys.galaxies(n, seed)
    return galaxies.assign(part="all", ra=near.ra.deg % 360, dec=near.dec.deg)


def separations(frame: pd.DataFrame) -> np.ndarray:
    """Return all separations in arcsec, by astropy, (n, n)."""
    places = SkyCoord(frame["ra"].to_numpy(), frame["dec"].to_numpy(), unit="deg")
    return places[:, None].separation(places[None, :]).arcsec


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(CENTRES), st.integers(2, 60), st.integers(0, 10**6), st.floats(0.1, 20))
def test_no_close_pair_is_in_two_splits_and_only_their_lesser_half_is_dropped(
    centre, n, seed, radius
):
    frame = crowd(centre, n, seed, 60.0)
    frame["split"] = np.random.default_rng(seed).choice(SPLITS, n)
    kept, counts = without_pairs_across(frame, radius)
    place = frame["split"].map(SPLITS.index).to_numpy()
    apart, later = separations(frame), place[:, None] < place[None, :]
    for limit, holds in ((radius - 1e-6, np.less_equal), (radius + 1e-6, np.greater_equal)):
        expected = (later & (apart <= limit)).any(axis=1)
        dropped = ~frame["object_id"].isin(kept["object_id"]).to_numpy()
        assert holds(expected, dropped).all()  # between what is surely and what may be near
    names = kept["split"].to_numpy()
    assert not ((names[:, None] != names[None, :]) & (separations(kept) < radius - 1e-6)).any()
    assert (kept["split"] == "test").sum() == (frame["split"] == "test").sum()
    assert sum(counts["n_paired_dropped"].values()) == n - len(kept)
    assert counts["n_pairs_across"] >= n - len(kept)


@pytest.mark.parametrize("centre", CENTRES)
def test_a_dataset_has_no_close_pair_across_splits(centre):
    """Groups over many cells of 26 arcsec; cells alone would not do."""
    frame = crowd(centre, 600, 5, 600.0)
    dataset, counts = build_dataset(
        {"one": frame}, SETTINGS | {"pair_radius_arcsec": 3.0}, {}, 1, "a"
    )
    names, apart = dataset["split"].to_numpy(), separations(dataset)
    across = names[:, None] != names[None, :]
    assert not (across & (apart <= 3.0)).any()
    dropped = sum(counts["n_paired_dropped"].values())
    assert counts["n_out"] + dropped + counts["n_copies_dropped"] == 600
    assert dropped > 10
    whole, _ = build_dataset({"one": frame}, SETTINGS | {"pair_radius_arcsec": 0.0}, {}, 1, "a")
    names = whole["split"].to_numpy()
    assert ((names[:, None] != names[None, :]) & (separations(whole) <= 3.0)).any()
    both = dataset.merge(whole, on="object_id", suffixes=("", "_whole"))
    assert (both["split"] == both["split_whole"]).all()  # nobody changes its split


def test_a_pair_astride_a_border_loses_its_training_galaxy():
    ra = 10.0 + np.arange(0, 4000) * ARCSEC
    cell = healpix_index(ra, np.zeros(4000), 13)
    border = int(np.flatnonzero(np.diff(cell))[0])
    frame = pd.DataFrame({"object_id": [1, 2, 3], "ra": ra[[border, border + 1, border + 9]],
                          "dec": 0.0, "split": ["train", "validation", "validation"]})  # fmt: skip
    kept, counts = without_pairs_across(frame, 3.0)
    assert kept["object_id"].tolist() == [2, 3]
    assert counts["n_pairs_across"] == counts["n_paired_dropped"]["train"] == 1
    alone, counts = without_pairs_across(frame.drop(columns=["ra", "dec"]), 3.0)
    assert (len(alone), counts["n_pairs_across"]) == (3, 0)


def test_splits_drawn_by_galaxy_keep_their_pairs_and_count_them():
    frame = crowd((0.0, 0.0), 600, 5, 600.0)
    settings_ = SETTINGS | {"pair_radius_arcsec": 3.0, "conventions": ["by_galaxy"]}
    dataset, counts = build_dataset({"one": frame}, settings_, {}, 1, "a")
    assert len(dataset) == 600
    names = dataset["split"].to_numpy()
    across = (names[:, None] != names[None, :]) & (separations(dataset) <= 3.0)
    assert counts["n_pairs_across"] == across.sum() // 2 > 100
    bare, _ = build_dataset(
        {"one": frame.drop(columns=["ra", "dec"])}, settings_, {}, 1, "a"
    )  # as where there are no positions
    assert (bare["split"].to_numpy() == names).all()
