"""Fetch a published file, and keep it only if it is the one that was asked for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import BadInput, PassingBadInput
from zladder.survey.archives.accounts import accounts_of
from zladder.survey.archives.checks import fault_of
from zladder.survey.archives.download import download
from zladder.survey.archives.http import Request
from zladder.survey.archives.kept import Place, alone_in, sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.survey.archives.manners import Manners

log = logging.getLogger("zladder")


def fetch_file(
    archive: Mapping[str, Any], final: Path, output: Path, manners: Manners
) -> dict[str, Any]:
    """Fetch the file of an archive to `output`, which will be renamed to `final`.

    The SHA-256 that it must have is the declared one, else that of the first download from the
    same address. A file without either must be a whole one of its format and size.

    Returns
    -------
    dict
        `url`, `sha256`, `bytes`, `digest_from` (declared, first download, or this download),
        `date` (when its last byte came, UTC).

    Raises
    ------
    BadInput
        No address, no account, a server that refuses, or another file than the one asked for,
        which is then kept as `final`.refused.
    Unfinished
        If network or server fail for too long; what came is kept, the next attempt goes on.
    """
    place, url = Place(final), archive["url"]
    if url is None:
        hint = "give it with --configfile, or put the file in place by hand"
        place_of_it = f"{archive['name']}.url"
        raise PassingBadInput("config/archives.yaml", place_of_it, "an address", "null", hint)
    accounts_of(archive)
    wanted, source = _wanted(archive, place)
    with alone_in(place.folder):
        if wanted and place.stands(wanted):
            log.info("%s was fetched before: its SHA-256 is %s", final, wanted)
        else:
            _bring(archive, place, wanted, source, manners)
    found = wanted or sha256_of(place.whole)
    state = place.whole.stat()
    size, came = state.st_size, datetime.fromtimestamp(state.st_mtime, UTC)
    if archive["sha256"] is None:
        _record(place, url, found, size)
    place.hand_out(output)
    told = {"url": url, "sha256": found, "bytes": size, "digest_from": source}
    return {**told, "date": came.isoformat(timespec="seconds")}


def _wanted(archive: Mapping[str, Any], place: Place) -> tuple[str | None, str]:
    """Return the digest that the file must have, if any is known, and who says so."""
    if archive["sha256"] is not None:
        return archive["sha256"], "declared"
    recorded = place.recorded()
    if recorded.get("url") == archive["url"]:
        return recorded["sha256"], "first download"
    return None, "this download"


def _bring(
    archive: Mapping[str, Any], place: Place, wanted: str | None, source: str, manners: Manners
) -> None:
    """Download, check, and keep the file under its second name."""

    def fault(path: Path) -> str:
        if wanted:
            return "" if sha256_of(path) == wanted else "another SHA-256"
        return fault_of(path, archive["format"])

    url = archive["url"]
    download(Request(url), place.partial, manners.towards(archive), fault, place.final.name)
    if wanted:
        expected, found = f"SHA-256 {wanted}", f"SHA-256 {sha256_of(place.partial)}"
    else:
        expected, found = _undigested(archive, place.partial)
    if expected != found:
        _refuse(place, url, expected, found, source)
    place.partial.with_name("partial.json").unlink(missing_ok=True)
    place.partial.replace(place.whole)
    place.refused.unlink(missing_ok=True)


def _undigested(archive: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """Return what a file without a digest must be, and what it is."""
    whole = f"a whole {archive['format']} file"
    wrong, size = fault_of(path, archive["format"]), path.stat().st_size
    if not wrong and archive["bytes"] not in (None, size):
        return f"{archive['bytes']} bytes", f"{size} bytes"
    return whole, wrong or whole


def _refuse(place: Place, url: str, expected: str, found: str, source: str) -> None:
    """Keep a file aside that is not what was asked for, and say so."""
    place.partial.replace(place.refused)
    place.partial.with_name("partial.json").unlink(missing_ok=True)
    log.error("%s: refused, kept as %s", place.final, place.refused)
    other = f"delete {place.record} to accept another" if source == "first download" else ""
    hint = "; ".join(filter(None, [
        f"the file was replaced or damaged: do not use it; it is kept as {place.refused}", other,
        "delete the log's .bad_input.json to fetch it again",
    ]))  # fmt: skip
    raise BadInput(url, "the download", expected, found, hint)


def _record(place: Place, url: str, sha256: str, size: int) -> None:
    """Note the digest of the first download, which later ones must have."""
    if place.recorded().get("url") != url:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        place.note({"url": url, "sha256": sha256, "bytes": size, "date": now})
