"""Networks on images where there is a GPU: everything lies on it, and says what the CPU says."""

from __future__ import annotations

import fcntl
import json
from types import SimpleNamespace

import embed_images as embed_program
import h5py
import numpy as np
import predict_classes as classes_program
import predict_images as images_program
import pytest
import torch

from tests import toy_images
from tests.pretend_gpu import GPU, GpuTensor, PretendGpu
from tests.toy_images import CLASSES, bits, image_card, pretrain_card
from tests.toy_training import after
from zladder.learning import device, device_locks, engine
from zladder.learning.augment import Views
from zladder.learning.device import best_device, keep_reproducible
from zladder.learning.image_run import write_image_run
from zladder.pretrain import encoder as pretrain_module
from zladder.pretrain.encoder import pretrain_encoder
from zladder.provenance.errors import Unfinished
from zladder.tables.read import read_table
from zladder.train import embed as embed_module
from zladder.train import image as image_module
from zladder.train.image import train_image

TURNED = {
    "inputs": {"crop_pixels": 8},
    "augmentation": {"geometry": "rotation", "jitter_pixels": 1},
}
JOINT = {"objective": {"contrastive_weight": 0.1, "colour_weight": 1.0}}


@pytest.fixture(autouse=True)
def _modes_of_torch():
    """Undo what a training on a GPU asks of the process."""
    mode, tf32 = torch.get_deterministic_debug_mode(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_deterministic_debug_mode(mode)
    torch.backends.cudnn.allow_tf32 = tf32


@pytest.fixture
def on_gpu(monkeypatch):
    """Return what calls a function where the best device is the pretended one."""

    def call(function, *arguments):
        torch.set_deterministic_debug_mode("default")
        with monkeypatch.context() as patch, PretendGpu() as gpu:
            for module in (device, pretrain_module, image_module, embed_module):
                patch.setattr(module, "best_device", lambda: GPU)
            found = function(*arguments)
        assert gpu.operations > 50  # it did go there
        assert torch.get_deterministic_debug_mode() == 1
        return found

    return call


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    return toy_images.write_sky(tmp_path_factory.mktemp("sky"), "labelled", 60, seed=0)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unlabelled")
    return toy_images.write_sky(folder, "unlabelled", 60, seed=1, split="train")


def written(run, folder):
    """Write a run; return its model and card files."""
    folder.mkdir(exist_ok=True)
    paths = [folder / name for name in ("weights.safetensors", "card.json", "history.csv")]
    write_image_run(run, *paths)
    return paths[:2]


def interrupted(monkeypatch, function, *arguments):
    """Call a training that is stopped after five steps and resumed; return its run."""
    plain = engine.drive
    with monkeypatch.context() as patch:
        patch.setattr(engine, "drive", lambda run, card, at, _: plain(run, card, at, after(5)))
        with pytest.raises(Unfinished):
            function(*arguments)
    return function(*arguments)


def test_the_best_device_is_the_gpu_that_pytorch_sees(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device() == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert best_device() == torch.device("cpu")


def test_of_several_gpus_it_is_one_that_is_free_and_stays_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda i: SimpleNamespace(uuid=f"gpu-{i}")
    )
    monkeypatch.setattr(device, "lock_folder", lambda: tmp_path)
    monkeypatch.setattr(device_locks, "_held", {})
    with (tmp_path / "gpu-0.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert best_device() == torch.device("cuda", 1)
    assert best_device() == torch.device("cuda", 1)


@pytest.mark.parametrize(("name", "mode"), [("cpu", 2), ("cuda", 1)])
def test_what_is_not_reproducible_is_an_error_on_the_cpu_and_a_warning_on_a_gpu(name, mode):
    torch.backends.cudnn.allow_tf32 = True
    keep_reproducible(torch.device(name))
    assert torch.get_deterministic_debug_mode() == mode
    assert not torch.backends.cudnn.allow_tf32


def test_the_pretended_gpu_refuses_what_a_gpu_refuses():
    with PretendGpu():
        there = torch.ones(3).to(GPU)
        assert there.device == (there * 2).device == torch.zeros(3, device=GPU).device == GPU
        assert (there + torch.tensor(1.0)).cpu().tolist() == [2, 2, 2]
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="same device"):
            torch.tensor(1.0).add_(there[0])
        with pytest.raises(RuntimeError, match="same device"):
            torch.ones(3)[torch.tensor([0]).to(GPU)]
        with pytest.raises(TypeError, match=r"\.cpu\(\) first"):
            there.numpy()


@pytest.mark.parametrize("geometry", ["dihedral", "rotation"])
def test_views_lie_where_the_images_are_wherever_the_rows_are(geometry):
    rows, settings = torch.arange(5), pretrain_card()["augmentation"] | {"geometry": geometry}
    plain = toy_images.views(toy_images.random_images(9, 20), crop_pixels=8)

    def seen(views, rows):
        augmented = views.augmented(rows, settings, torch.Generator().manual_seed(4))
        return [augmented, views.turned(rows, 7 - rows, 0.1), views.centred(rows)]

    expected = seen(plain, rows)
    with PretendGpu():
        there = Views(plain.images.to(GPU), plain.inputs, plain.softening_nmgy.to(GPU))
        for places in (rows, rows.to(GPU)):
            found = seen(there, places)
            assert [part.device for part in found] == [GPU] * 3
            assert all(torch.equal(a.cpu(), b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("changes", [{}, JOINT, TURNED])
def test_a_pretraining_on_a_gpu_is_that_on_the_cpu(
    tmp_path, monkeypatch, unlabelled, on_gpu, changes
):
    card = pretrain_card(**changes)
    one = pretrain_encoder(card, *unlabelled, tmp_path / "cpu", None)
    two = on_gpu(
        interrupted, monkeypatch, pretrain_encoder, card, *unlabelled, tmp_path / "gpu", None
    )
    assert all(isinstance(tensor, GpuTensor) for tensor in two.tensors.values())
    assert two.progress.history == one.progress.history
    with PretendGpu():
        files = [written(run, tmp_path / name)[0] for run, name in ((one, "a"), (two, "b"))]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert (one.summary()["device"], two.summary()["device"]) == ("cpu", str(GPU))


@pytest.mark.parametrize("changes", [{}, {**CLASSES, **TURNED}])
@pytest.mark.parametrize("factor", [0.0, 0.1])
def test_a_training_on_a_gpu_is_that_on_the_cpu(
    tmp_path, monkeypatch, sky, on_gpu, changes, factor
):
    card = image_card(**changes, optimizer={"trunk_factor": factor})
    one = train_image(card, *sky, None, tmp_path / "cpu", None)
    two = on_gpu(interrupted, monkeypatch, train_image, card, *sky, None, tmp_path / "gpu", None)
    assert all(isinstance(tensor, GpuTensor) for tensor in two.tensors.values())
    assert two.progress.history == one.progress.history
    assert bits({name: part.held for name, part in two.tensors.items()}) == bits(one.tensors)
    assert (one.summary()["device"], two.summary()["device"]) == ("cpu", str(GPU))


def test_a_training_that_began_on_a_gpu_goes_on_without(tmp_path, monkeypatch, sky, on_gpu):
    arguments = (image_card(), *sky, None, tmp_path / "both", None)
    plain = engine.drive
    with monkeypatch.context() as patch:
        patch.setattr(engine, "drive", lambda run, card, at, _: plain(run, card, at, after(5)))
        with pytest.raises(Unfinished):
            on_gpu(train_image, *arguments)
    resumed = train_image(*arguments)
    whole = train_image(*arguments[:-2], tmp_path / "cpu", None)
    assert bits(resumed.tensors) == bits(whole.tensors)


def words(**options):
    """Return a command line: {copies: 3} as --copies 3."""
    line = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        line += [f"--{name.replace('_', '-')}", *map(str, values)]
    return line


def test_features_come_back_from_a_gpu(tmp_path, sky, on_gpu):
    run = train_image(image_card(), *sky, None, tmp_path / "resume", None)
    weights, _ = written(run, tmp_path)
    common = {"weights": weights, "dataset": sky[0], "stamps": sky[1], "copies": 2}
    found, devices = [], []
    for name, call in (("cpu", embed_program.main), ("gpu", None)):
        path, sidecar = tmp_path / f"{name}.h5", tmp_path / f"{name}.json"
        line = words(**common, features=path, sidecar=sidecar, log=tmp_path / "log")
        assert (call(line) if call else on_gpu(embed_program.main, line)) == 0
        devices.append(json.loads(sidecar.read_text(encoding="utf-8"))["device"])
        with h5py.File(path) as file:
            found.append({key: file[key][()] for key in ("features", "reddened", "copies")})
    assert devices == ["cpu", str(GPU)]
    for key, values in found[0].items():
        np.testing.assert_array_equal(found[1][key], values)


@pytest.mark.parametrize(("changes", "program"), [({}, images_program), (CLASSES, classes_program)])
def test_predictions_come_back_from_a_gpu(tmp_path, sky, on_gpu, changes, program):
    run = train_image(image_card(**changes), *sky, None, tmp_path / "resume", None)
    model, card = written(run, tmp_path)
    common = {"model": model, "card": card, "stamps": sky[1], "datasets": sky[0],
              "trained_on": sky[0], "log": tmp_path / "log"}  # fmt: skip
    tables, devices = [], []
    for name in ("cpu", "gpu"):
        outputs = {
            "predictions": tmp_path / f"{name}.parquet",
            "sidecar": tmp_path / f"{name}.json",
        }
        if program is classes_program:
            outputs["pdfs"] = tmp_path / f"{name}.pdf.h5"
        line = words(**common, **outputs)
        assert (on_gpu(program.main, line) if name == "gpu" else program.main(line)) == 0
        tables.append(read_table(outputs["predictions"]))
        sidecar = json.loads(outputs["sidecar"].read_text(encoding="utf-8"))
        devices.append(sidecar["device"])
    assert devices == ["cpu", str(GPU)]
    assert tables[0].equals(tables[1])
    assert tables[0]["z_phot"].notna().all()
