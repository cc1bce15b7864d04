"""The order of a training over its galaxies: blocks of neighbours in the files, mixed in windows.

A pass takes every galaxy once. Galaxies that lie side by side in the shards form blocks; the blocks
are permuted, so many of them as a window holds come together, and the galaxies of a window are
permuted among themselves. A set no larger than a window is permuted as a whole. Whoever streams
reads whole blocks and holds one window; whoever has all pixels at hand takes the same order.
"""

from __future__ import annotations

import numpy as np
import torch

from zladder.learning.engine import keyed_generator
from zladder.learning.sampler import order_of_pass


class Windows:
    """Which galaxies come when: a function of seed, place and files alone.

    Parameters
    ----------
    seed
        Of the training.
    in_files
        The galaxies in the order in which they lie in the files, int64 (n,).
    block_rows, window_rows
        Galaxies of a block, and of a window (`learning.window_size`): a multiple of it.
    """

    def __init__(
        self, seed: int, in_files: torch.Tensor, block_rows: int, window_rows: int
    ) -> None:
        self.seed, self.n, self.in_files = seed, len(in_files), in_files
        self.block_rows, self.window_rows = block_rows, window_rows
        self._passes: dict[int, tuple[torch.Tensor, np.ndarray]] = {}

    def of_pass(self, number: int) -> tuple[torch.Tensor, np.ndarray]:
        """Return (galaxies of one pass in order (n,), where its windows begin and end (m + 1,))."""
        if number not in self._passes:
            kept = {old: found for old, found in self._passes.items() if old >= number - 1}
            self._passes = {**kept, number: self._drawn(number)}
        return self._passes[number]

    def window_at(self, place: int) -> tuple[int, int]:
        """Return the first place of the window that a place of the training lies in, and its end.

        Places are counted through all passes: pass p begins at place p n.
        """
        number, inside = divmod(place, self.n)
        edges = self.of_pass(number)[1]
        window = int(np.searchsorted(edges, inside, side="right")) - 1
        return number * self.n + int(edges[window]), number * self.n + int(edges[window + 1])

    def galaxies(self, start: int, stop: int) -> torch.Tensor:
        """Return the galaxies at the places from `start` to before `stop`, int64."""
        parts, place = [torch.empty(0, dtype=torch.int64)], start
        while place < stop:
            number, inside = divmod(place, self.n)
            end = min(self.n, inside + stop - place)
            parts.append(self.of_pass(number)[0][inside:end])
            place += end - inside
        return torch.cat(parts)

    def _drawn(self, number: int) -> tuple[torch.Tensor, np.ndarray]:
        if self.n <= self.window_rows:
            return order_of_pass(self.seed, self.n, number), np.array([0, self.n])
        generator = keyed_generator(self.seed, "blocks", number)
        blocks = self.in_files.split(self.block_rows)
        order = torch.randperm(len(blocks), generator=generator).tolist()
        held = self.window_rows // self.block_rows
        windows = [
            torch.cat([blocks[block] for block in order[first : first + held]])
            for first in range(0, len(order), held)
        ]
        mixed = [part[torch.randperm(len(part), generator=generator)] for part in windows]
        return torch.cat(mixed), np.cumsum([0, *(len(part) for part in mixed)])


def share_of(batch_size: int, rank: int, ranks: int) -> tuple[int, int]:
    """Return which places of every batch, from and to before, one of several processes takes.

    The shares follow each other, leave nothing out and differ by one galaxy at most.
    """
    return batch_size * rank // ranks, batch_size * (rank + 1) // ranks
