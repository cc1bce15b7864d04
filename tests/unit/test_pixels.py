"""Dust, softening, stretch, and stamps made resident."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from zladder.learning.images import fitted_softening, resident
from zladder.learning.pixels import (
    border_sigma,
    dereddening,
    softening_nmgy,
    stretch_asinh,
    stretch_sqrt,
    transmission,
)
from zladder.learning.stamps import Stamps
from zladder.provenance.errors import BadInput

R = torch.tensor([4.239, 3.303, 2.285, 1.698, 1.263])


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def stamps(n=6, bands=5, side=20, seed=1):
    flux = torch.randn(n, bands, side, side, generator=seeded(seed))
    extinction = torch.rand(n, bands, generator=seeded(seed + 1))
    return Stamps(flux, dereddening(extinction)), extinction


def test_reddening_after_dereddening_is_the_identity():
    ebv_mag = torch.rand(50, generator=seeded()) * 0.5
    extinction_mag = ebv_mag[:, None] * R
    product = dereddening(extinction_mag) * transmission(ebv_mag, R)
    torch.testing.assert_close(product, torch.ones(50, 5), rtol=1e-6, atol=0)


def test_dust_lets_through_what_its_law_says():
    # With R_b of Hayat et al. 2021: transmission at E(B-V) = 0.5 and 0.1 in ugriz.
    found = transmission(torch.tensor([0.5, 0.1]), R)
    expected = torch.tensor(
        [[0.142, 0.219, 0.349, 0.458, 0.559], [0.677, 0.738, 0.810, 0.855, 0.890]]
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=6e-4)
    ratio = transmission(torch.tensor([0.3]), R)[0, 2].item()
    assert ratio == pytest.approx(10 ** (-0.4 * 2.285 * 0.3), rel=1e-6)
    assert torch.equal(transmission(torch.zeros(2), R), torch.ones(2, 5))


def test_the_stretches_are_their_formulas_on_both_sides():
    x = torch.tensor([-400.0, -3.0, -1e-3, 0.0, 1e-3, 3.0, 8.0, 400.0])
    sqrt = [math.copysign(math.sqrt(abs(v) + 1) - 1, v) for v in x.tolist()]
    torch.testing.assert_close(stretch_sqrt(x), torch.tensor(sqrt), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(stretch_asinh(x), torch.asinh(x), rtol=1e-5, atol=1e-7)
    assert torch.equal(x[[0, 6]], torch.tensor([-400.0, 8.0]))  # its argument is left alone


def test_the_sky_is_measured_at_the_border_whatever_the_galaxy():
    draw = torch.randn(200, 2, 40, 40, generator=seeded()) * torch.tensor([0.5, 2.0])[:, None, None]
    draw[:, :, 10:30, 10:30] += 1000.0
    draw[:, :, :12, :2] += 50.0  # a neighbour on 24 of the ring's 304 pixels
    found = border_sigma(draw)
    assert found.shape == (200, 2)
    # The MAD of 304 pixels scatters by 6.7 %, its mean over 200 stamps by 0.5 %; the neighbour
    # raises it by about 6 %.
    torch.testing.assert_close(found.mean(dim=0), torch.tensor([0.5, 2.0]), rtol=0.12, atol=0)


def test_the_softening_is_twice_the_median_sky():
    sky = torch.tensor([[1.0, 10.0], [2.0, 20.0], [9.0, 90.0]])
    assert softening_nmgy(sky).tolist() == [4.0, 40.0]


@pytest.mark.parametrize(
    ("size", "asked", "side"), [(20, 12, 12), (20, 13, 14), (21, 12, 13), (21, 21, 21)]
)
def test_resident_stamps_are_dereddened_and_keep_the_galaxys_pixel(size, asked, side):
    given, extinction_mag = stamps(side=size)
    images = resident(given, asked, Path("d.parquet"), with_sky=True)
    assert images.flux_nmgy.shape == (6, side, side, 5)
    assert images.flux_nmgy.is_contiguous()
    centre = images.flux_nmgy[:, side // 2, side // 2]
    expected = given.flux[:, :, size // 2, size // 2] * 10 ** (0.4 * extinction_mag)
    torch.testing.assert_close(centre, expected)
    sky = border_sigma(given.flux) * 10 ** (0.4 * extinction_mag)
    torch.testing.assert_close(images.sky_sigma_nmgy, sky)
    unmeasured = resident(given, side, Path("d.parquet"), with_sky=False)
    assert torch.equal(unmeasured.flux_nmgy, images.flux_nmgy)
    assert bool(torch.isnan(unmeasured.sky_sigma_nmgy).all())


def test_too_small_a_stamp_is_refused():
    with pytest.raises(BadInput) as caught:
        resident(stamps(side=20)[0], 21, Path("d.parquet"), with_sky=True)
    error = caught.value
    assert (error.file, error.place) == ("d.parquet", "its stamps")
    assert error.expected == "21 pixels, for the crop and its augmentation"
    assert error.found == "20 pixels"
    assert "dihedral" in error.hint


def test_stamps_without_noise_at_their_border_are_refused():
    sky = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 5.0]])
    with pytest.raises(BadInput) as caught:
        fitted_softening(sky, Path("d.parquet"))
    error = caught.value
    assert (error.file, error.place) == ("d.parquet", "its stamps")
    assert error.expected == "noise in the outermost pixels"
    assert error.found == "a scatter of 0 in band number 2"
    assert "masked" in error.hint
