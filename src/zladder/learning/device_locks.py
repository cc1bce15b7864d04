"""One process a device: the first device whose lock nobody holds.

Several trainings on a node with several GPUs see all of them. Each takes one by a lock file in the
temporary folder of the host; the system frees the lock when its process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_held: dict[Path, int] = {}  # descriptors stay open, and so locked, as long as the process lives


def lock_folder() -> Path:
    """Return this user's folder of lock files on this host."""
    return Path(tempfile.gettempdir()) / f"zladder-devices-{os.getuid()}"


def take_device(names: Sequence[str], folder: Path) -> int:
    """Take the first device that no other process holds, until this process ends.

    Parameters
    ----------
    names
        What identifies each device on this host, in the order in which the process sees them.
    folder
        Where the lock files lie; must be local to the host.

    Returns
    -------
    int
        Index into `names`: of the device that this process holds already, else of the first that
        was free; 0 if all are taken.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [folder / f"{name}.lock" for name in names]
    mine = [i for i, path in enumerate(paths) if path in _held]
    if mine:
        return mine[0]
    return next((i for i, path in enumerate(paths) if _locked(path)), 0)


def _locked(path: Path) -> bool:
    """Try to lock a file; return whether this process holds it now."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _held[path] = descriptor
    return True
