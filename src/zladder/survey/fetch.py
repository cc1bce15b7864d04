"""Fetch a published file, and keep it only if it is the one that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pooch
import requests

from zladder.provenance.errors import BadInput, Unfinished

if TYPE_CHECKING:
    from pathlib import Path


def fetch(url: str, sha256: str, path: Path) -> None:
    """Download `url` to `path`.

    Raises
    ------
    BadInput
        If the server gives a file with another SHA-256.
    Unfinished
        If it gives none: a later attempt may succeed.
    """
    downloader = pooch.HTTPDownloader(progressbar=False, timeout=60)
    try:
        pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent,
                       downloader=downloader)  # fmt: skip
    except requests.RequestException as error:
        message = f"{url}: {error}; check the network, or put the file below ZLADDER_DATA by hand"
        raise Unfinished(message) from error
    except ValueError as error:
        expected, hint = f"SHA-256 {sha256}", "the file was replaced or damaged: do not use it"
        raise BadInput(url, "the download", expected, str(error), hint) from error
