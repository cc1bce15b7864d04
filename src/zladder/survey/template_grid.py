"""Template fluxes: a sequence of spectra with dust, seen through every band at every redshift.

The sequence runs through the empirical shapes of `universe.spectra`, mixed linearly between
neighbours; one shape can be left out, so that the fit cannot know all that generates the sky.
Black bodies stand for stars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.survey.stars import black_body_mag
from zladder.universe.instruments import Instrument
from zladder.universe.noise import flux_njy
from zladder.universe.photometry import PhotometryTable, distance_modulus_mag, z_nodes
from zladder.universe.spectra import SHAPES

NO_TEMPLATE_MISSING = "none"
FITTED_DUST_NODES = 5  # of the photometry table's: E(B-V) of 0, 0.1, 0.25, 0.45 and 0.7 mag
FIRST_FITTED_Z = 0.01
STAR_TEMPERATURES_K = np.geomspace(2800.0, 12000.0, 24)
# log10 of mass over light in the rest r band, solar units, without own dust: chosen here, of the
# order that population synthesis gives for the colours of the four shapes
LOG_MASS_TO_LIGHT = {"E": 0.45, "Sbc": 0.20, "Scd": 0.0, "Im": -0.30}

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TemplateGrid:
    """What the fit compares observed fluxes with.

    Attributes
    ----------
    z
        Shape (Z,), uniform in ln(1 + z).
    flux_njy
        Shape (Z, T, B): the flux of each template at an absolute r magnitude of 0.
    log_mass_to_light
        Shape (T,): log10, solar units, of light with own dust.
    star_flux
        Shape (S, B): of each black body, in any unit.
    """

    z: Array
    flux_njy: Array
    log_mass_to_light: Array
    star_flux: Array


def fitted_shapes(missing_template: str) -> tuple[int, ...]:
    """Return which of the four shapes the fit has."""
    return tuple(k for k, name in enumerate(SHAPES) if name != missing_template)


def sequence_weights(shapes: tuple[int, ...], steps: int) -> Array:
    """Return weights of the four shapes along their sequence, shape (S, 4), ``steps`` a pair."""
    rows = np.eye(len(SHAPES))
    mixed = [
        (1 - share) * rows[low] + share * rows[high]
        for low, high in pairwise(shapes)
        for share in np.arange(steps) / steps
    ]
    return np.array([*mixed, rows[shapes[-1]]])


def make_template_grid(instrument: Instrument, settings: Mapping[str, Any]) -> TemplateGrid:
    """Mix and dim the shapes at the redshifts of the photometry table, every few nodes.

    Parameters
    ----------
    instrument
        The many-band survey.
    settings
        Block ``manyband``: ``missing_template``, ``template_steps``, ``z_node_step``.
    """
    table = instrument.table
    nodes = z_nodes(table.z_max)
    rows = np.flatnonzero(nodes >= FIRST_FITTED_Z)[:: settings["z_node_step"]]
    z = nodes[rows]
    shapes = fitted_shapes(settings["missing_template"])
    weights = sequence_weights(shapes, settings["template_steps"])
    log_light, log_rest = _mixed(table, weights, rows)
    magnitude = distance_modulus_mag(z)[:, None, None] - 2.5 * (
        np.moveaxis(log_light, 2, 0) - log_rest[None, :, :, None]
    ).reshape(len(z), -1, len(table.bands))
    per_shape = np.array([LOG_MASS_TO_LIGHT[name] for name in SHAPES])
    dimming = log_rest[:, :1] - log_rest  # dust hides light, not mass
    temperature = STAR_TEMPERATURES_K
    return TemplateGrid(
        z=z,
        flux_njy=flux_njy(magnitude),
        log_mass_to_light=((weights @ per_shape)[:, None] + dimming).reshape(-1),
        star_flux=flux_njy(black_body_mag(temperature, instrument.effective_angstrom)),
    )


def _mixed(table: PhotometryTable, weights: Array, rows: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return log10 of the light of each mixture: in the bands (S, D, Z, B) and at rest (S, D)."""
    dust = slice(0, FITTED_DUST_NODES)
    light = 10 ** table.log_light[:, dust, rows]
    rest = 10 ** table.rest_log_light[:, dust]
    log_light = np.log10(np.stack([_sum(row, light) for row in weights]))
    return log_light, np.log10(np.stack([_sum(row, rest) for row in weights]))


def _sum(weight: Array, light: Array) -> Array:
    return (weight.reshape(-1, *[1] * (light.ndim - 1)) * light).sum(axis=0)
