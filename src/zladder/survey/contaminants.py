"""What surveys list and no sample should hold: shared pieces of all surveys.

Stars, blends (an unrelated galaxy within about the seeing, its light in the listed flux),
artefacts (detections with nothing behind) and duplicates (one galaxy listed twice). The truth
calls them so in `contaminant`; the catalogues give the surveys' own flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.geometry import displaced
from zladder.survey.observing import Dust, Seen
from zladder.survey.stars import no_galaxies
from zladder.universe.instruments import Instrument
from zladder.universe.noise import observe

HALO_SCATTER_MAG = 1.5  # chosen: neighbouring bands then differ by two magnitudes
NO_LIGHT_MAG = 40.0  # of a band in which an artefact is not seen

Array = NDArray[np.float64]


def wanted(block: Mapping[str, Any], kind: str, n: int) -> int:
    """Return how many contaminants of a kind there are beside ``n`` galaxies."""
    return round(block[f"{kind}_share"] * n)


def flagged(rng: np.random.Generator, block: Mapping[str, Any], n: int) -> NDArray[np.bool_]:
    """Tell which of ``n`` contaminants the survey has flagged; shape (n,)."""
    n_unflagged = round(block["unflagged_share"] * n)
    return rng.permutation(n) >= n_unflagged


def misclassified(
    rng: np.random.Generator, block: Mapping[str, Any], magnitude: Array
) -> NDArray[np.bool_]:
    """Tell which stars are taken for galaxies: none that is bright, a share that is faint.

    The share grows linearly from 0 at ``star_bright_mag`` to
    ``star_misclassified_faint_share`` at ``star_faint_mag``, and stays there.
    """
    bright, faint = block["star_bright_mag"], block["star_faint_mag"]
    share = np.clip((magnitude - bright) / (faint - bright), 0.0, 1.0)
    share = share * block["star_misclassified_faint_share"]
    return rng.random(len(magnitude)) < share


def beside(
    rng: np.random.Generator, block: Mapping[str, Any], ra: Array, dec: Array
) -> tuple[Array, Array]:
    """Return positions within ``blend_distance_arcsec`` of others, even over the ring's area."""
    nearest, farthest = block["blend_distance_arcsec"]
    distance = np.sqrt(rng.uniform(nearest**2, farthest**2, len(ra)))
    angle = rng.uniform(0, 2 * np.pi, len(ra))
    return displaced(ra, dec, distance * np.cos(angle), distance * np.sin(angle))


def blended(
    rng: np.random.Generator, instrument: Instrument, host: Seen, companion: Seen, band: str
) -> Seen:
    """Return pairs as the catalogue lists them: one object, at the centre of the light.

    Parameters
    ----------
    rng
        Source of the noise.
    instrument
        Its bands and depth.
    host, companion
        N of each; the pair shares the error of the host's calibration.
    band
        In which the centre is taken.
    """
    shared = companion.dimmed + host.recorded - host.dimmed
    light = 10 ** (-0.4 * host.recorded) + 10 ** (-0.4 * shared)
    recorded = -2.5 * np.log10(light)
    flux, error = observe(rng, recorded, instrument.depth)
    share = (10 ** (-0.4 * shared) / light)[:, instrument.bands.index(band)]
    ra_offset = (companion.ra - host.ra + 180.0) % 360.0 - 180.0
    ra = (host.ra + share * ra_offset) % 360.0
    dec = host.dec + share * (companion.dec - host.dec)
    return replace(host, ra=ra, dec=dec, recorded=recorded, flux=flux, flux_error=error)


def observed_again(rng: np.random.Generator, instrument: Instrument, seen: Seen) -> Seen:
    """Return the same objects with other noise, behind the same calibration."""
    flux, error = observe(rng, seen.recorded, instrument.depth)
    return replace(seen, flux=flux, flux_error=error)


def artefacts(
    rng: np.random.Generator,
    instrument: Instrument,
    dust: Dust,
    position: tuple[Array, Array],
    in_one_band: NDArray[np.bool_],
    magnitude: Array,
    band: str,
) -> Seen:
    """Return detections without an object, in colours that no galaxy has.

    A satellite's trail crosses one band, for the bands are not exposed together; a halo or spike
    of a bright star shows in all, in each as it falls (`HALO_SCATTER_MAG`).

    Parameters
    ----------
    rng, instrument, dust, position
        As for stars.
    in_one_band
        Shape (N,): trails.
    magnitude, band
        Shape (N,), and the band of it.
    """
    n, one = len(magnitude), instrument.bands.index(band)
    shape = (n, len(instrument.bands))
    recorded = magnitude[:, None] + HALO_SCATTER_MAG * rng.normal(size=shape)
    recorded[in_one_band] = NO_LIGHT_MAG
    recorded[:, one] = magnitude
    flux, error = observe(rng, recorded, instrument.depth)
    ebv, stored = dust.at(position)
    nothing = np.full(shape, np.nan)
    return Seen(
        no_galaxies(n), *position, ebv, stored, nothing, nothing, recorded, flux, error
    )  # fmt: skip
