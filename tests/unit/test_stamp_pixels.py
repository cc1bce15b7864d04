"""Encoded pixels come back within the stated bound, and what does not fit is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zladder.config.encodings import ASINH
from zladder.tables.stamp_pixels import (
    ENCODINGS,
    FLOAT16_LIMIT_NMGY,
    UnfitPixelsError,
    decode_pixels,
    decoding_table,
    encode_pixels,
    error_bound_nmgy,
    limits_nmgy,
    pixel_attributes,
)

SIGMA = np.array([0.05, 0.0003])  # nmgy: as of an SDSS frame in u, of an HSC coadd
LOWEST, HIGHEST = -10_000, 1_000_000  # config/stages/cutouts.yaml


def attributes_of(encoding: str, lowest: float = LOWEST, highest: float = HIGHEST) -> dict:
    ends = {"lowest_softenings": lowest, "highest_softenings": highest}
    scale = {"softening_nmgy": dict(zip("ui", SIGMA, strict=True)), **ends}
    return pixel_attributes({"encoding": encoding, "bands": ["u", "i"], **scale})


def fluxes(largest: float) -> st.SearchStrategy[np.ndarray]:
    width = float(np.float32(largest))
    return arrays(np.float32, (2, 2, 3, 3), elements=st.floats(-width, width, width=32))


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), largest=st.sampled_from([1e-3, 0.3, 50.0, 1e4, 1e6]))
def test_whatever_is_stored_comes_back_within_the_bound(encoding, data, largest):
    """Fluxes of up to so many softenings; what the encoding does not hold is moved to its end."""
    about = attributes_of(encoding)
    low, high = (end[:, None, None] for end in limits_nmgy(about, 2))
    flux = (data.draw(fluxes(largest)) * SIGMA[:, None, None]).clip(low, high).astype(np.float32)
    stored = encode_pixels(flux, about)
    assert stored.dtype == np.dtype(ENCODINGS[encoding])
    back = decode_pixels(stored, about)
    assert back.dtype == np.float32
    error = np.abs(back.astype(np.float64) - flux)
    assert (error <= error_bound_nmgy(flux, about)).all()


@pytest.mark.parametrize("encoding", ASINH)
@settings(max_examples=60, deadline=None)
@given(flux=fluxes(0.2), others=fluxes(0.2))
def test_the_codes_of_a_galaxy_depend_on_no_other(encoding, flux, others):
    about = attributes_of(encoding)
    alone = encode_pixels(flux[:1], about)
    among = encode_pixels(np.concatenate([others, flux]), about)
    assert among[2:3].tobytes() == alone.tobytes()


@pytest.mark.parametrize("encoding", ASINH)
@settings(max_examples=60, deadline=None)
@given(flux=fluxes(0.2))
def test_what_was_decoded_is_stored_as_the_same_code(encoding, flux):
    about = attributes_of(encoding)
    stored = encode_pixels(flux, about)
    assert np.array_equal(encode_pixels(decode_pixels(stored, about), about), stored)
    assert (np.diff(decoding_table(about), axis=1) > 0).all()


@pytest.mark.parametrize(("encoding", "most"), [
    ("asinh8", (0.049, 0.02, 0.059)), ("asinh16", (1.86e-4, 0.76e-4, 2.21e-4)),
])  # fmt: skip
def test_half_a_step_is_what_the_page_of_formats_says(encoding, most):
    ranges = [(LOWEST, HIGHEST), (-5, 1e3), (10 * LOWEST, 10 * HIGHEST)]
    for (low, high), told in zip(ranges, most, strict=True):
        about = attributes_of(encoding, low, high)
        np.testing.assert_allclose(np.expm1(about["asinh_step"] / 2), told, rtol=0.015)


def test_eight_bits_add_little_to_the_noise_of_the_sky_and_no_bias():
    """Noise of one softening: 0.16 % more variance, twice the square of a step over 12."""
    draw = np.random.default_rng(3)
    flux = (draw.normal(size=(50, 2, 40, 40)) * SIGMA[:, None, None]).astype(np.float32)
    about = attributes_of("asinh8")
    error = (decode_pixels(encode_pixels(flux, about), about) - flux) / SIGMA[:, None, None]
    # Steps widen by sqrt(1 + f^2): the mean square is twice that of f = 0. 160,000 pixels: 5 sigma
    # of their mean square, whose scatter is less than 2 of its own, are 2.5 %.
    assert (error**2).mean() == pytest.approx(2 * 0.0965**2 / 12, rel=0.03)
    assert abs(error.mean()) < 5 * error.std() / math.sqrt(error.size)


@pytest.mark.parametrize("encoding", ASINH)
def test_nothing_and_the_ends_of_the_range_are_stored_well(encoding):
    """Padding of zeros stays zero; the darkest and the brightest pixel are not cut off."""
    about = attributes_of(encoding)
    flux = np.zeros((1, 2, 2, 2), np.float32)
    flux[0, :, 0, 0], flux[0, :, 1, 1] = LOWEST * SIGMA, HIGHEST * SIGMA
    back = decode_pixels(encode_pixels(flux, about), about)
    assert (back[0, :, 0, 1] == 0).all()
    np.testing.assert_allclose(back, flux, rtol=0.05)
    low, high = limits_nmgy(about, 2)
    assert (low <= LOWEST * SIGMA).all()
    assert (high >= HIGHEST * SIGMA).all()
    held = np.array([low, high]).T.reshape(1, 2, 2, 1)
    assert encode_pixels(held, about).ravel().tolist() == [0, np.iinfo(ENCODINGS[encoding]).max] * 2


def test_codes_and_bounds_by_hand():
    """Softening 1, from 0 to sinh(0.253): 253 steps of 0.001 and two that are left."""
    ends = {"lowest_softenings": 0, "highest_softenings": math.sinh(0.253)}
    scale = {"softening_nmgy": {"r": 1.0}, **ends}
    about = pixel_attributes({"encoding": "asinh8", "bands": ["r"], **scale})
    assert about["asinh_step"][0] == pytest.approx(0.001)
    assert about["zero_code"].tolist() == [0]
    flux = np.sinh(np.array([0.0, 0.0014, 0.1, 0.253])).astype(np.float32).reshape(1, 1, 2, 2)
    assert encode_pixels(flux, about).ravel().tolist() == [0, 1, 100, 253]
    table = decoding_table(about)
    assert table.shape == (1, 256)
    assert table[0, 100] == np.float32(math.sinh(0.1))
    assert error_bound_nmgy(np.zeros(1), about)[0, 0, 0] == pytest.approx(math.expm1(0.0005))
    assert limits_nmgy(about, 1)[1][0] == pytest.approx(math.sinh(0.255))


def test_a_file_of_any_scale_is_decoded_by_its_own_attributes():
    """As older files have: made for the pixels of one shard, another scale in each band."""
    about = {"encoding": "asinh8", "softening_nmgy": [0.1, 0.002], "asinh_step": [0.04, 0.06],
             "zero_code": [57, 12]}  # fmt: skip
    codes = np.array([[57, 58], [0, 12]], np.uint8).reshape(1, 2, 1, 2)
    by_hand = [0.0, 0.1 * math.sinh(0.04), 0.002 * math.sinh(-12 * 0.06), 0.0]
    np.testing.assert_allclose(decode_pixels(codes, about).ravel(), by_hand, rtol=1e-7)


@pytest.mark.parametrize("encoding", ASINH)
def test_some_bands_are_decoded_as_all_are(encoding):
    flux = (np.random.default_rng(1).normal(size=(3, 2, 4, 4)) * 0.01).astype(np.float32)
    about = attributes_of(encoding)
    stored = encode_pixels(flux, about)
    swapped = decode_pixels(stored[:, [1, 0]], about, [1, 0])
    np.testing.assert_array_equal(swapped, decode_pixels(stored, about)[:, [1, 0]])


def test_floats_are_passed_on_without_a_copy():
    flux = np.ones((1, 2, 3, 3), np.float32)
    about = pixel_attributes({})
    assert about == {"encoding": "float32"}
    assert encode_pixels(flux, about) is flux
    assert decode_pixels(flux, about) is flux
    assert decode_pixels(flux, {}) is flux  # a file that names no encoding


@pytest.mark.parametrize(("encoding", "wrong"), [
    ("asinh8", 1.5e6 * SIGMA[0]), ("asinh16", -10_010 * SIGMA[0]), ("asinh8", np.nan),
    ("asinh16", np.inf), ("float16", FLOAT16_LIMIT_NMGY + 32), ("float16", np.nan),
])  # fmt: skip
def test_pixels_outside_of_the_range_are_refused_not_cut_off(encoding, wrong):
    flux = np.full((1, 2, 3, 3), 0.01, np.float32)
    about = attributes_of(encoding)
    encode_pixels(flux, about)
    flux[0, 0, 1, 1] = wrong
    with pytest.raises(UnfitPixelsError):
        encode_pixels(flux, about)
