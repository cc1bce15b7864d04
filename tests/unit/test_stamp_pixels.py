"""Encoded pixels come back within the stated bound, and what does not fit is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zladder.tables.stamp_pixels import (
    ASINH,
    ENCODINGS,
    FLOAT16_LIMIT_NMGY,
    UnfitPixelsError,
    decode_pixels,
    decoding_table,
    encode_pixels,
    error_bound_nmgy,
    pixel_attributes,
)

SIGMA = np.array([0.05, 0.0003])  # nmgy: as of an SDSS frame in u, of an HSC coadd


def attributes_of(encoding: str, flux: np.ndarray, sigma: np.ndarray = SIGMA) -> dict:
    axes = (0, 2, 3)
    low, high = flux.min(axes, initial=np.inf), flux.max(axes, initial=-np.inf)
    return pixel_attributes(encoding, low, high, sigma)


def fluxes(largest: float) -> st.SearchStrategy[np.ndarray]:
    width = float(np.float32(largest))
    return arrays(np.float32, (2, 2, 3, 3), elements=st.floats(-width, width, width=32))


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), largest=st.sampled_from([1e-3, 0.3, 50.0, 6e4]))
def test_whatever_is_stored_comes_back_within_the_bound(encoding, data, largest):
    flux = data.draw(fluxes(largest))
    about = attributes_of(encoding, flux)
    stored = encode_pixels(flux, about)
    assert stored.dtype == np.dtype(ENCODINGS[encoding])
    back = decode_pixels(stored, about)
    assert back.dtype == np.float32
    error = np.abs(back.astype(np.float64) - flux)
    assert (error <= error_bound_nmgy(flux, about)).all()


@pytest.mark.parametrize("encoding", ASINH)
@settings(max_examples=60, deadline=None)
@given(flux=fluxes(300.0))
def test_what_was_decoded_is_stored_as_the_same_code(encoding, flux):
    """But where steps are finer than the float32 in which they come back."""
    about = attributes_of(encoding, flux)
    stored = encode_pixels(flux, about)
    back = decode_pixels(stored, about)
    widest = np.clip(back, flux.min((0, 2, 3))[:, None, None], flux.max((0, 2, 3))[:, None, None])
    assert np.array_equal(encode_pixels(widest, about), stored)
    assert (np.diff(decoding_table(about), axis=1) >= 0).all()


@pytest.mark.parametrize(("encoding", "most"), [("asinh8", (0.02, 0.04)),
                                                ("asinh16", (0.8e-4, 1.5e-4))])  # fmt: skip
def test_half_a_step_is_what_the_page_of_formats_says(encoding, most):
    for (low, high), told in zip([(-5.0, 1e3), (-1e3, 1e5)], most, strict=True):
        about = pixel_attributes(encoding, low * SIGMA, high * SIGMA, SIGMA)
        np.testing.assert_allclose(np.expm1(about["asinh_step"] / 2), told, rtol=0.06)


def test_half_a_step_of_eight_bits_is_a_small_part_of_the_noise():
    """A sky with galaxies up to 10,000 sigma: 2.5 % of the noise, and 2.5 % of a bright pixel."""
    draw = np.random.default_rng(3)
    shape = (50, 2, 40, 40)
    flux = draw.normal(size=shape) + 10 ** draw.uniform(-3, 4, shape) * (draw.random(shape) < 0.1)
    flux = (flux * SIGMA[:, None, None]).astype(np.float32)
    about = attributes_of("asinh8", flux)
    units = np.maximum(SIGMA[:, None, None], np.abs(flux))  # the larger of noise and flux
    bound = error_bound_nmgy(flux, about) / units
    assert bound.max() < 0.025 * math.sqrt(2)  # sqrt(2): where flux and noise are equal
    assert np.median(bound) < 0.03
    error = (decode_pixels(encode_pixels(flux, about), about) - flux) / units
    sky = np.abs(flux) < 3 * SIGMA[:, None, None]
    assert error[sky].std() < 0.02
    # Errors do not add up to a bias: 5 standard errors of their mean.
    assert abs(error[sky].mean()) < 5 * error[sky].std() / math.sqrt(sky.sum())
    fine = attributes_of("asinh16", flux)
    assert (error_bound_nmgy(flux, fine) / units).max() < 2e-4


@pytest.mark.parametrize("encoding", ASINH)
def test_nothing_and_the_extremes_are_stored_well(encoding):
    """Padding of zeros stays zero; the brightest pixel is not cut off."""
    flux = np.zeros((1, 2, 2, 2), np.float32)
    flux[0, :, 0, 0], flux[0, :, 1, 1] = -0.7, 812.0
    about = attributes_of(encoding, flux)
    back = decode_pixels(encode_pixels(flux, about), about)
    assert (back[0, :, 0, 1] == 0).all()
    np.testing.assert_allclose(back, flux, rtol=0.04)


def test_codes_and_bounds_by_hand():
    """Softening 1, extremes of 0 and sinh(253): 253 steps of 1 and two that are left."""
    high = np.array([math.sinh(0.253)])
    about = pixel_attributes("asinh8", np.zeros(1), high, np.ones(1))
    assert about["asinh_step"][0] == pytest.approx(0.001)
    assert about["zero_code"].tolist() == [0]
    flux = np.sinh(np.array([0.0, 0.0014, 0.1, 0.253])).astype(np.float32).reshape(1, 1, 2, 2)
    assert encode_pixels(flux, about).ravel().tolist() == [0, 1, 100, 253]
    table = decoding_table(about)
    assert table.shape == (1, 256)
    assert table[0, 100] == np.float32(math.sinh(0.1))
    assert error_bound_nmgy(np.zeros(1), about)[0, 0, 0] == pytest.approx(math.expm1(0.0005))


@pytest.mark.parametrize("encoding", ASINH)
def test_some_bands_are_decoded_as_all_are(encoding):
    flux = np.random.default_rng(1).normal(size=(3, 2, 4, 4)).astype(np.float32)
    about = attributes_of(encoding, flux)
    stored = encode_pixels(flux, about)
    swapped = decode_pixels(stored[:, [1, 0]], about, [1, 0])
    np.testing.assert_array_equal(swapped, decode_pixels(stored, about)[:, [1, 0]])


def test_floats_are_passed_on_without_a_copy():
    flux = np.ones((1, 2, 3, 3), np.float32)
    about = attributes_of("float32", flux)
    assert encode_pixels(flux, about) is flux
    assert decode_pixels(flux, about) is flux
    assert decode_pixels(flux, {}) is flux  # a file that names no encoding


@pytest.mark.parametrize("encoding", ASINH)
def test_a_shard_without_galaxies_can_be_written(encoding):
    flux = np.empty((0, 2, 4, 4), np.float32)
    about = attributes_of(encoding, flux, np.full(2, np.nan))
    assert decode_pixels(encode_pixels(flux, about), about).shape == flux.shape


@pytest.mark.parametrize(
    ("encoding", "change", "words"),
    [
        ("float16", FLOAT16_LIMIT_NMGY + 32, "65536 nmgy: float16 ends at 65504"),
        ("float16", np.nan, "NaN or infinity"),
        ("asinh8", np.inf, "NaN or infinity"),
        ("asinh16", np.nan, "NaN or infinity"),
    ],
)
def test_pixels_that_do_not_fit_are_refused(encoding, change, words):
    flux = np.ones((1, 2, 3, 3), np.float32)
    flux[0, 1, 2, 2] = change
    with pytest.raises(UnfitPixelsError, match=words):
        attributes_of(encoding, flux)


@pytest.mark.parametrize("sigma", [0.0, np.nan, np.inf])
def test_without_noise_there_is_no_scale(sigma):
    flux = np.ones((1, 2, 3, 3), np.float32)
    with pytest.raises(UnfitPixelsError, match="no noise of the sky in band number 2"):
        attributes_of("asinh8", flux, np.array([0.1, sigma]))


@pytest.mark.parametrize(("encoding", "wrong"), [("asinh8", 9.0), ("asinh16", -9.0),
                                                 ("asinh8", np.nan), ("float16", 7e4),
                                                 ("float16", np.nan)])  # fmt: skip
def test_pixels_outside_of_the_range_are_refused_not_cut_off(encoding, wrong):
    flux = np.ones((1, 2, 3, 3), np.float32)
    about = attributes_of(encoding, flux)
    flux[0, 0, 1, 1] = wrong
    with pytest.raises(UnfitPixelsError):
        encode_pixels(flux, about)
