"""What settings the mock sky has, and which values each may have."""

from __future__ import annotations

import math

from zladder.survey.manyband_camera import LIMIT_BAND

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
    "half_i_mag width_mag inhomogeneous_share redshift_scatter position_error_arcsec "
    "target_scatter_mag programmes",
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
    ("target_scatter_mag", (1e-3, 3.0)),
    ("zero_point_scatter_mag", (0.0, 0.5)),
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
    ("limit_i_mag", (20.0, 28.0)),
    ("saturated_star_mag", (10.0, 25.0)),
    ("detection_sigmas", (0.0, 100.0)),
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
UNORDERED = {"manyband/position_offset_arcsec"}  # of the lists of two; the others are ranges
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
# the first is at most the second
AT_MOST = (
    ("hsc_images/n_photoz_stamps", "n_photoz"),
    ("hsc_images/n_specz_stamps", "n_specz"),
    ("sdss/limit_r_mag", "imaging/limit_deep_r_mag"),
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
