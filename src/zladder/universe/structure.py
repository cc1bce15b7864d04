"""What a catalogue lists of shapes: size, axis ratio and bulge share, measured with errors.

The names are those of SDSS's model fits: ``expRad_r``, the half-light radius along the major axis
in arcsec; ``expAB_r``, the disc's axis ratio; ``fracDeV_r``, the bulge's share of the light. The
seeing is taken as known. The errors are ours: a floor, and a part that goes with the noise of the
flux, as errors of shape parameters do; they follow from what was observed alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from zladder.universe.morphology import Shapes

# chosen: floor, and factor of the flux's relative error
SIZE_ERROR_LN = (0.03, 1.5)
RATIO_ERROR = (0.03, 1.5)
SHARE_ERROR = (0.05, 3.0)
LEAST_RATIO = 0.05
POINT_ARCSEC = 0.1  # what a fit gives to an object without extent; chosen

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Structure:
    """Measured shapes of N galaxies, and their standard errors; every array of shape (N,).

    Attributes
    ----------
    radius_arcsec, radius_error_ln
        Half-light radius along the major axis; the error is that of its logarithm.
    axis_ratio, axis_ratio_error
        Of the disc; not below `LEAST_RATIO`, not above 1.
    bulge_share, bulge_share_error
        Clipped to [0, 1].
    """

    radius_arcsec: Array
    radius_error_ln: Array
    axis_ratio: Array
    axis_ratio_error: Array
    bulge_share: Array
    bulge_share_error: Array

    def part(self, rows: NDArray[np.int64] | slice) -> Structure:
        """Return some rows."""
        return Structure(*(getattr(self, field.name)[rows] for field in fields(self)))


def structure_errors(relative_flux_error: Array) -> tuple[Array, Array, Array]:
    """Return the errors of ln radius, axis ratio and bulge share, shape (N,) each.

    The argument is the listed error of the r flux over the observed flux.
    """
    pairs = (SIZE_ERROR_LN, RATIO_ERROR, SHARE_ERROR)
    size, ratio, share = (np.hypot(floor, factor * relative_flux_error) for floor, factor in pairs)
    return size, ratio, share


def true_structure(shapes: Shapes) -> Array:
    """Return what is to be measured: radius in arcsec, axis ratio, bulge share; shape (3, N)."""
    return np.stack([shapes.half_light_radius_arcsec, shapes.disc_axis_ratio, shapes.bulge_share])


def point_structure(n: int) -> Array:
    """Return the same for ``n`` objects without extent, shape (3, n)."""
    return np.array([[POINT_ARCSEC], [1.0], [0.0]]) * np.ones(n)


def measure_structure(
    rng: np.random.Generator, true: Array, relative_flux_error: Array
) -> Structure:
    """Return what a catalogue lists of shapes; ``true`` as `true_structure` gives it."""
    size, ratio, share = structure_errors(relative_flux_error)
    radius_arcsec, axis_ratio, bulge_share = true
    noise = rng.normal(size=true.shape)
    return Structure(
        radius_arcsec=radius_arcsec * np.exp(size * noise[0]),
        radius_error_ln=size,
        axis_ratio=np.clip(axis_ratio + ratio * noise[1], LEAST_RATIO, 1.0),
        axis_ratio_error=ratio,
        bulge_share=np.clip(bulge_share + share * noise[2], 0.0, 1.0),
        bulge_share_error=share,
    )
