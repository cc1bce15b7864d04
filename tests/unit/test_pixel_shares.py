"""Histograms of pixels: floats counted one by one, codes spread over what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zladder.report.dataset_pixels import STRETCHES
from zladder.report.pixel_shares import ShownPixels
from zladder.tables.stamp_pixels import (
    code_ends_nmgy,
    code_scale,
    decode_pixels,
    decoding_table,
    encode_pixels,
    pixel_attributes,
)

SIGMA_NMGY = 0.03
PLAIN = {"encoding": "float32"}


def coded(encoding: str, softening_nmgy: float = SIGMA_NMGY) -> dict:
    return pixel_attributes({
        "encoding": encoding, "bands": ["r"], "softening_nmgy": {"r": softening_nmgy},
        "lowest_softenings": -10_000, "highest_softenings": 1e6,
    })  # fmt: skip


def shown(flux: np.ndarray, attributes: dict, function, factor: np.ndarray | None = None):
    """Return pixels (N, S, S) of one band as they are shown after a way through a file."""
    stored = encode_pixels(flux[:, None].astype(np.float32), attributes)
    scale = np.repeat(code_scale(attributes, 1)[:, None], len(flux), axis=1)
    factor = np.full((len(flux), 1), 1 / SIGMA_NMGY) if factor is None else factor
    return ShownPixels(decode_pixels(stored, attributes), scale, factor, function)


def edges_of(pixels: ShownPixels, n_bins: int) -> np.ndarray:
    low, high = pixels.reach()
    return np.linspace(np.nextafter(low, -np.inf), high, n_bins + 1)


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("n_bins", [30, 120, 400])
@pytest.mark.parametrize("encoding", ["float16", "asinh16", "asinh8"])
def test_coded_noise_has_the_histogram_of_the_noise(encoding, n_bins, stretch):
    """Noise of one softening, 100,000 pixels; of asinh8 a bin is 2.2 codes to a sixth of one.

    Asserted: 10 % of a bin, by which a Gaussian falls from the middle of a code (0.096 sigma wide)
    to its end at 2 sigma; and 5 sigma of a Poisson number of pixels. 240 histograms of asinh8 came
    to 3.6 at most, so less than 1 in 1,000 fails. Codes counted at one flux each came to 40.
    """
    flux = np.random.default_rng(4).normal(0, SIGMA_NMGY, (40, 50, 50))
    spread, plain = (shown(flux, told, STRETCHES[stretch]) for told in (coded(encoding), PLAIN))
    edges = edges_of(spread, n_bins)
    found = spread.shares(edges)[0] * flux.size
    expected = plain.shares(edges)[0] * flux.size
    assert found.sum() == pytest.approx(flux.size, rel=1e-12)
    poisson = np.sqrt(np.maximum(found, expected) + 1)
    assert (np.abs(found - expected) <= 0.1 * expected + 5 * poisson).all()


@given(st.lists(st.floats(-50, 1e4), min_size=9, max_size=9), st.floats(0.5, 2), st.integers(1, 90))
def test_no_pixel_is_lost_whatever_the_codes_and_the_dust(pixels, dust, n_bins):
    flux = np.array(pixels).reshape(1, 3, 3) * SIGMA_NMGY
    flux = np.concatenate([flux, flux[::-1] * dust])
    factor = np.array([[1.0], [dust]]) / SIGMA_NMGY
    for told in (coded("asinh8"), coded("asinh16", 2 * SIGMA_NMGY), coded("float16")):
        seen = shown(flux, told, STRETCHES["sqrt"], factor)
        shares = seen.shares(edges_of(seen, n_bins))
        assert shares.min() >= 0
        assert shares.sum() == pytest.approx(1.0, rel=1e-12)


def test_floats_are_counted_as_they_are():
    flux = np.random.default_rng(6).normal(0, SIGMA_NMGY, (3, 9, 9))
    pixels = shown(flux, PLAIN, np.arcsinh)
    edges = edges_of(pixels, 25)
    expected = np.histogram(pixels.values, edges)[0] / flux.size
    assert pixels.shares(edges)[0] == pytest.approx(expected, abs=1e-12)
    assert pixels.shares(np.linspace(0, 1, 4)).sum() < 1  # what lies outside is in no bin


def test_a_code_is_spread_evenly_over_its_own_width():
    """Three pixels of one code and one of the next, in bins of a third of a code, by hand."""
    told = coded("asinh8")
    step, zero = told["asinh_step"][0], int(told["zero_code"][0])
    flux = decoding_table(told)[0, [zero + 7] * 3 + [zero + 8]].reshape(1, 2, 2)
    pixels = shown(flux, told, np.arcsinh)
    edges = step * (6.5 + np.arange(8) / 3)
    by_hand = np.array([1, 1, 1, 1 / 3, 1 / 3, 1 / 3, 0]) / 4
    assert pixels.shares(edges)[0] == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize("encoding", ["asinh8", "asinh16"])
def test_a_code_stands_for_all_that_it_is_nearest_to(encoding):
    told = coded(encoding)
    flux = decoding_table(told)[0, 1000::997] if encoding == "asinh16" else decoding_table(told)[0]
    low, high = code_ends_nmgy(flux, *code_scale(told, 1)[:, 0])
    codes = encode_pixels(flux[None, None, None], told)
    for inside in (low + 0.01 * (high - low), high - 0.01 * (high - low)):
        kept = slice(1, -1)  # no flux beyond the last codes is held
        again = encode_pixels(inside[None, None, None, kept], told)
        assert np.array_equal(again, codes[..., kept])
