"""Places for galaxies in the fields: each is offered until a galaxy that the survey keeps takes it.

The galaxy at a place is then a draw from those that the survey keeps behind the place's dust.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zladder.provenance.errors import BadInput
from zladder.survey.imaging import ImagingField, draw_pixels

SPARE_SHARE = 0.05  # more places than galaxies wanted: some kept ones do not count
SPARE = 5

Array = NDArray[np.float64]


class Places:
    """Places of one sample; ``draw`` and ``take`` in turn.

    Attributes
    ----------
    field
        Shape (P,): which of the fields.
    pixel
        Shape (P, 2): x, y in it.
    ra, dec
        Shape (P,): degrees.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        fields: Sequence[ImagingField],
        n_wanted: int,
        edge_pixels: float,
    ) -> None:
        n_each = int(np.ceil(n_wanted * (1 + SPARE_SHARE) / len(fields))) + SPARE
        pixels = [draw_pixels(rng, n_each, edge_pixels) for _ in fields]
        sky = [field.to_sky(*xy.T) for field, xy in zip(fields, pixels, strict=True)]
        self.field = np.repeat(np.arange(len(fields)), n_each)
        self.pixel = np.concatenate(pixels)
        self.ra = np.concatenate([ra for ra, _ in sky])
        self.dec = np.concatenate([dec for _, dec in sky])
        self.free = np.ones(len(self.ra), dtype=bool)
        self.offered = np.zeros(0, dtype=np.int64)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Offer free places to ``n`` galaxies: ra and dec in degrees.

        Raises
        ------
        BadInput
            If none is free.
        """
        free = np.flatnonzero(self.free)
        if len(free) == 0:
            raise BadInput(
                "config",
                "survey/sdss",
                "settings by which nearly every galaxy kept has all magnitudes",
                f"all {len(self.free)} places taken before there were enough",
                "lower missing_share, or see the depths",
            )
        rounds = [rng.permutation(free) for _ in range(-(-n // len(free)))]
        self.offered = np.concatenate(rounds)[:n]
        return self.ra[self.offered], self.dec[self.offered]

    def take(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Give the places last offered to the galaxies kept, first come; tell which got one."""
        rows = np.flatnonzero(kept)
        _, first = np.unique(self.offered[rows], return_index=True)
        got = np.zeros(len(kept), dtype=bool)
        got[rows[first]] = True
        self.free[self.offered[got]] = False
        return got
