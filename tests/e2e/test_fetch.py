"""Fetching a declared file, from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

CONTENT = b"#zs u g r i z\n0.1 19 18 17 16 15\n"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "table.txt").write_bytes(CONTENT)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def overlay(tmp_path: Path, url: str, sha256: str) -> str:
    """Return a --configfile in which the published files lie on this machine."""
    part = {"url": url, "sha256": sha256}
    document = {"surveys": {"sdss_mgs": {"source": {"fetch": {"train": part, "test": part}}}}}
    path = tmp_path / "overlay.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(path)


def test_published_file_is_fetched_and_checked(tmp_path: Path, server: str) -> None:
    checkout = Checkout(tmp_path / "ladder")
    right = hashlib.sha256(CONTENT).hexdigest()
    config = overlay(tmp_path, f"{server}/table.txt", right)
    done = checkout.snakemake("--cores", "1", "--configfile", config, "--", "fetch_sdss_mgs")
    assert done.returncode == 0, done.stderr[-2000:]
    for part in ("train", "test"):
        assert (checkout.folder / f"data/fetched/sdss_mgs/{part}").read_bytes() == CONTENT


def test_file_with_another_digest_is_refused(tmp_path: Path, server: str) -> None:
    checkout = Checkout(tmp_path / "ladder")
    config = overlay(tmp_path, f"{server}/table.txt", "0" * 64)
    done = checkout.snakemake("--cores", "1", "--configfile", config, "--", "fetch_sdss_mgs")
    assert done.returncode != 0
    assert "SHA-256" in done.stderr
    assert not list(checkout.folder.glob("data/fetched/sdss_mgs/t*t"))
    assert not list(checkout.folder.glob("data/fetched/sdss_mgs/train"))
