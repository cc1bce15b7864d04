"""Downloading one file so that nothing is fetched twice: a partial file grows until it is whole."""

from __future__ import annotations

import logging
import re
import shutil
import time
from http.client import HTTPException
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from zladder.provenance.errors import Unfinished
from zladder.survey.archives.http import answered
from zladder.survey.archives.manners import Trouble, with_patience
from zladder.survey.archives.partial import Partial
from zladder.survey.archives.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from zladder.survey.archives.http import Request
    from zladder.survey.archives.manners import Manners

log = logging.getLogger("zladder")

_BLOCK_BYTES = 2**18
_STALL_SECONDS = 30.0  # over which the slowest rate is measured


def download(
    request: Request, path: Path, manners: Manners, fault: Callable[[Path], str], name: str,
    level: int = logging.INFO,
) -> None:  # fmt: skip
    """Bring the file at `path` to the whole of what a request gives, going on where it stopped.

    `fault` says what is wrong with a file, nothing if it is whole; it is asked where the server
    tells no size. `name` is what the log calls it, at its `level` where all goes well.

    Raises
    ------
    PassingBadInput
        If the server refuses.
    Unfinished
        If the network or the server fail for too long, or the disk is full; what came is kept.
    """
    partial = Partial.at(path, request.url)
    if partial.size:
        log.info("%s: going on after %d bytes", name, partial.size)
    end = with_patience(lambda: _attempt(request, partial, manners, fault, name), name, manners)
    log.log(level, "%s", end)


def _attempt(
    request: Request, partial: Partial, manners: Manners, fault: Callable[[Path], str], name: str
) -> str:
    """Ask for what is missing, and write what comes; return a line for the log."""
    start, whole = partial.size, f"{name}: all is there"
    if partial.total_bytes is not None and start == partial.total_bytes:
        return whole
    with answered(
        request, manners, _range_headers(start, partial.mark), allowed=(416,)
    ) as response:
        if response.status_code == 416:
            _no_more(response, partial, start)
            return whole
        start, total = _agreed(response, partial, start)
        _require_room(partial.path, (total or 0) - start, name)
        progress = Progress(name, start, total, manners.progress_seconds)
        _receive(response, partial, progress, manners)
    _require_whole(partial, fault)
    return progress.line()


def _range_headers(start: int, mark: str | None) -> dict[str, str]:
    if not start:
        return {}
    return {"Range": f"bytes={start}-", **({"If-Range": mark} if mark else {})}


def _no_more(response: requests.Response, partial: Partial, start: int) -> None:
    """Take "range not satisfiable" for the end if the size fits, else begin again."""
    known = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    if known and int(known[1]) != start:
        partial.restart()
        message = f"the server has {known[1]} bytes, {start} are here: beginning again"
        raise Trouble(message)
    partial.total_bytes = start
    partial.note()


def _agreed(response: requests.Response, partial: Partial, start: int) -> tuple[int, int | None]:
    """Return where the body begins and how large the whole is, noted for the next attempt.

    A server that ignores Range, or has another version now, sends the whole.
    """
    length = response.headers.get("Content-Length")
    total = int(length) if length is not None and length.isdigit() else None
    if response.status_code == 206:
        sent = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        whole = int(sent[2]) if sent and sent[2] != "*" else None
        changed = None not in (partial.total_bytes, whole) and whole != partial.total_bytes
        if sent is None or int(sent[1]) != start or changed:
            partial.restart()
            message = "the server went on with another file or place: beginning again"
            raise Trouble(message)
        total = whole
    else:
        start = 0
    etag = response.headers.get("ETag", "")
    strong = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    partial.mark, partial.total_bytes = strong, total
    partial.note()
    return start, total


def _receive(
    response: requests.Response, partial: Partial, progress: Progress, manners: Manners
) -> None:
    """Append the body to the partial file."""
    window, came = time.monotonic(), 0
    mode = "ab" if progress.start_bytes else "wb"
    with partial.path.open(mode, buffering=0) as stream:
        while block := _next_block(response, partial):
            try:
                stream.write(block)
            except OSError as error:
                message = f"{partial.path}: {error.strerror}; make room"
                raise Unfinished(message) from error
            progress.add(len(block))
            came += len(block)
            seconds = time.monotonic() - window
            if seconds >= min(_STALL_SECONDS, manners.timeout_seconds):
                if came < manners.slowest_bytes_per_second * seconds:
                    raise partial.cut_off(f"only {came / seconds:.0f} bytes a second came")
                window, came = time.monotonic(), 0


def _next_block(response: requests.Response, partial: Partial) -> bytes:
    try:
        return bytes(response.raw.read1(_BLOCK_BYTES))
    except (HTTPError, HTTPException, OSError) as error:
        raise partial.cut_off(f"the connection broke ({type(error).__name__})") from error


def _require_whole(partial: Partial, fault: Callable[[Path], str]) -> None:
    """Notice an answer that ended early without a word."""
    size, total = partial.size, partial.total_bytes
    if total is not None and size < total:
        raise partial.cut_off("the answer ended")
    if total is not None and size > total:
        partial.restart()
        message = f"{size} bytes came, {total} were announced: beginning again"
        raise Trouble(message)
    if total is None:
        wrong = fault(partial.path) if size else "it is empty"
        # The same size twice: there is no more, and what is wrong is the file.
        if wrong and size != (partial.longest_bytes or -1):
            raise partial.cut_off(f"no size was told, and the file is not whole ({wrong})")
        partial.total_bytes = size
        partial.note()


def _require_room(path: Path, n_bytes: int, name: str) -> None:
    free = shutil.disk_usage(path.parent).free
    if n_bytes > free:
        message = (
            f"{name}: {n_bytes} bytes are to come, {free} are free at {path.parent}: make room"
        )
        raise Unfinished(message)
