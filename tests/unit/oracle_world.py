"""Galaxies for the oracle to judge, drawn as the sky draws them, and how it does."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from mock_sky import instrument, settings
from scipy.stats import kstest

from zladder.evaluate.oracle import Oracle
from zladder.evaluate.oracle_likelihood import Observed
from zladder.survey.collecting import Sky, draw_chunk
from zladder.survey.imaging import main_area
from zladder.survey.observing import Seen, join_seen, make_dust
from zladder.universe.morphology import draw_shapes
from zladder.universe.population import make_pool
from zladder.universe.structure import Structure, measure_structure, true_structure

FALSE_ALARMS = 1e-3
N_SKIES = 12


def known(**changes: dict[str, Any]) -> dict[str, Any]:
    """Return the sky's settings, with changes to some blocks."""
    sky = deepcopy(settings())
    for block, values in changes.items():
        sky[block] = sky[block] | values
    return sky


def main_galaxies(n: int, seed: int) -> Seen:
    """Return main-sample galaxies, about half of ``n``.

    They lie behind a dozen dusts: neighbours share the error of the map.
    """
    parts = [_main_galaxies(n // N_SKIES, seed + sky) for sky in range(N_SKIES)]
    return join_seen(parts)


def _main_galaxies(n: int, seed: int) -> Seen:
    sky, sdss = settings(), instrument("sdss")
    dust = make_dust(sky["dust"], seed)
    pool = make_pool(sdss.table, sky["population"], "r", sky["sdss"]["limit_r_mag"])
    rng = np.random.default_rng(seed)
    seen = draw_chunk(Sky(sky["sed"], dust, seed), rng, pool, sdss, main_area(sky).draw, n)
    r_mag = seen.observed()[0][:, 2] - sdss.extinction_per_ebv[2] * seen.stored_ebv_mag
    kept = (r_mag <= sky["sdss"]["limit_r_mag"]) & (seen.flux > 0).all(axis=1)
    kept &= seen.galaxies.z < sky["sdss"]["z_limit"]
    return seen.part(np.flatnonzero(kept))


def observed(seen: Seen) -> Observed:
    return Observed(seen.flux, seen.stored_ebv_mag, np.arange(len(seen.flux)))


def pit(oracle: Oracle, pmf: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the CDF at the true redshifts, linear within a class."""
    cdf = np.cumsum(pmf.astype(np.float64), axis=1)
    cdf = np.concatenate([np.zeros((len(pmf), 1)), cdf], axis=1)
    return np.array([np.interp(at, oracle.edges, row) for at, row in zip(z, cdf, strict=True)])


def flatness(oracle: Oracle, pmf: np.ndarray, z: np.ndarray) -> float:
    """Return the p-value of flat PIT values: Kolmogorov-Smirnov of these, and folded at 1/2.

    The first sees a shift, the second a wrong width; the smaller one counts twice.
    """
    values = pit(oracle, pmf, z)
    folded = np.abs(2 * values - 1)
    return 2 * min(float(kstest(v, "uniform").pvalue) for v in (values, folded))


def nll(oracle: Oracle, pmf: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return -ln p(z_true) of each galaxy."""
    place = np.searchsorted(oracle.edges, z, side="right") - 1
    density = pmf[np.arange(len(z)), place] / np.diff(oracle.edges)[place]
    return -np.log(np.maximum(density, 1e-12))


def mean_nll(oracle: Oracle, pmf: np.ndarray, z: np.ndarray) -> float:
    """Return the mean of -ln p(z_true)."""
    return float(nll(oracle, pmf, z).mean())


def measured(seen: Seen, seed: int, r_band: int = 2) -> Structure:
    """Return what a catalogue lists of the galaxies' shapes."""
    rng = np.random.default_rng(seed)
    shapes = draw_shapes(rng, settings()["morphology"], seen.galaxies)
    return measure_structure(
        rng, true_structure(shapes), seen.flux_error[:, r_band] / seen.flux[:, r_band]
    )
