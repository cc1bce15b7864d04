"""Galaxies in colour: three bands as red, green and blue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.visualization import make_lupton_rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zladder.report.shown_stamps import ShownStamps

# (red, green, blue), the first that a survey has; and how much each channel is raised, so that a
# galaxy of middling colour comes out neither red nor blue. Our choice, by eye.
TRIPLES = (("i", "r", "g"), ("z", "i", "g"), ("z", "i", "r"))
GAINS = (0.95, 1.25, 2.1)
SATURATION = 1.35  # how far colours are pulled from grey
SOFTENING = 8.0  # Q of Lupton et al. 2004: where the stretch turns from linear to logarithmic
# The linear part, in units of the noise of a pixel: twice what the middle of half of the galaxies
# exceeds, within these ends. The faint galaxies of a deep field would else stay black.
STRETCH_SIGMAS = (6.0, 22.0)
MIDDLE_PIXELS = 3  # side of the square whose mean tells how bright the middle is
BLACK_SIGMAS = 0.6  # what is darker is black: the sky shows a little of its noise


def colour_bands(bands: Sequence[str]) -> tuple[str, str, str]:
    """Return the bands shown as red, green and blue; without a known triple the reddest three."""
    for triple in TRIPLES:
        if set(triple) <= set(bands):
            return triple
    last = list(bands)[-3:]
    red, green, blue = last[-1], last[len(last) // 2], last[0]
    return red, green, blue


def colour_images(stamps: ShownStamps) -> np.ndarray:
    """Return all stamps as RGB on one scale, uint8 (N, S, S, 3).

    The stretch is that of Lupton et al. 2004 (PASP 116, 133): asinh of the mean of the channels,
    the same factor for all three, so that a bright core keeps its colour.
    """
    places = [stamps.bands.index(band) for band in colour_bands(stamps.bands)]
    gains = np.array(GAINS)
    sigma = float(np.mean(stamps.sky_sigma_nmgy[places] * gains))
    channels = stamps.flux[:, places] * gains[:, None, None]
    grey = channels.mean(axis=1, keepdims=True)
    channels = np.where(grey > 0, np.maximum(grey + SATURATION * (channels - grey), 0), channels)
    stretch = sigma * float(np.clip(2 * _middle(grey[:, 0]) / sigma, *STRETCH_SIGMAS))
    return np.stack([
        make_lupton_rgb(*channel, minimum=BLACK_SIGMAS * sigma, stretch=stretch, Q=SOFTENING)
        for channel in channels
    ])  # fmt: skip


def _middle(grey: np.ndarray) -> float:
    """Return the median brightness of the middle of images (N, S, S)."""
    first = (grey.shape[-1] - MIDDLE_PIXELS) // 2
    middle = grey[:, first : first + MIDDLE_PIXELS, first : first + MIDDLE_PIXELS]
    return float(np.nanmedian(middle.mean(axis=(1, 2))))
