"""What the mock sky's settings may be; impossible ones are refused before any work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from zladder.config.imaging import FIRST_FIELD, FRAME_SUFFIXES, field_numbers
from zladder.provenance.errors import BadInput, nearest_hint
from zladder.survey.areas import deep_and_wide
from zladder.survey.imaging import needed_area_deg2
from zladder.survey.manyband_camera import LIMIT_BAND
from zladder.survey.manyband_settings import check_manyband
from zladder.universe.filters import load_bands

WHERE = "survey"
PER_BAND = ("depth_5sigma_mag", "electron_mag", "zero_point_scatter_mag", "extinction_per_ebv")
INSTRUMENT = f"filters z_max {' '.join(PER_BAND)} position_error_arcsec"
# the selections use these
NEEDED_BANDS = {"hsc": ("g", "i"), "sdss": ("r",), "cfhtls": ("i",), "manyband": (LIMIT_BAND,)}
COADD = "psf_fwhm_arcsec moffat_beta saturated_star_mag"
LAYER_PER_BAND = ("depth_5sigma_mag", "electron_mag")
LUMINOSITY_FUNCTION = (
    "mstar_mag alpha phistar_per_mpc3 q_mag_per_z q_until_z p_mag_per_z "
    "tail_share tail_mag tail_scatter_mag"
)
PROGRAMME = (
    "share i_bright_mag i_faint_mag g_i_min_mag g_i_max_mag photoz_min photoz_max photoz_scatter"
)
CONTAMINANTS = (
    "blend_share artefact_share duplicate_share unflagged_share star_bright_mag "
    "star_faint_mag star_misclassified_faint_share blend_distance_arcsec blend_fainter_mag "
    "artefact_mag"
)
KEYS = {
    "": "n_photoz n_specz n_main n_deep sky dust population sed morphology hsc manyband "
    "spectroscopy sdss imaging contaminants background hsc_images cfhtls",
    "sky": "deep_ra_deg deep_dec_deg deep_area_deg2 wide_area_deg2 main_ra_deg main_dec_deg "
    "main_area_deg2 photoz_per_deg2 specz_per_deg2 overlap_share",
    "dust": "median_ebv_mag scatter_ln stored_relative_error spectrum_slope smallest_scale_deg "
    "largest_scale_deg",
    "population": "early late",
    "population/early": LUMINOSITY_FUNCTION,
    "population/late": LUMINOSITY_FUNCTION,
    "sed": "mode_rms structure_correlation",
    "morphology": "size_scatter_ln",
    "hsc": f"{INSTRUMENT} detection_sigmas masked_share unlabelled_share neighbour_share "
    "neighbour_distance_arcsec",
    "sdss": f"{INSTRUMENT} limit_r_mag z_limit redshift_scatter missing_share",
    "manyband": "filters z_max depth_5sigma_mag electron_offset_mag zero_point_scatter_mag "
    "shares_hsc_noise limit_i_mag missing_template zero_point_error_mag floor_relative_error "
    "template_steps z_node_step brightest_abs_mag second_peak_share second_peak_distance "
    "fewest_filters blend_share masked_share masked_band_share xray_share star_share "
    "position_error_arcsec position_offset_arcsec",
    "imaging": "galaxies_per_field main_run deep_run limit_deep_r_mag edge_pixels "
    "neighbour_share neighbour_r_mag neighbour_distance_arcsec stars_per_field star_i_mag "
    "bright_stars_per_field bright_star_i_mag psf_depth_5sigma_mag seeing_fwhm_arcsec "
    "seeing_scatter_ln sky_scatter_ln moffat_beta electrons_per_count dark_variance_counts2 "
    "full_well_electrons compression",
    "background": "limit_i_mag stars_per_deg2 star_i_mag",
    "hsc_images": f"stamp_pixels n_specz_stamps n_photoz_stamps {COADD}",
    "cfhtls": "filters z_max zero_point_scatter_mag extinction_per_ebv detection_sigmas "
    f"position_error_arcsec tile_pixels wide deep {COADD}",
    "cfhtls/wide": " ".join(LAYER_PER_BAND),
    "cfhtls/deep": " ".join(LAYER_PER_BAND),
    "spectroscopy": "success one_line_success no_line_success blue_end_angstrom red_end_angstrom "
    "half_i_mag width_mag inhomogeneous_share redshift_scatter position_error_arcsec programmes",
    "contaminants": "sdss hsc",
    "contaminants/sdss": f"star_share {CONTAMINANTS}",
    "contaminants/hsc": CONTAMINANTS,
}
# names carry units, and so their ranges: the first pattern that fits the last word counts
RANGES = (
    ("n_*_stamps", (0, math.inf)),
    ("n_*", (1, math.inf)),
    ("stamp_pixels", (16, 512)),
    ("tile_pixels", (64, 19_354)),  # the real ones' size
    ("stars_per_deg2", (0.0, 1e6)),
    ("psf_fwhm_arcsec", (0.4, 5.0)),  # two pixels of either survey, and more
    ("galaxies_per_field", (1, 20_000)),
    ("*_per_field", (0, 10_000)),
    ("*_run", (1, 65_535)),
    ("edge_pixels", (0, 500)),
    ("template_steps", (1, 20)),
    ("z_node_step", (1, 10)),
    ("fewest_filters", (3, 100)),
    ("second_peak_distance", (0.0, 5.0)),
    ("electron_offset_mag", (0.0, 30.0)),
    ("psf_depth_5sigma_mag", (10.0, 40.0)),
    ("*_fwhm_arcsec", (0.8, 5.0)),
    ("moffat_beta", (1.5, 10.0)),
    ("electrons_per_count", (0.1, 100.0)),
    ("dark_variance_counts2", (0.0, 1e4)),
    ("full_well_electrons", (1e3, 1e8)),
    ("tail_scatter_mag", (0.05, 3.0)),
    ("*share*", (0.0, 1.0)),
    ("*success", (0.0, 1.0)),
    ("*scatter*", (0.0, 3.0)),
    ("*relative_error", (0.0, 1.0)),
    ("*_angstrom", (3000.0, 20_000.0)),
    ("spectrum_slope", (2.0, 4.0)),
    ("*_rms", (0.0, 0.2)),
    ("*correlation", (-1.0, 1.0)),
    ("depth_5sigma_mag", (10.0, 40.0)),
    ("electron_mag", (10.0, 60.0)),
    ("zero_point_scatter_mag", (0.0, 0.5)),
    ("*width_mag", (1e-3, 10.0)),
    ("*fainter_mag", (0.0, 10.0)),
    ("*error_mag", (0.0, 1.0)),
    ("median_ebv_mag", (0.0, 2.0)),
    ("extinction_per_ebv", (0.0, 10.0)),
    ("*_mag", (-30.0, 50.0)),
    ("*_dec_deg", (-60.0, 60.0)),
    ("*_ra_deg", (0.0, 360.0)),
    ("*_offset_arcsec", (-10.0, 10.0)),
    ("*_arcsec", (0.0, 60.0)),
    ("*_deg", (1e-3, 360.0)),
    ("*_deg2", (1e-6, 1e7)),
    ("*_per_mpc3", (0.0, 1.0)),
    ("z_max", (0.1, 6.0)),
    ("alpha", (-1.9, 2.0)),
    ("*", (-100.0, 100.0)),
)
LISTS = {
    "sed/mode_rms": 3,
    "hsc/neighbour_distance_arcsec": 2,
    "manyband/position_offset_arcsec": 2,
    "background/star_i_mag": 2,
    "imaging/neighbour_r_mag": 2,
    "imaging/neighbour_distance_arcsec": 2,
    "imaging/star_i_mag": 2,
    "imaging/bright_star_i_mag": 2,
    "contaminants/sdss/blend_distance_arcsec": 2,
    "contaminants/hsc/blend_distance_arcsec": 2,
    "contaminants/sdss/blend_fainter_mag": 2,
    "contaminants/hsc/blend_fainter_mag": 2,
    "contaminants/sdss/artefact_mag": 2,
    "contaminants/hsc/artefact_mag": 2,
}
ORDERED = (
    ("dust/smallest_scale_deg", "dust/largest_scale_deg"),
    ("spectroscopy/blue_end_angstrom", "spectroscopy/red_end_angstrom"),
    ("contaminants/sdss/star_bright_mag", "contaminants/sdss/star_faint_mag"),
    ("contaminants/hsc/star_bright_mag", "contaminants/hsc/star_faint_mag"),
)
# settings that are words, not numbers
NAMES = {"filters", "compression", "missing_template", "shares_hsc_noise"}
IMAGING_PER_BAND = (
    "psf_depth_5sigma_mag",
    "seeing_fwhm_arcsec",
    "electrons_per_count",
    "dark_variance_counts2",
)
LAST_FIELD = 2**12 - 1  # twelve bits of SDSS's objID
WHOLE = (
    *("n_*", "*_per_field", "*_run", "*_pixels"),
    *("template_steps", "z_node_step", "fewest_filters"),
)


def check_settings(settings: Mapping[str, Any], seed: int) -> None:
    """Refuse settings from which no sky can be made.

    Raises
    ------
    BadInput
        With the place (such as ``survey/hsc/depth_5sigma_mag/g``) and what it should be.
    """
    _check_keys(settings)
    if seed < 0:
        raise BadInput("config", "seed", "a whole number from 0", str(seed), "seeds are counts")
    for place, value in _numbers(settings, ""):
        _check_range(place, value)
    for place, length in LISTS.items():
        _check_list(place, _at(settings, place), length)
    for name in ("hsc", "sdss"):
        _check_bands(settings[name], name)
    _check_bands(settings["manyband"], "manyband", PER_BAND[:1])
    check_manyband(settings)
    _check_per_band(settings["imaging"], IMAGING_PER_BAND, settings["sdss"]["filters"], "imaging")
    _check_runs(settings["imaging"])
    _check_coadds(settings)
    _check_compression(settings["imaging"]["compression"])
    for low, high in ORDERED:
        _check_order(settings, low, high)
    for name in settings["spectroscopy"]["programmes"]:
        base = f"spectroscopy/programmes/{name}"
        _check_order(settings, f"{base}/i_bright_mag", f"{base}/i_faint_mag")
        _check_order(settings, f"{base}/photoz_min", f"{base}/photoz_max")
    _check_fields(settings)
    _check_areas(settings)


def _at(settings: Mapping[str, Any], place: str) -> Any:
    value: Any = settings
    for key in filter(None, place.split("/")):
        value = value[key]
    return value


def _check_keys(settings: Mapping[str, Any]) -> None:
    """Refuse unknown and missing keys, block by block."""
    for place, keys in KEYS.items():
        _check_block(_at(settings, place), place, keys.split())
    programmes = settings["spectroscopy"]["programmes"]
    if not isinstance(programmes, Mapping) or not programmes:
        place = f"{WHERE}/spectroscopy/programmes"
        hint = "one programme with share 1 will do"
        raise BadInput("config", place, "at least one programme", repr(programmes), hint)
    for name, programme in programmes.items():
        _check_block(programme, f"spectroscopy/programmes/{name}", PROGRAMME.split())


def _check_block(block: Any, place: str, allowed: list[str]) -> None:
    where = f"{WHERE}/{place}".rstrip("/")
    if not isinstance(block, Mapping):
        raise BadInput("config", where, "a block of settings", repr(block), "give its keys")
    for key in block:
        if key not in allowed:
            hint = nearest_hint(str(key), allowed, f"one of {', '.join(allowed)}")
            raise BadInput("config", f"{where}/{key}", "a known setting", f"'{key}'", hint)
    for key in allowed:
        if key not in block:
            hint = "the shipped configuration has every setting"
            raise BadInput("config", f"{where}/{key}", "a value", "nothing", hint)


def _numbers(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every number with its place; names are checked elsewhere."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in NAMES:
                yield from _numbers(inner, f"{place}/{key}".lstrip("/"))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _numbers(inner, place)
    else:
        yield place, value


def _check_range(place: str, value: Any) -> None:
    words = [word for word in place.split("/") if len(word) > 1 and word[0].islower()]  # no bands
    low, high = next(limits for pattern, limits in RANGES if fnmatchcase(words[-1], pattern))
    whole = any(fnmatchcase(words[-1], pattern) for pattern in WHOLE)
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        expected = f"a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        hint = "the unit stands in the setting's name"
        raise BadInput("config", f"{WHERE}/{place}", expected, repr(value), hint)


def _check_list(place: str, value: Any, length: int) -> None:
    if not isinstance(value, (list, tuple)) or len(value) != length:
        expected = f"a list of {length} numbers"
        raise BadInput("config", f"{WHERE}/{place}", expected, repr(value), "see its comment")


def _check_bands(block: Mapping[str, Any], name: str, per_band: Iterable[str] = PER_BAND) -> None:
    """Refuse bands without a depth, and filters without which a selection cannot be made."""
    load_bands(block["filters"], f"{WHERE}/{name}/filters")
    for band in NEEDED_BANDS[name]:
        if band not in block["filters"]:
            expected, found = f"band {band}", f"bands {', '.join(block['filters'])}"
            hint = "galaxies are selected in it"
            raise BadInput("config", f"{WHERE}/{name}/filters", expected, found, hint)
    _check_per_band(block, per_band, block["filters"], name)


def _check_coadds(settings: Mapping[str, Any]) -> None:
    """Refuse images with bands that their survey has not."""
    hsc, cfhtls = settings["hsc"], settings["cfhtls"]
    _check_per_band(settings["hsc_images"], ("psf_fwhm_arcsec",), hsc["filters"], "hsc_images")
    per_band = ("psf_fwhm_arcsec", "zero_point_scatter_mag", "extinction_per_ebv")
    _check_bands(cfhtls, "cfhtls", per_band)
    for layer in ("wide", "deep"):
        _check_per_band(cfhtls[layer], LAYER_PER_BAND, cfhtls["filters"], f"cfhtls/{layer}")


def _check_per_band(
    block: Mapping[str, Any], keys: Iterable[str], bands: Iterable[str], name: str
) -> None:
    for key in keys:
        if set(block[key]) != set(bands):
            expected = f"one number for each of {', '.join(bands)}"
            hint = "make it agree with the survey's filters"
            raise BadInput("config", f"{WHERE}/{name}/{key}", expected, ", ".join(block[key]), hint)


def _check_runs(block: Mapping[str, Any]) -> None:
    """Refuse one run for both samples: their fields would have the same names."""
    if block["main_run"] == block["deep_run"]:
        expected = f"another run than main_run = {block['main_run']}"
        hint = "each sample has a run of its own"
        raise BadInput(
            "config", f"{WHERE}/imaging/deep_run", expected, str(block["deep_run"]), hint
        )


def _check_compression(value: Any) -> None:
    if value not in FRAME_SUFFIXES:
        place, expected = f"{WHERE}/imaging/compression", f"one of {', '.join(FRAME_SUFFIXES)}"
        raise BadInput("config", place, expected, repr(value), "bz2 is how the archive packs them")


def _check_order(settings: Mapping[str, Any], low: str, high: str) -> None:
    if not _at(settings, low) < _at(settings, high):
        expected = f"more than {low.rsplit('/', 1)[1]} = {_at(settings, low)}"
        hint = "swap them"
        raise BadInput("config", f"{WHERE}/{high}", expected, str(_at(settings, high)), hint)


def _check_fields(settings: Mapping[str, Any]) -> None:
    """Refuse more fields than an object's identifier has numbers for."""
    last = max(number.field for number in field_numbers(settings))
    if last > LAST_FIELD:
        expected = f"so many that no sample needs more than {LAST_FIELD - FIRST_FIELD + 1} fields"
        place, found = f"{WHERE}/imaging/galaxies_per_field", f"fields up to {last}"
        raise BadInput("config", place, expected, found, "put more galaxies into a field")


def _check_areas(settings: Mapping[str, Any]) -> None:
    """Refuse numbers of galaxies that need more area than the sky of these settings has."""
    deep, wide = deep_and_wide(settings)
    needed = {"deep": deep.area_deg2, "wide": wide.area_deg2, "main": needed_area_deg2(settings)}
    for name, area_deg2 in needed.items():
        available = settings["sky"][f"{name}_area_deg2"]
        if area_deg2 > available * (1 + 1e-9):
            raise BadInput(
                "config",
                f"{WHERE}/sky/{name}_area_deg2",
                f"at least {area_deg2:.4g} for the numbers of galaxies asked for",
                f"{available:g}",
                "ask for fewer galaxies, or for more in a square degree",
            )
