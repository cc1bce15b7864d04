"""What is measured back from a frame is what was put in, by an independent way of drawing it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from zladder.provenance.errors import BadInput
from zladder.report.frame_check import (
    check_frame,
    check_frames,
    chosen_fields,
    lonely_stars,
    projection_of,
    sky_sigma,
    star_stamps,
)
from zladder.report.mock_frames import draw_frames
from zladder.survey.conditions import pixel_sigma_nmgy
from zladder.universe.star_fits import fit_stars, moffat_on_pixels, noise_pixels

HEIGHT, WIDTH = 420, 560
SCALE_ARCSEC = 0.396
SATURATION_NMGY = 400.0
SIGMA_NMGY = 0.03
SUB = 9  # samples a side of a pixel, where the code takes three of Gauss and Legendre


def star(shape, x, y, flux, fwhm_pixels, beta, sub=SUB):
    """Draw a Moffat star by brute force, sampled `sub` times a side of each pixel."""
    height, width = shape
    fine = (np.arange(sub) + 0.5) / sub - 0.5
    xs = (np.arange(width)[:, None] + fine).ravel() - x
    ys = (np.arange(height)[:, None] + fine).ravel() - y
    alpha = fwhm_pixels / (2 * np.sqrt(2 ** (1 / beta) - 1))
    light = (1 + (xs**2 + ys[:, None] ** 2) / alpha**2) ** -beta
    light = light.reshape(height, sub, width, sub).mean(axis=(1, 3))
    return flux * light * (beta - 1) / (np.pi * alpha**2)


def world(fwhm_arcsec, beta, seed=0):
    """Return a noisy frame of stars and galaxies, and its header and objects."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, SIGMA_NMGY, (HEIGHT, WIDTH))
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRPIX1"], header["CRPIX2"] = WIDTH / 2, HEIGHT / 2
    header["CRVAL1"], header["CRVAL2"] = 185.0, 20.0
    step = SCALE_ARCSEC / 3600
    header["CD1_1"], header["CD1_2"], header["CD2_1"], header["CD2_2"] = -step, 0.0, 0.0, step
    places = [(x, y) for x in range(45, WIDTH - 40, 95) for y in range(45, HEIGHT - 40, 95)]
    rows = []
    for number, place in enumerate(places):
        x, y = place + rng.uniform(-0.5, 0.5, 2)
        is_star = number % 3 > 0
        flux = rng.uniform(20, 120)
        spread = fwhm_arcsec / SCALE_ARCSEC if is_star else 9.0
        half = 40
        x0, y0 = int(x) - half, int(y) - half
        left, low = max(x0, 0), max(y0, 0)
        part = image[low : y0 + 2 * half, left : x0 + 2 * half]
        part += star(part.shape, x - left, y - low, flux, spread, beta)
        dec = header["CRVAL2"] + (y + 1 - header["CRPIX2"]) * step
        ra = header["CRVAL1"] - (x + 1 - header["CRPIX1"]) * step / np.cos(np.radians(dec))
        rows.append((ra, dec, is_star))
    return image.astype(np.float32), header, pd.DataFrame(rows, columns=["ra", "dec", "is_star"])


def write_frame(path, image, header):
    fits.PrimaryHDU(image.astype(">f4"), header).writeto(path)
    return path


@pytest.mark.parametrize(("fwhm_arcsec", "beta"), [(1.1, 3.5), (1.6, 2.6)])
def test_psf_and_noise_of_a_frame_are_those_put_in(tmp_path, fwhm_arcsec, beta):
    image, header, objects = world(fwhm_arcsec, beta)
    path = write_frame(tmp_path / "frame.fits", image, header)
    found = check_frame(path, objects, SATURATION_NMGY)
    assert found["n_stars"] >= 8
    assert abs(found["psf_fwhm_measured_arcsec"] / fwhm_arcsec - 1) < 0.02
    assert abs(found["sky_sigma_measured_nmgy"] / SIGMA_NMGY - 1) < 0.02
    pixels = noise_pixels(np.array([fwhm_arcsec / SCALE_ARCSEC]), np.array([beta]))[0]
    depth = 22.5 - 2.5 * np.log10(5 * SIGMA_NMGY * np.sqrt(pixels))
    assert abs(found["depth_measured_mag"] - depth) < 0.03


def test_depth_is_that_of_the_survey_that_made_the_noise():
    """The same relation as the simulation's, which takes it in Fourier space."""
    fwhm = np.array([1.0, 1.3, 1.7])
    sigma = pixel_sigma_nmgy(np.full(3, 22.7), fwhm, 3.5)
    pixels = noise_pixels(fwhm / SCALE_ARCSEC, np.full(3, 3.5))
    depth = 22.5 - 2.5 * np.log10(5 * sigma * np.sqrt(pixels))
    np.testing.assert_allclose(depth, 22.7, atol=0.005)


def test_a_profile_on_pixels_is_that_drawn_by_brute_force():
    x, y, fwhm, beta = np.array([0.3]), np.array([-0.4]), np.array([3.1]), np.array([3.0])
    ours = moffat_on_pixels(31, x, y, fwhm, beta)[0]
    drawn = star((31, 31), 15 + x[0], 15 + y[0], 1.0, fwhm[0], beta[0], sub=31)
    np.testing.assert_allclose(ours, drawn, atol=2e-4 * drawn.max())
    assert 0.95 < ours.sum() < 1


def test_without_noise_the_fit_is_exact():
    true = [(1.0, 2.6, 3.0), (7.0, 3.4, 2.6), (3.0, 4.4, 4.0)]
    images = np.array([star((25, 25), 12.2, 11.7, *one) for one in true]) + 0.05
    fit = fit_stars(images, np.full(3, 0.01), 3.5)
    np.testing.assert_allclose(fit.fwhm_pixels, [one[1] for one in true], rtol=0.002)
    np.testing.assert_allclose(fit.beta, [one[2] for one in true], rtol=0.01)
    np.testing.assert_allclose(fit.flux, [one[0] for one in true], rtol=0.01)


def test_the_sky_s_noise_does_not_see_galaxies_nor_the_level_of_the_sky():
    rng = np.random.default_rng(3)
    empty = rng.normal(0, 1, (400, 400)).astype(np.float32)
    assert abs(sky_sigma(empty) - 1) < 0.02
    y, x = np.mgrid[:400, :400]
    galaxy = (60 * np.exp(-np.hypot(x - 200, y - 200) / 40)).astype(np.float32)
    assert abs(sky_sigma(empty + galaxy + 17) - 1) < 0.02
    assert sky_sigma(4 * empty) == pytest.approx(4 * sky_sigma(empty))


def test_full_faint_crowded_and_cut_off_stars_do_not_serve():
    _, header, objects = world(1.3, 3.5)
    pixels = np.array([[100.0, 100.0], [5.0, 200.0]])
    dark = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    assert star_stamps(dark, pixels, SATURATION_NMGY, SIGMA_NMGY).shape == (0, 25, 25)
    one = dark.copy()
    one[60:141, 60:141] = star((81, 81), 40, 40, 500, 3.3, 3.5)
    assert len(star_stamps(one, pixels, SATURATION_NMGY, SIGMA_NMGY)) == 1
    assert len(star_stamps(one, pixels, float(one.max()), SIGMA_NMGY)) == 0
    projection = projection_of(header)
    alone = lonely_stars(projection, objects)
    assert len(alone) == objects["is_star"].sum()
    crowd = objects.assign(dec=objects["dec"] + 10 * SCALE_ARCSEC / 3600, is_star=False)
    assert len(lonely_stars(projection, pd.concat([objects, crowd], ignore_index=True))) == 0


def index_of(path):
    return pd.DataFrame([{
        "run": 1, "camcol": 1, "field": 11, "band": "r", "path": path.name,
        "sky_sigma_nmgy": SIGMA_NMGY, "psf_fwhm_arcsec": 1.3, "saturation_nmgy": SATURATION_NMGY,
    }])  # fmt: skip


def test_a_frame_without_stars_is_measured_as_far_as_it_goes_and_drawn(tmp_path):
    image, header, objects = world(1.3, 3.5)
    path = write_frame(tmp_path / "frame.fits", image, header)
    nobody = objects.iloc[:0].assign(run=1, camcol=1, field=11)
    measured = check_frames(index_of(path), tmp_path, nobody)
    assert measured["n_stars"].tolist() == [0]
    assert measured["depth_measured_mag"].isna().all()
    assert abs(measured["sky_sigma_measured_nmgy"][0] / SIGMA_NMGY - 1) < 0.02
    figure = draw_frames(measured, {"r": 22.7})
    labels = " ".join(axes.get_xlabel() + axes.get_ylabel() for axes in figure.axes)
    assert "nmgy" in labels
    assert "arcsec" in labels
    assert "AB mag" in labels
    with pytest.raises(BadInput, match="a frame of the index"):
        check_frames(index_of(tmp_path / "none.fits"), tmp_path, nobody)


def test_fields_are_chosen_evenly_with_all_their_bands():
    frames = [(1, 1, field, band) for field in range(10) for band in "gr"]
    index = pd.DataFrame(frames, columns=["run", "camcol", "field", "band"])
    chosen = chosen_fields(index, 4)
    assert chosen["field"].unique().tolist() == [0, 3, 6, 9]
    assert (chosen.groupby("field")["band"].agg("".join) == "gr").all()
    assert len(chosen_fields(index, 99)) == len(index)
