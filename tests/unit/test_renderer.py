"""The renderer against GalSim, against quadrature, and against what must hold of any image."""

from __future__ import annotations

import galsim
import numpy as np
import pytest
import torch
from scipy.integrate import quad, trapezoid
from scipy.special import gammaincinv, j0

from zladder.survey.renderer import Light, Seeing, make_seeing, pad_size, render
from zladder.universe.hankel import (
    BULGE_B,
    DISC_B,
    LN_K_RANGE,
    LN_K_STEP,
    bulge_growth,
    bulge_table,
    bulge_transform,
    disc_growth,
    moffat_transform,
)

PIXEL_ARCSEC = 0.396
BETA = 3.5
FWHM_PIXELS = np.array([1.2, 1.5]) / PIXEL_ARCSEC
SEEING = make_seeing(FWHM_PIXELS, BETA)
SIZE = 64
GALSIM = galsim.GSParams(
    maximum_fft_size=16384,
    folding_threshold=1e-3,
    maxk_threshold=1e-4,
    kvalue_accuracy=1e-6,
    stepk_minimum_hlr=10,
)


def light(n: int, **columns: object) -> Light:
    """Return round discs of flux 1 and half-light radius 3 pixels, but for what is given."""
    given = {
        "disc_flux": np.ones((n, 2)), "bulge_flux": np.zeros((n, 2)),
        "disc_radius": np.full(n, 3.0), "bulge_radius": np.full(n, 1.5),
        "disc_ratio": np.ones(n), "bulge_ratio": np.ones(n), "angle": np.zeros(n),
        "offset": np.zeros((n, 2)),
    } | columns  # fmt: skip
    return Light(**{name: torch.tensor(value).float() for name, value in given.items()})


def varied(n: int) -> Light:
    """Return galaxies as they occur in the mock sky; two bands with other bulge shares."""
    rng = np.random.default_rng(1)
    share = rng.random((n, 2))
    radius = rng.uniform(1.5, 6.0, n)
    return light(
        n,
        disc_flux=1 - share,
        bulge_flux=share,
        disc_radius=radius,
        bulge_radius=radius * rng.uniform(0.4, 0.9, n),
        disc_ratio=rng.uniform(0.2, 1.0, n),
        bulge_ratio=rng.uniform(0.45, 1.0, n),
        angle=rng.uniform(0, np.pi, n),
        offset=rng.uniform(-0.5, 0.5, (n, 2)),
    )


def galsim_stamp(one: Light, band: int) -> np.ndarray:
    """Return GalSim's image of a single object, centred on pixel (32, 32) plus the offset."""
    angle = float(one.angle[0]) * galsim.radians
    parts = []
    for profile, flux, radius, ratio in (
        (galsim.Exponential, one.disc_flux, one.disc_radius, one.disc_ratio),
        (galsim.DeVaucouleurs, one.bulge_flux, one.bulge_radius, one.bulge_ratio),
    ):
        q = float(ratio[0])
        round_radius = float(radius[0]) * np.sqrt(q)  # a shear keeps the area
        part = profile(half_light_radius=round_radius, gsparams=GALSIM)
        parts.append(part.shear(q=q, beta=angle) * float(flux[0, band]))
    star = galsim.Moffat(beta=BETA, fwhm=FWHM_PIXELS[band], gsparams=GALSIM)
    return drawn(galsim.Convolve(parts[0] + parts[1], star, gsparams=GALSIM), one.offset[0])


def drawn(profile: galsim.GSObject, offset: torch.Tensor) -> np.ndarray:
    centre = galsim.PositionD(33 + float(offset[0]), 33 + float(offset[1]))  # counted from 1
    image = galsim.ImageD(SIZE, SIZE, scale=1.0)
    return profile.drawImage(image=image, center=centre, method="auto").array


def test_stamps_agree_with_galsim():
    # 40 galaxies in two bands: peak difference at most 5e-4 of the peak, flux within 1 %
    galaxies = varied(40)
    stamps = render(galaxies, SEEING, SIZE).numpy()
    for row in range(40):
        for band in range(2):
            expected = galsim_stamp(galaxies.part(slice(row, row + 1)), band)
            assert np.abs(stamps[row, band] - expected).max() <= 5e-4 * expected.max()
            assert stamps[row, band].sum() == pytest.approx(expected.sum(), rel=0.01)


def test_stars_agree_with_galsim():
    offset = np.array([[0.0, 0.0], [0.31, -0.44]])
    stars = light(2, disc_radius=np.zeros(2), bulge_radius=np.zeros(2), offset=offset)
    stamps = render(stars, SEEING, SIZE).numpy()
    for row in range(2):
        star = galsim.Moffat(beta=BETA, fwhm=FWHM_PIXELS[1], gsparams=GALSIM)
        expected = drawn(star, stars.offset[row])
        assert np.abs(stamps[row, 1] - expected).max() <= 5e-4 * expected.max()


def test_a_star_lies_where_it_should():
    offset = np.array([[0.0, 0.0], [0.25, 0.0], [-0.4, 0.3]])
    stamps = render(light(3, disc_radius=np.zeros(3), offset=offset), SEEING, SIZE)[:, 0].numpy()
    pixels = np.arange(SIZE) - SIZE // 2
    total = stamps.sum(axis=(1, 2))
    x, y = (stamps * pixels).sum(axis=(1, 2)), (stamps * pixels[:, None]).sum(axis=(1, 2))
    np.testing.assert_allclose(np.stack([x, y], axis=1) / total[:, None], offset, atol=0.005)


def test_the_major_axis_turns_from_x_to_y():
    angle = np.array([0.0, np.pi / 4, np.pi / 2])
    stamps = render(light(3, disc_ratio=np.full(3, 0.3), angle=angle), SEEING, SIZE)[:, 0].numpy()
    pixels = np.arange(SIZE) - SIZE // 2
    xx = (stamps * pixels**2).sum(axis=(1, 2))
    yy = (stamps * pixels[:, None] ** 2).sum(axis=(1, 2))
    xy = (stamps * pixels * pixels[:, None]).sum(axis=(1, 2))
    assert xx[0] > 2 * yy[0]
    assert yy[2] > 2 * xx[2]
    assert xy[1] > 0.3 * xx[1]
    assert abs(xy[0]) < 1e-3 * xx[0]


def test_half_of_the_light_lies_within_the_half_light_radius_along_the_major_axis():
    sharp = Seeing(np.ones((2, 4096)))
    flat = light(1, disc_radius=np.array([20.0]), disc_ratio=np.array([0.5]))
    stamp = render(flat, sharp, 256)[0, 0].numpy()
    y, x = np.mgrid[:256, :256] - 128
    inside = x**2 + (y / 0.5) ** 2 < 20.0**2
    assert stamp[inside].sum() == pytest.approx(0.5, abs=0.008)  # whole pixels


def test_light_adds_up_and_scales():
    galaxies = varied(6)
    whole = render(galaxies, SEEING, SIZE)
    zero = torch.zeros_like(galaxies.disc_flux)
    disc, bulge = (
        render(Light(**{**vars(galaxies), name: zero}), SEEING, SIZE)
        for name in ("bulge_flux", "disc_flux")
    )
    np.testing.assert_allclose(disc + bulge, whole, rtol=0, atol=1e-6)


def test_an_object_does_not_depend_on_its_company():
    galaxies = varied(70)  # more than one batch
    together = render(galaxies, SEEING, SIZE)
    for row in (0, 69):
        alone = render(galaxies.part(slice(row, row + 1)), SEEING, SIZE)
        np.testing.assert_allclose(alone[0], together[row], rtol=0, atol=1e-7)
    assert render(galaxies.part(slice(0, 0)), SEEING, SIZE).shape == (0, 2, SIZE, SIZE)


def test_larger_stamps_show_the_same_middle():
    galaxies = varied(5)
    small, large = render(galaxies, SEEING, 64), render(galaxies, SEEING, 128)
    peak = large.amax(dim=(2, 3), keepdim=True)
    assert ((small - large[..., 32:96, 32:96]).abs() < 5e-4 * peak).all()
    assert pad_size(64) == 96


def test_double_precision_agrees_with_single():
    galaxies = varied(5)
    double = Light(**{name: value.double() for name, value in vars(galaxies).items()})
    exact = render(double, SEEING, SIZE)
    assert exact.dtype == torch.float64
    np.testing.assert_allclose(render(galaxies, SEEING, SIZE), exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize("k", [0.01, 0.5, 0.99])
def test_the_bulge_transform_is_the_hankel_integral(k):
    def integrand(t: float) -> float:
        return t**7 * np.exp(-t) / 5040 * j0(k * (t / BULGE_B) ** 4)

    expected = quad(integrand, 0, 60, limit=2000)[0]
    assert bulge_transform(np.array([k]))[0] == pytest.approx(expected, abs=1e-6)


def test_integral_and_series_of_the_bulge_meet():
    below, above = bulge_transform(np.array([1 - 1e-9, 1 + 1e-9]))
    assert below == pytest.approx(above, abs=1e-7)
    t = np.linspace(0, 45, 1_000_001)
    for k in (2.0, 30.0, 400.0):
        expected = trapezoid(t**7 * np.exp(-t) / 5040 * j0(k * (t / BULGE_B) ** 4), t)
        assert bulge_transform(np.array([k]))[0] == pytest.approx(expected, rel=1e-3)


def test_the_table_is_the_transform_between_its_nodes():
    ln_k = LN_K_RANGE[0] + LN_K_STEP * (np.array([3, 701, 1403, 2604]) + 0.0)
    node = np.round((ln_k - LN_K_RANGE[0]) / LN_K_STEP).astype(int)
    np.testing.assert_allclose(bulge_table()[node], bulge_transform(np.exp(ln_k)), atol=2e-5)


def test_growth_curves_reach_one_half_at_the_half_light_radius():
    assert disc_growth(np.array([1.0]))[0] == pytest.approx(0.5)
    assert bulge_growth(np.array([1.0]))[0] == pytest.approx(0.5)
    assert pytest.approx(1.678347) == DISC_B
    assert pytest.approx(gammaincinv(8, 0.5)) == BULGE_B
    assert pytest.approx(7.669249) == BULGE_B


def test_the_moffat_transform_is_that_of_galsim():
    star = galsim.Moffat(beta=BETA, fwhm=3.0)
    k = np.array([0.0, 0.3, 1.0, 2.0])
    expected = [star.kValue(wave, 0).real for wave in k]
    np.testing.assert_allclose(moffat_transform(k, 3.0, BETA), expected, atol=1e-6)
