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

from zladder.learning import window_size
from zladder.learning.augment import Views
from zladder.learning.pieces import Pieces
from zladder.learning.turning import missing_share
from zladder.learning.windows import Windows, share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zladder.learning.image_set import ImageSet
    from zladder.learning.stamps import StampRows
    from zladder.networks.resnet import Encoder

log = logging.getLogger("zladder")

READERS = 2  # threads
BATCHES_AHEAD = 2
CHUNK_ROWS = 512  # of what the system is asked for at a time
MOST_SHOWN = 512  # galaxies that are shown at once where there is no training step


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

    def shown(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield every galaxy once, as (rows (n,), centre crops (n, B, C, C)), in equal parts.

        In the order of the first pass: who streams need not read galaxies one by one for it.
        """

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

    def shown(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """As in `Loader`."""
        for rows in _parts(self.windows):
            yield rows.to(self.device), self.views.centred(rows)

    def close(self) -> None:
        """As in `Loader`: there is nothing to let go of."""


class StreamingLoader:
    """Batches from the files: threads bring the next window into the page cache, and copy from it.

    The page cache is the memory in which a window is mixed. The process itself holds a few batches.

    Parameters
    ----------
    images
        The galaxies; none of their pixels is in memory.
    inputs, softening_nmgy
        As of `Views`; the pixels come to the device of the softening.
    windows, batch_size, share
        As of `ResidentLoader`.
    readers, ahead
        Threads that copy, and how many batches they are ahead. No batch depends on either.
    """

    def __init__(
        self,
        images: ImageSet,
        inputs: Mapping[str, Any],
        softening_nmgy: torch.Tensor,
        windows: Windows,
        batch_size: int,
        share: tuple[int, int] = (0, 1),
        readers: int = READERS,
        ahead: int = BATCHES_AHEAD,
    ) -> None:
        self.images, self.inputs, self.softening_nmgy = images, inputs, softening_nmgy
        self.missing_share = missing_share(images.rows.noise_correlation)
        self.windows, self.batch_size, self.ahead = windows, batch_size, ahead
        self.low, self.high = share_of(batch_size, *share)
        self.pieces = Pieces(images.rows, images.paths)
        self.rank_in_files = np.empty(len(images), dtype=np.int64)
        self.rank_in_files[windows.in_files.numpy()] = np.arange(len(images))
        self.announcer = ThreadPoolExecutor(1, thread_name_prefix="stamps-announced")
        self.threads = ThreadPoolExecutor(readers, thread_name_prefix="stamps-read")
        self.announced: dict[int, list[Future[None]]] = {}
        self.reading: dict[int, Future[np.ndarray]] = {}
        self.spare: list[np.ndarray] = []
        self.lent: list[np.ndarray] = []
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
        self.spare += self.lent
        self._forget_all_but(range(number, number + self.ahead + 1))
        for later in range(number, number + self.ahead + 1):
            if later not in self.reading:
                self.reading[later] = self._begun(later)
        start = time.monotonic()
        self.lent = [self.reading.pop(number).result()]  # or the error of the thread
        self.waited_seconds += time.monotonic() - start
        return self._rows(number), self.lent[0]

    def shown(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """As in `Loader`."""
        place = 0
        for rows in _parts(self.windows):
            stop = place + len(rows)
            room = self._copied(
                rows.numpy(), self.pieces.empty(len(rows)), self._needed(place, stop)
            )
            if (following := self.windows.window_at(stop - 1)[1]) < len(self):
                self._announced(following)
            yield rows.to(self.device), self._views(room, rows).centred(torch.arange(len(rows)))
            place = stop

    def close(self) -> None:
        """As in `Loader`."""
        self.announcer.shutdown(wait=True, cancel_futures=True)
        self.threads.shutdown(wait=True, cancel_futures=True)
        self.pieces.close()
        log.info("waited %.1f s for pixels", self.waited_seconds)

    def _views(self, stored: np.ndarray, rows: torch.Tensor) -> Views:
        """Return views of galaxies from their stored pixels, which are left alone."""
        images = self.images.prepared(stored, rows.numpy(), self.device)
        return Views(images, self.inputs, self.softening_nmgy, self.missing_share)

    def _rows(self, number: int) -> torch.Tensor:
        start = number * self.batch_size
        return self.windows.galaxies(start + self.low, start + self.high)

    def _forget_all_but(self, wanted: range) -> None:
        """Take back the room of batches that nobody asks for: a training leaps when it resumes."""
        for number in [number for number in self.reading if number not in wanted]:
            future = self.reading.pop(number)
            if not future.cancel() and future.exception() is None:
                self.spare.append(future.result())

    def _begun(self, number: int) -> Future[np.ndarray]:
        """Have a batch copied once its windows are in the page cache, and the next one brought."""
        start = number * self.batch_size
        place, stop = start + self.low, start + self.high
        needed = self._needed(place, stop)
        self._announced(self.windows.window_at(max(place, stop - 1))[1])  # a share may be empty
        room = self.spare.pop() if self.spare else self.pieces.empty(self.high - self.low)
        return self.threads.submit(self._copied, self._rows(number).numpy(), room, needed)

    def _needed(self, place: int, stop: int) -> list[Future[None]]:
        """Return what brings the windows of some places to the cache; forget those before."""
        ends = {first: self.windows.window_at(first)[1] for first in self.announced}
        self.announced = {first: self.announced[first] for first in ends if ends[first] > place}
        needed: list[Future[None]] = []
        while place < stop:
            first, place = self.windows.window_at(place)
            needed += self._announced(first)
        return needed

    def _copied(self, rows: np.ndarray, room: np.ndarray, needed: list[Future[None]]) -> np.ndarray:
        for chunk in needed:
            chunk.result()
        self.pieces.read_into(rows, room, np.arange(len(rows)))
        return room

    def _announced(self, first: int) -> list[Future[None]]:
        """Have this process's share of the window that begins at a place brought to the cache."""
        if first not in self.announced:
            _, end = self.windows.window_at(first)
            in_batch = np.arange(first, end) % self.batch_size
            mine = (in_batch >= self.low) & (in_batch < self.high)
            galaxies = self.windows.galaxies(first, end).numpy()[mine]
            galaxies = galaxies[np.argsort(self.rank_in_files[galaxies])]
            self.announced[first] = [
                self.announcer.submit(self.pieces.announce, galaxies[at : at + CHUNK_ROWS])
                for at in range(0, len(galaxies), CHUNK_ROWS)
            ]
        return self.announced[first]


def _parts(windows: Windows) -> tuple[torch.Tensor, ...]:
    """Return the galaxies of the first pass in its order, in parts of equal size."""
    return windows.galaxies(0, windows.n).tensor_split(-(-windows.n // MOST_SHOWN))


def order_of(rows: StampRows, seed: int) -> Windows:
    """Return the order of a training over galaxies: one for every loader."""
    held = window_size.window_rows(len(rows), rows.row_bytes)
    return Windows(seed, torch.from_numpy(rows.in_files()), window_size.BLOCK_ROWS, held)


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
    windows = order_of(images.rows, card["seed"])
    size = card["schedule"]["batch_size"]
    if images.resident is not None:
        missing = missing_share(images.rows.noise_correlation)
        views = Views(images.resident.to(softening.device), inputs, softening, missing)
        return ResidentLoader(views, windows, size, share)
    return StreamingLoader(images, inputs, softening, windows, size, share)
