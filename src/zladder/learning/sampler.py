"""Which galaxies a step takes, when a training is counted in steps."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.engine import keyed_generator

if TYPE_CHECKING:
    from collections.abc import Mapping


def first_step(schedule: Mapping[str, Any], epoch: int) -> int:
    """Return how many steps lie before an epoch: `steps` are shared out over `checks` epochs."""
    return int(schedule["steps"] * epoch // schedule["checks"])


def steps_in(schedule: Mapping[str, Any], epoch: int) -> int:
    """Return the number of steps of an epoch."""
    return first_step(schedule, epoch + 1) - first_step(schedule, epoch)


def batch_rows(seed: int, n: int, batch_size: int, step: int) -> torch.Tensor:
    """Return the galaxies of one step of the whole training, int64 (batch_size,).

    The training passes over its n galaxies again and again, each time in another order; a batch
    may hold the end of one pass and the beginning of the next.
    """
    place = step * batch_size + torch.arange(batch_size)
    rows = torch.empty(batch_size, dtype=torch.int64)
    for number in range(int(place[0]) // n, int(place[-1]) // n + 1):
        inside = place // n == number
        rows[inside] = order_of_pass(seed, n, number)[place[inside] % n]
    return rows


@lru_cache(maxsize=2)
def order_of_pass(seed: int, n: int, number: int) -> torch.Tensor:
    """Return the order of the galaxies in one pass."""
    return torch.randperm(n, generator=keyed_generator(seed, "pass", number))
