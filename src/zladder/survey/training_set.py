"""A training set of any size, painted straight into memory: no files, no neighbours, for scale.

Galaxies of the SDSS-like main sample come in blocks, each of one night, with random numbers of its
own: the first N of a larger set are the set of N, and nothing depends on how many are painted
at a time. Stamps may lie on a GPU and be painted there; what the host holds is one block and
the labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from zladder.config.imaging import FieldNumber
from zladder.survey.collecting import Sky, draw_chunk
from zladder.survey.conditions import Conditions, draw_conditions
from zladder.survey.geometry import Field
from zladder.survey.imaging import PIXEL_ARCSEC, main_area
from zladder.survey.observing import Seen, join_seen, make_dust
from zladder.survey.renderer import Light, make_seeing, render
from zladder.survey.streams import generator
from zladder.tables.fluxes import NANOMAGGY_ZERO_POINT_MAG
from zladder.universe.instruments import Instrument, make_instrument
from zladder.universe.morphology import Shapes, bulge_light_share, draw_shapes
from zladder.universe.population import Pool, make_pool
from zladder.universe.spectra import load_spectra

BLOCK = 1024  # galaxies
TRIES_PER_GALAXY = 2.5  # about half of the pool are bright enough
RUN = 0  # whose nights these are: no imaging run has this number


@dataclass(frozen=True)
class Source:
    """Where the galaxies come from."""

    settings: Mapping[str, Any]
    sky: Sky
    sdss: Instrument
    pool: Pool
    area: Field


def make_source(settings: Mapping[str, Any], seed: int) -> Source:
    """Return the main sample's population, dust and instrument.

    Parameters
    ----------
    settings
        Of the survey stage; the numbers of galaxies are not read.
    seed
        Not negative.
    """
    sdss = make_instrument(load_spectra(), settings, "sdss")
    pool = make_pool(sdss.table, settings["population"], "r", settings["sdss"]["limit_r_mag"])
    sky = Sky(settings["sed"], make_dust(settings["dust"], seed), seed)
    return Source(settings, sky, sdss, pool, main_area(settings))


def draw_block(source: Source, block: int) -> tuple[Light, pd.DataFrame]:
    """Return `BLOCK` galaxies as the renderer takes them, in nanomaggies, and their labels.

    Labels are the true redshift, whether of early type, the E(B-V) that the map lists (mag), and
    observed magnitudes (``mag_u``, ...: catalogue noise, NaN where nothing was seen).
    """
    rng = generator(source.sky.seed, "training set", block)
    seen = _bright_enough(rng, source)
    shapes = draw_shapes(rng, source.settings["morphology"], seen.galaxies)
    magnitude, _ = seen.observed()
    labels = pd.DataFrame(
        {
            "z": seen.galaxies.z,
            "is_early": seen.galaxies.is_early,
            "ebv_mag": seen.stored_ebv_mag,
            **{f"mag_{band}": magnitude[:, i] for i, band in enumerate(source.sdss.bands)},
        }
    )
    offset = torch.tensor(rng.uniform(-0.5, 0.5, (BLOCK, 2)), dtype=torch.float32)
    return _light(source, seen, shapes, offset), labels


def _bright_enough(rng: np.random.Generator, source: Source) -> Seen:
    """Return galaxies within the sample's limit in observed, corrected r magnitude."""
    r_band = source.sdss.bands.index("r")
    parts: list[Seen] = []
    while sum(len(part.ra) for part in parts) < BLOCK:
        n = round(TRIES_PER_GALAXY * BLOCK)
        seen = draw_chunk(source.sky, rng, source.pool, source.sdss, source.area.draw, n)
        magnitude, _ = seen.observed()
        correction = source.sdss.extinction_per_ebv[r_band] * seen.stored_ebv_mag
        limit = source.settings["sdss"]["limit_r_mag"]
        parts.append(seen.part(magnitude[:, r_band] - correction <= limit))
    return join_seen(parts).part(slice(BLOCK))


def _light(source: Source, seen: Seen, shapes: Shapes, offset: torch.Tensor) -> Light:
    bulge = bulge_light_share(source.sdss.table, seen.galaxies, shapes.bulge_share, seen.magnitude)
    flux_nmgy = 10 ** (-0.4 * (seen.recorded - NANOMAGGY_ZERO_POINT_MAG))

    def tensor(values: NDArray[np.float64]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32)

    return Light(
        disc_flux=tensor(flux_nmgy * (1 - bulge)),
        bulge_flux=tensor(flux_nmgy * bulge),
        disc_radius=tensor(shapes.disc_radius_arcsec / PIXEL_ARCSEC),
        bulge_radius=tensor(shapes.bulge_radius_arcsec / PIXEL_ARCSEC),
        disc_ratio=tensor(shapes.disc_axis_ratio),
        bulge_ratio=tensor(shapes.bulge_axis_ratio),
        angle=tensor(np.radians(shapes.position_angle_deg)),
        offset=offset,
    )


def make_training_set(
    settings: Mapping[str, Any],
    seed: int,
    n: int,
    size: int = 64,
    device: str = "cpu",
    dtype: torch.dtype = torch.float16,
) -> tuple[torch.Tensor, pd.DataFrame]:
    """Return noisy stamps of ``n`` galaxies, and their labels.

    Parameters
    ----------
    settings
        Of the survey stage.
    seed
        Not negative. It gives the same galaxies everywhere, the same noise on one kind of device.
    n
        At least 1.
    size
        S: even, in pixels.
    device, dtype
        Of the stamps.

    Returns
    -------
    stamps
        Shape (n, B, S, S), nanomaggies.
    labels
        ``n`` rows, see `draw_block`, and ``psf_fwhm_r_arcsec``.

    Raises
    ------
    ValueError
        If ``n`` is not positive, or ``size`` not positive and even.
    BadInput
        If a depth asks for less noise than the detector makes.
    """
    if n < 1 or size < 2 or size % 2:
        message = f"n must be positive and size even, not {n} and {size}"
        raise ValueError(message)
    source = make_source(settings, seed)
    stamps = torch.empty(n, len(source.sdss.bands), size, size, dtype=dtype, device=device)
    labels = []
    for block, start in enumerate(range(0, n, BLOCK)):
        light, known = draw_block(source, block)
        night = draw_conditions(settings, seed, FieldNumber(RUN, 1, block))
        part = stamps[start : start + BLOCK]
        _expose(part, light.part(slice(len(part))), night, (seed, block))
        fwhm = night.seeing_fwhm_arcsec[night.bands.index("r")]
        labels.append(known.iloc[: len(part)].assign(psf_fwhm_r_arcsec=fwhm))
    return stamps, pd.concat(labels, ignore_index=True)


def _expose(stamps: torch.Tensor, light: Light, night: Conditions, key: tuple[int, int]) -> None:
    """Fill stamps, shape (M, B, S, S), with light and the noise of photons and detector.

    The noise is that of frames (`frame_files.with_noise`); a whole block of it is drawn.
    """
    device, (n_bands, size) = stamps.device, stamps.shape[1:3]
    rng = generator(key[0], "training set", key[1], 1)
    noise_rng = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
    shape = (BLOCK, n_bands, size, size)
    noise = torch.randn(shape, generator=noise_rng, device=device)[: len(stamps)]

    def of_band(values: NDArray[np.float64]) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)[:, None, None]

    seeing = make_seeing(night.seeing_fwhm_arcsec / PIXEL_ARCSEC, night.moffat_beta)
    image = render(Light(*(value.to(device) for value in vars(light).values())), seeing, size)
    variance = image.clamp(min=0) * of_band(night.nmgy_per_count / night.electrons_per_count)
    variance += of_band(night.sky_sigma_nmgy**2)
    image += noise.mul_(variance.sqrt_())
    stamps.copy_(torch.minimum(image, of_band(night.saturation_nmgy)))
