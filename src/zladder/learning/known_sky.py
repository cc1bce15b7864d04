"""What looking through all pixels of a streamed training found, kept for its later attempts.

That look takes a pass over the files. Its result, the noise of the sky and that every pixel is
finite, lies in the resume folder, whose name knows card, code and data; the file knows which pixels
it speaks of.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from zladder.provenance.digests import quick_digest, value_digest
from zladder.provenance.outputs import whole_or_nothing

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from zladder.learning.stamps import StampRows

log = logging.getLogger("zladder")


def key_of(rows: StampRows, side_pixels: int, *, with_sky: bool) -> str:
    """Return what tells one look from every other: files, galaxies, bands, and what was measured.

    Parameters
    ----------
    rows
        The galaxies.
    side_pixels, with_sky
        As of `open_images`.
    """
    places = hashlib.blake2b(rows.shard.tobytes() + rows.row.tobytes(), digest_size=16).hexdigest()
    files = [quick_digest(stamps.path) for stamps in rows.shards]
    return value_digest([files, places, list(rows.bands), side_pixels, with_sky])


def known_sky(file: Path, key: str) -> torch.Tensor | None:
    """Return the sky (N, B) that an earlier attempt wrote for a key, or None."""
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="pt") as stored:
            if stored.metadata()["key"] == key:
                return stored.get_tensor("sky_sigma_nmgy")
    except SafetensorError as error:  # cut off by a failing disk or node
        log.info("%s is damaged (%s): looking again", file, error)
    return None


def keep_sky(file: Path, key: str, sky_sigma_nmgy: torch.Tensor) -> None:
    """Write the sky (N, B) of a key, whole or not at all."""
    with whole_or_nothing([file]) as [partial]:
        save_file({"sky_sigma_nmgy": sky_sigma_nmgy.contiguous()}, partial, metadata={"key": key})
