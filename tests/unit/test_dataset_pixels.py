"""The pixels of a dataset's page: the right stamps, what a network really sees, flags by hand."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text
from pixel_world import BANDS, draw_galaxies, write_pixels

from zladder.learning.augment import Views
from zladder.learning.images import fitted_softening, resident
from zladder.learning.pixels import STRETCHES as OF_NETWORKS
from zladder.learning.pixels import border_sigma as of_networks
from zladder.learning.pixels import dereddening
from zladder.learning.stamps import Stamps
from zladder.provenance.errors import BadInput
from zladder.report.dataset_pixels import (
    BLOCK_ROWS,
    N_BLOCKS,
    PERCENTS,
    STRETCHES,
    WIDEST_BLOCK,
    Pixels,
    _blocks,
    as_seen,
    border_sigma,
    count_flags,
    pixel_quantiles,
    sample_pixels,
)
from zladder.report.dataset_pixels_plot import draw_pixels
from zladder.report.pixel_shares import ShownPixels
from zladder.tables.stamp_files import STAMP_FLAGS, flag_value
from zladder.tables.stamp_pixels import (
    code_scale,
    encode_pixels,
    error_bound_nmgy,
    pixel_attributes,
)

SIDE = 10


@pytest.fixture
def world(tmp_path):
    """Return (dataset, stamp files) of 90 galaxies in four shards."""
    dataset, shards = write_pixels(tmp_path, draw_galaxies(70, 20), size=SIDE)
    return pd.read_parquet(dataset), shards


def floats(n: int, n_bands: int) -> np.ndarray:
    """Return the scale of stamps that are no codes."""
    return np.repeat(code_scale({}, n_bands)[:, None], n, axis=1)


def stamps_like(n=40, side=SIDE, seed=3):
    """Return stamps with noise, light and dust."""
    rng = np.random.default_rng(seed)
    flux = rng.normal(0, 0.05, (n, 5, side, side)) * [[[[1]], [[2]], [[3]], [[4]], [[9]]]]
    flux[:, :, side // 2, side // 2] += rng.exponential(3, (n, 5))
    dust = rng.uniform(0, 0.6, (n, 5)).astype(np.float32)
    return Pixels(flux.astype(np.float32), dust, BANDS, floats(n, len(BANDS)))


@pytest.mark.parametrize("stretch", list(OF_NETWORKS))
@pytest.mark.parametrize(("side", "crop"), [(10, 6), (11, 6), (10, 7), (11, 7), (10, 10)])
def test_what_is_shown_as_seen_is_what_a_network_sees(side, crop, stretch, tmp_path):
    assert set(STRETCHES) == set(OF_NETWORKS)
    pixels = stamps_like(side=side)
    factor = dereddening(torch.from_numpy(pixels.extinction_mag))
    stamps = Stamps(torch.from_numpy(pixels.flux_nmgy), factor)
    images = resident(stamps, crop, tmp_path, with_sky=True)
    inputs = {"bands": BANDS, "extinction_per_ebv": dict.fromkeys(BANDS, 1.0),
              "crop_pixels": crop, "stretch": stretch}  # fmt: skip
    views = Views(images, inputs, fitted_softening(images.sky_sigma_nmgy, tmp_path))
    expected = views.centred(torch.arange(len(images))).numpy()
    assert as_seen(pixels, crop, stretch).values == pytest.approx(expected, rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("side", [6, 9, 10])
def test_the_noise_at_the_border_is_the_networks_own(side):
    flux = stamps_like(side=side).flux_nmgy
    expected = of_networks(torch.from_numpy(flux)).numpy()
    assert border_sigma(flux) == pytest.approx(expected, rel=1e-5)


def test_an_empty_border_gives_numbers_all_the_same():
    pixels = stamps_like(n=3)
    pixels.flux_nmgy[:, 0] = 0
    assert np.isfinite(as_seen(pixels, 6, "sqrt").values).all()


def test_stamps_are_those_of_the_dataset_whatever_the_blocks(world):
    dataset, shards = world
    few = dataset[dataset["row"] % 3 == 1]
    found = sample_pixels(shards, few)
    expected = []
    for path in sorted(shards, key=lambda path: f"{path.parent.name}/{path.stem}"):
        rows = few.loc[few["shard"] == f"{path.parent.name}/{path.stem}", "row"].to_numpy()
        with h5py.File(path) as file:
            expected.append(file["flux"][()][np.sort(rows)])
    assert np.array_equal(found.flux_nmgy, np.concatenate(expected))
    assert found.bands == BANDS
    shuffled = few.sample(frac=1, random_state=1)
    assert np.array_equal(sample_pixels(shards[::-1], shuffled).flux_nmgy, found.flux_nmgy)


def test_however_large_a_shard_is_some_blocks_of_it_are_read(tmp_path):
    n = 3 * N_BLOCKS * BLOCK_ROWS
    path = tmp_path / "large" / "0.h5"
    _, [small, *_] = write_pixels(tmp_path, draw_galaxies(4, 0), size=4)
    path.parent.mkdir()
    with h5py.File(small) as one, h5py.File(path, "w") as file:
        file.attrs.update(one.attrs)
        for name, item in one.items():
            file[name] = np.repeat(item[:1], n, axis=0)
        file["flux"][:, 0, 0, 0] = np.arange(n)
    dataset = pd.DataFrame({"shard": "large/0", "row": np.arange(n)})
    rows = sample_pixels([path], dataset).flux_nmgy[:, 0, 0, 0].astype(int)
    assert len(rows) == N_BLOCKS * BLOCK_ROWS
    starts = rows[::BLOCK_ROWS]
    assert (starts[0], rows[-1]) == (0, n - 1)
    assert np.array_equal(rows, (starts[:, None] + np.arange(BLOCK_ROWS)).ravel())
    assert np.ptp(np.diff(starts)) <= 1


def test_of_a_shard_that_is_mostly_left_out_some_are_shown(tmp_path):
    _, [path, *_] = write_pixels(tmp_path, draw_galaxies(1200, 0), size=4)
    name = f"{path.parent.name}/{path.stem}"
    sparse = pd.DataFrame({"shard": name, "row": [0, 1, WIDEST_BLOCK - 1, WIDEST_BLOCK, 599]})
    with h5py.File(path) as file:
        expected = file["flux"][[0, 1, WIDEST_BLOCK - 1]]
    assert np.array_equal(sample_pixels([path], sparse).flux_nmgy, expected)


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60))
def test_blocks_are_bounded_share_no_row_and_stay_in_their_shards(n_rows):
    blocks = _blocks(n_rows)
    read = [np.arange(start, stop) for found in blocks for start, stop in found]
    assert sum(map(len, read)) <= N_BLOCKS * BLOCK_ROWS
    for n, found in zip(n_rows, blocks, strict=True):
        rows = np.concatenate([np.arange(start, stop) for start, stop in found] or [np.empty(0)])
        assert len(np.unique(rows)) == len(rows)
        assert not len(rows) or (rows.min() >= 0 and rows.max() < n)
    if sum(n_rows) <= N_BLOCKS * BLOCK_ROWS:
        assert sum(map(len, read)) == sum(n_rows)


@pytest.mark.parametrize("encoding", ["float16", "asinh16", "asinh8"])
def test_encoded_pixels_are_shown_in_nanomaggies(world, encoding):
    dataset, shards = world
    before = sample_pixels(shards, dataset).flux_nmgy
    for path in shards:
        with h5py.File(path, "r+") as file:
            flux = file["flux"][()]
            attributes = pixel_attributes({
                "encoding": encoding, "bands": BANDS, "softening_nmgy": dict.fromkeys(BANDS, 0.05),
                "lowest_softenings": -10_000, "highest_softenings": 1e6,
            })  # fmt: skip
            del file["flux"]
            file["flux"] = encode_pixels(flux, attributes)
            file.attrs.update(attributes)
    found = sample_pixels(shards, dataset)
    after = found.flux_nmgy
    scale = np.broadcast_to(code_scale(attributes, 5)[:, None], found.code_scale.shape)
    assert np.array_equal(found.code_scale, scale)
    assert after.dtype == np.float32
    assert (np.abs(after - before.astype(np.float64)) <= error_bound_nmgy(before, attributes)).all()
    assert not np.array_equal(after, before)


def test_flags_are_counted_by_band_and_bit(world):
    dataset, shards = world
    path, name = shards[0], f"{shards[0].parent.name}/{shards[0].stem}"
    dropped = dataset[(dataset["shard"] != name) | (dataset["row"] != 2)]
    with h5py.File(path, "r+") as file:
        flags = file["flags"][()]
        flags[0, [0, 3]] = flag_value("saturated")
        flags[1, 3] = flag_value("saturated") | flag_value("masked")
        flags[2] = flag_value("masked")  # not in the dataset
        file["flags"][...] = flags
    found = count_flags(shards, dropped).set_index(["band", "flag"])["n_flagged"]
    hand = {("u", "saturated"): 1, ("i", "saturated"): 2, ("any", "saturated"): 2,
            ("i", "masked"): 1, ("any", "masked"): 1}  # fmt: skip
    assert found[found > 0].to_dict() == hand
    assert len(found) == (len(BANDS) + 1) * len(STAMP_FLAGS)


def test_quantiles_are_those_of_all_pixels_of_a_band():
    pixels = Pixels(np.arange(2 * 2 * 9, dtype=np.float32).reshape(2, 2, 3, 3),
                    np.zeros((2, 2), np.float32), ("g", "r"), floats(2, 2))  # fmt: skip
    minus = ShownPixels(pixels.flux_nmgy, floats(2, 2), np.ones((2, 2), np.float32), np.negative)
    table = pixel_quantiles(pixels, {"seen": minus})
    row = table[(table["band"] == "r") & (table["what"] == "seen")].iloc[0]
    values = np.array([*range(9, 18), *range(27, 36)])
    assert row[[f"p{p:g}" for p in PERCENTS]].tolist() == pytest.approx(
        np.percentile(-values, PERCENTS).tolist()
    )
    assert row["n_stamps"] == 2


def test_bad_stamps_are_named(world):
    dataset, shards = world
    with pytest.raises(BadInput, match="mock_deep/001"):
        sample_pixels(shards[:1], dataset)
    beyond = dataset.iloc[:1].assign(shard=f"{shards[0].parent.name}/{shards[0].stem}", row=999)
    for look in (sample_pixels, count_flags):
        with pytest.raises(BadInput, match="beyond the end"):
            look(shards, beyond)
    with h5py.File(shards[0], "r+") as file:
        file["flux"][3, 1, 2, 2] = np.nan
    with pytest.raises(BadInput) as error:
        sample_pixels(shards, dataset)
    assert (error.value.file, error.value.place) == (str(shards[0]), "row 3 (from 0)")


def test_shards_of_other_bands_are_bad_input(world):
    dataset, shards = world
    with h5py.File(shards[-1], "r+") as file:
        file.attrs["bands"] = ["a", "b", "c", "d", "e"]
    with pytest.raises(BadInput) as error:
        sample_pixels(shards, dataset)
    assert error.value.place == "bands and size of the stamps"


@pytest.mark.parametrize("flagged", [0, 3])
def test_the_figure_shows_both_sides_of_the_stretch_and_the_flags(flagged):
    pixels = stamps_like()
    seen = {"as seen (sqrt, 6 × 6)": as_seen(pixels, 6, "sqrt")}
    flags = pd.DataFrame([(band, flag, 40, flagged) for band in (*BANDS, "any")
                          for flag in STAMP_FLAGS],
                         columns=["band", "flag", "n", "n_flagged"])  # fmt: skip
    figure = draw_pixels(pixels, seen, flags, {"dataset": "d"})
    figure.canvas.draw()
    words = "\n".join(text.get_text() for text in figure.findobj(Text))
    assert "40 stamps of 10 × 10" in words
    assert "flux of a pixel (nmgy)" in words
    assert "as seen (sqrt, 6 × 6)" in words
    assert ("none of 40 stamps" in words) == (flagged == 0)
    assert ("saturated" in words) == (flagged > 0)
