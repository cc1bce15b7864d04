"""Loaders: the batches of a training, from pixels on the device or straight from the files.

Both give the same galaxies in the same order (`learning.windows`) and the same pixels, bit by bit:
a run card says nothing of its loader.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from zladder.learning.augment import Views
from zladder.learning.pieces import Pieces
from zladder.learning.windows import Windows, share_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zladder.learning.image_set import ImageSet
    from zladder.networks.resnet import Encoder

log = logging.getLogger("zladder")

READERS = 2  # threads; a file system serves several at a time
CHUNK_ROWS = 512  # of what a thread reads at a time


@dataclass(frozen=True)
class Batch:
    """The galaxies of one step.

    Attributes
    ----------
    rows
        Which of the training's galaxies, int64 (n,), on the device of the pixels.
    views, places
        Where their pixels are, and which of these they are.
    """

    rows: torch.Tensor
    views: Views
    places: torch.Tensor

    def augmented(self, settings: Mapping[str, Any], generator: torch.Generator) -> torch.Tensor:
        """Return `Views.augmented` of the batch, (n, B, C, C)."""
        return self.views.augmented(self.places, settings, generator)


class Loader(Protocol):
    """What a training asks for images."""

    @property
    def device(self) -> torch.device:
        """Where the pixels come to."""

    def __len__(self) -> int:
        """Return the number of galaxies."""

    def batch(self, number: int) -> Batch:
        """Return the galaxies of a step of the whole training, of this process's share."""

    def centred(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the centre crops of any galaxies, (n, B, C, C)."""

    def close(self) -> None:
        """Let go of threads and files."""


class ResidentLoader:
    """All pixels on the device.

    Parameters
    ----------
    views
        Of all galaxies.
    windows
        Their order.
    batch_size
        Galaxies of a step, of all processes together.
    share
        (number of this process, number of processes).
    """

    def __init__(
        self, views: Views, windows: Windows, batch_size: int, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.views, self.windows, self.batch_size = views, windows, batch_size
        self.low, self.high = share_of(batch_size, *share)

    @property
    def device(self) -> torch.device:
        """As in `Loader`."""
        return self.views.device

    def __len__(self) -> int:
        return len(self.views.images)

    def batch(self, number: int) -> Batch:
        """As in `Loader`."""
        start = number * self.batch_size
        rows = self.windows.galaxies(start + self.low, start + self.high).to(self.device)
        return Batch(rows, self.views, rows)

    def centred(self, rows: torch.Tensor) -> torch.Tensor:
        """As in `Loader`."""
        return self.views.centred(rows)

    def close(self) -> None:
        """As in `Loader`: there is nothing to let go of."""


@dataclass(frozen=True)
class _Window:
    """Stored pixels in the order in which they are wanted, and the reading that fills them."""

    places: np.ndarray
    end: int
    pixels: np.ndarray
    reading: list[Future[None]]


class StreamingLoader:
    """One window in memory from which batches are taken, and the next that threads read meanwhile.

    Parameters
    ----------
    images
        The galaxies; none of their pixels is in memory.
    inputs, softening_nmgy
        As of `Views`; the pixels come to the device of the softening.
    windows, batch_size, share
        As of `ResidentLoader`.
    paths
        Copies of the shards to read instead of them (`learning.staging`).
    readers
        Threads that read. No batch depends on their number.
    """

    def __init__(
        self,
        images: ImageSet,
        inputs: Mapping[str, Any],
        softening_nmgy: torch.Tensor,
        windows: Windows,
        batch_size: int,
        share: tuple[int, int] = (0, 1),
        paths: tuple[Path, ...] | None = None,
        readers: int = READERS,
    ) -> None:
        self.images, self.inputs, self.softening_nmgy = images, inputs, softening_nmgy
        self.windows, self.batch_size = windows, batch_size
        self.low, self.high = share_of(batch_size, *share)
        self.pieces = Pieces(images.rows, paths)
        self.rank_in_files = np.empty(len(images), dtype=np.int64)
        self.rank_in_files[windows.in_files.numpy()] = np.arange(len(images))
        self.threads = ThreadPoolExecutor(readers, thread_name_prefix="stamps")
        self.held: dict[int, _Window] = {}
        self.spare: list[np.ndarray] = []
        self.waited_seconds = 0.0

    @property
    def device(self) -> torch.device:
        """As in `Loader`."""
        return self.softening_nmgy.device

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, number: int) -> Batch:
        """As in `Loader`."""
        rows, stored = self.stored(number)
        return Batch(rows.to(self.device), self._views(stored, rows), torch.arange(len(rows)))

    def stored(self, number: int) -> tuple[torch.Tensor, np.ndarray]:
        """Return the galaxies of a step (n,) and their pixels as they are stored, (n, B, S, S).

        The pixels are good until the next call: their room is used again.
        """
        start = number * self.batch_size
        place, stop = start + self.low, start + self.high
        self._look_ahead(place)
        rows = self.windows.galaxies(place, stop)
        parts = []
        while place < stop:
            first, end = self.windows.window_at(place)
            parts.append(self._taken(first, place, min(end, stop)))
            place = end
        return rows, parts[0] if len(parts) == 1 else np.concatenate(parts)

    def centred(self, rows: torch.Tensor) -> torch.Tensor:
        """As in `Loader`; they are read at once, past the windows."""
        views = self._views(self.pieces.read(rows.cpu().numpy()), rows.cpu())
        return views.centred(torch.arange(len(rows)))

    def close(self) -> None:
        """As in `Loader`."""
        self.threads.shutdown(wait=True, cancel_futures=True)
        self.pieces.close()
        log.info("waited %.1f s for pixels", self.waited_seconds)

    def _views(self, stored: np.ndarray, rows: torch.Tensor) -> Views:
        """Return views of galaxies from their stored pixels, which are left alone."""
        images = self.images.prepared(stored, rows.numpy(), self.device)
        return Views(images, self.inputs, self.softening_nmgy)

    def _look_ahead(self, place: int) -> None:
        """Give back the windows that lie behind a place; have its own and the next one read."""
        for first in [first for first, window in self.held.items() if window.end <= place]:
            self.spare.append(self.held.pop(first).pixels)
        first, end = self.windows.window_at(place)
        for start in (first, end):
            self._held(start)

    def _held(self, first: int) -> _Window:
        """Return the window that begins at a place; its reading has begun, if only now."""
        if first not in self.held:
            self.held[first] = self._begun(first)
        return self.held[first]

    def _begun(self, first: int) -> _Window:
        _, end = self.windows.window_at(first)
        places = np.arange(first, end)
        in_batch = places % self.batch_size
        mine = (in_batch >= self.low) & (in_batch < self.high)
        galaxies = self.windows.galaxies(first, end).numpy()[mine]
        pixels = self._room(len(galaxies))
        in_files = np.argsort(self.rank_in_files[galaxies])
        chunks = [in_files[at : at + CHUNK_ROWS] for at in range(0, len(in_files), CHUNK_ROWS)]
        reading = [
            self.threads.submit(self.pieces.read_into, galaxies[chunk], pixels, chunk)
            for chunk in chunks
        ]
        return _Window(places[mine], end, pixels, reading)

    def _room(self, n: int) -> np.ndarray:
        """Return room for n stamps, that of an earlier window if it is large enough."""
        for number, pixels in enumerate(self.spare):
            if len(pixels) >= n:
                return self.spare.pop(number)
        self.spare.clear()
        whole_batches = -(-self.windows.window_rows // self.batch_size) + 1
        return self.pieces.empty(max(n, min(len(self), whole_batches * (self.high - self.low))))

    def _taken(self, first: int, place: int, stop: int) -> np.ndarray:
        """Return the stored pixels at the places from `place` to before `stop` of a window."""
        window = self._held(first)
        start = time.monotonic()
        for chunk in window.reading:
            chunk.result()  # or the error of the thread
        window.reading.clear()
        self.waited_seconds += time.monotonic() - start
        low, high = np.searchsorted(window.places, (place, stop))
        return window.pixels[low:high]


def loader_of(
    images: ImageSet, encoder: Encoder, card: Mapping[str, Any], share: tuple[int, int] = (0, 1)
) -> Loader:
    """Return the loader of a training: of what is in memory, or of the files.

    Parameters
    ----------
    images
        As they were opened (`open_images`).
    encoder
        Its softening scales the pixels; they come to its device.
    card
        The run card: `seed`, `inputs`, `schedule`.
    share
        (number of this process, number of processes): every batch is dealt out among them.
    """
    softening, inputs = encoder.softening_nmgy, card["inputs"]
    windows = Windows(card["seed"], torch.from_numpy(images.rows.in_files()))
    size = card["schedule"]["batch_size"]
    if images.resident is not None:
        views = Views(images.resident.to(softening.device), inputs, softening)
        return ResidentLoader(views, windows, size, share)
    return StreamingLoader(images, inputs, softening, windows, size, share, images.paths)
