"""How the pixels of a stamp shard are stored: as floats, or as steps of their asinh.

Of the asinh encodings a code c stands for s sinh((c - zero) t) nanomaggies, with the softening s,
the step t and the code of zero of the pixel's band among the attributes of the file. The scale is
linear for the sky and logarithmic for what is bright (Lupton, Gunn & Szalay 1999, AJ 118, 1406).
With half a step h = t / 2, sinh(u + h) - sinh(u) <= (e^h - 1) cosh(u): a stored flux f is off by at
most (e^h - 1) sqrt(s^2 + f^2), and 0 is stored exactly (`error_bound_nmgy`). The scale is made from
the lowest and the highest pixel of a shard: none lies outside of it, and the same stamp dealt to
another shard (another `n_shards`) decodes within the bound, but not to the same value.

A million galaxies of 107 x 107 pixels in five bands take 229 GB as float32, 114 GB as float16 or
asinh16, 57 GB as asinh8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENCODINGS = {"float32": "<f4", "float16": "<f2", "asinh16": "<u2", "asinh8": "|u1"}
ASINH = ("asinh16", "asinh8")
DECODING = ("softening_nmgy", "asinh_step", "zero_code")  # attributes of asinh encodings, (B,)
FLOAT16_LIMIT_NMGY = 65504.0
FLOAT16_RELATIVE = 2.0**-11  # half of the spacing of normal float16 numbers
FLOAT16_ABSOLUTE_NMGY = 2.0**-25  # half of the spacing of those below 2^-14
# Ours: at the noise of the sky. Half a step of asinh8 is then 2 % of noise and flux in quadrature
# where pixels lie between -5 and 1000 times the noise, 4 % between -1000 and 100,000 times.
SOFTENING_SIGMAS = 1.0


class UnfitPixelsError(ValueError):
    """Pixels that an encoding cannot hold; says what they are."""


def encoding_of(attributes: Mapping[str, Any]) -> str:
    """Return the encoding that the attributes of a file name; float32 if they name none."""
    return str(attributes.get("encoding", "float32"))


def pixel_attributes(
    encoding: str, lowest_nmgy: np.ndarray, highest_nmgy: np.ndarray, sky_sigma_nmgy: np.ndarray
) -> dict[str, Any]:
    """Return the attributes that pixels are encoded and decoded by.

    Parameters
    ----------
    encoding
        One of `ENCODINGS`.
    lowest_nmgy, highest_nmgy
        Extremes of the pixels of each band, shape (B,); of no pixel at all: infinite, the lowest
        positive.
    sky_sigma_nmgy
        Noise of a pixel of the sky, (B,); NaN where it is not known. Asinh encodings need it.

    Raises
    ------
    UnfitPixelsError
        Pixels that are not finite, beyond the range of float16, or without a known noise.
    """
    empty = lowest_nmgy > highest_nmgy
    low, high = np.where(empty, 0.0, lowest_nmgy), np.where(empty, 0.0, highest_nmgy)
    if not (np.isfinite(low) & np.isfinite(high)).all():
        raise UnfitPixelsError("NaN or infinity")
    brightest = np.maximum(-low, high).max(initial=0.0)
    if encoding == "float16" and brightest > FLOAT16_LIMIT_NMGY:
        message = f"a pixel of {brightest:g} nmgy: float16 ends at {FLOAT16_LIMIT_NMGY:g}"
        raise UnfitPixelsError(message)
    if encoding not in ASINH:
        return {"encoding": encoding}
    softening = SOFTENING_SIGMAS * np.where(empty, 1.0, sky_sigma_nmgy).astype(np.float64)
    unknown = ~(np.isfinite(softening) & (softening > 0))
    if unknown.any():
        message = f"no noise of the sky in band number {int(np.argmax(unknown)) + 1}"
        raise UnfitPixelsError(message)
    return {"encoding": encoding, **_scale(encoding, low, high, softening)}


def encode_pixels(flux_nmgy: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Return pixels as they are stored.

    Parameters
    ----------
    flux_nmgy
        Shape (n, B, S, S), nanomaggies, within the extremes that the attributes were made for.
    attributes
        Of the file: `pixel_attributes`.

    Raises
    ------
    UnfitPixelsError
        For a pixel outside of that range.
    """
    encoding = encoding_of(attributes)
    dtype = np.dtype(ENCODINGS[encoding])
    if encoding not in ASINH:
        if encoding == "float16" and not (np.abs(flux_nmgy) <= FLOAT16_LIMIT_NMGY).all():
            raise UnfitPixelsError("a pixel that float16 does not hold")
        return flux_nmgy.astype(dtype, copy=False)
    softening, step, zero = _bands_of(attributes)
    codes = np.empty(flux_nmgy.shape, dtype)
    for band in range(flux_nmgy.shape[1]):
        # in double: the code of a flux must not depend on the rounding of an intermediate value
        steps = np.arcsinh(flux_nmgy[:, band] / softening[band]) / step[band] + zero[band]
        np.rint(steps, out=steps)
        if not ((steps >= 0) & (steps <= np.iinfo(dtype).max)).all():
            raise UnfitPixelsError("a pixel outside of the range that the shard was made for")
        codes[:, band] = steps
    return codes


def decode_pixels(
    block: np.ndarray, attributes: Mapping[str, Any], places: Sequence[int] | None = None
) -> np.ndarray:
    """Return stored pixels in nanomaggies, float32; floats of that kind as they are, not copied.

    Parameters
    ----------
    block
        Shape (n, B, S, S): planes of the bands of the file in its order, or of `places` alone.
    attributes
        Of the file.
    places
        Which bands of the file the planes are; all of them if left out.
    """
    if encoding_of(attributes) not in ASINH:
        return block.astype(np.float32, copy=False)
    tables = decoding_table(attributes)
    chosen = tables if places is None else tables[list(places)]
    flux = np.empty(block.shape, np.float32)
    for table, plane, codes in zip(chosen, flux.swapaxes(0, 1), block.swapaxes(0, 1), strict=True):
        plane[...] = table[codes]
    return flux


def decoding_table(attributes: Mapping[str, Any]) -> np.ndarray:
    """Return what each code of an asinh encoding stands for: nanomaggies, float32 (B, codes)."""
    softening, step, zero = _bands_of(attributes)
    n_codes = _last_code(encoding_of(attributes)) + 1
    steps = np.arange(n_codes) - zero[:, None]
    return (softening[:, None] * np.sinh(steps * step[:, None])).astype(np.float32)


def error_bound_nmgy(flux_nmgy: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Return by how much decoded pixels may differ from those given, shape (n, B, S, S).

    Half a step, or half of a float's last digit; and the rounding of the answer to float32.
    """
    encoding, size = encoding_of(attributes), np.abs(flux_nmgy.astype(np.float64))
    if encoding == "float32":
        return np.zeros_like(size)
    if encoding == "float16":
        return np.maximum(size * FLOAT16_RELATIVE, FLOAT16_ABSOLUTE_NMGY)
    softening, step, _ = (values[:, None, None] for values in _bands_of(attributes))
    half = np.expm1(step / 2) * np.sqrt(softening**2 + size**2)
    rounding = np.float64(np.finfo(np.float32).eps) * (size + half)
    return np.asarray(half + rounding)


def _scale(encoding: str, low: np.ndarray, high: np.ndarray, softening: np.ndarray) -> Any:
    """Return softening, step and code of zero of each band: two steps are left for rounding."""
    lowest, highest = np.arcsinh(low / softening), np.arcsinh(high / softening)
    lowest, highest = np.minimum(lowest, 0.0), np.maximum(highest, 0.0)
    reach = np.where(highest > lowest, highest - lowest, 1.0)
    step = reach / (_last_code(encoding) - 2)
    zero = np.ceil(-lowest / step)
    return dict(zip(DECODING, (softening, step, zero.astype(np.int64)), strict=True))


def _last_code(encoding: str) -> int:
    return int(np.iinfo(ENCODINGS[encoding]).max)


def _bands_of(attributes: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (softening, step, code of zero) of each band, float64 (B,)."""
    softening, step, zero = (np.asarray(attributes[name], np.float64) for name in DECODING)
    return softening, step, zero
