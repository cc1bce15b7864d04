"""A table on a loopback archive, and how it is fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from zladder.survey.archives.files import fetch_file
from zladder.survey.archives.manners import Manners

ROOT = Path(__file__).resolve().parents[2]
CONTENT = np.random.default_rng(1).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = {
    "requests_per_second": 1000.0, "timeout_seconds": 5.0, "n_tries": 4, "first_wait_seconds": 0.01,
    "query_seconds": 5.0, "longest_wait_seconds": 2.0, "slowest_bytes_per_second": 1.0,
    "progress_seconds": 60.0,
    "poll_seconds": 0.01, "max_missing_frames_fraction": 0.0,
}  # fmt: skip


def fetching(folder, server):
    """Return what fetches /NAME of the server to data/part below a folder, as `fetch_file` does."""

    def run(path="table", sha256=SHA256, output=None, manners=None, **entry):
        archive = {"name": "toy", "kind": "file", "url": f"{server.url}/{path}", "sha256": sha256,
                   "bytes": None, "format": "text", **entry}  # fmt: skip
        final = folder / "data" / "part"
        made = Manners(**{**QUICK, **(manners or {})}, hosts=folder / "hosts")
        return fetch_file(archive, final, output or final, made)

    return run
