"""What leaves its frame comes from the neighbouring one, pixel for pixel, or is listed as lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from stamp_sky import BANDS, KEY, SETTINGS, SHAPE, galaxies, noise, path_of, write_frame

from zladder.cutouts.cut import cut_stamps
from zladder.tables.stamp_files import flag_value, stamp_column, stamp_datasets

NEXT = (KEY[0], KEY[1], KEY[2] + 1)
HEIGHT = 260  # of the strip that both fields are cut out of
NEIGHBOUR, MOSAICKED = flag_value("neighbour"), flag_value("mosaicked")
# Near the last row of the first field, which has 128: inside it, over its edge, over it by little.
PLACES = np.array([[60.3, 70.2], [70.4, 118.6], [81.2, 112.9]])


def write_strip(root, overlap: int, **shifts: float) -> dict[str, np.ndarray]:
    """Write two fields of one strip that share some rows; shifts: of the second one's grid."""
    strips = {}
    for index, band in enumerate(BANDS):
        strip = strips[band] = noise(index, (HEIGHT, SHAPE[1]))
        start = SHAPE[0] - overlap
        write_frame(root, band, strip[: SHAPE[0]])
        x, y = _middle(band)
        x, y = x + shifts.get("x", 0.0), y - start + shifts.get("y", 0.0)
        write_frame(root, band, strip[start : start + SHAPE[0]], NEXT, CRPIX1=x, CRPIX2=y)
    return strips


def _middle(band: str) -> tuple[float, float]:
    index = BANDS.index(band)
    return 81.0 + 2.37 * index, 63.0 - 1.81 * index


class Cut:
    """Frames in a folder, and what cutting galaxies out of them gives."""

    def __init__(self, folder):
        self.root, self.folder = folder / "frames", folder
        self.losses = folder / "losses.csv"

    def __call__(self, sample, shard=0, indexes=(), **settings):
        sample.to_parquet(self.folder / "sample.parquet")
        wanted = SETTINGS | {"n_shards": 1, "max_lost_fraction": 1.0} | settings
        return cut_stamps(self.folder / "sample.parquet", self.root, shard, wanted,
                          self.folder / "0.h5", self.losses, indexes)  # fmt: skip

    def __getitem__(self, name):
        return stamp_column(self.folder / "0.h5", name)

    def all(self) -> dict[str, np.ndarray]:
        return {name: self[name] for name in stamp_datasets(5, 40)}


@pytest.fixture
def cut(tmp_path):
    return Cut(tmp_path)


@pytest.fixture
def whole(tmp_path):
    """The strip as one frame: what stamps across the edge must be."""
    (tmp_path / "whole").mkdir()
    return Cut(tmp_path / "whole")


@pytest.mark.parametrize("grid", ["frame", "sky"])
@pytest.mark.parametrize(
    ("overlap", "flag"), [(90, NEIGHBOUR), (12, MOSAICKED)]
)  # of turned stamps, 57 pixels across
def test_stamps_across_an_edge_are_those_of_one_frame(cut, whole, grid, overlap, flag):
    strips = write_strip(cut.root, overlap)
    for band in BANDS:
        write_frame(whole.root, band, strips[band])
    counts = cut(galaxies(PLACES), grid=grid)
    assert (counts["n_out"], whole(galaxies(PLACES), grid=grid)["n_out"]) == (3, 3)
    assert cut.losses.read_text().count("\n") == 1
    if grid == "frame":
        assert cut["flux"].tobytes() == whole["flux"].tobytes()
    else:
        np.testing.assert_allclose(cut["flux"], whole["flux"], atol=1e-6)
    np.testing.assert_allclose(cut["offset_pixels"], whole["offset_pixels"], atol=1e-4)
    assert (cut["flags"][0] == 0).all()
    assert (cut["flags"][1] == flag).all()
    named = {NEIGHBOUR: "neighbour", MOSAICKED: "mosaicked"}[flag]
    assert counts["n_flagged"][named] >= 1
    assert (whole["flags"] == 0).all()


def test_stamps_of_wider_pixels_reach_as_far_across_an_edge(cut, whole):
    strips = write_strip(cut.root, 12)
    for band in BANDS:
        write_frame(whole.root, band, strips[band])
    wide = {"grid": "sky", "grid_scale_arcsec": 0.58, "stamp_pixels": 27}  # 39.5 of the frame's
    sample = galaxies(np.vstack([PLACES, [[75.1, 100.0]]]))
    assert (cut(sample, **wide)["n_out"], whole(sample, **wide)["n_out"]) == (4, 4)
    np.testing.assert_allclose(cut["flux"], whole["flux"], atol=1e-6)
    assert (cut["flags"][1:3] == MOSAICKED).all()
    assert (cut["flags"][3, :3] == MOSAICKED).all()  # i and z lie lower


@pytest.mark.parametrize(("edge", "overlap", "n_out"), [
    ("lose", 90, 1), ("neighbour", 12, 1), ("neighbour", 90, 3), ("mosaic", 12, 3),
])  # fmt: skip
def test_the_setting_says_how_far_to_go(cut, edge, overlap, n_out):
    write_strip(cut.root, overlap)
    counts = cut(galaxies(PLACES), edge=edge)
    assert counts["n_out"] == n_out
    assert counts["n_lost"]["edge"] == 3 - n_out


@pytest.mark.parametrize("shift", [{"y": 0.03}, {"x": -0.4}])
def test_whole_pixels_of_two_grids_are_not_put_together(cut, shift):
    write_strip(cut.root, 12, **shift)
    counts = cut(galaxies(PLACES))
    assert (counts["n_out"], counts["n_lost"]["edge"]) == (1, 2)
    losses = pd.read_csv(cut.losses)
    assert losses["reason"].str.contains("does not hold the rest").all()
    assert cut(galaxies(PLACES), grid="sky")["n_out"] == 3  # there each has its own way


def test_a_gap_between_the_frames_loses(cut):
    write_strip(cut.root, -8)
    for grid in ("frame", "sky"):
        assert cut(galaxies(PLACES), grid=grid)["n_lost"]["edge"] == 2
        assert np.isfinite(cut["flux"]).all()
    np.testing.assert_array_equal(cut["object_id"], [1000])


def test_a_neighbour_that_is_not_there_is_said_and_no_excuse(cut, tmp_path):
    write_strip(cut.root, 90)
    index = pd.DataFrame({"run": 756, "camcol": 2, "field": [14, 15], "state": ["here", "missing"]})
    index.to_parquet(tmp_path / "index.parquet")
    told = []
    for prepare in (
        lambda: None,
        lambda: path_of(cut.root, "r", NEXT).write_bytes(b"SIMPLE"),
        lambda: path_of(cut.root, "r", NEXT).unlink(),
    ):
        prepare()
        indexes = [tmp_path / "index.parquet"] if not told else []
        counts = cut(galaxies(PLACES), indexes=indexes)
        assert (counts["n_out"], counts["n_lost"]["edge"]) == (1, 2)
        told.append(pd.read_csv(cut.losses)["reason"].iloc[0])
    told_of = "; the neighbouring field 15 has no frame here"
    why = "; one is fetched where the archive has it and rowc_BAND asks for it"
    assert told[0].endswith(told_of + why)
    assert f"; {path_of(cut.root, 'r', NEXT)}: file: expected a whole FITS file" in told[1]
    assert told[2].endswith(told_of)  # a folder: nothing is fetched


def test_a_galaxy_far_from_both_frames_stays_outside(cut):
    write_strip(cut.root, 90)
    places = np.array([[60.0, 128 + 200.0], [60.0, -45.0], [1e4, 120.0], [150.0, 120.0]])
    sample = galaxies(places)
    sample.loc[2, ["ra", "dec"]] = [1.3, -12.7]
    for grid in ("frame", "sky"):
        counts = cut(sample, grid=grid)
        assert (counts["n_out"], counts["n_lost"]["outside"]) == (0, 3)
        assert counts["n_lost"]["edge"] == 1  # the last leaves both by a column


@pytest.mark.parametrize("grid", ["frame", "sky"])
def test_one_shard_and_eight_hold_the_same(cut, grid):
    write_strip(cut.root, 90)
    far = (KEY[0], 3, 40)
    for index, band in enumerate(BANDS):
        write_frame(cut.root, band, noise(70 + index), far)
    rising = galaxies(np.array([[70.0, 64.0], [60.0, 60.0]]), far, first_id=1)
    sample = pd.concat([galaxies(PLACES), rising], ignore_index=True)
    sample.loc[2, ["field"]] = NEXT[2]  # in the second field it lies near the first row
    tables = []
    for number, (key, n) in enumerate(((KEY, 1), (NEXT, 1), (far, 1))):
        path = cut.folder / f"index{number}.parquet"
        pd.DataFrame([key] * n, columns=["run", "camcol", "field"]).to_parquet(path)
        tables.append(path)
    assert cut(sample, indexes=tables, grid=grid)["n_out"] == 5
    single, parts = cut.all(), []
    for shard in range(8):
        near = [path for path, key in zip(tables, (KEY, NEXT, far), strict=True)
                if (key[2] - shard) % 8 in (0, 1, 7)]  # fmt: skip
        cut(sample, shard, near, grid=grid, n_shards=8)
        parts.append(cut.all())
    order = np.argsort(single["object_id"])
    joined = {name: np.concatenate([part[name] for part in parts]) for name in single}
    again = np.argsort(joined["object_id"])
    for name, values in single.items():
        assert joined[name][again].tobytes() == values[order].tobytes(), name
    assert (single["flags"] & NEIGHBOUR).any()
