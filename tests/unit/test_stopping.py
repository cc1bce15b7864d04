"""A training is asked to stop by a signal, or by the end of its job."""

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace

import psutil
import pytest

from zladder.learning import stopping
from zladder.learning.stopping import MARGIN_SECONDS, stop_requests
from zladder.provenance.program import STARTED_SECONDS

EPOCH_SECONDS = 1.8e9  # of the clock below, when its process began


@pytest.fixture(autouse=True)
def _outside_of_slurm(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_END_TIME", raising=False)


@pytest.fixture
def clock(monkeypatch):
    """Return the age of the process, which the test sets, behind both clocks."""
    now = SimpleNamespace(age_seconds=0.0)
    monkeypatch.setattr(stopping, "STARTED_SECONDS", 1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + now.age_seconds)
    monkeypatch.setattr(time, "time", lambda: EPOCH_SECONDS + now.age_seconds)
    return now


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_is_noted_and_ends_nothing(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with stop_requests(None) as reason:
        assert reason() is None
        os.kill(os.getpid(), number)
        assert reason() == name
        assert reason() == name
    assert signal.getsignal(number) is before


def test_handlers_come_back_after_a_crash():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyError), stop_requests(None):
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("minutes", "seconds"),
    [(60, 3600 - MARGIN_SECONDS), (4, 120), (2, 60)],  # short jobs use at least their first half
)
def test_a_job_ends_before_its_limit(clock, minutes, seconds):
    clock.age_seconds = 50.0  # data were read before the training began
    with stop_requests(minutes) as reason:
        clock.age_seconds = seconds - 1
        assert reason() is None
        clock.age_seconds = seconds + 1
        assert reason() == f"the job's limit of {minutes} min is near"


@pytest.mark.parametrize("minutes", [None, 60])
def test_a_slurm_job_that_ends_earlier_counts(clock, monkeypatch, minutes):
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(EPOCH_SECONDS) + 1000))
    clock.age_seconds = 50.0
    with stop_requests(minutes) as reason:
        clock.age_seconds = 1000 - MARGIN_SECONDS - 1
        assert reason() is None
        clock.age_seconds += 2
        assert reason() == "the end of the Slurm job is near"


@pytest.mark.parametrize("left_seconds", [-5, 3600])
def test_what_is_over_stops_at_once_and_a_later_end_changes_nothing(
    clock, monkeypatch, left_seconds
):
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(EPOCH_SECONDS) + left_seconds))
    with stop_requests(4) as reason:
        clock.age_seconds = 119.0
        assert (reason() is None) == (left_seconds > 0)
        clock.age_seconds = 121.0
        assert reason() is not None


def test_the_start_of_a_process_is_when_its_first_module_of_ours_was_imported():
    assert 0 < STARTED_SECONDS <= time.monotonic()
    age_seconds = time.time() - psutil.Process().create_time()
    assert time.monotonic() - STARTED_SECONDS <= age_seconds + 1  # clock ticks


def test_without_a_limit_there_is_no_deadline(clock):
    with stop_requests(None) as reason:
        clock.age_seconds = 1e9
        assert reason() is None
