"""Impossible settings of the mock sky are refused before any work, with their place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from mock_sky import SETTINGS_FILE, settings, small_sky

from zladder.config.merge import overlay
from zladder.provenance.errors import BadInput
from zladder.survey import simulate
from zladder.survey.areas import deep_and_wide
from zladder.survey.settings import check_settings
from zladder.survey.simulate import simulate_sky
from zladder.survey.stamp_targets import choose_targets
from zladder.survey.tiles import MARGIN_ARCSEC, lay_tiles

SCALES_FILE = SETTINGS_FILE.parents[1] / "scales.yaml"


def changed(place: str, value: Any) -> dict[str, Any]:
    block = result = settings()
    *path, last = place.split("/")
    for key in path:
        block = block[key]
    if value is None:
        del block[last]
    else:
        block[last] = value
    return result


def test_the_shipped_settings_pass():
    check_settings(settings(), 1)


@pytest.mark.parametrize(
    ("place", "value", "where", "expected", "found"),
    [
        ("sed/mode_rms", [0.1, -0.1, 0.1], "sed/mode_rms", "from 0 to 0.2", "-0.1"),
        ("sed/mode_rms", [0.1], "sed/mode_rms", "a list of 3", "[0.1]"),
        ("hsc/depth_5sigma_mag/g", -3.0, "hsc/depth_5sigma_mag/g", "from 10 to 40", "-3.0"),
        ("hsc/zero_point_scatter_mag/i", -0.1, "hsc/zero_point_scatter_mag/i", "from 0", "-0.1"),
        ("hsc/filters/r", "hsc2017-q", "hsc/filters/r", "a filter of speclite", "hsc2017-q"),
        ("hsc/depth_5sigma_mag", {"g": 26.0}, "hsc/depth_5sigma_mag", "each of g, r, i", "g"),
        ("hsc/filters/i", None, "hsc/filters", "band i", "bands g, r, z, y"),
        ("hsc/masked_share", 1.5, "hsc/masked_share", "from 0 to 1", "1.5"),
        ("n_photoz", 0, "n_photoz", "a whole number from 1", "0"),
        ("n_specz", 10.5, "n_specz", "a whole number", "10.5"),
        ("n_main", True, "n_main", "a whole number", "True"),
        ("imaging/compression", "gzip", "imaging/compression", "one of none, bz2", "'gzip'"),
        ("sky/overlap", 0.1, "sky/overlap", "a known setting", "'overlap'"),
        ("sky/overlap_share", None, "sky/overlap_share", "a value", "nothing"),
        ("dust", 3, "dust", "a block of settings", "3"),
        ("manyband/missing_template", "Scb", "manyband/missing_template", "one of E, Sbc", "'Scb'"),
        ("manyband/filters/SC_V", "bessell-W", "manyband/filters/SC_V", "a filter", "bessell-W"),
        ("manyband/filters/HSC_i", None, "manyband/filters", "band HSC_i", "CFHT_ustar"),
        ("manyband/fewest_filters", 26, "manyband/filters", "fewest_filters = 26 bands", "25"),
        ("manyband/shares_hsc_noise", "yes", "manyband/shares_hsc_noise", "true or", "'yes'"),
        ("manyband/depth_5sigma_mag/HSC_z", 25.0, "manyband/depth_5sigma_mag/HSC_z",
         "at least survey/hsc/depth_5sigma_mag/z = 25.3", "25.0"),
        ("manyband/depth_5sigma_mag/SC_B", 5.0, "manyband/depth_5sigma_mag/SC_B", "from 10", "5.0"),
        ("manyband/depth_5sigma_mag/SC_B", None, "manyband/depth_5sigma_mag", "each of C", "CFHT"),
        ("manyband/z_max", 3.0, "manyband/z_max", "at least survey/hsc/z_max = 4.6", "3.0"),
        ("manyband/template_steps", 0, "manyband/template_steps", "a whole number from 1", "0"),
        ("dust/scatter_ln", float("nan"), "dust/scatter_ln", "a number from 0", "nan"),
        ("population/late/alpha", "steep", "population/late/alpha", "a number", "'steep'"),
        ("spectroscopy/programmes", {}, "spectroscopy/programmes", "at least one", "{}"),
        ("sky/deep_area_deg2", 1e-3, "sky/deep_area_deg2", "at least 0.02 for", "0.001"),
        ("sky/main_area_deg2", 0.5, "sky/main_area_deg2", "at least 0.72 for", "0.5"),
        ("n_deep", 0, "n_deep", "a whole number from 1", "0"),
        ("imaging/galaxies_per_field", 2.5, "imaging/galaxies_per_field", "a whole", "2.5"),
        ("imaging/edge_pixels", -1, "imaging/edge_pixels", "a whole number from 0", "-1"),
        ("imaging/deep_run", 2001, "imaging/deep_run", "another run than main_run", "2001"),
        ("imaging/star_i_mag", [14.0], "imaging/star_i_mag", "a list of 2", "[14.0]"),
        ("imaging/seeing_fwhm_arcsec", {"r": 1.3}, "imaging/seeing_fwhm_arcsec", "u, g, r", "r"),
        ("imaging/seeing_fwhm_arcsec/r", 0.3, "imaging/seeing_fwhm_arcsec/r", "from 0.8", "0.3"),
        ("contaminants/sdss/blend_share", 1.1, "contaminants/sdss/blend_share", "to 1", "1.1"),
        (
            "contaminants/hsc/unflagged_share",
            -0.1,
            "contaminants/hsc/unflagged_share",
            "from 0",
            "-0.1",
        ),
        ("contaminants/sdss/star_share", "few", "contaminants/sdss/star_share", "a number", "few"),
        (
            "contaminants/hsc/artefact_mag",
            [20.0],
            "contaminants/hsc/artefact_mag",
            "a list of 2",
            "[20.0]",
        ),
        (
            "contaminants/sdss/blend_distance_arcsec",
            [-1, 2],
            "contaminants/sdss/blend_distance_arcsec",
            "from 0",
            "-1",
        ),
        (
            "contaminants/sdss/star_faint_mag",
            10.0,
            "contaminants/sdss/star_faint_mag",
            "more than star_bright_mag",
            "10.0",
        ),
        ("contaminants/hsc", None, "contaminants/hsc", "a value", "nothing"),
        ("hsc_images/stamp_pixels", 0, "hsc_images/stamp_pixels", "a whole number from 16", "0"),
        ("hsc_images/n_specz_stamps", -1, "hsc_images/n_specz_stamps", "from 0 to inf", "-1"),
        ("hsc_images/psf_fwhm_arcsec", {"g": 0.7}, "hsc_images/psf_fwhm_arcsec", "g, r, i", "g"),
        ("hsc_images/psf_fwhm_arcsec/i", 0.2, "hsc_images/psf_fwhm_arcsec/i", "from 0.4", "0.2"),
        ("cfhtls/tile_pixels", 0, "cfhtls/tile_pixels", "from 64 to 19354", "0"),
        (
            "cfhtls/deep/depth_5sigma_mag/u",
            -1.0,
            "cfhtls/deep/depth_5sigma_mag/u",
            "from 10",
            "-1.0",
        ),
        ("cfhtls/wide/electron_mag", {"u": 30.0}, "cfhtls/wide/electron_mag", "each of u, g", "u"),
        (
            "cfhtls/filters/u",
            "cfht_megacam-q",
            "cfhtls/filters/u",
            "a filter of speclite",
            "cfht_megacam-q",
        ),
        ("cfhtls/filters/i", None, "cfhtls/filters", "band i", "bands u, g, r, z"),
        ("background/stars_per_deg2", -5, "background/stars_per_deg2", "from 0", "-5"),
        ("background/star_i_mag", [15.0], "background/star_i_mag", "a list of 2", "[15.0]"),
        ("background/star_i_mag", [25, 15], "background/star_i_mag", "a range, from", "[25, 15]"),
        ("imaging/star_i_mag", [20.0, 14.5], "imaging/star_i_mag", "a range, from", "[20.0, 14.5]"),
        ("imaging/bright_star_i_mag", [12, 10], "imaging/bright_star_i_mag", "a range", "[12, 10]"),
        ("imaging/neighbour_r_mag", [21, 18], "imaging/neighbour_r_mag", "a range", "[21, 18]"),
        ("hsc/neighbour_distance_arcsec", [3, 1], "hsc/neighbour_distance_arcsec", "a range", "["),
        *(
            (f"contaminants/{name}/{key}", [1.5, 0.5], f"contaminants/{name}/{key}", "a range", "[")
            for name in ("sdss", "hsc")
            for key in ("blend_distance_arcsec", "blend_fainter_mag", "artefact_mag")
        ),
        ("hsc/depth_5sigma_mag", 26.0, "hsc/depth_5sigma_mag", "each of g, r, i", "26.0"),
        ("hsc/filters", "hsc2017-g", "hsc/filters", "a filter for each band", "'hsc2017-g'"),
        ("cfhtls/psf_fwhm_arcsec", 0.8, "cfhtls/psf_fwhm_arcsec", "each of u, g, r", "0.8"),
        ("hsc_images/psf_fwhm_arcsec", 0.8, "hsc_images/psf_fwhm_arcsec", "each of g", "0.8"),
        ("imaging/seeing_fwhm_arcsec", 1.3, "imaging/seeing_fwhm_arcsec", "each of u", "1.3"),
        ("background/limit_i_mag", 35.0, "background/limit_i_mag", "from 20 to 28", "35.0"),
        ("cfhtls/saturated_star_mag", -5.0, "cfhtls/saturated_star_mag", "from 10 to 25", "-5.0"),
        ("hsc/zero_point_scatter_mag/i", 0.6, "hsc/zero_point_scatter_mag/i", "to 0.5", "0.6"),
        ("hsc/detection_sigmas", -1.0, "hsc/detection_sigmas", "from 0 to 100", "-1.0"),
        ("hsc_images/stamp_pixels", 33, "hsc_images/stamp_pixels", "an even number", "33"),
        ("cfhtls/tile_pixels", 2700, "cfhtls/tile_pixels", "in the deep field, 0.141", "2700"),
        ("n_specz", 7, "hsc_images/n_specz_stamps", "at most n_specz = 7", "8"),
        ("hsc_images/n_photoz_stamps", 601, "hsc_images/n_photoz_stamps", "n_photoz = 600", "601"),
        ("imaging/limit_deep_r_mag", 17.0, "sdss/limit_r_mag", "limit_deep_r_mag = 17.0", "17.8"),
        ("contaminants/sdss/artefact_mag", [18.0, 19.0], "contaminants/sdss/artefact_mag",
         "at most sdss/limit_r_mag = 17.8", "18.0"),
        ("morphology/size_scatter_ln", -0.1, "morphology/size_scatter_ln", "from 0", "-0.1"),
    ],
)  # fmt: skip
def test_each_impossible_setting_is_refused(place, value, where, expected, found, monkeypatch):
    monkeypatch.setattr(simulate, "load_spectra", lambda: pytest.fail("work was done"))
    with pytest.raises(BadInput) as caught:
        simulate_sky(changed(place, value), 1)
    assert caught.value.file == "config"
    assert caught.value.place == f"survey/{where}"
    assert expected in caught.value.expected
    assert found in caught.value.found
    assert caught.value.hint


def test_an_offset_need_not_be_a_range():
    check_settings(changed("manyband/position_offset_arcsec", [0.05, -0.05]), 1)


@pytest.mark.parametrize("scale", ["test", "demo", "small", "paper"])
def test_every_shipped_scale_passes(scale):
    scales = yaml.safe_load(SCALES_FILE.read_text(encoding="utf-8"))
    check_settings(overlay(settings(), scales[scale]["survey"]), 1)


def test_a_wide_tile_stays_in_its_field_and_so_off_the_deep_one():
    few = settings(n_photoz=4000, n_specz=10)
    few["cfhtls"]["tile_pixels"] = 4200  # the deep field is 0.365 deg high, the wide one 0.730
    with pytest.raises(BadInput) as caught:
        check_settings(few, 1)
    assert "in the wide field, 0.73 deg high" in caught.value.expected
    assert caught.value.hint == "smaller tiles, or more galaxies"
    few["cfhtls"]["tile_pixels"] = 4100
    check_settings(few, 1)
    wide, deep = lay_tiles(few)
    side_deg = (4100 * 0.186 + 2 * MARGIN_ARCSEC) / 3600
    assert wide.dec_deg - deep.dec_deg > side_deg


def test_a_misspelt_setting_gets_the_nearest_name_as_hint():
    wrong = settings()
    wrong["hsc"]["masked_shar"] = wrong["hsc"].pop("masked_share")
    with pytest.raises(BadInput) as caught:
        check_settings(wrong, 1)
    assert caught.value.hint == "did you mean 'masked_share'?"


def test_a_negative_seed_is_refused():
    with pytest.raises(BadInput) as caught:
        check_settings(settings(), -1)
    assert (caught.value.place, caught.value.found) == ("seed", "-1")


@pytest.mark.parametrize(
    ("setting", "factor", "place", "wanted"),
    [
        ("photoz_per_deg2", 50, "survey/n_photoz", "306 wanted"),  # with those to be blended
        ("main_area_deg2", 1e-4, "survey/n_main", "300 wanted"),
    ],
)
def test_more_galaxies_than_the_area_holds_are_refused(setting, factor, place, wanted):
    crowded = settings(n_photoz=300, n_specz=20, n_main=300, n_deep=10)
    crowded["sky"][setting] *= factor
    crowded["cfhtls"]["tile_pixels"] = 64
    with pytest.raises(BadInput) as caught:
        simulate_sky(crowded, 1)
    assert caught.value.place == place
    assert "the sky can give" in caught.value.expected
    assert wanted in caught.value.found


def test_more_cutouts_than_labelled_galaxies_are_refused():
    many = settings(n_photoz=300, n_specz=300)
    many["hsc_images"]["n_photoz_stamps"] = 10_000
    with pytest.raises(BadInput) as caught:
        choose_targets(1, many, deep_and_wide(many)[0], small_sky())
    assert caught.value.place == "survey/hsc_images/n_photoz_stamps"
    assert "listed galaxies with such a label" in caught.value.expected
    assert caught.value.found == "10000"


def test_more_fields_than_an_identifier_can_number_are_refused():
    thin = settings(n_main=9000)
    thin["imaging"]["galaxies_per_field"] = 2
    with pytest.raises(BadInput) as caught:
        check_settings(thin, 1)
    assert caught.value.place == "survey/imaging/galaxies_per_field"
    assert "no sample needs more than 4085 fields" in caught.value.expected
    assert caught.value.found == "fields up to 4510"


def test_samples_that_use_up_all_places_are_refused():
    # half of the galaxies kept lack a band: they take places, and do not count
    lossy = settings(n_photoz=20, n_specz=20, n_main=400, n_deep=10)
    lossy["sdss"]["missing_share"] = 0.5
    with pytest.raises(BadInput) as caught:
        simulate_sky(lossy, 1)
    assert caught.value.place == "survey/sdss"
    assert caught.value.found == "all 425 places taken before there were enough"
