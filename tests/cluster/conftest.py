"""A Slurm for the whole session, and byte code for the many small Pythons that it starts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.login import Login, lay_out
from tests.cluster.slurm import Slurm, missing, running_slurm

HERE = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def _bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep byte code where the environment forbids it: each job starts Python three times."""
    if not sys.dont_write_bytecode:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        yield


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A real Slurm on this host."""
    why = missing()
    if why is not None:
        pytest.skip(why)
    begin = time.monotonic()
    with running_slurm() as cluster:
        sys.__stderr__.write(f"Slurm is up after {time.monotonic() - begin:.1f} s\n")
        yield cluster


@pytest.fixture
def toy(slurm: Slurm, tmp_path: Path) -> Callable[..., Login]:
    """Make the toy workflow, in a folder of its own, on a login node."""

    def make(name: str = "toy", *, refuse: bool = False) -> Login:
        folder = lay_out(tmp_path / name, HERE / "toy.smk")
        profile = folder / "profiles" / "slurm" / "config.yaml"
        text = profile.read_text(encoding="utf-8")
        # The profile names every rule of more than one thread; the toy's is not among ours.
        named = "set-resources:\n  wide: {cpus_per_task: 32}\n"
        assert text.count("\nset-resources:\n") == 1
        profile.write_text(text.replace("set-resources:\n", named), encoding="utf-8")
        return Login(folder, slurm, refuse=refuse)

    return make


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no job to the next test."""
    yield
    if "slurm" in request.fixturenames:
        request.getfixturevalue("slurm").cancel_all()


@pytest.fixture(scope="session", autouse=True)
def _outside_of_any_job() -> None:
    """Forget a Slurm job in which the tests themselves may run."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        del os.environ[name]
