"""Galaxies that lie in no image are judged with the whole sample, whichever shard lists them."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from deep_files import CFHTLS, CFHTLS_BANDS, catalogue, counts, write_tile
from hypothesis import given
from hypothesis import strategies as st

from tests import published_files as files
from zladder.cutouts import convert, cut
from zladder.cutouts.allowed import Judged
from zladder.cutouts.convert import convert_images
from zladder.cutouts.cut import cut_stamps
from zladder.provenance.errors import BadInput, PassingBadInput

N_SHARDS = 8
N_NOWHERE = 3
SHARDS = st.lists(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=1, max_size=12,
)  # fmt: skip


@given(SHARDS, st.integers(0, 30))
def test_a_sample_loses_no_more_than_its_worst_shard_is_judged_by(shards, n_nowhere):
    """Shards of (own galaxies, those of them that are lost); those in no image lie anywhere."""
    n_sample = sum(own for own, _ in shards) + n_nowhere
    n_lost = sum(lost for _, lost in shards) + n_nowhere
    left = n_nowhere
    judged = []
    for own, lost in shards:
        dealt, left = left // 2, left - left // 2
        judged.append(Judged(n_sample, n_nowhere, own, dealt).lost_fraction(dealt + lost))
        assert judged[-1] >= n_nowhere / max(n_sample, 1)
    assert max(judged) >= n_lost / max(n_sample, 1) - 1e-12
    if len(shards) == 1:
        assert judged[0] == n_lost / max(n_sample, 1)


class Stage:
    """A sample of which three galaxies lie in no image, more shards than have any image."""

    def __init__(self, folder):
        self.folder, self.listed = folder, folder / "log.losses.csv"
        self.stamps, self.losses = folder / "0.h5", folder / "0.csv"

    def outputs(self, n_shards: int, limit: float) -> tuple[dict, list, list[dict]]:
        """Return the pixels and the losses of all shards, and each one's counts."""
        stamps, lost, told = {}, [], []
        for shard in range(n_shards):
            told.append(self(shard, n_shards, limit))
            with h5py.File(self.stamps) as file:
                ids, flux = (file[name][()] for name in ("object_id", "flux"))
            stamps |= {one: row.tobytes() for one, row in zip(ids.tolist(), flux, strict=True)}
            losses = pd.read_csv(self.losses)
            lost += zip(losses["object_id"], losses["reason"], strict=True)
            assert told[-1]["n_in"] == len(ids) + len(losses)
            assert (told[-1]["n_out"], sum(told[-1]["n_lost"].values())) == (len(ids), len(losses))
            assert not self.listed.exists()
        return stamps, sorted(lost), told

    def refused(self, shard: int, limit: float) -> BadInput:
        with pytest.raises(BadInput) as caught:
            self(shard, N_SHARDS, limit)
        assert not self.stamps.exists()
        return caught.value


class Published(Stage):
    """Thirty images in two rows of chunks."""

    kind, n_own, reading = "no_image", (15, 15), (convert, "layout_rows")

    def __init__(self, folder):
        super().__init__(folder)
        self.columns = files.sdss_columns()
        ids = np.append(np.sort(files.ids()), files.FIRST_ID + 1000 + np.arange(N_NOWHERE))
        self.sample = files.sample_of(folder / "sample.parquet", ids)

    def __call__(self, shard, n_shards, limit):
        path = files.write(self.folder / "images.h5", self.columns, (15, 5, 15, 15))
        settings = files.SDSS | {"n_shards": n_shards, "max_lost_fraction": limit}
        to = (self.stamps, self.losses, self.listed)
        return convert_images(self.sample, [path], shard, settings, *to)

    def spoil(self, n):
        self.columns["images"][:n, 2, 7, 7] = np.nan


class Tiles(Stage):
    """Thirty galaxies in two tiles."""

    kind, n_own, reading = "outside", (15, 15), (cut, "cut_field")

    def __init__(self, folder):
        super().__init__(folder)
        self.root, self.sample = folder / "tiles", folder / "sample.parquet"
        places = np.random.default_rng(2).uniform(22, 76, (15, 2))
        parts = []
        for number, ra in enumerate((35.5, 36.5)):
            for band in CFHTLS_BANDS:
                path = self.root / f"CFHTLS_W_{band}_{number}_T0007_MEDIAN.fits"
                write_tile(path, counts((98, 98), number), band, (ra, -4.5))
            parts.append(catalogue(path, 0, places, CFHTLS_BANDS, 1000 + 15 * number))
        off = parts[0].iloc[:N_NOWHERE].assign(ra=38.0, object_id=2000 + np.arange(N_NOWHERE))
        pd.concat([*parts, off]).to_parquet(self.sample)

    def __call__(self, shard, n_shards, limit):
        settings = CFHTLS | {"n_shards": n_shards, "max_lost_fraction": limit, "edge": "lose"}
        to = (self.stamps, self.losses, (), self.listed)
        return cut_stamps(self.sample, self.root, shard, settings, *to)

    def spoil(self, n):
        """Move some of the first tile's galaxies to its edge."""
        table = pd.read_parquet(self.sample)
        path = self.root / "CFHTLS_W_u_0_T0007_MEDIAN.fits"
        edge = catalogue(path, 0, [[50.0, 1.0]] * n, CFHTLS_BANDS)
        for name in ("ra", "dec"):
            table.iloc[:n, table.columns.get_loc(name)] = edge[name].to_numpy()
        table.to_parquet(self.sample)


@pytest.fixture(params=[Published, Tiles])
def stage(request, tmp_path):
    return request.param(tmp_path)


def test_shards_without_images_take_their_part_of_the_losses(stage):
    """3 of 33 lie nowhere, 9.1 %: a limit of 0.1 allows it, however they are dealt."""
    stamps, lost, told = stage.outputs(N_SHARDS, 0.1)
    assert (stamps, lost) == stage.outputs(1, 0.1)[:2]
    assert (len(stamps), len(lost)) == (30, N_NOWHERE)
    assert sorted(one["n_out"] for one in told) == [0] * (N_SHARDS - 2) + [15, 15]
    assert sum(one["n_lost"][stage.kind] for one in told) == N_NOWHERE
    assert any(one["n_in"] == one["n_lost"][stage.kind] > 0 for one in told)


def test_too_many_in_no_image_end_every_shard_before_an_image_is_read(stage, monkeypatch):
    """Also those shards that list none of them."""
    monkeypatch.delattr(*stage.reading)
    found = []
    for shard in range(N_SHARDS):
        error = stage.refused(shard, 0.09)
        found.append(error.found)
        n_listed = len(pd.read_csv(stage.listed))
        assert f"({n_listed} of " in error.found
        assert "; 3 of all 33 lie in no image)" in error.found
        assert "max_lost_fraction, now 0.09" in error.hint
        if isinstance(stage, Tiles):
            assert isinstance(error, PassingBadInput)
            assert error.causes == [stage.root]
    assert sum(f"{stage.kind} 1)" in one or f"{stage.kind} 1;" in one for one in found) == N_NOWHERE


def test_what_a_shard_loses_of_its_own_comes_on_top(stage):
    """3 of 33, and of the other 30 two in fifteen: (3 + 4) / 33 = 0.2121 if all lose as much."""
    stage.spoil(2)
    together = stage.outputs(1, 5.001 / 33)[1]
    assert len(together) == 5
    assert stage.outputs(N_SHARDS, 0.2122)[1] == together
    refused = []
    stage.stamps.unlink()
    for shard in range(N_SHARDS):
        try:
            stage(shard, N_SHARDS, 0.212)
        except BadInput as error:
            refused.append(error)
    assert len(refused) == 1
    assert "; 3 of all 33 lie in no image)" in refused[0].found
    if isinstance(stage, Tiles):  # another tile, or a mended one, may help
        assert len(refused[0].causes) == 2
        assert stage.root in refused[0].causes
