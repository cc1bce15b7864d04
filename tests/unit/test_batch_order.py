"""The order of a training: every galaxy once a pass, mixed well, dealt out without loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zladder.learning.sampler import batch_rows
from zladder.learning.window_size import BLOCK_ROWS, WHOLE_ROWS, WINDOW_BYTES, window_rows
from zladder.learning.windows import Windows, share_of

CLUSTER = Path(__file__).resolve().parents[2] / "docs" / "cluster.md"


def windows(n: int, seed: int = 1, block: int = 4, window: int = 16) -> Windows:
    """Return the order of galaxies that lie in their files in another order than their own."""
    in_files = torch.randperm(n, generator=torch.Generator().manual_seed(99))
    return Windows(seed, in_files, block, window)


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 100),
    block=st.integers(1, 9),
    held=st.integers(1, 5),
    start=st.integers(0, 250),
)
def test_every_pass_takes_every_galaxy_once(n, block, held, start):
    order = windows(n, block=block, window=block * held)
    galaxies = order.galaxies(0, 3 * n)
    for number in range(3):
        part = galaxies[number * n : (number + 1) * n]
        assert sorted(part.tolist()) == list(range(n))
    stop = start + 7  # whatever was asked before: a new one, asked at once, gives the same
    fresh = windows(n, block=block, window=block * held).galaxies(start, stop)
    assert torch.equal(fresh, order.galaxies(start, stop))


@pytest.mark.parametrize("n", [17, 50, 64, 65])
def test_a_window_holds_whole_blocks(n):
    order, place = windows(n), 0
    blocks = {frozenset(block.tolist()) for block in order.in_files.split(4)}
    while place < 2 * n:
        first, end = order.window_at(place)
        assert first == place
        assert end - first <= 16
        assert all(order.window_at(inside) == (first, end) for inside in range(first, end))
        inside = set(order.galaxies(first, end).tolist())
        assert sum(block <= inside for block in blocks) * 4 >= len(inside)
        assert all(block <= inside or not block & inside for block in blocks)
        place = end
    assert place == 2 * n


def test_a_set_no_larger_than_a_window_is_permuted_as_a_whole():
    n = 100
    order = Windows(3, torch.arange(n).flip(0), BLOCK_ROWS, window_rows(n, 10**6))
    for step in range(12):
        assert torch.equal(order.galaxies(24 * step, 24 * step + 24), batch_rows(3, n, 24, step))


@pytest.mark.parametrize(("side", "largest"), [(112, 21_399), (64, 32_768)])
def test_above_one_window_the_order_depends_on_how_galaxies_are_dealt_to_files(side, largest):
    """As docs/cluster.md says of cutouts.n_shards, with the numbers that it names."""
    assert f"{largest:,}" in CLUSTER.read_text(encoding="utf-8")

    def first_batch(n: int, n_shards: int) -> list[int]:
        in_files = torch.cat([torch.arange(shard, n, n_shards) for shard in range(n_shards)])
        held = window_rows(n, 5 * side**2 * 4)
        return Windows(1, in_files, BLOCK_ROWS, held).galaxies(0, 256).tolist()

    assert first_batch(largest, 2) == first_batch(largest, 8)
    assert first_batch(largest + 1, 2) != first_batch(largest + 1, 8)


@settings(deadline=None)
@given(n=st.integers(1, 3 * WHOLE_ROWS), row_bytes=st.integers(1, 10**8))
def test_a_window_takes_a_fixed_room_or_is_the_whole(n, row_bytes):
    held = window_rows(n, row_bytes)
    assert held % BLOCK_ROWS == 0
    if held >= n:
        assert n * row_bytes <= 2 * WINDOW_BYTES or held == BLOCK_ROWS  # what a training asks for
    else:
        assert n > WHOLE_ROWS or n * row_bytes > 2 * WINDOW_BYTES
        assert held == BLOCK_ROWS or held * row_bytes <= WINDOW_BYTES
        assert (held + BLOCK_ROWS) * row_bytes > WINDOW_BYTES


@pytest.mark.parametrize(("n", "side", "held"), [
    (WHOLE_ROWS + 1, 64, 32_768),  # as before sizes counted
    (WHOLE_ROWS + 1, 112, 10_688),  # 2,684,354,560 / 250,880 = 10,699.7
    (WHOLE_ROWS, 64, 32_768),
    (WHOLE_ROWS, 112, 10_688),  # 8.2 GB are more than two windows
    (21_399, 112, 32_768),  # 5,368,709,120 / 250,880 = 21,399.5
    (21_400, 112, 10_688),
])  # fmt: skip
def test_windows_of_known_stamps(n, side, held):
    assert window_rows(n, 5 * side**2 * 4) == held


def test_passes_and_seeds_differ():
    order, other = windows(64), windows(64, seed=2)
    assert not torch.equal(order.galaxies(0, 64), order.galaxies(64, 128))
    assert not torch.equal(order.galaxies(0, 64), other.galaxies(0, 64))
    first = [frozenset(order.galaxies(64 * k, 64 * k + 16).tolist()) for k in range(20)]
    assert len(set(first)) > 10  # other blocks come together in every pass


def test_batches_are_mixed_like_draws_from_the_whole():
    # The worst that files can do: sorted by redshift. A batch of 128 without return has a mean
    # of variance s^2 / 128. A window of 128 blocks of one redshift each has one of variance
    # (1 - 0.1) s^2 / 128 (ten windows, without return), which all its batches share.
    n, batch = 40_960, 128
    z = torch.linspace(0.0, 1.0, n, dtype=torch.float64)
    order = Windows(5, torch.arange(n), 32, 4096)
    means = z[order.galaxies(0, n)].view(-1, batch).mean(dim=1)
    drawn = float(z.std() * np.sqrt((1 - batch / n) / batch))
    # sqrt(1 + 0.9) = 1.38 is expected; 320 batches know theirs to 4 %, ten windows theirs to 24 %.
    assert 0.9 < float(means.std()) / drawn < 1.9  # false alarms below 1e-3
    unmixed = z.view(-1, batch).mean(dim=1).std()
    assert float(unmixed) / drawn > 10  # what the test would see without mixing


@settings(deadline=None, max_examples=60)
@given(batch=st.integers(1, 300), ranks=st.integers(1, 17))
def test_shares_leave_nothing_out(batch, ranks):
    shares = [share_of(batch, rank, ranks) for rank in range(ranks)]
    assert [place for low, high in shares for place in range(low, high)] == list(range(batch))
    sizes = [high - low for low, high in shares]
    assert max(sizes) - min(sizes) <= 1
