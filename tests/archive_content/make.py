"""The whole content of the loopback archive, made once, and the server that has it."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import torch

from tests.archive_content.deep import write_deep
from tests.archive_content.places import Places, registry
from tests.archive_content.shallow import write_shallow
from tests.archive_content.small_sky import make_sky
from tests.archive_server.server import ArchiveServer, Reply, Seen
from tests.archive_server.sql import SKYSERVER, HscCatalogue, skyserver


def make_content(folder: Path) -> Places:
    """Write everything that the archive serves below a folder."""
    at = Places(folder / "served", folder / "lists")
    at.folder.mkdir(parents=True)
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        work = Path(name)
        settings, tables = make_sky(work)
        write_deep(work, settings, tables, at)
        write_shallow(work, settings, at)
    return at


def serving(at: Places, hsc_account: tuple[str, str]) -> ArchiveServer:
    """Return a server of this content.

    The answers of its queries hold also what their conditions would leave out: the samples' own
    cuts then have something to do.
    """
    server = ArchiveServer(at.folder)
    main, deep = (skyserver(*_rows(at, name)) for name in ("sdss_dr12_main", "sdss_dr12_deep"))

    def either(seen: Seen) -> Reply:
        return (main if "SpecObjAll" in seen.params["cmd"] else deep)(seen)

    server.handlers[SKYSERVER] = either
    queue = HscCatalogue(*_rows(at, "hsc_pdr2_cosmos"), *hsc_account)
    server.handlers[urlsplit(registry()["hsc_pdr2_cosmos"]["url"]).path] = queue
    return server


def _rows(at: Places, name: str) -> tuple[list[str], list[list[str]]]:
    with at.list_of(name).open(encoding="utf-8", newline="") as stream:
        columns, *rows = csv.reader(stream)
    return columns, rows


def mirrored(server: ArchiveServer) -> dict[str, dict[str, Any]]:
    """Return the entries of all archives, at this server in place of their own."""
    return {
        name: {"url": re.sub("^https?://[^/]+", server.url, entry["url"])}
        for name, entry in registry().items()
        if entry.get("url")
    }
