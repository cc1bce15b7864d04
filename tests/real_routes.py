"""The papers' real routes, each built once in a checkout of its own, from one loopback archive."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tests.archive_content.deep import CFHTLS
from tests.archive_content.make import mirrored
from tests.archive_content.places import FRAMES, Places
from tests.archive_server.server import ArchiveServer
from tests.checkout import Checkout

ACCOUNT = {"ZLADDER_HSC_USER": "somebody", "ZLADDER_HSC_PASSWORD": "a secret of the tests"}
SAMPLES = {
    "hayat2021": {"sdss_dr12_main": "sdss_dr12", "sdss_dr12_deep": "sdss_dr12_deep"},
    "lin2022": {"sdss_dr12_main": "sdss_dr12"},
    "soriano2024": {"galaxiesml": "galaxiesml", "transferz": "cosmos2020"},
}
BESIDE = {"sdss_dr12": 12, "sdss_dr12_deep": 10}  # fields that stamps of field 11 reach into
# One field of the sky is too small for the papers' large cells, and for shares of a few per cent.
SMALL = {
    "train": {"label_fractions": [1.0]},
    "cutouts": {"max_lost_fraction": 0.2, "n_shards": 2},  # some have no published image
    "datasets": {
        "images": {
            "splits": {"train": 0.45, "validation": 0.15, "calibration": 0.15, "test": 0.25},
            "sky_cell_order": 11,
        }
    },
}
QUICK = {"requests_per_second": 1000.0, "first_wait_seconds": 0.05, "poll_seconds": 0.05}


@dataclass
class Route:
    """A paper that was built.

    Attributes
    ----------
    arguments
        What Snakemake was told.
    jobs
        How many jobs of each rule ran.
    sent
        Path of the archive: bytes that it sent from there meanwhile.
    """

    paper: str
    checkout: Checkout
    arguments: tuple[str, ...]
    jobs: dict[str, int]
    sent: dict[str, int]

    @property
    def results(self) -> Path:
        sky = "hsc" if self.paper == "soriano2024" else "sdss"
        return self.checkout.folder / "results" / f"{sky}-test"

    def counts(self, file: str) -> dict[str, Any]:
        return json.loads((self.results / file).read_text(encoding="utf-8"))["counts"]

    def table(self, file: str) -> pd.DataFrame:
        return pd.read_parquet(self.results / file)


class Routes:
    """Builds a paper when it is first asked for."""

    def __init__(self, folder: Path, places: Places, server: ArchiveServer) -> None:
        self.places, self.server = places, server
        self.folder, self.overlay = folder, folder / "loopback.yaml"
        archives = mirrored(server)
        archives[FRAMES]["requests_per_second"] = 1000.0
        archives["cfhtls_t0007_ugriz"] = {"url": f"{server.url}/{CFHTLS}"}  # no known address
        document = {**SMALL, "fetching": QUICK, "archives": archives}
        self.overlay.write_text(yaml.safe_dump(document), encoding="utf-8")
        self.of = cache(self._built)

    def _built(self, paper: str) -> Route:
        checkout, before = Checkout(self.folder / f"the route of {paper}"), sent_by(self.server)
        overlays = (f"config/papers/{paper}.yaml", str(self.overlay))
        arguments = (paper, "--cores", "2", "--configfile", *overlays, "--config", "scale=test")
        done = checkout.snakemake(*arguments, **ACCOUNT)
        assert done.returncode == 0, done.stderr[-4000:]
        jobs, sent = planned_jobs(done.stdout + done.stderr), sent_by(self.server)
        return Route(paper, checkout, arguments, jobs, dict(sent - before))


def sent_by(server: ArchiveServer) -> Counter[str]:
    """Return {path: bytes sent so far, and one a request}."""
    return Counter(
        {path: server.sent_bytes(path) + len(seen) for path, seen in server.seen.items()}
    )


def planned_jobs(talk: str) -> dict[str, int]:
    """Return how many jobs of each rule Snakemake announced."""
    table = talk[talk.index("Job stats:") :]
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)}
