"""The oracle of the main sample: calibrated, no wider than need be, and right galaxy by galaxy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mock_sky import instrument, settings
from oracle_world import (
    FALSE_ALARMS,
    flatness,
    known,
    main_galaxies,
    mean_nll,
    measured,
    nll,
    observed,
)
from scipy.stats import norm

from zladder.evaluate import oracle_selection
from zladder.evaluate.oracle import posterior, posterior_pair
from zladder.evaluate.oracle_samples import main_oracle
from zladder.evaluate.oracle_structure import make_structure_laws
from zladder.universe.appearance import (
    LATE_DUST_SCATTER_LN,
    dress,
    median_disc_dust_mag,
    type_law,
)
from zladder.universe.densities import log_counts, log_luminosities
from zladder.universe.noise import flux_njy, noise_njy
from zladder.universe.photometry import distance_modulus_mag, extinction_mag, magnitudes
from zladder.universe.population import make_pool

SEED = 90210  # not one that the grid was chosen with
N_DRAWN = 2400  # of which some 1,100 are in the sample


@pytest.fixture(scope="module")
def seen():
    return main_galaxies(N_DRAWN, SEED)


@pytest.fixture(scope="module")
def oracle():
    return main_oracle(known())


@pytest.fixture(scope="module")
def structure(seen):
    return measured(seen, SEED)


@pytest.fixture(scope="module")
def both(oracle, seen, structure):
    laws = make_structure_laws(known(), oracle.nodes)
    return posterior_pair(oracle, laws, observed(seen), structure)


@pytest.fixture(scope="module")
def pmf(both):
    return both[0]


def fainter(values: dict[str, float], factor: float) -> dict[str, float]:
    return {band: value - 2.5 * np.log10(factor) for band, value in values.items()}


def test_pit_is_flat(oracle, seen, pmf):
    assert len(seen.ra) >= 1000
    assert flatness(oracle, pmf, seen.galaxies.z) > FALSE_ALARMS


def wrong_worlds():
    sdss, population = settings()["sdss"], settings()["population"]
    faint = {name: lf | {"mstar_mag": lf["mstar_mag"] + 1.0} for name, lf in population.items()}
    noise = {
        "depth_5sigma_mag": fainter(sdss["depth_5sigma_mag"], 0.4),
        "electron_mag": fainter(sdss["electron_mag"], 0.16),
    }
    return {
        "0.4 times the noise": {"sdss": noise},
        "no modes": {"sed": {"mode_rms": [1e-6, 1e-6, 1e-6]}},
        "galaxies a magnitude fainter": {"population": faint},
    }


@pytest.mark.parametrize("world", wrong_worlds())
def test_an_oracle_of_another_world_is_found_out(seen, oracle, pmf, world):
    some = np.arange(500)
    other = main_oracle(known(**wrong_worlds()[world]))
    told = posterior(other, observed(seen.part(some)))
    z = seen.galaxies.z[some]
    assert flatness(other, told, z) < FALSE_ALARMS
    assert mean_nll(other, told, z) > mean_nll(oracle, pmf[some], z) + 0.02


def test_structure_adds_information_and_pit_stays_flat(oracle, seen, both):
    z = seen.galaxies.z
    assert flatness(oracle, both[1], z) > FALSE_ALARMS
    losses = [nll(oracle, pmf, z) for pmf in both]
    gain = losses[0] - losses[1]
    assert gain.mean() > 5 * gain.std() / np.sqrt(len(gain))


def test_an_oracle_that_expects_other_sizes_is_found_out(oracle, seen, structure, both):
    few = np.arange(500)
    laws = make_structure_laws(known(sed={"structure_correlation": -0.9}), oracle.nodes)
    part = seen.part(few), structure.part(few)
    wrong = posterior_pair(oracle, laws, observed(part[0]), part[1])[1]
    z = part[0].galaxies.z
    worse = nll(oracle, wrong, z) - nll(oracle, both[1][few], z)
    assert worse.mean() > 3 * worse.std() / np.sqrt(len(few))


def test_probabilities_are_whole_and_do_not_depend_on_the_order(oracle, seen, pmf):
    assert pmf.shape == (len(seen.ra), len(oracle.edges) - 1)
    assert (pmf >= 0).all()
    np.testing.assert_allclose(pmf.sum(axis=1), 1.0, atol=1e-5)
    few = seen.part(np.arange(150))
    order = np.random.default_rng(1).permutation(150)
    straight, turned = (
        posterior(oracle, observed(few)),
        posterior(oracle, observed(few.part(order))),
    )
    np.testing.assert_array_equal(straight[order], turned)
    # in other company the pruning of nodes differs, and nothing else
    assert (0.5 * np.abs(straight - pmf[:150]).sum(axis=1)).max() < 0.02


def test_what_no_node_explains_has_no_answer(oracle, seen, structure, pmf):
    """No galaxy is as red and as blue at once; a whole group of such is no failure either."""
    few = observed(seen.part(np.arange(100)))
    strange = few.flux * np.array([1e4, 1e-4, 1.0, 1e-4, 1e4])
    alone = replace(few, flux=strange)
    assert np.isnan(posterior(oracle, alone)).all()
    laws = make_structure_laws(known(), oracle.nodes)
    for answer in posterior_pair(oracle, laws, alone, structure.part(np.arange(100))):
        assert np.isnan(answer).all()
    odd = np.arange(100) % 2 == 1
    mixed = posterior(oracle, replace(few, flux=np.where(odd[:, None], strange, few.flux)))
    assert np.isnan(mixed[odd]).all()
    np.testing.assert_allclose(mixed[~odd].sum(axis=1), 1.0, atol=1e-5)
    # in other company the pruning of nodes differs, and nothing else
    assert (0.5 * np.abs(mixed - pmf[:100]).sum(axis=1))[~odd].max() < 0.02


def test_pruning_loses_nothing_that_counts(oracle, seen, pmf, monkeypatch):
    monkeypatch.setattr(oracle_selection, "SIGMAS", 8.0)
    monkeypatch.setattr(oracle_selection, "SMALLEST_LOG_PRIOR", -100.0)
    whole = posterior(oracle, observed(seen.part(np.arange(100))))
    moved = 0.5 * np.abs(whole - pmf[:100]).sum(axis=1)  # probability that went elsewhere
    assert np.median(moved) < 1e-4
    assert moved.max() < 0.05


def appearance_log_density(galaxies, abs_mag):
    """Return ln of the density of types and dust at luminosities, but for what is common."""
    law = type_law(galaxies.is_early, galaxies.z, abs_mag)
    kind = galaxies.sed_type
    found = norm.logpdf(kind, law.mean, law.scatter)
    at_bottom, at_top = kind == law.lowest, kind == law.highest
    found = np.where(at_bottom, norm.logcdf(kind, law.mean, law.scatter), found)
    found = np.where(at_top, norm.logsf(kind, law.mean, law.scatter), found)
    median = median_disc_dust_mag(abs_mag, galaxies.cos_inclination)
    dust = norm.logpdf(np.log(galaxies.ebv_internal_mag / median), 0, LATE_DUST_SCATTER_LN)
    return found + np.where(galaxies.is_early, 0.0, dust)


def drawn_posterior(seen, row: int, z_range: tuple[float, float], n: int):
    """Return redshifts and weights of galaxies like the observed one, drawn as the sky is.

    No grid, no first order: colours, dust and noise are the sky's own functions.
    """
    sky, sdss = settings(), instrument("sdss")
    rng = np.random.default_rng(row)
    pool = make_pool(sdss.table, sky["population"], "r", sky["sdss"]["limit_r_mag"])
    z, is_early = rng.uniform(*z_range, n), rng.random(n) < 0.5
    stored = np.full(n, seen.stored_ebv_mag[row])
    ebv = stored / (1 + sky["dust"]["stored_relative_error"] * rng.normal(size=n))
    guessed = seen.observed()[0][row, 2] - 2.3 * stored[0] - distance_modulus_mag(z) - 0.15
    galaxies = dress(rng, sky["sed"], is_early, z, guessed)
    magnitude, reddening = magnitudes(sdss.table, galaxies)
    dimmed = magnitude + extinction_mag(reddening, ebv)
    # the luminosity that the r band wants, and some more or less; appearance was drawn for another
    off = 0.03 * rng.normal(size=n)
    change = seen.observed()[0][row, 2] - dimmed[:, 2] + off
    abs_mag = guessed + change
    flux = flux_njy(dimmed + change[:, None])
    zero_point = np.log(10) / 2.5 * sdss.depth.zero_point_scatter_mag * flux
    variance = noise_njy(flux, sdss.depth) ** 2 + zero_point**2
    log_weight = -0.5 * ((seen.flux[row] - flux) ** 2 / variance + np.log(variance)).sum(axis=1)
    log_weight += 0.5 * (off / 0.03) ** 2
    log_weight += appearance_log_density(galaxies, abs_mag)
    log_weight -= appearance_log_density(galaxies, guessed)
    for index, members in enumerate((is_early, ~is_early)):
        log_weight[members] += log_counts(pool, index, z[members])
        log_weight[members] += log_luminosities(pool, index, z[members], abs_mag[members])
    weight = np.exp(log_weight - log_weight.max())
    return z, weight / weight.sum()


@pytest.mark.parametrize("rank", [5, 40])
def test_agrees_with_galaxies_drawn_at_random(oracle, seen, pmf, rank):
    centres = 0.5 * (oracle.edges[1:] + oracle.edges[:-1])
    nearby = np.flatnonzero((seen.galaxies.z > 0.05) & (seen.galaxies.z < 0.14))
    row = int(nearby[rank])
    cdf = np.cumsum(pmf[row])
    ends = (np.interp(1e-4, cdf, centres) - 0.003, np.interp(1 - 1e-4, cdf, centres) + 0.003)
    z, weight = drawn_posterior(seen, row, ends, 400_000)
    n_effective = 1 / (weight**2).sum()
    assert n_effective > 40
    mean, drawn_mean = pmf[row] @ centres, weight @ z
    spread = np.sqrt(pmf[row] @ (centres - mean) ** 2)
    drawn_spread = np.sqrt(weight @ (z - drawn_mean) ** 2)
    assert abs(mean - drawn_mean) < 4 * drawn_spread / np.sqrt(n_effective)
    assert abs(np.log(spread / drawn_spread)) < 4 / np.sqrt(2 * n_effective)
