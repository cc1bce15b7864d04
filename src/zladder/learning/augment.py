"""What a network sees of a galaxy: crop, turn, dust, noise and stretch, a whole batch at once.

Every galaxy has its own draws. Crop, jitter and the eight symmetries of the square are one look-up
of whole pixels; a rotation is one resampling that writes nothing but the crop, and gives back the
noise that it took: every view has the noise of what is looked at later.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from zladder.learning.pixels import STRETCHES, band_values, transmission
from zladder.learning.turning import turned_crops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.learning.images import Images

N_SYMMETRIES = 8


@dataclass(frozen=True)
class Views:
    """Images as a network sees them, on the device of their pixels.

    Attributes
    ----------
    images
        The galaxies, (N, S, S, B).
    inputs
        `inputs` of the run card: bands, extinction_per_ebv, crop_pixels, stretch.
    softening_nmgy
        Shape (B,), the encoder's, on the device of the images.
    missing_share
        What a turn takes of the variance of their noise over what it takes of white noise's.
    """

    images: Images
    inputs: Mapping[str, Any]
    softening_nmgy: torch.Tensor
    missing_share: float = 1.0

    @property
    def device(self) -> torch.device:
        """Where the pixels are. Rows, symmetries and generators may be on the CPU all the same."""
        return self.images.pixels.device

    def centred(self, rows: torch.Tensor, ebv_mag: float = 0.0) -> torch.Tensor:
        """Return the centre crops of galaxies, (n, B, C, C), behind `ebv_mag` more of dust."""
        symmetry = torch.zeros(len(rows), dtype=torch.int64)
        return self.turned(rows, symmetry, ebv_mag)

    def turned(
        self, rows: torch.Tensor, symmetry: torch.Tensor, ebv_mag: float = 0.0
    ) -> torch.Tensor:
        """Return centre crops under a symmetry (n,), 0 to 7 (0 leaves them), each its own."""
        pixels = self._looked_up(rows, symmetry, torch.zeros(2, len(rows), dtype=torch.int64))
        dust = torch.full((len(rows),), ebv_mag)
        return self._seen(pixels, self._transmission(dust))

    def augmented(
        self, rows: torch.Tensor, settings: Mapping[str, Any], generator: torch.Generator
    ) -> torch.Tensor:
        """Return augmented crops of galaxies, (n, B, C, C), each with draws of its own.

        Parameters
        ----------
        rows
            Which galaxies, int64 (n,).
        settings
            `augmentation` of the run card: a turn (`geometry`: one of the eight symmetries, or any
            angle), shift of the centre by up to `jitter_pixels` on each axis, dust of
            U(0, `ebv_mag_max`) and noise of U(0, `noise_sigmas_max`) times the sky's, beyond that
            of the pixels themselves.
        generator
            On the CPU. Equal generators give equal crops (on a GPU: of other noise).
        """
        n, jitter, missing = len(rows), settings["jitter_pixels"], None
        shift = torch.randint(-jitter, jitter + 1, (2, n), generator=generator)
        if settings["geometry"] == "dihedral":
            symmetry = torch.randint(N_SYMMETRIES, (n,), generator=generator)
            pixels = self._looked_up(rows, symmetry, shift)
        else:
            angle = torch.rand(n, generator=generator) * (2.0 * torch.pi)
            pixels, missing = self._rotated(rows, angle, shift)
        ebv_mag = torch.rand(n, generator=generator) * settings["ebv_mag_max"]
        sigmas = torch.rand(n, generator=generator) * settings["noise_sigmas_max"]
        factor, noise = self._transmission(ebv_mag), None
        if settings["noise_sigmas_max"] or missing is not None:
            noise = normal_noise(pixels.shape, generator, self.device)
            noise *= self._scatter(rows, sigmas.to(self.device), factor, missing)
        return self._seen(pixels, factor, noise)

    def _scatter(
        self,
        rows: torch.Tensor,
        sigmas: torch.Tensor,
        factor: torch.Tensor,
        missing: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the scatter of the noise to add, over the softening; it fits (n, C, C, B).

        `sigmas` (n,) times the sky's, and in quadrature what a resampling took of the sky's noise:
        the share `missing` (n, C, C, 1) of its variance (of white noise; of this the share
        `missing_share`), behind the dust that it stands behind.
        """
        sky = self.images.sky_sigma_nmgy[rows.to(self.device)] / self.softening_nmgy
        if missing is None:
            return (sigmas[:, None] * sky)[:, None, None]
        dimmed = missing * (self.missing_share * factor * factor)[:, None, None]
        return dimmed.add_(sigmas.square()[:, None, None, None]).sqrt_().mul_(sky[:, None, None])

    def _looked_up(
        self, rows: torch.Tensor, symmetry: torch.Tensor, shift: torch.Tensor
    ) -> torch.Tensor:
        """Return crops (n, C, C, B), shifted and then turned, as one look-up of whole pixels."""
        side, crop = self.images.pixels.shape[1], self.inputs["crop_pixels"]
        start = side // 2 - crop // 2
        rows, symmetry, shift = (part.to(self.device) for part in (rows, symmetry, shift))
        corner = (start + shift[0]) * side + start + shift[1]
        table = symmetry_table(crop, side).to(self.device)
        where = table[symmetry] + (rows * side**2 + corner)[:, None]
        pixels = self.images.pixels.flatten(0, 2).index_select(0, where.flatten())
        return self.images.fluxes(pixels.view(len(rows), crop, crop, -1), rows)

    def _rotated(
        self, rows: torch.Tensor, angle: torch.Tensor, shift: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return `turned_crops` of galaxies: crops and the variance of noise that they miss."""
        rows, angle, shift = (part.to(self.device) for part in (rows, angle, shift))
        stamps = self.images.fluxes(self.images.pixels[rows], rows)
        return turned_crops(stamps, angle, shift, self.inputs["crop_pixels"])

    def _transmission(self, ebv_mag: torch.Tensor) -> torch.Tensor:
        return transmission(ebv_mag, band_values(self.inputs)).to(self.device)

    def _seen(
        self, pixels: torch.Tensor, factor: torch.Tensor, noise: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return stretch(flux factor / softening + noise), (n, B, C, C), channels-last.

        `pixels` (n, C, C, B) are the caller's to lose; `factor` is (n, B); `noise` is in units of
        the softening.
        """
        scaled = pixels.mul_((factor / self.softening_nmgy)[:, None, None])
        if noise is not None:
            scaled += noise
        return STRETCHES[self.inputs["stretch"]](scaled).permute(0, 3, 1, 2)


def normal_noise(
    shape: torch.Size, generator: torch.Generator, device: torch.device
) -> torch.Tensor:
    """Return standard normal numbers on a device; equal generators (on the CPU) give equal ones.

    CUDA draws its own, by a generator that the given one seeds: a CPU takes 50 ms for a view of 256
    galaxies, during which a GPU would wait.
    """
    if device.type == "cuda":
        seed = int(torch.randint(2**62, (1,), generator=generator))
        generator = torch.Generator(device).manual_seed(seed)
    return torch.empty(shape, device=device).normal_(generator=generator)


@lru_cache(maxsize=8)
def symmetry_table(crop: int, side: int) -> torch.Tensor:
    """Return where the pixels of a crop lie in a flat stamp, (8, C C), under each symmetry.

    The eight elements of the square's group: transposed or not, each axis reversed or not; the
    first leaves the crop as it is.
    """
    plain = torch.arange(crop)[:, None] * side + torch.arange(crop)
    turned = [
        square.flip(axes).flatten()
        for square in (plain, plain.T)
        for axes in ([], [0], [1], [0, 1])
    ]
    return torch.stack(turned)
