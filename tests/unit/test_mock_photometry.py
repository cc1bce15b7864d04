"""Magnitudes of the mock sky against speclite, Planck18 and closed forms."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import speclite.filters
from astropy import units
from astropy.cosmology import Planck18
from mock_sky import galaxies, instrument, settings, spectra
from threadpoolctl import threadpool_limits

from zladder.config.instruments import tabulated_settings
from zladder.provenance.errors import BadInput
from zladder.universe.dust import extinction_curve
from zladder.universe.filters import ab_spectrum, load_bands
from zladder.universe.intergalactic import transmission
from zladder.universe.morphology import kpc_per_arcsec
from zladder.universe.photometry import build_table, extinction_mag, magnitudes
from zladder.universe.spectra import (
    Spectra,
    dust_curve,
    galaxy_spectrum,
    load_spectra,
    mode_curves,
    shape_weights,
)

PC10_IN_MPC = 1e-5
FAINTEST_MAG = 35.0  # the deepest survey sees 26.6 mag at five sigma


def speclite_magnitude(name: str, flux: np.ndarray, wave: np.ndarray) -> float:
    unit = units.erg / units.s / units.cm**2 / units.AA
    response = speclite.filters.load_filter(name)
    with np.errstate(divide="ignore"):  # no light at all: infinitely faint
        return float(response.get_ab_magnitude(flux * unit, wave * units.AA))


def by_speclite(survey: str, band: str, galaxy, ebv_mag: float) -> float:
    """Redshift, dim and redden one galaxy's full spectrum and let speclite integrate it."""
    z = float(galaxy.z[0])
    wave = np.arange(700.0, 26000.0, 2.0)
    rest = galaxy_spectrum(
        spectra(), galaxy.sed_type[0], galaxy.ebv_internal_mag[0], galaxy.sed_modes[0]
    )
    near = np.interp(wave, spectra().wavelength_angstrom, rest)
    scale = 10 ** (0.4 * (speclite_magnitude("sdss2010-r", near, wave) - galaxy.abs_mag_r[0]))
    response = speclite.filters.load_filter(settings()[survey]["filters"][band])
    ends = response.wavelength[[0, -1]] + [-50, 50]
    seen_wave = np.arange(*ends, 2.0)
    distance = Planck18.luminosity_distance(z).value / PC10_IN_MPC
    seen = np.interp(seen_wave / (1 + z), wave, near) * scale / distance**2 / (1 + z)
    seen *= transmission(seen_wave, z) * 10 ** (-0.4 * ebv_mag * extinction_curve(seen_wave))
    return speclite_magnitude(settings()[survey]["filters"][band], seen, seen_wave)


def table_of(survey: str):
    block = settings()[survey]
    return build_table(spectra(), load_bands(block["filters"], survey), block["z_max"])


@pytest.mark.parametrize("survey", sorted(tabulated_settings(settings())))
def test_magnitudes_equal_speclites_to_a_hundredth(survey):
    rng = np.random.default_rng(3)
    z_max = min(0.93 * settings()[survey]["z_max"], 4.3)
    seen_by = table_of(survey)
    n = max(5, 125 // len(seen_by.bands))
    sample = galaxies(
        rng.uniform(0.01, z_max, n),
        sed_type=rng.uniform(0, 3, n),
        ebv_internal_mag=rng.uniform(0, 0.6, n),
        sed_modes=rng.normal(0, 0.02, (n, 3)),
        abs_mag_r=rng.uniform(-23, -17, n),
    )
    ebv = rng.uniform(0, 0.3, n)
    bare, reddening = magnitudes(seen_by, sample)
    ours = bare + extinction_mag(reddening, ebv)
    expected = np.array(
        [
            [
                by_speclite(survey, band, sample.part(slice(k, k + 1)), ebv[k])
                for band in seen_by.bands
            ]
            for k in range(n)
        ]
    )
    dark = np.isinf(expected)  # all of the band lies beyond the Lyman limit
    assert (ours[dark] > 60).all()
    off = np.abs(ours - np.where(dark, ours, expected))
    # left over is the last sliver of light before the Lyman limit, fainter than 35 mag: it goes
    # faster than a straight line between two redshifts of the table
    assert (off < 0.01).mean() > 0.98
    assert off[expected < FAINTEST_MAG].max() < 0.01
    assert off.max() < 0.3


def test_the_4000_angstrom_break_moves_through_g_and_r():
    z = np.array([0.05, 0.2, 0.4])
    elliptical, _ = magnitudes(instrument("sdss").table, galaxies(z))
    irregular, _ = magnitudes(instrument("sdss").table, galaxies(z, sed_type=np.full(3, 3.0)))
    g_r = [1, 2]
    np.testing.assert_allclose(-np.diff(elliptical[:, g_r])[:, 0], [0.89, 1.38, 1.81], atol=0.02)
    np.testing.assert_allclose(-np.diff(irregular[:, g_r])[:, 0], [0.17, 0.45, 0.66], atol=0.02)
    # and beyond z = 0.4 it leaves g - r and enters r - i
    hsc, _ = magnitudes(instrument("hsc").table, galaxies(np.array([0.3, 0.8])))
    g_r_hsc, r_i_hsc = hsc[:, 0] - hsc[:, 1], hsc[:, 1] - hsc[:, 2]
    assert r_i_hsc[1] - r_i_hsc[0] > 0.5 > g_r_hsc[1] - g_r_hsc[0]


def test_a_flat_spectrum_dims_with_the_distance_of_planck18_and_one_power_of_1_plus_z():
    wave = np.geomspace(100.0, 22000.0, 3000)
    flat = Spectra(wave, np.tile(1e6 / wave**2, (4, 1)))  # constant per frequency
    bands = load_bands({"r": "sdss2010-r"}, "test")
    table = build_table(flat, bands, 1.0)
    z = np.array([0.1, 0.19])
    seen = magnitudes(table, galaxies(z))[0][:, 0]
    distance = Planck18.luminosity_distance(z).value
    expected = -21.0 + 5 * np.log10(distance / PC10_IN_MPC) - 2.5 * np.log10(1 + z)
    np.testing.assert_allclose(seen, expected, atol=2e-3)
    double = float(
        np.interp(2 * distance[0], Planck18.luminosity_distance(z_grid()).value, z_grid())
    )
    pair = magnitudes(table, galaxies(np.array([0.1, double])))[0][:, 0]
    assert pair[1] - pair[0] == pytest.approx(
        2.5 * np.log10(4) - 2.5 * np.log10((1 + double) / 1.1), abs=2e-3
    )


def test_the_break_is_where_the_colours_of_an_elliptical_change_most():
    # a colour reddens while the break moves through the bluer of its bands: the steepest point lies
    # where 4000 (1 + z) is inside that filter's half maximum. Looked at until shortly after: much
    # later the break at 2900 angstrom comes by
    z = np.linspace(0.0, 1.5, 301)
    steepest = []
    for survey, bands in (("sdss", "gri"), ("hsc", "griz")):
        limit = instrument(survey).table.z_max
        nodes = z[(z > 0.02) & (z < limit)]
        magnitude, _ = magnitudes(instrument(survey).table, galaxies(nodes))
        for blue, red in pairwise(bands):
            edges = half_maximum(settings()[survey]["filters"][blue]) / 4000.0 - 1.0
            if edges[1] > limit:
                continue  # the break is not through yet
            columns = [instrument(survey).bands.index(band) for band in (blue, red)]
            colour = magnitude[:, columns[0]] - magnitude[:, columns[1]]
            until = nodes < edges[1] + 0.15
            place = nodes[until][np.argmax(np.gradient(colour, nodes)[until])]
            assert edges[0] < place < edges[1], (survey, blue, red, place, edges)
            steepest.append((survey, place))
    places = [place for survey, place in steepest if survey == "hsc"]
    assert len(places) == 3
    assert np.all(np.diff(places) > 0.2)  # g - r first, then r - i, then i - z


def half_maximum(name: str) -> np.ndarray:
    """Return the two wavelengths (angstrom) at which a filter lets through half of its most."""
    response = speclite.filters.load_filter(name)
    inside = response.wavelength[response.response > 0.5 * response.response.max()]
    return inside[[0, -1]]


def test_surface_brightness_dims_with_the_third_power_per_frequency():
    # (1 + z)^-4 for all of the light, one power less per unit of frequency for a flat spectrum
    wave = np.geomspace(100.0, 22000.0, 3000)
    flat = Spectra(wave, np.tile(1e6 / wave**2, (4, 1)))
    table = build_table(flat, load_bands({"r": "sdss2010-r"}, "test"), 1.0)
    z = np.array([0.1, 0.5])
    radius_arcsec = 5.0 / kpc_per_arcsec(z)  # the same galaxy, 5 kpc
    surface = magnitudes(table, galaxies(z))[0][:, 0] + 5 * np.log10(radius_arcsec)
    assert surface[1] - surface[0] == pytest.approx(7.5 * np.log10(1.5 / 1.1), abs=3e-3)


def test_a_galaxy_at_twice_the_luminosity_distance_looks_as_planck18_says():
    # size by the angular diameter distance D_L / (1 + z)^2
    near = 0.1
    double = float(np.interp(
        2 * Planck18.luminosity_distance(near).value,
        Planck18.luminosity_distance(z_grid()).value, z_grid(),
    ))  # fmt: skip
    sizes = 1.0 / kpc_per_arcsec(np.array([near, double]))
    assert sizes[1] / sizes[0] == pytest.approx(0.5 * ((1 + double) / (1 + near)) ** 2, rel=2e-4)
    distances = Planck18.angular_diameter_distance(np.array([near, double])).value
    assert sizes[1] / sizes[0] == pytest.approx(distances[0] / distances[1], rel=2e-4)


def z_grid() -> np.ndarray:
    return np.linspace(0.05, 0.5, 2000)


def test_two_luminosities_differ_by_their_magnitudes_in_every_band():
    bright, faint = galaxies(np.array([0.3])), galaxies(np.array([0.3]))
    faint = replace(faint, abs_mag_r=np.array([-19.5]))
    table = instrument("hsc").table
    np.testing.assert_allclose(magnitudes(table, faint)[0] - magnitudes(table, bright)[0], 1.5)


def test_extinction_of_a_band_depends_on_what_shines_through_it():
    sample = galaxies(np.array([0.02, 0.4, 0.02]), sed_type=np.array([0.0, 0.0, 3.0]))
    _, reddening = magnitudes(instrument("sdss").table, sample)
    per_ebv = extinction_mag(reddening, np.full(3, 0.05)) / 0.05
    r_band = per_ebv[:, 2]
    assert r_band == pytest.approx(2.285, rel=0.06)  # Schlafly & Finkbeiner 2011
    g_band = per_ebv[:, 1]
    assert g_band[2] - g_band[0] > 0.03  # bluer light is dimmed more
    assert g_band[0] - g_band[1] > 0.01  # and so is less redshifted light


def test_types_between_shapes_add_light_linearly():
    half = magnitudes(instrument("sdss").table, galaxies(np.array([0.1]), sed_type=np.array([0.5])))
    spectrum = galaxy_spectrum(spectra(), 0.5, 0.0, np.zeros(3))
    np.testing.assert_allclose(spectrum, spectra().flux[:2].mean(axis=0))
    np.testing.assert_allclose(shape_weights(np.array([2.25])), [[0, 0, 0.75, 0.25]])
    assert np.isfinite(half[0]).all()


def test_modes_have_unit_rms_and_own_dust_reddens():
    wave = np.exp(np.linspace(np.log(2500.0), np.log(10000.0), 20001))
    np.testing.assert_allclose((mode_curves(wave) ** 2).mean(axis=1), 1.0, rtol=1e-3)
    curve = dust_curve(np.array([1500.0, 4400.0, 5500.0, 21000.0]))
    assert (np.diff(curve) < 0).all()
    assert curve[2] == pytest.approx(4.05, abs=0.05)  # A_V / E(B-V) of Calzetti et al. 2000


def test_lyman_alpha_is_absorbed_only_blueward_and_more_at_high_redshift():
    wave = np.array([4000.0, 6000.0])
    assert transmission(wave, 2.5)[1] == 1.0
    assert transmission(wave, 2.5)[0] == pytest.approx(np.exp(-0.0036 * (4000 / 1215.67) ** 3.46))
    assert transmission(np.array([3000.0]), 2.5)[0] == 0.0


def test_a_cell_with_a_break_in_it_counts_by_the_share_on_either_side():
    z, edges = 2.5, np.arange(3100.0, 4400.0, 10.0)
    lower, upper = edges[:-1], edges[1:]
    middle = 0.5 * (lower + upper)
    fine = transmission(np.linspace(lower, upper, 2001), z).mean(axis=0)
    found = transmission(middle, z, (lower, upper))
    np.testing.assert_allclose(found, fine, atol=2e-3)
    plain = transmission(middle, z)
    assert np.abs(plain - fine).max() > 0.05  # what a sum of points is off by
    np.testing.assert_allclose(found[plain == fine], fine[plain == fine], rtol=1e-12)
    # whatever the redshift, light does not jump as the limit passes the points of a filter
    band = load_bands({"u": "cfht_megacam-ustar"}, "test")[0]
    lower, upper = band.cells_angstrom
    assert lower[0] == band.wavelength_angstrom[0]
    np.testing.assert_array_equal(lower[1:], upper[:-1])
    z = np.linspace(3.0, 3.1, 401)
    light = [band.weight @ transmission(band.wavelength_angstrom, one, (lower, upper)) for one in z]
    steps = np.diff(light)
    assert (steps < 0).all()
    assert np.abs(np.diff(steps)).max() < 0.06 * np.abs(steps).mean()


def test_the_table_does_not_depend_on_the_number_of_threads():
    bands = load_bands({"g": "hsc2017-g"}, "test")
    tables = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            tables.append(build_table(spectra(), bands, 0.3))
    for name in ("log_light", "mode_response", "reddening"):
        assert np.array_equal(getattr(tables[0], name), getattr(tables[1], name))


def test_a_band_sees_a_source_of_magnitude_zero_as_zero_and_knows_its_wavelength():
    band = load_bands({"r": "sdss2010-r"}, "test")[0]
    assert np.sum(band.weight * ab_spectrum(band.wavelength_angstrom)) == pytest.approx(1.0)
    assert band.effective_angstrom == pytest.approx(6166, rel=0.01)


def test_an_unknown_filter_is_refused_with_its_place():
    with pytest.raises(BadInput) as caught:
        load_bands({"r": "hsc2017-q"}, "survey/hsc/filters")
    assert caught.value.file == "config"
    assert caught.value.place == "survey/hsc/filters/r"
    assert "speclite" in caught.value.expected
    assert "hsc2017-q" in caught.value.found


def test_missing_or_garbled_spectra_are_refused(tmp_path: Path):
    with pytest.raises(BadInput) as caught:
        load_spectra(tmp_path)
    assert caught.value.file.endswith("CWW_E_ext.sed")
    assert (caught.value.place, caught.value.found) == ("file", "no such file")
    (tmp_path / "CWW_E_ext.sed").write_text("100 1\n200 x\n")
    with pytest.raises(BadInput) as caught:
        load_spectra(tmp_path)
    assert caught.value.place == "rows"
    assert caught.value.expected == "two numbers in each"
    (tmp_path / "CWW_E_ext.sed").write_text("100 1 2\n200 1 2\n")
    with pytest.raises(BadInput) as caught:
        load_spectra(tmp_path)
    assert caught.value.expected == "(rows, 2)"
    assert caught.value.found == "(2, 3)"
