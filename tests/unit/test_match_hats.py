"""LSDB on a small HATS catalogue, with two workers: the same pairs and the same quality.

Skipped where LSDB is not installed: it is the extra `cluster-match`, beside 40 packages of its own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

lsdb = pytest.importorskip(
    "lsdb", reason="LSDB is not installed: pip install 'zladder[cluster-match]'"
)

from tests.unit.match_skies import ARCSEC  # noqa: E402
from zladder.catalogs.match_hats import ROW, match_hats  # noqa: E402
from zladder.catalogs.match_read import Side  # noqa: E402
from zladder.catalogs.matching import match_files  # noqa: E402
from zladder.provenance.errors import BadInput  # noqa: E402

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # of libraries that only this extra brings
]
MODES = [("nearest", False), ("nearest", True), ("mutual", False), ("all", False)]


def patches(rng, n, scatter):
    """Return positions in patches: at a pole, over ra = 0, over corners of HEALPix cells."""
    centres = [(0.0, 0.0), (45.0, 0.0), (30.0, 89.9), (200.0, -41.8103149), (135.0, 41.8103149)]
    ra0, dec0 = np.array(centres)[rng.integers(0, len(centres), n)].T
    dec = dec0 + rng.normal(0, scatter, n)
    dec = np.where(dec > 90, 180 - dec, dec)
    return (ra0 + rng.normal(0, scatter, n) / np.cos(np.deg2rad(dec0))) % 360, dec


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two tables of 4,000 and 9,000 rows, as Parquet and as HATS in many partitions."""
    folder, rng = tmp_path_factory.mktemp("hats"), np.random.default_rng(2)
    ra, dec = patches(rng, 4000, 0.2)
    more_ra, more_dec = patches(rng, 6000, 0.2)
    near = rng.permutation(4000)[:3000]
    frames = {
        "left": pd.DataFrame({"ra": ra, "dec": dec}),
        "right": pd.DataFrame({
            "ra": np.append(ra[near], more_ra), "dec": np.append(dec[near], more_dec),
        }),
    }  # fmt: skip
    frames["right"]["dec"] = (frames["right"]["dec"] + rng.normal(0, ARCSEC, 9000)).clip(-90, 90)
    sides = {}
    for name, frame in frames.items():
        frame["e"], frame["mag"] = rng.uniform(0.5, 1, len(frame)), rng.uniform(18, 24, len(frame))
        frame[ROW] = np.arange(len(frame))
        frame.to_parquet(folder / f"{name}.parquet")
        catalog = lsdb.from_dataframe(frame, partition_rows=400, highest_order=9,
                                      margin_threshold=60.0, catalog_name=name)  # fmt: skip
        assert catalog.npartitions > 10
        catalog.to_hats(folder / name, catalog_name=name, progress_bar=False)
        words = {"error": "e", "magnitude": "mag"}
        sides[name] = (Side(folder / f"{name}.parquet", **words),
                       Side(folder / name / "collection.properties", **words))  # fmt: skip
    return sides


@pytest.mark.parametrize(("mode", "one_to_one"), MODES)
def test_two_workers_find_the_same_pairs(world, mode, one_to_one):
    plain, hats = zip(world["left"], world["right"], strict=True)
    ours, quality = match_files(*plain, 5.0, mode, one_to_one=one_to_one)
    theirs, their_quality = match_hats(*hats, 5.0, mode, one_to_one=one_to_one, n_workers=2)
    assert len(ours) > 2000
    pd.testing.assert_frame_equal(ours, theirs)
    assert their_quality["counts"] == quality["counts"]
    assert their_quality["completeness"] == quality["completeness"]
    assert their_quality["false"] == pytest.approx(quality["false"], rel=1e-9)


def test_lsdbs_own_matcher_finds_the_same_nearest(world):
    """Its k-d tree is the reference here: nearest neighbours only."""
    plain, hats = zip(world["left"], world["right"], strict=True)
    ours, _ = match_files(*plain, 5.0)
    left, right = (lsdb.open_catalog(side.file.parent) for side in hats)
    found = left.crossmatch(right, radius_arcsec=5.0, suffixes=("_l", "_r"),
                            suffix_method="all_columns").compute()  # fmt: skip
    found = found.sort_values(f"{ROW}_l")
    np.testing.assert_array_equal(found[f"{ROW}_l"].to_numpy(int), ours["left_index"])
    np.testing.assert_array_equal(found[f"{ROW}_r"].to_numpy(int), ours["right_index"])
    np.testing.assert_allclose(found["_dist_arcsec"].to_numpy(float), ours["separation_arcsec"],
                               rtol=1e-6, atol=1e-8)  # fmt: skip


def test_what_a_hats_catalogue_must_have(world):
    left, right = world["left"][1], world["right"][1]
    folder = right.file.parent
    for side, radius, place in (
        (right, 5.5, "margin"),  # 60 arcsec are no eleven radii
        (Side(right.file, error="f"), 1.0, "column 'f'"),
        (Side(right.file, keep="mag < 20"), 1.0, "options"),
        (Side(folder / "hats.properties"), 1.0, "file"),
        (right, 0.0, "radius-arcsec"),
    ):
        with pytest.raises(BadInput) as caught:
            match_hats(left, side, radius)
        assert caught.value.place == place


def test_the_command_line_takes_it(world, tmp_path):
    import crossmatch

    left, right = world["left"][1].file, world["right"][1].file
    output = tmp_path / "m.parquet"
    assert crossmatch.main(["--left", str(left), "--right", str(right), "--radius-arcsec", "5",
                            "--output", str(output), "--engine", "hats"]) == 0  # fmt: skip
    ours, _ = match_files(*(Side(world[name][0].file) for name in world), 5.0)
    assert pq.read_table(output).num_rows == len(ours)
