"""The lease of a resume folder: one writer at a time, whatever the host.

A lease is a small file with a token of its holder. Where two rivals take over the same stale
lease, the file that lies there in the end decides: every holder looks whether it is still its own
before it renews it, and leaves if it is not.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zladder.provenance.errors import Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEARTBEAT_SECONDS = 15.0
STALE_SECONDS = 600.0


@contextmanager
def lease(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold a folder alone; gives the function that renews the lease.

    The function may be called at every step: it touches the disk every `HEARTBEAT_SECONDS`. It
    raises `Unfinished` if another process holds the folder by now.

    Raises
    ------
    Unfinished
        If another process holds the lease (`is_held`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder)
    mine = json.dumps({"host": platform.node(), "pid": os.getpid(), "token": secrets.token_hex(8)})
    _clear_stale(path)
    _take(path, mine)
    try:
        yield _renewal(path, mine)
    finally:
        if _text(path) == mine:
            path.unlink(missing_ok=True)


def is_held(folder: Path) -> bool:
    """Return whether a process that lives holds the folder.

    Its last heartbeat is younger than `STALE_SECONDS` and, on this host, the process exists (an
    old heartbeat of an existing process is another one with the same number, or one that hangs).
    """
    return _is_fresh(_path(folder), _text(_path(folder)))


def _path(folder: Path) -> Path:
    return folder / "lease.json"


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _take(path: Path, mine: str) -> None:
    """Create the lease; only one of several rivals can."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        message = f"another process trains in {path.parent}: {_text(path)}"
        raise Unfinished(message) from None
    with os.fdopen(descriptor, "w") as stream:
        stream.write(mine)


def _renewal(path: Path, mine: str) -> Callable[[], None]:
    last = time.monotonic()

    def renew() -> None:
        nonlocal last
        if time.monotonic() - last < HEARTBEAT_SECONDS:
            return
        last = time.monotonic()
        if _text(path) != mine:
            message = f"another process took over {path.parent}: {_text(path)}"
            raise Unfinished(message)
        os.utime(path)

    return renew


def _is_fresh(path: Path, text: str | None) -> bool:
    """Return whether the holder of a lease with this text lives."""
    try:
        age_seconds = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    holder = json.loads(text or "{}")  # empty: its holder has just created it
    if holder.get("host") == platform.node() and not _exists(holder["pid"]):
        return False
    return age_seconds < STALE_SECONDS


def _clear_stale(path: Path) -> None:
    """Remove the lease of a process that is no more."""
    text = _text(path)
    if text is None or _is_fresh(path, text):
        return
    grave = path.with_name(f"lease-{secrets.token_hex(8)}.stale")
    try:
        path.rename(grave)
    except FileNotFoundError:
        return
    if _text(grave) == text:
        grave.unlink()
    else:  # a rival was faster: what lies here is its fresh lease
        grave.rename(path)


def _exists(pid: int) -> bool:
    """Return whether a process of this host exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
