"""A training is asked to stop by a signal, or by the end of its job."""

from __future__ import annotations

import os
import signal
import time

import pytest

from zladder.learning.stopping import MARGIN_SECONDS, stop_requests


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
def test_a_job_ends_before_its_limit(monkeypatch, minutes, seconds):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with stop_requests(minutes) as reason:
        now[0] += seconds - 1
        assert reason() is None
        now[0] += 2
        assert reason() == f"the job's limit of {minutes} min is near"


def test_without_a_limit_there_is_no_deadline(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with stop_requests(None) as reason:
        now[0] += 1e9
        assert reason() is None
