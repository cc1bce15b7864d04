"""Random numbers by name: a draw added to one part of the sky leaves the others as they were."""

from __future__ import annotations

import numpy as np

STREAMS = {
    "dust": 1,
    "deep": 2,
    "spectroscopy": 3,
    "unlabelled": 4,
    "stars": 5,
    "main": 6,
    "hsc rows": 7,
    "cosmos rows": 8,
    "specz rows": 9,
    "main rows": 10,
    "imaging fields": 11,
    "places": 12,
    "deeper": 13,
    "deeper rows": 14,
    "neighbours": 15,
    "imaging stars": 16,
    "shapes": 17,
    "frames": 18,
    "manyband": 41,
    "contaminants": 30,
    "hsc contaminants": 31,
    "background": 37,
    "cfhtls": 32,
    "cfhtls rows": 33,
    "stamps": 34,
    "tiles": 35,
    "cutouts": 36,
    "training set": 60,
    "structure": 40,
}


def generator(seed: int, name: str, *counters: int) -> np.random.Generator:
    """Return the generator of one named part, and of one programme or chunk within it.

    Parameters
    ----------
    seed
        The sky's seed, not negative.
    name
        One of `STREAMS`.
    *counters
        Whole numbers from 0 that tell parts of the same stream apart.
    """
    return np.random.default_rng([seed, STREAMS[name], *counters])
