"""Fixtures of unit and command-line tests: the shipped settings, a toy run, a clean process."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import toys
from zladder.config.load import load_settings
from zladder.config.merge import overlay

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a shell makes its background jobs ignore it, for good."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undo what a program changes in its process: signal handlers and log handlers."""
    monkeypatch.delenv("ZLADDER_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # what tests fetch, they fetch from themselves
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    log = logging.getLogger("zladder")
    propagate, level = log.propagate, log.level
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()
    log.propagate = propagate
    log.setLevel(level)


@cache
def _config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


@cache
def _settings(scale: str) -> dict[str, Any]:
    return load_settings(ROOT, _config() | {"scale": scale})


@pytest.fixture
def given() -> Callable[..., dict[str, Any]]:
    """config/config.yaml at the scale `test` with a user's values laid over it."""

    def make(**changes: Any) -> dict[str, Any]:
        return overlay(overlay(deepcopy(_config()), {"scale": "test"}), changes)

    return make


@pytest.fixture
def settings() -> Callable[..., dict[str, Any]]:
    """The shipped settings tree of a scale; a copy that a test may change."""

    def make(scale: str = "test") -> dict[str, Any]:
        return deepcopy(_settings(scale))

    return make


@pytest.fixture(scope="session")
def toy_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with one trained network, `toy.net-s0`, and its control, `toy.knn-s0`."""
    from zladder.learning.controls import save_control
    from zladder.learning.reference import write_card
    from zladder.learning.resume import discard
    from zladder.provenance.sidecar import write_sidecar
    from zladder.train.controls import train_control
    from zladder.train.network import train_network, write_run

    results = tmp_path_factory.mktemp("toy") / "results"
    dataset = toys.write_dataset(results / "mock-test/datasets/toy.parquet", toys.dataset())
    net, knn = (results / "mock-test/runs" / name for name in ("toy.net-s0", "toy.knn-s0"))
    for folder in (net, knn):
        folder.mkdir(parents=True)
    trained = train_network(toys.CARD, dataset, None, results / "mock-test/resume/toy", None)
    write_run(trained, net / "weights.safetensors", net / "card.json", net / "history.csv")
    discard(results / "mock-test/resume/toy")
    write_sidecar(net / "sidecar.json", {"seconds": 1.0, **trained.summary()})
    card = toys.control_card(kind="knn", neighbours=5)
    arrays, reference = train_control(card, dataset)
    save_control(knn / "weights.safetensors", arrays, card)
    write_card(knn / "card.json", card, reference)
    write_sidecar(knn / "sidecar.json", {"seconds": 2.5, "n_train": reference["n_train"]})
    return results


# Files whose tests share what takes minutes to build: they go to one worker, in one go.
TOGETHER = {
    "tests/dag/": "dag",
    "tests/e2e/test_orderings.py": "orderings",
    "tests/e2e/test_real_table.py": "real table",
    "tests/e2e/test_real_route": "real route",
    "tests/e2e/": "e2e",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal tests out one by one, but those of `TOGETHER` to one worker.

    (`--dist loadgroup` of pytest-xdist 3.8 does nothing with pytest 9.2.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByPlace(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((name for place, name in TOGETHER.items() if place in nodeid), nodeid)

    return ByPlace(config, log)
