"""The population of the mock sky: luminosity functions, volume, dust, appearance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from astropy.cosmology import Planck18
from mock_sky import instrument, settings
from scipy.integrate import cumulative_simpson, quad
from scipy.stats import kstest, norm

from zladder.survey.dust_map import draw_field, stored_ebv_mag, true_ebv_mag
from zladder.survey.geometry import Field, displaced, distinct_ids, draw_outside
from zladder.universe.appearance import dress
from zladder.universe.photometry import magnitudes
from zladder.universe.population import (
    CLASSES,
    Pool,
    draw,
    make_pool,
    mstar_mag,
    phistar_per_mpc3,
)

POPULATION = settings()["population"]
SED = settings()["sed"]


def schechter(relative_mag: float, alpha: float) -> float:
    light = 10 ** (-0.4 * relative_mag)
    return 0.4 * np.log(10) * light ** (alpha + 1) * np.exp(-light)


def per_z_deg2(pool: Pool, index: int, z: float) -> float:
    """Integrate a class's function over luminosity at one redshift, and multiply by the volume."""
    lf = POPULATION[CLASSES[index]]
    limit = float(np.interp(z, pool.z, pool.limit_mag[index]))

    def function(relative_mag: float) -> float:
        tail = norm.pdf(relative_mag, lf["tail_mag"], lf["tail_scatter_mag"])
        return schechter(relative_mag, lf["alpha"]) + lf["tail_share"] * tail

    number = quad(function, -6, limit, limit=200)[0]
    volume = Planck18.differential_comoving_volume(z).value * (np.pi / 180) ** 2
    return float(phistar_per_mpc3(lf, z) * number * volume)


@pytest.mark.parametrize("index", [0, 1])
def test_counts_are_the_luminosity_function_times_the_comoving_volume(index):
    pool = make_pool(instrument("sdss").table, POPULATION, "r", 17.8)
    edges = np.array([0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3])
    counts = np.diff(np.interp(edges, pool.z, pool.cumulative_counts[index]))
    for (low, high), count in zip(pairwise(edges), counts, strict=True):
        nodes, weights = np.polynomial.legendre.leggauss(8)
        z = 0.5 * (high + low) + 0.5 * (high - low) * nodes
        values = [per_z_deg2(pool, index, float(one)) for one in z]
        expected = 0.5 * (high - low) * float(weights @ values)
        assert count == pytest.approx(expected, rel=5e-3)  # straight lines between nodes: 0.3 %


def test_drawn_redshifts_follow_the_direct_integral():
    # one Kolmogorov-Smirnov test of 100,000 galaxies at 0.1 % false alarms; half a step of the
    # table, 0.002 in z, would shift the middle of the distribution by 30 times what it resolves
    pool = make_pool(instrument("sdss").table, POPULATION, "r", 17.8)
    is_early, z, _ = draw(pool, np.random.default_rng(6), 100_000)
    grid = np.linspace(pool.z[0], 0.35, 400)
    density = [per_z_deg2(pool, 0, float(one)) for one in grid]
    total = cumulative_simpson(density, x=grid, initial=0.0)
    early = z[is_early & (z < 0.35)]
    assert kstest(np.interp(early, grid, total / total[-1]), "uniform").pvalue > 1e-3
    shifted = kstest(np.interp(early - 0.002, grid, total / total[-1]), "uniform")
    assert shifted.pvalue < 1e-9  # the test would see it


def test_the_luminous_tail_of_early_types_is_drawn():
    pool = make_pool(instrument("sdss").table, POPULATION, "r", 17.8)
    is_early, z, abs_mag_r = draw(pool, np.random.default_rng(7), 400_000)
    lf = POPULATION["early"]
    relative = abs_mag_r - mstar_mag(lf, z)
    far = is_early & (z > 0.05) & (z < 0.2)
    share = (relative[far] < -1.9).mean() / (relative[far] < -1.0).mean()
    tail = [lf["tail_share"] * norm.cdf((m - lf["tail_mag"]) / lf["tail_scatter_mag"])
            for m in (-1.9, -1.0)]  # fmt: skip
    whole = [quad(schechter, -6, m, args=(lf["alpha"],))[0] for m in (-1.9, -1.0)]
    expected = (whole[0] + tail[0]) / (whole[1] + tail[1])
    # 11,000 galaxies below -1.0, 4 % of them below -1.9: 5 % at one standard deviation; all is
    # complete below -1.0 up to z = 0.2
    assert share == pytest.approx(expected, rel=0.25)
    assert share > 2 * whole[0] / whole[1]


def test_drawn_luminosities_follow_the_schechter_function():
    # one Kolmogorov-Smirnov test of 2,000 galaxies at 0.1 % false alarms
    pool = make_pool(instrument("sdss").table, POPULATION, "r", 17.8)
    early, z, abs_mag_r = draw(pool, np.random.default_rng(1), 100_000)
    rows = np.flatnonzero(~early & (z > 0.05) & (z < 0.06))[:2000]
    lf = POPULATION["late"]
    relative = abs_mag_r[rows] - mstar_mag(lf, z[rows])
    limit = np.interp(z[rows], pool.z, pool.limit_mag[1])
    grid = np.arange(-6, 8, 0.01)
    total = np.cumsum([schechter(m, lf["alpha"]) for m in grid])
    rank = np.interp(relative, grid, total) / np.interp(limit, grid, total)
    assert len(rows) > 1000
    assert kstest(rank, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("survey", "band", "limit"), [("sdss", "r", 17.8), ("hsc", "i", 25.0)])
def test_nothing_that_could_be_selected_is_left_out(survey, band, limit):
    # the same density comes from a pool drawn 1.5 mag deeper; five standard deviations (6e-7)
    table, densities, n = instrument(survey).table, [], 30_000
    for margin in (0.5, 2.0):
        pool = make_pool(table, POPULATION, band, limit, margin)
        rng = np.random.default_rng(int(10 * margin))
        galaxies = dress(rng, SED, *draw(pool, rng, n))
        share = (magnitudes(table, galaxies)[0][:, table.bands.index(band)] < limit).mean()
        densities.append((pool.per_deg2 * share, pool.per_deg2 * np.sqrt(share * (1 - share) / n)))
    (ours, our_error), (deeper, their_error) = densities
    assert abs(ours - deeper) < 5 * np.hypot(our_error, their_error)


def test_appearance_has_the_trends_it_states():
    n = 20_000
    z, mag = np.full(n, 0.1), np.linspace(-22.5, -18, n)
    late = dress(np.random.default_rng(1), SED, np.zeros(n, bool), z, mag)
    early = dress(np.random.default_rng(1), SED, np.ones(n, bool), z, mag)
    edge_on = late.cos_inclination < 0.2
    assert np.median(late.ebv_internal_mag[edge_on]) > 1.5 * np.median(
        late.ebv_internal_mag[~edge_on]
    )
    assert late.sed_type[:5000].mean() < late.sed_type[-5000:].mean()  # faint is later
    assert early.sed_type.max() < late.sed_type.mean()
    np.testing.assert_allclose(late.sed_modes.std(axis=0), SED["mode_rms"], rtol=0.03)
    link = np.corrcoef(late.structure, late.sed_modes[:, 0])[0, 1]
    assert link == pytest.approx(SED["structure_correlation"], abs=0.01)


def test_dust_is_smooth_lognormal_and_its_map_five_per_cent_off():
    block = settings()["dust"] | {"largest_scale_deg": 5.0}
    rng = np.random.default_rng(2)
    field, error_field = draw_field(rng, block), draw_field(rng, block)
    ra, dec = Field(180.0, 30.0, 4000.0).draw(rng, 20_000)
    ebv = true_ebv_mag(field, block, ra, dec)
    assert np.median(ebv) == pytest.approx(0.035, rel=0.1)
    assert np.log(ebv).std() == pytest.approx(block["scatter_ln"], rel=0.1)
    stored = stored_ebv_mag(error_field, block, ra, dec, ebv)
    assert (stored / ebv).std() == pytest.approx(0.05, rel=0.1)
    near = true_ebv_mag(field, block, *displaced(ra, dec, 5.0, 5.0))
    np.testing.assert_allclose(near, ebv, rtol=0.1)


def test_the_dust_has_the_power_spectrum_asked_for():
    # closed form: 2 (1 - sum of w sinc(k theta)), w ~ k^(2 - slope) even in ln k; between the two
    # scales the structure function goes as theta^(slope - 2). 60 fields give it to 1 %: bounds 5 %
    block, rng = settings()["dust"], np.random.default_rng(1)
    theta_deg = np.array([0.25, 0.5, 1.0, 1.6, 4.0])
    measured = np.zeros(5)
    for _ in range(60):
        field = draw_field(rng, block)
        ra, dec = rng.uniform(120, 240, 300), rng.uniform(-5, 5, 300)
        here = field(ra, dec)
        angle = rng.uniform(0, 2 * np.pi, 300)
        for index, theta in enumerate(3600 * theta_deg):
            there = displaced(ra, dec, theta * np.cos(angle), theta * np.sin(angle))
            measured[index] += ((field(*there) - here) ** 2).mean() / 60
    ratio = block["smallest_scale_deg"] / block["largest_scale_deg"]
    k = 2 * np.pi / (block["largest_scale_deg"] * ratio ** ((np.arange(2000) + 0.5) / 2000))
    weight = k ** (2 - block["spectrum_slope"])
    waves = np.sinc(k * theta_deg[:, None] / np.pi)
    expected = 2 * (1 - (waves * weight).sum(axis=1) / weight.sum())
    np.testing.assert_allclose(measured, expected, rtol=0.05)
    slope = np.polyfit(np.log(theta_deg[:4]), np.log(measured[:4]), 1)[0]
    assert slope == pytest.approx(block["spectrum_slope"] - 2, abs=0.06)


def test_fields_have_their_area_and_holes_stay_empty():
    wide, deep = Field(359.9, 40.0, 4.0), Field(359.9, 40.0, 1.0)
    rng = np.random.default_rng(3)
    ra, dec = wide.draw(rng, 20_000)
    assert wide.contains(ra, dec).all()
    # a quarter of the area: 20,000 draws give 0.25 +- 0.003; 5 standard deviations
    assert deep.contains(ra, dec).mean() == pytest.approx(0.25, abs=0.016)
    assert not deep.contains(*draw_outside(wide, deep, rng, 5000)).any()


def test_displacements_are_angles_on_the_sky():
    ra, dec = displaced(np.array([10.0]), np.array([60.0]), 3.6, -7.2)
    assert ra[0] == pytest.approx(10.002)
    assert dec[0] == pytest.approx(59.998)


def test_identifiers_are_distinct_and_in_range():
    ids = distinct_ids(np.random.default_rng(4), 900, 1000, 2000)
    assert len(np.unique(ids)) == 900
    assert ids.min() >= 1000
    assert ids.max() < 2000
