"""Resident and streaming loaders: the same galaxies, the same bits, whatever reads them."""

from __future__ import annotations

import os
import threading

import h5py
import numpy as np
import pytest
import torch
from loading import (
    BATCH,
    BLOCK,
    NOTHING,
    WINDOW,
    N,
    opened,
    resident,
    seen,
    streaming,
)

from tests import toy_images
from tests.toy_images import bits, image_card, pretrain_card
from tests.toy_training import after
from zladder.cutouts.resample import noise_correlation
from zladder.learning import engine, image_set, loaders, pieces, window_size
from zladder.learning.image_bundle import drawn_encoder
from zladder.learning.image_set import EVERYTHING, Room
from zladder.learning.loaders import ResidentLoader, StreamingLoader, loader_of
from zladder.learning.turning import missing_share
from zladder.pretrain.encoder import pretrain_encoder
from zladder.provenance.errors import BadInput, Unfinished
from zladder.tables.stamp_files import NOISE_CORRELATION
from zladder.train.image import train_image


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """A dataset of galaxies that lie in two shards by turns."""
    return toy_images.write_sky(tmp_path_factory.mktemp("sky"), "all", N, seed=4, split="train")


@pytest.fixture
def own_sky(tmp_path):
    """A dataset whose shards may be damaged."""
    return toy_images.write_sky(tmp_path, "own", 60, seed=6, split="train")


@pytest.mark.parametrize(
    ("batch", "block", "window"),
    [(24, 4, 32), (10, 1, 7), (50, 4, 16), (101, 8, 104), (130, 5, 20)],
)
def test_streamed_batches_are_those_of_the_pixels_in_memory(sky, batch, block, window):
    one, other = (
        resident(sky, (0, 1), batch, block, window),
        streaming(sky, (0, 1), batch, block, window),
    )
    for number in range(12):
        expected, found = one.batch(number), other.batch(number)
        assert torch.equal(found.rows, expected.rows)
        assert torch.equal(seen(found), seen(expected))
    other.close()


@pytest.mark.parametrize("window", [7, 32, 1000])
@pytest.mark.parametrize("most", [3, 40, 512])
def test_every_galaxy_is_shown_once_by_either_loader(sky, monkeypatch, window, most):
    monkeypatch.setattr(loaders, "MOST_SHOWN", most)
    one, other = resident(sky, window=window), streaming(sky, window=window)
    other.batch(9)  # what was asked before makes no difference
    expected, found = list(one.shown()), list(other.shown())
    rows = torch.cat([rows for rows, _ in expected])
    assert sorted(rows.tolist()) == list(range(N))
    sizes = [len(rows) for rows, _ in expected]
    assert (max(sizes) <= most, max(sizes) - min(sizes) <= 1) == (True, True)
    for (rows, crops), (other_rows, other_crops) in zip(expected, found, strict=True):
        assert torch.equal(other_rows, rows)
        assert torch.equal(other_crops, crops)
        assert torch.equal(crops, one.views.centred(rows))
    assert torch.equal(seen(other.batch(10)), seen(one.batch(10)))
    other.close()


def test_what_is_shown_is_asked_for_in_the_order_of_the_files(sky, monkeypatch):
    asked, plain = [], loaders.Pieces.announce

    def spying(self, places):
        asked.append(places)
        plain(self, places)

    loader = streaming(sky, window=32)
    monkeypatch.setattr(loaders.Pieces, "announce", spying)
    monkeypatch.setattr(loaders, "MOST_SHOWN", 10)
    for _ in loader.shown():
        pass
    loader.close()
    ranks = [loader.rank_in_files[places] for places in asked]
    assert len(asked) == 4  # a window at a time, and none of another pass
    assert all((np.diff(rank) > 0).all() for rank in ranks)
    assert sorted(np.concatenate(ranks)) == list(range(N))


@pytest.mark.parametrize("readers", [1, 3])
@pytest.mark.parametrize("ahead", [0, 1, 5])
@pytest.mark.parametrize("chunk", [1, 5])
def test_no_batch_depends_on_threads_or_on_what_was_asked_before(
    sky, monkeypatch, readers, ahead, chunk
):
    monkeypatch.setattr(loaders, "CHUNK_ROWS", chunk)
    one, other = resident(sky), streaming(sky, readers=readers, ahead=ahead)
    for number in (3, 4, 9, 40, 2):  # on, a leap, another pass, back
        assert torch.equal(seen(other.batch(number)), seen(one.batch(number)))
    other.close()


def test_a_system_that_takes_no_advice_gives_the_same_batches(sky, monkeypatch):
    monkeypatch.delattr(os, "posix_fadvise", raising=False)  # as on macOS
    one, other = resident(sky), streaming(sky)
    for number in range(6):
        assert torch.equal(seen(other.batch(number)), seen(one.batch(number)))
    other.close()


def test_few_open_files_give_the_same_batches(sky, monkeypatch):
    monkeypatch.setattr(pieces, "most_open", lambda: 1)  # of two shards
    one, other = resident(sky), streaming(sky, readers=3)
    for number in range(12):
        assert torch.equal(seen(other.batch(number)), seen(one.batch(number)))
    assert other.pieces.files.most == 1
    other.close()


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("make", [resident, streaming])
def test_processes_share_every_batch(sky, make, ranks):
    whole = resident(sky)
    parts = [make(sky, (rank, ranks)) for rank in range(ranks)]
    for number in range(9):  # across the ends of windows and of two passes
        expected = whole.batch(number)
        batches = [part.batch(number) for part in parts]
        assert torch.equal(torch.cat([batch.rows for batch in batches]), expected.rows)
        pixels = [batch.views.centred(batch.places) for batch in batches]
        assert torch.equal(torch.cat(pixels), whole.views.centred(expected.rows))
    for part in parts:
        part.close()


def test_a_streaming_process_reads_its_share_alone(sky, monkeypatch):
    asked, plain = {}, loaders.Pieces.announce

    def spying(self, places):
        asked.setdefault(self, []).extend(places.tolist())
        plain(self, places)

    monkeypatch.setattr(loaders.Pieces, "announce", spying)
    parts = [streaming(sky, (rank, 4), window=1000) for rank in range(4)]
    for part in parts:
        for number in range(4):  # the first pass, and a beginning of the next
            part.batch(number)
        part.close()
    for rank, part in enumerate(parts):
        order = part.windows.galaxies(0, N).tolist()
        mine = {row for at, row in enumerate(order) if at % BATCH // 6 == rank}
        assert set(asked[part.pieces][: len(mine)]) == mine


def test_few_batches_are_held(sky):
    loader = streaming(sky, batch=8, ahead=2)
    rooms = set()
    for number in range(60):
        rooms.add(id(loader.stored(number)[1]))
        assert len(loader.reading) == 2
        assert len(loader.announced) <= 3  # a batch may lie in two windows; the next is on its way
    assert len(rooms) <= 4
    loader.close()


def test_the_next_batches_and_window_are_read_while_this_one_is_looked_at(sky):
    loader = streaming(sky, batch=8)
    loader.batch(0)
    following = loader.announced[loader.windows.window_at(0)[1]]
    for future in [*following, *loader.reading.values()]:
        future.result(timeout=10)  # nobody asked for it yet
    assert sorted(loader.reading) == [1, 2]
    loader.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("stamps")]


def test_what_fits_is_kept_in_memory(sky, caplog):
    needed = N * 3 * 16**2 * 4  # 15 px of stamps of 16: one more keeps the middle
    with caplog.at_level("INFO"):
        assert opened(sky, Room(needed)).resident is not None
        assert opened(sky, Room(needed - 1)).resident is None
    assert [line.rsplit(": ")[-1] for line in caplog.messages] == ["in memory", "streamed"]
    card, encoder = pretrain_card(), drawn_encoder(pretrain_card())
    assert isinstance(loader_of(opened(sky, EVERYTHING), encoder, card), ResidentLoader)
    assert isinstance(loader_of(opened(sky, NOTHING), encoder, card), StreamingLoader)


@pytest.mark.parametrize("resampled", [0, 1, 2])
def test_either_gives_back_the_noise_that_a_turn_takes_of_the_stamps(own_sky, resampled):
    """Of shards that were not resampled, one of two, and both: on average over their galaxies."""
    for path in own_sky[1][:resampled]:
        with h5py.File(path, "r+") as file:
            file.attrs[NOISE_CORRELATION] = noise_correlation(1.0)
    of_white, of_resampled = 1.0, missing_share(noise_correlation(1.0))
    share = resampled / 2 * of_resampled + (1 - resampled / 2) * of_white
    card, encoder = pretrain_card(), drawn_encoder(pretrain_card())
    for room in (EVERYTHING, NOTHING):
        found = loader_of(opened(own_sky, room), encoder, card)
        assert found.batch(0).views.missing_share == pytest.approx(share, abs=1e-12)
        found.close()


def test_the_sky_is_the_same_from_either(sky):
    one, other = opened(sky, EVERYTHING), opened(sky, NOTHING)
    assert torch.equal(one.sky_sigma_nmgy, other.sky_sigma_nmgy)
    assert bool(torch.isfinite(one.sky_sigma_nmgy).all())


def looks(monkeypatch) -> list[bool]:
    """Return a list that grows by an entry whenever all pixels are looked through."""
    seen, plain = [], image_set.stamp_blocks

    def counting(rows, paths=None):
        seen.append(True)
        return plain(rows, paths)

    monkeypatch.setattr(image_set, "stamp_blocks", counting)
    return seen


def test_a_later_attempt_does_not_look_through_the_pixels_again(sky, tmp_path, monkeypatch):
    seen, kept = looks(monkeypatch), tmp_path / "resume" / "sky.safetensors"
    first, plain = opened(sky, NOTHING, kept=kept), opened(sky, EVERYTHING)
    assert (len(seen), kept.is_file()) == (2, True)
    second = opened(sky, NOTHING, kept=kept)
    assert len(seen) == 2
    assert second.resident is None
    for images in (first, second):
        assert torch.equal(images.sky_sigma_nmgy, plain.sky_sigma_nmgy)
    opened(sky, NOTHING, kept=kept, with_sky=False)
    opened(sky, NOTHING, kept=kept, with_sky=False, side_pixels=13)
    assert len(seen) == 4  # other questions
    kept.write_bytes(kept.read_bytes()[:-5])
    assert torch.equal(opened(sky, NOTHING, kept=kept).sky_sigma_nmgy, plain.sky_sigma_nmgy)
    assert len(seen) == 5  # a damaged answer is none


def test_changed_pixels_are_looked_through_again(own_sky, tmp_path):
    kept = tmp_path / "sky.safetensors"
    opened(own_sky, NOTHING, kept=kept)
    with h5py.File(own_sky[1][0], "r+") as file:
        file["flux"][7, 1, 2, 3] = np.nan
    with pytest.raises(BadInput, match="row 7"):
        opened(own_sky, NOTHING, kept=kept)


@pytest.mark.parametrize("streamed", [True, False])
def test_the_attempts_of_a_training_look_once_at_what_is_streamed(
    sky, tmp_path, monkeypatch, streamed
):
    seen, room = looks(monkeypatch), NOTHING if streamed else EVERYTHING
    interrupted(
        lambda: pretrain_encoder(pretrain_card(), *sky, tmp_path, None, room),
        monkeypatch, (2, 2, 100),
    )  # fmt: skip
    assert len(seen) == (1 if streamed else 3)
    assert (tmp_path / "sky.safetensors").is_file() == streamed


def small_windows(monkeypatch):
    """Have trainings mix their galaxies in windows of 32, four to a block."""
    monkeypatch.setattr(window_size, "WHOLE_ROWS", 0)
    monkeypatch.setattr(window_size, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(window_size, "WINDOW_BYTES", WINDOW * 3 * 16**2 * 4)


def test_both_loaders_count_a_window_in_bytes(sky, monkeypatch):
    small_windows(monkeypatch)
    card, encoder = pretrain_card(), drawn_encoder(pretrain_card())
    found = [loader_of(opened(sky, room), encoder, card) for room in (EVERYTHING, NOTHING)]
    assert [one.windows.window_rows for one in found] == [WINDOW, WINDOW]
    assert [one.windows.block_rows for one in found] == [BLOCK, BLOCK]
    for one in found:
        one.close()


def interrupted(train, monkeypatch, stops):
    """Return what a training ends with that is stopped after so many steps, again and again."""
    plain = engine.drive
    for stop in stops:
        monkeypatch.setattr(
            engine,
            "drive",
            lambda run, card, folder, _, stop=stop: plain(run, card, folder, after(stop)),
        )
        try:
            return train()
        except Unfinished:
            continue
    raise AssertionError


@pytest.mark.parametrize("geometry", ["dihedral", "rotation"])
def test_a_pretraining_ends_with_the_same_bytes(sky, tmp_path, monkeypatch, geometry):
    small_windows(monkeypatch)
    jitter = 2 if geometry == "dihedral" else 0
    card = pretrain_card(augmentation={"geometry": geometry, "jitter_pixels": jitter},
                         inputs={"crop_pixels": 12 if jitter else 10})  # fmt: skip

    def run(name: str, room: Room):
        return pretrain_encoder(card, *sky, tmp_path / name, None, room)

    one = run("resident", EVERYTHING)
    other = interrupted(lambda: run("streamed", NOTHING), monkeypatch, (5, 4, 100))
    assert bits(other.tensors) == bits(one.tensors)
    assert other.progress.history == one.progress.history
    assert other.summary()["card"] == one.summary()["card"]


def test_an_image_training_ends_with_the_same_bytes(tmp_path, monkeypatch):
    small_windows(monkeypatch)
    labelled = toy_images.write_sky(tmp_path, "labelled", 200, seed=5)
    card = image_card()
    side = 12 + 2 * 1
    train_alone = Room(120 * 3 * side**2 * 4)  # no room for the validation galaxies beside them
    found = [
        train_image(card, *labelled, None, tmp_path / name, None, room)
        for name, room in (("a", EVERYTHING), ("b", NOTHING), ("c", train_alone))
    ]
    assert bits(found[1].tensors) == bits(found[0].tensors) == bits(found[2].tensors)
    assert found[1].progress.history == found[0].progress.history == found[2].progress.history
