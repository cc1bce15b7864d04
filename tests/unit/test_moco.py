"""MoCo: what is contrasted with what, the queue, the followers, the colours, the whole program."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from tests import toy_images
from tests.toy_images import BANDS, bits, pretrain_card
from tests.toy_training import after
from zladder.learning import engine
from zladder.learning.image_bundle import drawn_encoder, load_encoder
from zladder.learning.image_run import image_resume_folder, write_image_run
from zladder.pretrain.colour import colour_loss, photometry_targets
from zladder.pretrain.encoder import pretrain_encoder, require_training_galaxies
from zladder.pretrain.moco import NOBODY, MoCo
from zladder.pretrain.training import Pretraining
from zladder.provenance.errors import BadInput, Unfinished

JOINT = {"objective": {"contrastive_weight": 0.1, "colour_weight": 1.0}}
COLOUR_ONLY = {"objective": {"contrastive_weight": 0.0, "colour_weight": 1.0}}


def model(**changes) -> MoCo:
    return MoCo(pretrain_card(**changes))


def units(n: int, seed: int = 0) -> torch.Tensor:
    draw = torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(draw, dim=1)


def training(n: int = 40, **changes) -> Pretraining:
    card = pretrain_card(**changes)
    images = toy_images.random_images(n, 16)
    targets = None
    if card["objective"]["colour_weight"]:
        targets = torch.randn(n, len(BANDS), generator=torch.Generator().manual_seed(1))
    return Pretraining(MoCo(card), toy_images.loader(images, card), targets, card)


def test_the_queue_is_a_ring():
    moco = model(objective={"queue_size": 10})
    for number in range(4):  # 12 keys of 10 places
        keys = torch.full((3, 8), float(number))
        moco.enqueue(keys, torch.arange(3) + 10 * number)
    assert moco.queue_galaxies.tolist() == [31, 32, 2, 10, 11, 12, 20, 21, 22, 30]
    assert moco.queue[:, 0].tolist() == [3, 3, 0, 1, 1, 1, 2, 2, 2, 3]
    assert moco.pointer.tolist() == [2]


def test_a_batch_larger_than_the_queue_leaves_its_last_keys():
    moco = model(objective={"queue_size": 4})
    moco.enqueue(units(9), torch.arange(9))
    assert sorted(moco.queue_galaxies.tolist()) == [5, 6, 7, 8]
    assert torch.equal(moco.queue[moco.queue_galaxies.argsort()], units(9)[5:])


def test_a_new_queue_holds_directions_of_nobody():
    moco = model()
    torch.testing.assert_close(moco.queue.norm(dim=1), torch.ones(64))
    assert set(moco.queue_galaxies.tolist()) == {NOBODY}
    assert torch.equal(moco.queue, model().queue)
    assert not torch.equal(moco.queue, model(seed=12).queue)


def test_the_loss_is_infonce():
    moco = model(objective={"temperature": 0.2})
    features = torch.randn(5, moco.encoder.features, generator=torch.Generator().manual_seed(3))
    keys = units(5, seed=4)
    loss, _ = moco.contrast(features, keys, torch.arange(5))
    queries = moco.projection(features).detach().double().numpy()
    positive = np.exp((queries * keys.double().numpy()).sum(axis=1) / 0.2)
    negative = np.exp(queries @ moco.queue.double().numpy().T / 0.2).sum(axis=1)
    expected = -np.log(positive / (positive + negative)).mean()
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_the_share_told_right_is_that_of_positives_above_all_negatives():
    moco = model()
    features = torch.randn(6, moco.encoder.features, generator=torch.Generator().manual_seed(3))
    queries = moco.projection(features).detach()
    keys = torch.cat([queries[:4], -queries[4:]])
    moco.queue.copy_(-queries[:1].expand(64, -1))
    _, right = moco.contrast(features, keys, torch.arange(6))
    assert float(right) == pytest.approx(4 / 6)


def test_the_positive_is_never_among_the_negatives(monkeypatch):
    """40 galaxies, a queue of 64 keys: without the mask a galaxy met its own earlier keys."""
    run = training(n=40)
    seen = []
    moco = run.model
    plain = MoCo._logits

    def spy(self, queries, keys, galaxies):
        logits = plain(self, queries, keys, galaxies)
        own = galaxies[:, None] == self.queue_galaxies
        assert bool(torch.isneginf(logits[:, 1:][own]).all())
        assert bool(torch.isfinite(logits[:, 1:][~own]).all())
        assert not (keys[:, None] == self.queue).all(dim=2).any()  # nor this step's own keys
        seen.append(int(own.sum()))
        return logits

    monkeypatch.setattr(MoCo, "_logits", spy)
    run.start_epoch(0)
    for step in range(6):
        run.step(0, step, 1.0)
    assert seen[0] == 0
    assert seen[-1] > 0  # the mask had something to hide
    # With the last batch enqueued, its keys are in the queue, under its galaxies' names.
    assert int((moco.queue_galaxies != NOBODY).sum()) == 64


def test_masked_negatives_do_not_enter_the_loss():
    moco = model()
    features = torch.randn(2, moco.encoder.features, generator=torch.Generator().manual_seed(3))
    galaxies = torch.tensor([7, 8])
    moco.queue_galaxies[:] = torch.arange(64)
    loss, _ = moco.contrast(features, units(2), galaxies)
    changed = moco.queue.clone()
    changed[7] = moco.projection(features)[0].detach()  # a copy of the first query
    changed[8] = moco.queue[8]
    moco.queue.copy_(changed)
    again, _ = moco.contrast(features[:1], units(2)[:1], galaxies[:1])
    moco.queue_galaxies[7] = 99
    unmasked, _ = moco.contrast(features[:1], units(2)[:1], galaxies[:1])
    assert math.isfinite(float(loss.detach()))
    assert float(unmasked.detach()) > float(again.detach()) + 0.1


def test_keys_follow_slowly_and_learn_nothing_themselves():
    moco = model(objective={"momentum": 0.75})
    with torch.no_grad():
        for parameter in moco.encoder.parameters():
            parameter.add_(1.0)
    start = [parameter.clone() for parameter in moco.key_encoder.parameters()]
    keys = moco.keys(
        torch.randn(6, 3, 12, 12, generator=torch.Generator().manual_seed(2)), torch.arange(6)
    )
    assert not keys.requires_grad
    torch.testing.assert_close(keys.norm(dim=1), torch.ones(6))
    for before, now in zip(start, moco.key_encoder.parameters(), strict=True):
        torch.testing.assert_close(now, before + 0.25)
    assert not any(p.requires_grad for p in moco.key_encoder.parameters())


def test_followers_begin_as_their_leaders():
    moco = model()
    assert bits(moco.encoder.state_dict()) == bits(moco.key_encoder.state_dict())
    assert bits(moco.projection.state_dict()) == bits(moco.key_projection.state_dict())


def test_it_learns_to_tell_galaxies_apart():
    run = training(n=400, schedule={"steps": 80, "batch_size": 64, "checks": 2})
    history = []
    for epoch in range(2):
        for step in range(run.start_epoch(epoch)):
            run.step(epoch, step, 1.0)
        history.append(run.end_epoch(epoch))
    # Chance is one in 65. (The loss may rise: random keys, easy to tell, leave the queue.)
    assert history[1]["contrast_right"] > 0.5


def test_colours_alone_need_no_second_view_and_no_queue():
    run = training(**COLOUR_ONLY)
    before = bits({"queue": run.model.queue, "pointer": run.model.pointer})
    follower = bits(run.model.key_encoder.state_dict())
    run.start_epoch(0)
    losses = [run.step(0, step, 1.0) for step in range(4)]
    assert before == bits({"queue": run.model.queue, "pointer": run.model.pointer})
    assert follower == bits(run.model.key_encoder.state_dict())
    found = run.end_epoch(0)
    assert found["contrast_loss"] == 0.0
    assert found["colour_loss"] == pytest.approx(np.mean(losses), rel=1e-6)


def test_the_joint_loss_is_the_weighted_sum():
    run = training(**JOINT)
    run.start_epoch(0)
    losses = [run.step(0, step, 1.0) for step in range(4)]
    found = run.end_epoch(0)
    expected = 0.1 * found["contrast_loss"] + found["colour_loss"]
    assert np.mean(losses) == pytest.approx(expected, rel=1e-5)


def catalogue(n: int = 50) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    columns = {f"mag_{band}": 17 + draw.normal(0, 1 + place, n) for place, band in enumerate(BANDS)}
    return pd.DataFrame(columns)


def test_targets_are_r_and_neighbouring_colours_standardised():
    frame = catalogue()
    targets = photometry_targets(frame, BANDS, "d.parquet")
    g, r, i = (frame[f"mag_{band}"].to_numpy() for band in BANDS)
    for column, values in enumerate([r, g - r, r - i]):
        expected = (values - values.mean()) / values.std()
        np.testing.assert_allclose(targets[:, column], expected, rtol=0, atol=1e-5)
    assert targets.dtype == torch.float32


def test_a_magnitude_that_was_not_measured_counts_nowhere():
    frame = catalogue()
    frame.loc[3, "mag_g"] = np.nan
    frame.loc[4, "mag_i"] = np.inf
    targets = photometry_targets(frame, BANDS, "d.parquet")
    assert torch.isnan(targets).nonzero().tolist() == [[3, 1], [4, 2]]
    predicted = torch.zeros(50, 3, requires_grad=True)
    loss = colour_loss(predicted, targets)
    loss.backward()
    measured = targets[torch.isfinite(targets)]
    huber = torch.where(measured.abs() < 1, 0.5 * measured**2, measured.abs() - 0.5)
    assert float(loss.detach()) == pytest.approx(float(huber.mean()), rel=1e-5)
    assert bool(torch.isfinite(predicted.grad).all())
    assert predicted.grad[3, 1] == predicted.grad[4, 2] == 0


@pytest.mark.parametrize("value", [17.0, np.nan])
def test_photometry_that_says_nothing_is_refused(value):
    frame = catalogue().assign(mag_r=value)
    with pytest.raises(BadInput) as caught:
        photometry_targets(frame, BANDS, "d.parquet")
    error = caught.value
    assert (error.file, error.place) == ("d.parquet", "mag_r")
    assert (error.expected, error.found) == ("values that differ", "too few or none")
    assert "colour_weight 0" in error.hint


def test_only_training_galaxies_may_be_pretrained_on(tmp_path):
    dataset, _ = toy_images.write_sky(tmp_path, "labelled", 10, seed=0)
    with pytest.raises(BadInput) as caught:
        require_training_galaxies(pd.read_parquet(dataset), dataset)
    error = caught.value
    assert (error.file, error.place) == (str(dataset), "column 'split'")
    assert error.expected == "galaxies of split 'train' alone"
    assert error.found == "2 of split 'test', 2 of split 'validation'"
    assert "dataset of its own" in error.hint
    with pytest.raises(BadInput, match="no galaxies"):
        require_training_galaxies(pd.read_parquet(dataset).iloc[:0], dataset)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sky")
    return toy_images.write_sky(folder, "unlabelled", 60, seed=1, split="train")


def pretrain(unlabelled, folder, **changes):
    return pretrain_encoder(pretrain_card(**changes), *unlabelled, folder, None)


def test_a_pretraining_refuses_the_other_splits(tmp_path):
    sky = toy_images.write_sky(tmp_path, "labelled", 20, seed=0)
    with pytest.raises(BadInput, match="galaxies of split 'train' alone"):
        pretrain(sky, tmp_path / "resume")


def test_a_pretraining_leaves_an_encoder_that_can_be_read(tmp_path, unlabelled):
    run = pretrain(unlabelled, tmp_path / "resume", **JOINT)
    paths = [tmp_path / name for name in ("weights.safetensors", "card.json", "history.csv")]
    write_image_run(run, *paths)
    encoder, card = load_encoder(paths[0])
    assert card == pretrain_card(**JOINT)
    kept = {f"encoder.{name}": tensor for name, tensor in encoder.state_dict().items()}
    stored = {name: run.tensors[name] for name in kept}
    assert bits(kept) == bits(stored)
    assert not any(name.startswith(("key_", "queue", "pointer")) for name in run.tensors)
    assert not encoder.training
    # Twice the sky's sigma; de-reddening raises it by up to 10^(0.4 3.3 0.1) in g.
    ratio = encoder.softening_nmgy / (2 * torch.from_numpy(toy_images.SKY_SIGMA_NMGY))
    assert bool(((ratio > 0.95) & (ratio < 1.4)).all())
    history = pd.read_csv(paths[2])
    assert list(history["epoch"]) == [0, 1, 2]
    assert (history[["contrast_loss", "colour_loss"]] > 0).all(axis=None)
    assert run.reference == {"n_train": 60}
    summary = run.summary()
    assert (summary["n_train"], summary["images"]) == (60, 12 * 24)


def test_without_steps_the_weights_stay_as_they_are_drawn(tmp_path, unlabelled):
    card = pretrain_card(schedule={"steps": 0, "checks": 1})
    run = pretrain_encoder(card, *unlabelled, tmp_path / "resume", None)
    drawn = {f"encoder.{name}": part for name, part in drawn_encoder(card).state_dict().items()}
    found = {name: run.tensors[name] for name in drawn}
    changed = {name for name, value in bits(found).items() if value != bits(drawn)[name]}
    weights = {f"encoder.{name}" for name, _ in drawn_encoder(card).named_parameters()}
    assert not changed & weights  # but statistics and softening are those of the galaxies
    assert {"encoder.softening_nmgy", "encoder.stem.1.running_mean"} <= changed
    paths = [tmp_path / name for name in ("weights.safetensors", "card.json", "history.csv")]
    write_image_run(run, *paths)
    assert pd.read_csv(paths[2]).empty


@pytest.mark.parametrize("changes", [{}, JOINT, COLOUR_ONLY], ids=["moco", "joint", "colour"])
def test_an_interrupted_pretraining_ends_with_the_same_bits(
    tmp_path, unlabelled, monkeypatch, changes
):
    undisturbed = pretrain(unlabelled, tmp_path / "whole", **changes)
    plain = engine.drive
    interruptions = 0
    for stop in (1, 4, 2, 3, 100):
        monkeypatch.setattr(
            engine,
            "drive",
            lambda run, card, folder, _, stop=stop: plain(run, card, folder, after(stop)),
        )
        try:
            resumed = pretrain(unlabelled, tmp_path / "parts", **changes)
        except Unfinished:
            interruptions += 1
    assert interruptions == 4
    assert bits(resumed.tensors) == bits(undisturbed.tensors)
    assert resumed.progress.history == undisturbed.progress.history


def test_a_state_holds_everything_that_a_step_changes():
    one, two = training(**JOINT), training(**JOINT, seed=99)
    one.start_epoch(0)
    for step in range(3):
        one.step(0, step, 1.0)
    two.start_epoch(0)
    two.step(0, 0, 0.3)
    two.card, two.loader = one.card, one.loader
    two.load_state({name: tensor.clone().contiguous() for name, tensor in one.state().items()})
    for run in (one, two):
        run.step(0, 3, 0.5)
    assert bits(one.state()) == bits(two.state())
    assert one.end_epoch(0) == two.end_epoch(0)


def test_the_resume_folder_knows_card_code_and_data(tmp_path, unlabelled):
    dataset, stamps = unlabelled
    card = pretrain_card()

    def folder(card=card, files=(dataset, *stamps), code="c"):
        return image_resume_folder(tmp_path, card, files, code)

    assert folder().name.startswith("toy.moco-s0-")
    others = [folder(pretrain_card(seed=5)), folder(files=(dataset, stamps[0])), folder(code="d")]
    assert len({folder(), *others}) == 4
