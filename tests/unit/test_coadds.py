"""Tiles and cutouts in pixels: depth, light and places as asked for, in both surveys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from deep_sky import asked, objects, optimal_sigma
from galsim import Moffat

from zladder.survey.coadd import Coadd, cfhtls_coadd, coadd_noise, hsc_coadd, pixel_variance
from zladder.survey.conditions import star_transform
from zladder.survey.cutout_survey import write_cutouts
from zladder.survey.painting import paint
from zladder.survey.projection import TangentPlane
from zladder.survey.stamp_targets import stamp_places
from zladder.survey.tile_files import write_tiles
from zladder.survey.tiles import lay_tiles
from zladder.survey.tracts import TRACT_PIXELS, patch_of, tract_of

SPECZ_COLUMNS = ("specz_redshift", "specz_redshift_err", "specz_ra", "specz_dec")
SURVEYS = {
    "wide": ("ugriz", 0.186, 30.0, lambda: cfhtls_coadd(asked(), "wide")),
    "deep": ("ugriz", 0.186, 30.0, lambda: cfhtls_coadd(asked(), "deep")),
    "hsc": ("grizy", 0.168, 27.0, lambda: hsc_coadd(asked())),
}


def coadd(name: str) -> Coadd:
    return SURVEYS[name][3]()


def depths(name: str) -> dict[str, float]:
    block = asked()["hsc"] if name == "hsc" else asked()["cfhtls"][name]
    return block["depth_5sigma_mag"]


def test_bands_go_from_blue_to_red_whatever_the_settings_order():
    shuffled = {**asked(), "hsc": {**asked()["hsc"]}}
    shuffled["hsc"]["filters"] = dict(sorted(asked()["hsc"]["filters"].items()))
    assert list(shuffled["hsc"]["filters"]) != list("grizy")
    found, expected = hsc_coadd(shuffled), hsc_coadd(asked())
    assert found.bands == tuple("grizy")
    np.testing.assert_array_equal(found.sky_sigma_nmgy, expected.sky_sigma_nmgy)


def test_scales_and_zero_points_are_the_surveys():
    for name, (bands, pixel, zero_point, _) in SURVEYS.items():
        one = coadd(name)
        assert one.bands == tuple(bands)
        assert (one.pixel_arcsec, one.zero_point_mag) == (pixel, zero_point)
        # one count has the zero point's magnitude
        assert 22.5 - 2.5 * np.log10(1 / one.counts_per_nmgy) == pytest.approx(zero_point)


@pytest.mark.parametrize("name", SURVEYS)
def test_the_depth_measured_in_an_empty_image_is_the_one_asked_for(name):
    # the star is GalSim's, drawn with its pixels: nothing of ours but the noise. 1024^2 pixels
    # hold 30,000 independent fits: their spread is known to 0.4 %, five of them
    one = coadd(name)
    empty = np.zeros((1024, 1024), dtype=np.float32)
    for index, band in enumerate(one.bands):
        noise = coadd_noise(np.random.default_rng(index), empty, one, index)
        star = Moffat(beta=one.moffat_beta, fwhm=one.seeing_fwhm_arcsec[index])
        share = star.drawImage(nx=33, ny=33, scale=one.pixel_arcsec, method="auto").array
        sigma = optimal_sigma(noise, share)
        depth = 22.5 - 2.5 * np.log10(5 * sigma)
        assert sigma == pytest.approx(10 ** (-0.4 * (depths(name)[band] - 22.5)) / 5, rel=0.02)
        assert depth == pytest.approx(depths(name)[band], abs=0.022)
        assert noise.std() == pytest.approx(one.sky_sigma_nmgy[index], rel=0.005)


@pytest.mark.parametrize("name", SURVEYS)
def test_photons_add_their_noise_and_full_pixels_are_cut_off(name):
    one = coadd(name)
    light = np.full((400, 400), 0.2 * one.saturation_nmgy[2], dtype=np.float32)
    noisy = coadd_noise(np.random.default_rng(1), light, one, 2)
    expected = one.sky_sigma_nmgy[2] ** 2 + light[0, 0] * one.electron_nmgy[2]
    assert noisy.var() == pytest.approx(expected, rel=0.02)  # known to 0.35 %
    np.testing.assert_allclose(pixel_variance(light, one, 2), expected, rtol=1e-5)
    assert pixel_variance(-light, one, 2)[0, 0] == pytest.approx(one.sky_sigma_nmgy[2] ** 2)
    full = coadd_noise(np.random.default_rng(1), 10 * light, one, 2)
    assert (full == np.float32(one.saturation_nmgy[2])).all()


def test_a_star_of_the_saturation_magnitude_fills_its_middle_pixel():
    for name in SURVEYS:
        one = coadd(name)
        block = asked()["hsc_images"] if name == "hsc" else asked()["cfhtls"]
        flux = 10 ** (-0.4 * (block["saturated_star_mag"] - 22.5))
        star = objects([32.0], [32.0], flux, "".join(one.bands))
        image = paint(star, np.zeros(1), one, (1, 64, 64))[0]
        np.testing.assert_allclose(image[:, 32, 32], one.saturation_nmgy, rtol=2e-3)


def test_a_stars_transform_gives_its_pixels():
    star = star_transform(4.0, 3.5)
    drawn = Moffat(beta=3.5, fwhm=4.0).drawImage(nx=65, ny=65, scale=1.0).array
    assert star.mean() == pytest.approx(drawn.max(), rel=2e-3)
    assert (star**2).mean() == pytest.approx((drawn**2).sum(), rel=2e-3)


@pytest.mark.parametrize("name", SURVEYS)
def test_large_apertures_hold_all_light(name):
    # no noise; painted far out, as if the sky were a hundred times darker
    one = coadd(name)
    dark = replace(one, sky_sigma_nmgy=one.sky_sigma_nmgy / 100)
    bands = "".join(one.bands)
    shape = {"disc_radius_arcsec": 0.6, "disc_axis_ratio": 0.5, "bulge_radius_arcsec": 0.2}
    table = objects([256.3, 256.3], [255.8, 255.8], 5.0, bands, **shape)
    for band in bands:
        table[f"bulge_flux_{band}_nmgy"] = 2.0
    table.loc[1, ["disc_radius_arcsec", "bulge_radius_arcsec"]] = 0.0  # a star
    images = paint(table, np.array([0.3, 0.0]), dark, (2, 512, 512), np.arange(2))
    y, x = np.mgrid[:512, :512]
    aperture = np.hypot(x - 256.3, y - 255.8) < 150
    np.testing.assert_allclose(images[..., aperture].sum(axis=-1), 7.0, rtol=5e-3)


def centroids(image: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return centroids (x, y) of stars near places, shape (N, 2), through a moving window."""
    found = []
    for x, y in np.round(near).astype(int):
        part = image[y - 8 : y + 9, x - 8 : x + 9].astype(float)
        rows, columns = np.mgrid[-8:9, -8:9]
        centre = np.zeros(2)
        for _ in range(20):
            weight = np.exp(-((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / 8.0)
            total = (part * weight).sum()
            moved = [(part * weight * (axis - c)).sum() / total
                     for axis, c in zip((columns, rows), centre, strict=True)]  # fmt: skip
            centre += 2 * np.array(moved)
        found.append(centre + np.array([x, y]))
    return np.array(found)


def test_stars_of_a_tile_are_where_its_header_says(tmp_path):
    rng = np.random.default_rng(3)
    for tile in lay_tiles(asked()):
        x, y = np.stack(np.meshgrid(np.arange(40, 480, 60), np.arange(40, 480, 60))).reshape(2, -1)
        x, y = x + rng.uniform(-0.5, 0.5, len(x)), y + rng.uniform(-0.5, 0.5, len(x))
        # from the sky to pixels by astropy alone
        stars = objects(x, y, 30.0, "ugriz", layer=tile.layer)
        ra, dec = tile.plane.to_sky(x, y)
        index = write_tiles(asked(), 1, stars, tmp_path)
        for path in index.loc[index["layer"] == tile.layer, "path"]:
            with fits.open(tmp_path / path) as hdus:
                image, wcs = hdus[0].data, WCS(hdus[0].header)
            told = np.stack(wcs.all_world2pix(ra, dec, 0), axis=1)
            moved = centroids(image, told) - told
            assert np.abs(moved).max() < 0.02
            assert np.linalg.det(wcs.pixel_scale_matrix) < 0  # east is left
            scale = np.sqrt(-np.linalg.det(wcs.pixel_scale_matrix)) * 3600
            assert scale == pytest.approx(0.186)
            up = wcs.all_pix2world([[255, 255], [255, 265]], 0)
            assert up[1, 1] > up[0, 1]
            assert up[1, 0] == pytest.approx(up[0, 0], abs=1e-6)


def test_stars_of_cutouts_are_where_the_header_of_the_whole_tract_says(tmp_path):
    rng = np.random.default_rng(5)
    n = 6
    ra, dec = rng.uniform(0, 360, n), rng.uniform(-30, 60, n)
    targets = pd.DataFrame({"object_id": 10**16 + np.arange(n), "ra": ra, "dec": dec})
    targets = targets.join(stamp_places(targets, 64)).assign(is_specz=False, is_photoz=True)
    targets = targets.assign(lp_zPDF=0.5, specz_name="", specz_flag_homogeneous=True)
    targets = targets.assign(**dict.fromkeys(SPECZ_COLUMNS, 0.5))
    for band in "grizy":
        targets[f"{band}_cmodel_mag"] = targets[f"{band}_cmodel_magsigma"] = 20.0
    x = targets["x_coord"] - targets["x_corner"]
    y = targets["y_coord"] - targets["y_corner"]
    stars = objects(x, y, 30.0, "grizy", object_id=targets["object_id"])
    sets = {name: tmp_path / f"{name}.h5" for name in ("specz", "photoz")}
    index = write_cutouts(asked(), 1, targets, stars, tmp_path, sets)
    for row in index.itertuples():
        target = targets[targets["object_id"] == row.object_id].iloc[0]
        with fits.open(tmp_path / row.path) as hdus:
            image, wcs = hdus[1].data, WCS(hdus[1].header)
        assert max(abs(wcs.wcs.crpix)) > 1000  # of the tract, far outside the stamp
        told = wcs.all_world2pix([[target["ra"], target["dec"]]], 0)
        assert np.abs(told - 32).max() <= 0.5 + 1e-6
        assert np.abs(centroids(image, told) - told).max() < 0.02


def test_tracts_cover_the_sky_and_have_their_own_numbers():
    rng = np.random.default_rng(6)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-0.95, 0.95, 500)))
    centres = {}
    for one in zip(ra, dec, strict=True):
        tract = tract_of(*one)
        assert centres.setdefault(tract.number, tract.plane) == tract.plane
        x, y = (float(v[0]) for v in tract.plane.to_pixels(*(np.array([v]) for v in one)))
        assert 0 < min(x, y) < max(x, y) < TRACT_PIXELS
    assert len({(p.ra_deg, p.dec_deg) for p in centres.values()}) == len(centres)
    assert patch_of(17_999.5, 4000.0) == (4, 1)


def test_position_angles_follow_the_meridians():
    # far from the point of tangency north is not up: astropy's position angle agrees
    plane = TangentPlane(40.0, 55.0, 0.168, 0.0, (17_999.5, 17_999.5))
    ra, dec = plane.to_sky(np.array([500.0]), np.array([30_000.0]))
    start = SkyCoord(ra, dec, unit="deg")
    moved = start.directional_offset_by(30 * units.deg, 5 * units.arcsec)
    x, y = plane.to_pixels(moved.ra.deg, moved.dec.deg)
    expected = np.arctan2(y - 30_000.0, x - 500.0)
    found = plane.angle_at_rad(np.array([30.0]), ra, dec)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert abs(found - plane.angle_rad(np.array([30.0])))[0] > 0.005
