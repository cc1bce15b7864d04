"""Stamps made resident: de-reddened, cut to what a training needs, band-last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from zladder.learning.decoding import held
from zladder.learning.pixels import border_sigma, softening_nmgy
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np

    from zladder.learning.decoding import Coded
    from zladder.learning.stamps import Stamps


@dataclass(frozen=True)
class Images:
    """Images in memory.

    Attributes
    ----------
    pixels
        Shape (N, S, S, B): nanomaggies, float32, Galactic extinction taken out; or codes.
    sky_sigma_nmgy
        float32, shape (N, B): scatter of the sky of these fluxes; NaN where it was not measured.
    coded
        What the codes stand for; None for nanomaggies.
    """

    pixels: torch.Tensor
    sky_sigma_nmgy: torch.Tensor
    coded: Coded | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def flux_nmgy(self) -> torch.Tensor:
        """The nanomaggies of all of them."""
        return self.fluxes(self.pixels, torch.arange(len(self), device=self.pixels.device))

    def fluxes(self, pixels: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the nanomaggies of pixels (n, S, S, B) that were taken from galaxies (n,)."""
        return pixels if self.coded is None else self.coded.fluxes(pixels, rows)

    def to(self, device: torch.device) -> Images:
        """Return them on a device."""
        coded = None if self.coded is None else self.coded.to(device)
        return Images(self.pixels.to(device), self.sky_sigma_nmgy.to(device), coded)


def resident(
    stamps: Stamps, side_pixels: int, file: Path, *, with_sky: bool, as_stored: bool = False
) -> Images:
    """Return the central `side_pixels` of stamps (N, B, S, S), de-reddened or as they are stored.

    One pixel more where it takes that for the middle of the stamp to stay the middle. The sky (for
    noise and softening; to look is all that an answer needs) is measured at the border of the whole
    stamp.

    Raises
    ------
    BadInput
        For stamps that are too small; `file` is the dataset that the message names.
    """
    size = stamps.flux.shape[-1]
    if size < side_pixels:
        hint = "cut larger stamps (cutouts), or lower the crop, the jitter or choose dihedral"
        expected = f"{side_pixels} pixels, for the crop and its augmentation"
        raise BadInput(file, "its stamps", expected, f"{size} pixels", hint)
    side_pixels += (size - side_pixels) % 2  # or the galaxy would lie half a pixel off
    factor = stamps.dereddening
    start = (size - side_pixels) // 2
    window = slice(start, start + side_pixels)
    if as_stored and stamps.stored is not None:
        pixels = held(stamps.stored)[:, :, window, window]
    else:
        pixels = stamps.flux[:, :, window, window] * factor[:, :, None, None]
    sky = border_sigma(stamps.flux) * factor if with_sky else torch.full_like(factor, torch.nan)
    return Images(pixels.permute(0, 2, 3, 1).contiguous(), sky)


def fitted_softening(sky_sigma_nmgy: torch.Tensor, file: Path) -> torch.Tensor:
    """Return the softening of each band, (B,), from the sky (N, B) of a training's galaxies.

    Raises
    ------
    BadInput
        If the border of the stamps is empty in a band: no noise, no scale of the stretch.
    """
    softening = softening_nmgy(sky_sigma_nmgy)
    if not (softening > 0).all():
        hint = "the stretch needs the noise of the sky: give stamps that are not masked"
        found = f"a scatter of 0 in band number {int(torch.argmin(softening)) + 1}"
        raise BadInput(file, "its stamps", "noise in the outermost pixels", found, hint)
    return softening


def gathered(blocks: Iterable[tuple[np.ndarray, Images]], n: int) -> Images:
    """Return n images, in order, of blocks with their places; each place comes once.

    More than one copy of them is never in memory.
    """
    pixels, sky = torch.empty(0), torch.empty(0)
    for places, images in blocks:
        if len(sky) < n:
            pixels = torch.empty(n, *images.pixels.shape[1:], dtype=images.pixels.dtype)
            sky = torch.empty(n, images.sky_sigma_nmgy.shape[1])
        pixels[places], sky[places] = images.pixels, images.sky_sigma_nmgy
    return Images(pixels, sky)
