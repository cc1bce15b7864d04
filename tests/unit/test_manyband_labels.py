"""Many-band labels: native columns, no truth in them, and noise shared with the inputs or not."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mock_sky import instrument, large_sky, photoz_sample, settings, small_sky, spectra

from zladder.survey.manyband import (
    FAILED,
    GALAXY,
    STAR,
    XRAY,
    fit_columns,
    passes_usual_cuts,
    photometry_columns,
)
from zladder.survey.manyband_camera import ManyBandCamera, make_manyband, with_shared_noise
from zladder.survey.manyband_labels import manyband_labels, masked_bands, observe_both
from zladder.survey.observing import Seen, look, make_dust
from zladder.survey.stars import draw_stars, look_at_stars
from zladder.survey.template_fit import RedshiftFit
from zladder.universe.appearance import dress
from zladder.universe.noise import flux_njy, noise_njy, sky_noise_njy
from zladder.universe.population import draw, make_pool

N = 1500


@cache
def camera() -> ManyBandCamera:
    return make_manyband(spectra(), settings(), 1)


@cache
def objects() -> tuple[Seen, Seen]:
    """Return the same galaxies as both surveys see them."""
    given, rng = settings(), np.random.default_rng(11)
    hsc, dust = instrument("hsc"), make_dust(given["dust"], 1)
    pool = make_pool(hsc.table, given["population"], "i", 25.0)
    drawn = dress(rng, given["sed"], *draw(pool, rng, N))
    position = rng.uniform(149.9, 150.3, N), rng.uniform(2.0, 2.4, N)
    return tuple(look(rng, one, dust, drawn, position) for one in (hsc, camera().instrument))


def labels_of(hsc: Seen, many: Seen, **changes: Any) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return manyband_labels(rng, settings()["manyband"] | changes, camera(), hsc, many)


def noise_of(seen: Seen) -> np.ndarray:
    """Return the wide survey's errors in standard deviations, shape (N, 5)."""
    true_flux = flux_njy(seen.recorded)
    return (seen.flux - true_flux) / noise_njy(true_flux, instrument("hsc").depth)


def test_nothing_but_observed_fluxes_enters():
    # what is true of the galaxies is shuffled or lost: no label, flag or error changes
    hsc, many = objects()
    order = np.random.default_rng(5).permutation(N)
    wrong = hsc.galaxies.part(order)
    lost = np.full_like(many.magnitude, np.nan)
    blind = {"galaxies": wrong, "ebv_mag": np.full(N, np.nan)}
    told = labels_of(hsc, many, blend_share=0.0)
    untold = labels_of(
        replace(hsc, magnitude=np.full_like(hsc.magnitude, np.nan), **blind),
        replace(many, magnitude=lost, dimmed=lost, recorded=many.recorded[order], **blind),
        blend_share=0.0,
    )
    pd.testing.assert_frame_equal(told, untold)


def test_errors_are_those_of_the_observed_flux():
    block, (hsc, many) = settings()["manyband"], objects()
    observed, _ = observe_both(np.random.default_rng(3), block, camera(), hsc, many)
    factor = 10 ** (-0.4 * camera().zero_point_error_mag)
    expected = noise_njy(observed[False].flux / factor, camera().instrument.depth) * factor
    np.testing.assert_allclose(observed[False].flux_error, expected)
    assert observed[False].flux.shape == many.flux.shape == (N, 25)


def test_deep_fluxes_have_the_noise_of_their_depth_in_both_cases():
    # 1,500 faint galaxies: a standard deviation to 1.8 %, a correlation to 0.026; 4 sigma
    hsc, many = objects()
    rng = np.random.default_rng(4)
    deep = with_shared_noise(rng, camera(), hsc)
    for place, band in enumerate(camera().shared):
        depth = camera().instrument.depth
        for flux, recorded, shares in (
            (deep[:, place], hsc.recorded[:, band.hsc_column], True),
            (many.flux[:, band.column], many.recorded[:, band.column], False),
        ):
            true_flux = flux_njy(recorded)
            all_bands = np.repeat(true_flux[:, None], 25, axis=1)
            off = (flux - true_flux) / noise_njy(all_bands, depth)[:, band.column]
            assert off.std() == pytest.approx(1.0, abs=0.075)
            correlation = np.corrcoef(off, noise_of(hsc)[:, band.hsc_column])[0, 1]
            # a mean of t exposures, one of them the wide survey's, correlates with it by 1/sqrt(t)
            expected = band.exposures**-0.5 if shares else 0.0
            assert correlation == pytest.approx(expected, abs=0.105)


def test_exposures_follow_from_the_depths():
    wide, deep = instrument("hsc").depth, camera().instrument.depth
    assert len(camera().shared) == 5
    for band in camera().shared:
        ratio = sky_noise_njy(wide)[band.hsc_column] / sky_noise_njy(deep)[band.column]
        assert band.exposures == pytest.approx(ratio**2)
        assert band.exposures > 1
        gained = deep.electron_mag[band.column] - wide.electron_mag[band.hsc_column]
        assert gained == pytest.approx(2.5 * np.log10(band.exposures))


def test_labels_share_errors_with_the_inputs_only_if_told():
    # the listed flux follows the wide survey's noise by 1/sqrt(t) = 0.69, or not at all
    hsc, many = objects()
    plain = {"blend_share": 0.0, "masked_share": 0.0}
    shared = labels_of(hsc, many, shares_hsc_noise=True, **plain)
    independent = labels_of(hsc, many, shares_hsc_noise=False, **plain)
    both = (shared["kept"] & independent["kept"]).to_numpy()
    for one, other in ((shared, independent), (independent, shared)):
        np.testing.assert_array_equal(one.loc[both, "other_lp_zPDF"], other.loc[both, "lp_zPDF"])
    assert not np.allclose(shared.loc[both, "lp_zPDF"], independent.loc[both, "lp_zPDF"])
    faint = both & (hsc.recorded[:, 2] > 23.0)  # where calibration does not matter
    factor = 10 ** (-0.4 * camera().zero_point_error_mag[camera().instrument.bands.index("HSC_i")])
    true_ujy = flux_njy(hsc.recorded)[:, 2] * factor / 1000
    found = [
        np.corrcoef((table["HSC_i_FLUX_APER2"] - true_ujy)[faint], noise_of(hsc)[faint, 2])[0, 1]
        for table in (shared, independent)
    ]
    assert found[0] > 0.6
    assert abs(found[1]) < 0.2  # 700 galaxies, and the zero point at each


def test_the_share_of_a_neighbours_light_is_that_of_the_fluxes():
    # the same noise with and without blends: what they add is the difference
    block, (hsc, many) = settings()["manyband"], objects()
    column = camera().instrument.bands.index("HSC_i")
    (alone, none), (blended, share) = (
        observe_both(np.random.default_rng(3), block | {"blend_share": of}, camera(), hsc, many)
        for of in (0.0, 0.3)
    )
    np.testing.assert_array_equal(none, 0.0)
    assert (share > 0).mean() == pytest.approx(0.3, abs=0.05)  # binomial, 4 sigma
    zero_point = 10 ** (-0.4 * camera().zero_point_error_mag[column])
    own = flux_njy(many.recorded[:, column])
    for shares in (True, False):
        added = (blended[shares].flux - alone[shares].flux)[:, column] / zero_point
        np.testing.assert_allclose(share, added / (own + added), atol=1e-9)


def test_the_truth_says_which_labels_are_blended():
    truth = large_sky()["truth"]
    measured = truth["cosmos_id"] > 0
    share = truth["manyband_blended_share"]
    np.testing.assert_array_equal(share.notna(), measured)
    assert share[measured].between(0, 1).all()
    # brighter for their neighbours, blends pass the limit more often: 6.8 % where 4 % were drawn
    asked = settings()["manyband"]["blend_share"]
    assert 1.3 * asked < (share[measured] > 0).mean() < 2.1 * asked
    labels = photoz_sample(large_sky()).query("lp_type == 0 and not is_star")
    wrong = np.abs(labels["lp_zPDF"] - labels["z_true"]) / (1 + labels["z_true"]) > 0.15
    blended = labels["manyband_blended_share"] > 0
    assert wrong[blended].mean() > 2 * wrong[~blended].mean()


def test_masks_flags_and_failures():
    given = settings()["manyband"]
    masked = masked_bands(np.random.default_rng(1), given | {"masked_share": 1.0}, (400, 25))
    assert masked.mean() == pytest.approx(given["masked_band_share"], abs=0.02)
    assert not masked_bands(np.random.default_rng(1), given | {"masked_share": 0.0}, (9, 25)).any()
    labels = labels_of(*objects(), masked_share=0.5)
    labels = labels[labels["kept"]]
    few = labels["lp_NbFilt"] < given["fewest_filters"]
    assert few.any()
    assert (labels.loc[few, "lp_type"] == FAILED).all()
    assert (labels.loc[~few, "lp_type"] != FAILED).all()
    assert labels.loc[few, "lp_zPDF"].isna().all()
    fluxes = labels.filter(regex="_FLUX_APER2$")
    np.testing.assert_array_equal(fluxes.notna().sum(axis=1), labels["lp_NbFilt"])
    np.testing.assert_array_equal(fluxes.isna().any(axis=1), labels["FLAG_COMBINED"] == 1)
    hsc_lost = fluxes.filter(regex="^HSC_").isna().any(axis=1)
    np.testing.assert_array_equal(hsc_lost, labels["FLAG_HSC"] == 1)


def test_photometry_has_the_units_of_the_real_catalogue():
    flux, error = np.array([[3631.0], [-1.0], [np.nan]]), np.array([[36.31], [2.0], [1.0]])
    magnitude = np.array([[22.5], [np.nan], [np.nan]])
    table = photometry_columns(["HSC_i"], (flux, error), (magnitude, magnitude / 100), np.zeros(3))
    np.testing.assert_allclose(table["HSC_i_FLUX_APER2"], [3.631, -0.001, np.nan], rtol=1e-6)
    np.testing.assert_allclose(table["HSC_i_FLUXERR_APER2"], [0.03631, 0.002, np.nan], rtol=1e-6)
    assert list(table["FLAG_HSC"]) == list(table["FLAG_COMBINED"]) == [0, 0, 1]


def test_types_follow_from_the_fit():
    n = 4
    numbers = {field.name: np.ones(n) for field in fields(RedshiftFit)}
    numbers |= {"chi2_min": np.full(n, 20.0), "chi2_star": np.array([90.0, 10.0, 90.0, np.nan])}
    numbers["z_median"] = np.array([0.7, 0.7, 0.7, np.nan])
    fit = RedshiftFit(**numbers | {"n_filters": np.full(n, 25)})
    table = fit_columns(fit, np.array([False, False, True, True]))
    assert list(table["lp_type"]) == [GALAXY, STAR, XRAY, FAILED]
    np.testing.assert_array_equal(table["lp_zBEST"], [0.7, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(table["lp_zPDF"], [0.7, 0.0, 0.7, np.nan])


def test_stars_are_recognised_by_their_colours():
    rng, dust = np.random.default_rng(6), make_dust(settings()["dust"], 1)
    position = rng.uniform(150.0, 150.2, 200), rng.uniform(2.1, 2.3, 200)
    stars = draw_stars(rng, 200)
    wide = instrument("hsc")
    seen = [
        look_at_stars(rng, one, dust, stars, position, float(wide.effective_angstrom[2]))
        for one in (wide, camera().instrument)
    ]
    labels = labels_of(*seen, blend_share=0.0)
    fitted = labels[labels["kept"] & (labels["lp_type"] != FAILED)]
    assert (fitted["lp_type"] == STAR).mean() > 0.85
    assert passes_usual_cuts(fitted).mean() < 0.05


def test_what_is_drawn_tells_how_labels_are_selected():
    sky = small_sky()
    drawn, photoz = sky["selection_photoz"], photoz_sample(sky)
    assert drawn["usable"].sum() >= 300
    assert len(drawn) > len(photoz)
    errors = drawn.filter(regex="^flux_error_").to_numpy()
    fluxes = drawn.filter(regex="^flux_[a-z]_njy$").to_numpy()
    assert (fluxes[drawn["usable"]] > 0).all()
    np.testing.assert_allclose(errors, noise_njy(fluxes, instrument("hsc").depth))
    # the first usable ones, in order, are the catalogue's
    complete = photoz.filter(regex="_cmodel_mag$").notna().all(axis=1)
    listed = photoz[~photoz["is_star"] & passes_usual_cuts(photoz) & complete]
    first = drawn.loc[drawn["usable"], "z_true"].iloc[: len(listed)]
    assert 300 <= len(listed) <= 320  # some more are asked for: blends become unusable
    np.testing.assert_array_equal(np.sort(listed["z_true"]), np.sort(first))
    named = drawn[drawn["object_id"] >= 0]
    assert named["object_id"].is_unique
    truth = sky["truth"].set_index("object_id").loc[named["object_id"]]
    np.testing.assert_array_equal(truth["z_true"], named["z_true"])
    assert set(listed["object_id"]) <= set(named["object_id"])


def test_labels_fail_and_scatter_as_labels_do():
    sky = large_sky()
    table = photoz_sample(sky).query("lp_type == 0 and not is_star")
    dz = np.abs(table["lp_zPDF"] - table["z_true"]) / (1 + table["z_true"])
    good = passes_usual_cuts(table)
    assert dz[~good].median() > 2 * dz[good].median()
    assert (dz[~good] > 0.15).mean() > 4 * (dz[good] > 0.15).mean() > 0
    assert sky["cosmos"]["lp_zp_2"].notna().mean() > 0.015
    assert (sky["cosmos"]["lp_type"] == FAILED).mean() == pytest.approx(0.012, abs=0.009)
