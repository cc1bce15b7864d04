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
# Snakemake touches what a job made when the job ends, or its group: within the longest job. Who
# touches a file later says nothing of its content.
_TOUCHED_WITHIN_NS = 2 * 86_400 * 10**9


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def value_digest(value: Any) -> str:
    """Return 32 hexadecimal digits that identify a JSON value."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()


def file_digest(path: Path) -> str:
    """Return 32 hexadecimal digits that identify a file's content.

    A program asks several times (stamp, resume folder, sidecar) and reads a file once, unless size,
    time or inode changed; and not at all where the file's own sidecar can be believed.
    """
    stat = path.stat()
    told = told_digest(path)
    return told or _content_digest(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


def written(path: Path) -> dict[str, Any]:
    """Return what the sidecar of a large file, of the same stem, says of it for `told_digest`."""
    stat = path.stat()
    digest = _content_digest(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return {"suffix": path.suffix, "bytes": stat.st_size, "time_ns": stat.st_mtime_ns,
            "digest": digest}  # fmt: skip


def told_digest(path: Path) -> str | None:
    """Return a file's digest as its sidecar tells it (`written`), None unless it is the same still.

    Another size tells a changed file; so does a later change than the sidecar's by ``ctime``, which
    nobody sets: an edit in place, another file in its place, even with the old times. Both touched
    anew, long after they were written, are not believed either. Only what changes in
    the tick of the file system's clock (some ms) in which the sidecar did is not told apart.
    """
    beside = path.with_suffix(".json")
    try:
        stat, sidecar = path.stat(), beside.stat()
        told = json.loads(beside.read_text(encoding="utf-8"))["written"]
        same = [path.suffix, stat.st_size] == [told["suffix"], told["bytes"]]
        since_ns = stat.st_mtime_ns - told["time_ns"]
        in_order = stat.st_ctime_ns <= sidecar.st_ctime_ns and 0 <= since_ns <= _TOUCHED_WITHIN_NS
        return str(told["digest"]) if same and in_order else None
    except (OSError, ValueError, LookupError, TypeError):
        return None  # no sidecar, or none of ours


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
