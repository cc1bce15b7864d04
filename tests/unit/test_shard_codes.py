"""A galaxy has the same codes in whichever shard it lies, and whatever lies beside it there."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from tests import published_files
from tests.unit.stamp_sky import BANDS, INSIDE, SETTINGS, galaxies, noise, write_frame
from zladder.config.encodings import ASINH
from zladder.cutouts.convert import convert_images
from zladder.cutouts.cut import cut_stamps
from zladder.tables.stamp_pixels import error_bound_nmgy

KEYS = [(756, 2, field) for field in range(14, 30, 2)]
SCALE = {"softening_nmgy": dict.fromkeys(BANDS, 0.02), "lowest_softenings": -10_000,
         "highest_softenings": 1e6}  # fmt: skip


def dealt(n_shards, make, folder):
    """Return {galaxy: its pixels as stored}, and the scales, of all shards."""
    codes, scales = {}, set()
    for shard in range(n_shards):
        path = folder / f"{n_shards}-{shard}.h5"
        make(shard, path, n_shards)
        with h5py.File(path) as file:
            rows = zip(file["object_id"][()].tolist(), file["flux"][()], strict=True)
            codes |= {galaxy: pixels.tobytes() for galaxy, pixels in rows}
            scales.add((file.attrs["softening_nmgy"].tobytes(), file.attrs["asinh_step"].tobytes(),
                        file.attrs["zero_code"].tobytes()))  # fmt: skip
    return codes, scales


@pytest.mark.parametrize("grid", ["frame", "sky"])
@pytest.mark.parametrize("encoding", ASINH)
def test_cut_for_one_shard_or_for_eight(tmp_path, encoding, grid):
    """Eight fields, each ten times as noisy and bright as the one four before it."""
    samples = []
    for number, key in enumerate(KEYS):
        for at, band in enumerate(BANDS):
            image = noise(10 * number + at) * np.float32(10 ** (number / 4))
            image[40:90, 40:120:7] += np.float32(5 * 10 ** (number / 4))
            write_frame(tmp_path / "frames", band, image, key)
        samples.append(galaxies(INSIDE, key, first_id=100 * number))
    pd.concat(samples).to_parquet(tmp_path / "sample.parquet")
    settings = SETTINGS | SCALE | {"encoding": encoding, "grid": grid}

    def make(shard, path, n_shards):
        cut_stamps(tmp_path / "sample.parquet", tmp_path / "frames", shard,
                   settings | {"n_shards": n_shards}, path, tmp_path / "losses.csv")  # fmt: skip

    (one, scale), (eight, scales) = (dealt(n, make, tmp_path) for n in (1, 8))
    assert len(one) == len(INSIDE) * len(KEYS)
    assert one == eight
    assert scale == scales
    assert len(scales) == 1


@pytest.mark.parametrize("encoding", ASINH)
def test_converted_for_one_shard_or_for_eight(tmp_path, encoding):
    columns = published_files.sdss_columns()
    columns["images"] *= np.logspace(-1, 2, published_files.N, dtype=np.float32)[
        :, None, None, None
    ]
    images = published_files.write(tmp_path / "images.h5", columns)
    sample = published_files.sample_of(tmp_path / "sample.parquet", np.sort(published_files.ids()))

    def make(shard, path, n_shards):
        settings = published_files.SDSS | {"encoding": encoding, "n_shards": n_shards}
        convert_images(sample, [images], shard, settings, path, tmp_path / "losses.csv")

    (one, scale), (eight, scales) = (dealt(n, make, tmp_path) for n in (1, 8))
    assert len(one) == published_files.N
    assert one == eight
    assert scale == scales


@pytest.mark.parametrize("encoding", ASINH)
def test_a_galaxy_with_a_pixel_beyond_the_range_is_listed_and_the_others_are_kept(
    tmp_path, encoding
):
    columns = published_files.sdss_columns()
    columns["images"][7, 3, 5, 5] = 9e4
    images = published_files.write(tmp_path / "images.h5", columns)
    sample = published_files.sample_of(tmp_path / "sample.parquet", np.sort(published_files.ids()))
    settings = published_files.SDSS | {"encoding": encoding, "max_lost_fraction": 0.1}
    counts = convert_images(sample, [images], 0, settings, tmp_path / "0.h5", tmp_path / "lost.csv")
    assert counts["n_lost"]["unfit"] == 1
    assert counts["n_out"] == published_files.N - 1
    lost = pd.read_csv(tmp_path / "lost.csv")
    assert lost["object_id"].tolist() == [columns["ObjID"][7]]
    assert lost["band"].tolist() == ["i"]
    assert lost["reason"][0].endswith("found one of 90000 nmgy")
    kept = np.delete(np.arange(published_files.N), 7)
    with h5py.File(tmp_path / "0.h5") as file:
        np.testing.assert_array_equal(file["object_id"], columns["ObjID"][kept])
        back, about = file["flux"][()], dict(file.attrs)
    steps = (back - about["zero_code"][:, None, None].astype(np.float64)) * about["asinh_step"][0]
    flux = about["softening_nmgy"][:, None, None] * np.sinh(steps)
    wanted = columns["images"][kept][:, :, 1:13, 1:13]
    assert (np.abs(flux - wanted) <= error_bound_nmgy(wanted, about)).all()
