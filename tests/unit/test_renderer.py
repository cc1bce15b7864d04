"""The renderer against GalSim, against quadrature, and against what must hold of any image."""

from __future__ import annotations

import galsim
import numpy as np
import pytest
import torch
from mock_sky import small_sky
from scipy.integrate import quad, trapezoid
from scipy.special import gammaincinv, j0, ndtr

from zladder.config.imaging import FieldNumber
from zladder.survey.imaging import ImagingField
from zladder.survey.painting import light_of
from zladder.survey.renderer import Light, Seeing, bulge_at, make_seeing, render, wave_squared
from zladder.survey.waves import PERIOD_OVER_STAMP, REFINEMENT, make_waves, wave_numbers
from zladder.universe.hankel import (
    BULGE_B,
    BULGE_BITS,
    BULGE_OCTAVES,
    DISC_B,
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
    folding_threshold=5e-4,
    maxk_threshold=1e-5,
    kvalue_accuracy=1e-7,
    stepk_minimum_hlr=15,
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


def galsim_stamp(one: Light, fwhm_pixels: float, band: int = 0, size: int = SIZE) -> np.ndarray:
    """Return GalSim's image of a single object, centred on pixel (S/2, S/2) plus the offset."""
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
    star = galsim.Moffat(beta=BETA, fwhm=fwhm_pixels, gsparams=GALSIM)
    whole = galsim.Convolve(parts[0] + parts[1], star, gsparams=GALSIM)
    return drawn(whole, one.offset[0], size)


def drawn(profile: galsim.GSObject, offset: torch.Tensor, size: int) -> np.ndarray:
    middle = size // 2 + 1  # counted from 1
    centre = galsim.PositionD(middle + float(offset[0]), middle + float(offset[1]))
    image = galsim.ImageD(size, size, scale=1.0)
    return profile.drawImage(image=image, center=centre, method="auto").array


def assert_close(stamp: np.ndarray, expected: np.ndarray) -> None:
    """Assert what the renderer promises: 1e-4 of the peak, 0.3 % of the flux."""
    assert np.abs(stamp - expected).max() <= 1e-4 * expected.max()
    assert stamp.sum() == pytest.approx(expected.sum(), rel=0.003)


def test_stamps_agree_with_galsim():
    galaxies = varied(40)
    stamps = render(galaxies, SEEING, SIZE).numpy()
    for row in range(40):
        band = row % 2
        one = galaxies.part(slice(row, row + 1))
        assert_close(stamps[row, band], galsim_stamp(one, FWHM_PIXELS[band], band))


def test_the_galaxies_of_the_mock_agree_with_galsim():
    # the main sample as it is, also what is larger than its stamp: half-light radii to 30 pixels
    scene = small_sky()["scene"]
    scene = scene[scene["disc_radius_arcsec"] > 0].iloc[:60]
    field = ImagingField(FieldNumber(2001, 1, 11), 180.0, 30.0, 40.0)
    galaxies = light_of(field, scene, tuple("ugriz"))
    fwhm_pixels = np.array([1.43, 1.36, 1.30, 1.24, 1.26]) / PIXEL_ARCSEC
    stamps = render(galaxies, make_seeing(fwhm_pixels, BETA), SIZE).numpy()
    for row in range(60):
        band, one = row % 5, galaxies.part(slice(row, row + 1))
        assert_close(stamps[row, band], galsim_stamp(one, fwhm_pixels[band], band))


@pytest.mark.parametrize(
    ("fwhm", "size"), [(2.0, 48), (2.0, 128), (4.3, 64), (9.0, 64), (9.0, 192)]
)
def test_the_ends_of_the_range_of_seeing_agree_with_galsim(fwhm, size):
    thin = light(
        3,
        disc_flux=np.full((3, 1), 0.7), bulge_flux=np.full((3, 1), 0.3),
        disc_radius=np.array([1.0, 4.0, 9.0]), bulge_radius=np.array([0.3, 1.5, 4.0]),
        disc_ratio=np.full(3, 0.2), bulge_ratio=np.array([0.45, 0.8, 1.0]),
        angle=np.array([0.8, 0.3, 2.0]), offset=np.array([[0.0, 0.0], [0.5, -0.5], [-0.3, 0.2]]),
    )  # fmt: skip
    stamps = render(thin, make_seeing(np.array([fwhm]), BETA), size).numpy()
    for row in range(3):
        one = thin.part(slice(row, row + 1))
        assert_close(stamps[row, 0], galsim_stamp(one, fwhm, size=size))


@pytest.mark.parametrize("fwhm", [2.0, 3.1, 9.0])
@pytest.mark.parametrize("size", [48, 64, 256])
def test_stars_agree_with_galsim(fwhm, size):
    offset = np.array([[0.0, 0.0], [0.31, -0.44], [0.5, 0.5]])
    stars = light(
        3, disc_flux=np.ones((3, 1)), bulge_flux=np.zeros((3, 1)), disc_radius=np.zeros(3),
        bulge_radius=np.zeros(3), offset=offset,
    )  # fmt: skip
    stamps = render(stars, make_seeing(np.array([fwhm]), BETA), size).numpy()
    star = galsim.Moffat(beta=BETA, fwhm=fwhm, gsparams=GALSIM)
    for row in range(3):
        assert_close(stamps[row, 0], drawn(star, stars.offset[row], size))


def test_seeing_that_is_given_as_a_table_is_taken_as_it_is():
    # a Gaussian of 1.5 pixels, no Moffat: a point is the product of two error functions' steps
    nodes = np.linspace(0, np.sqrt(2) * 4.0, 4096)
    gaussian = Seeing(np.exp(-((1.5 * nodes) ** 2) / 2)[None], 4.0)
    point = light(1, disc_flux=np.ones((1, 1)), bulge_flux=np.zeros((1, 1)),
                  disc_radius=np.zeros(1), offset=np.array([[0.2, -0.3]]))  # fmt: skip
    edges = np.arange(-32, 33) - 0.5
    across, up = (np.diff(ndtr((edges - shift) / 1.5)) for shift in (0.2, -0.3))
    stamp = render(point, gaussian, 64)[0, 0].numpy()
    np.testing.assert_allclose(stamp, np.outer(up, across), rtol=0, atol=2e-5 * stamp.max())


def test_second_moments_are_those_of_the_profile():
    # a disc of exponential scale h has <x^2> = 3 h^2 along its major axis; seeing and pixel add
    # their own: sigma^2 and 1/12
    sigma, radius, ratio, angle = 1.5, 6.0, 0.4, 0.7
    nodes = np.linspace(0, np.sqrt(2) * 4.0, 4096)
    gaussian = Seeing(np.exp(-((sigma * nodes) ** 2) / 2)[None], 4.0)
    disc = light(1, disc_flux=np.ones((1, 1)), bulge_flux=np.zeros((1, 1)),
                 disc_radius=np.array([radius]), disc_ratio=np.array([ratio]),
                 angle=np.array([angle]))  # fmt: skip
    stamp = render(disc, gaussian, 192)[0, 0].numpy().astype(float)
    pixels = np.arange(192) - 96
    xx, yy, xy = (
        (stamp * product).sum() / stamp.sum()
        for product in (pixels**2, pixels[:, None] ** 2, pixels * pixels[:, None])
    )
    spread = 3 * (radius / DISC_B) ** 2
    extra = sigma**2 + 1 / 12
    major, minor = np.linalg.eigvalsh([[xx, xy], [xy, yy]])[::-1]
    assert major == pytest.approx(spread + extra, rel=1e-3)
    assert minor == pytest.approx(spread * ratio**2 + extra, rel=1e-3)
    assert 0.5 * np.arctan2(2 * xy, xx - yy) == pytest.approx(angle, abs=1e-3)


def test_a_shift_by_a_pixel_moves_the_picture_by_a_pixel():
    here, there = varied(5), varied(5)
    there.offset.copy_(here.offset + torch.tensor([3.0, -2.0]))
    first, second = render(here, SEEING, SIZE), render(there, SEEING, SIZE)
    peak = first.amax(dim=(2, 3), keepdim=True)
    moved = second[..., 10:50, 13:53] - first[..., 12:52, 10:50]
    assert (moved.abs() < 2e-5 * peak).all()


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
    sharp = Seeing(np.ones((2, 2)), np.pi)
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
    assert ((small - large[..., 32:96, 32:96]).abs() < 5e-5 * peak).all()


@pytest.mark.parametrize("size", [48, 64, 512])
def test_waves_are_close_where_they_are_long_and_reach_the_last(size):
    number, spacing = wave_numbers(size, 4.0)
    step = 2 * np.pi / (PERIOD_OVER_STAMP * size)
    assert number[0] == 0
    assert number[-1] >= 4.0
    assert number[-2] < 4.0
    assert spacing[0] == pytest.approx(step / REFINEMENT)
    assert spacing[-1] == pytest.approx(step, rel=1e-4)
    assert (np.diff(spacing) > -1e-12).all()
    # the spacing is the slope of the numbers: the integral of a smooth function is right
    weight = spacing * np.where(number == 0, 0.5, 1.0)
    width = 40 * step / REFINEMENT
    assert (weight * np.exp(-((number / width) ** 2))).sum() == pytest.approx(
        width * np.sqrt(np.pi) / 2, rel=1e-6
    )


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


def test_the_table_is_the_transform_in_the_middle_of_each_place():
    octave, within = np.array([0, 11, 24, 25, 40, 47]), np.array([0, 1023, 17, 512, 999, 3])
    middle = 2.0 ** (BULGE_OCTAVES[0] + octave) * (1 + (within + 0.5) / 2**BULGE_BITS)
    place = octave * 2**BULGE_BITS + within
    expected = bulge_transform(np.sqrt(middle))
    np.testing.assert_allclose(bulge_table()[place], expected, rtol=1e-5)
    assert len(bulge_table()) == 48 * 2**BULGE_BITS
    assert (np.diff(bulge_table()) < 0).all()


def test_a_bulge_is_looked_up_where_it_belongs():
    # a point, a size beyond the table, and an ordinary one, along an axis
    waves = make_waves(64, 4.0, torch.zeros(1))
    radius = torch.tensor([0.0, 5e4, 2.0])
    table = bulge_at(wave_squared(radius, torch.ones(3), torch.zeros(3), waves))
    along_x = table[:, 0, : len(waves.number)].numpy()
    np.testing.assert_allclose(along_x[0], 1.0, rtol=0, atol=1e-6)
    assert along_x[1, 5] < 1e-5
    expected = bulge_transform(2.0 * waves.number[1:].double().numpy())
    np.testing.assert_allclose(along_x[2, 1:], expected, rtol=6e-4)


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
