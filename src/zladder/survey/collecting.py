"""Draw galaxies in chunks until a survey has as many usable ones as were asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.provenance.errors import BadInput
from zladder.survey.observing import Dust, Seen, join_seen, look
from zladder.survey.streams import generator
from zladder.universe.appearance import dress
from zladder.universe.instruments import Instrument
from zladder.universe.population import Pool, draw

MIN_CHUNK = 400
MAX_CHUNK = 200_000

Array = NDArray[np.float64]
Positions = Callable[[np.random.Generator, int], tuple[Array, Array]]
# the label columns of each galaxy, among them `kept` (enters the catalogue) and `usable` (counts)
Judge = Callable[[np.random.Generator, Seen], pd.DataFrame]


@dataclass(frozen=True)
class Sky:
    """What all collections share: the dust, how galaxies look, the seed."""

    sed: Mapping[str, Any]
    dust: Dust
    seed: int


@dataclass(frozen=True)
class Request:
    """What to collect.

    Attributes
    ----------
    what
        Where in the config the number stands, for the message.
    n_usable
        How many usable galaxies are wanted.
    n_available
        How many galaxies of the pool the field holds.
    stream, counter
        Which random numbers.
    """

    what: str
    n_usable: int
    n_available: float
    stream: str
    counter: int = 0


def draw_chunk(
    sky: Sky,
    rng: np.random.Generator,
    pool: Pool,
    instrument: Instrument,
    position: Positions,
    n: int,
) -> Seen:
    """Draw ``n`` galaxies of a pool, put them on the sky and look at them."""
    galaxies = dress(rng, sky.sed, *draw(pool, rng, n))
    return look(rng, instrument, sky.dust, galaxies, position(rng, n))


def collect(
    sky: Sky,
    request: Request,
    pool: Pool,
    instrument: Instrument,
    position: Positions,
    judge: Judge,
) -> tuple[Seen, pd.DataFrame]:
    """Return the kept galaxies up to the one that completes the number of usable ones.

    Galaxies are drawn independently, so that stopping there favours none.

    Raises
    ------
    BadInput
        If the field does not hold enough.
    """
    seen_parts: list[Seen] = []
    label_parts: list[pd.DataFrame] = []
    n_drawn, n_usable = 0, 0
    while n_usable < request.n_usable:
        if n_drawn >= request.n_available:
            raise _too_many(request, n_usable)
        rng = generator(sky.seed, request.stream, request.counter, len(seen_parts))
        n_next = _chunk_size(request.n_usable, n_usable, n_drawn)
        n_next = min(n_next, int(np.ceil(request.n_available - n_drawn)))
        seen = draw_chunk(sky, rng, pool, instrument, position, n_next)
        labels = judge(rng, seen)
        missing = request.n_usable - n_usable
        running = labels["usable"].to_numpy().cumsum()
        rows = np.flatnonzero(labels["kept"].to_numpy() & _up_to(running, missing))
        seen_parts.append(seen.part(rows))
        label_parts.append(labels.iloc[rows])
        n_drawn += n_next
        n_usable += int(min(running[-1], missing))
    return join_seen(seen_parts), pd.concat(label_parts, ignore_index=True)


def _up_to(running: NDArray[np.int64], missing: int) -> NDArray[np.bool_]:
    """Tell which rows come no later than the ``missing``-th usable one."""
    last = np.searchsorted(running, missing)  # the row of that one, or past the end
    return np.arange(len(running)) <= last


def _chunk_size(n_wanted: int, n_usable: int, n_drawn: int) -> int:
    """Return how many to draw next: what is missing, by the yield so far."""
    usable_share = (n_usable + 1) / n_drawn if n_drawn else 0.5
    return int(np.clip(1.1 * (n_wanted - n_usable) / usable_share, MIN_CHUNK, MAX_CHUNK))


def _too_many(request: Request, n_usable: int) -> BadInput:
    return BadInput(
        "config",
        request.what,
        f"no more galaxies than the sky can give: {n_usable} of the {request.n_available:.0f} "
        "in this field are usable",
        f"{request.n_usable} wanted",
        "ask for fewer galaxies, or give them more area",
    )
