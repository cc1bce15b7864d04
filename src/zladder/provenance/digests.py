"""Digests of files and of plain values, and the seeds derived from them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

QUICK_LIMIT_BYTES = 256 * 2**20
_BLOCK_BYTES = 2**20


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def value_digest(value: Any) -> str:
    """Return 32 hexadecimal digits that identify a JSON value."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()


def file_digest(path: Path) -> str:
    """Return 32 hexadecimal digits that identify a file's content.

    A program asks several times (stamp, resume folder, sidecar) and reads a file once, unless size,
    time or inode changed.
    """
    stat = path.stat()
    return _content_digest(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@cache
def _content_digest(path: Path, *_version: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def quick_digest(path: Path) -> str:
    """Return what tells a file from its other versions within a second.

    The content's digest; above `QUICK_LIMIT_BYTES` size and modification time, with the prefix
    ``stat-``: a retry must learn at once that nothing has changed.
    """
    stat = path.stat()
    if stat.st_size > QUICK_LIMIT_BYTES:
        return f"stat-{stat.st_size}-{stat.st_mtime_ns}"
    return file_digest(path)


def derive_seed(master_seed: int, *names: str) -> int:
    """Return the seed of one named use, in [0, 2**63): a hash of the master seed and the names.

    Adding, removing or reordering other uses never changes it.
    """
    text = "/".join([str(master_seed), *names])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1
