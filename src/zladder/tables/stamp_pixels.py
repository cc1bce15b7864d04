"""How the pixels of a stamp shard are stored: as floats, or as steps of their asinh.

Of the asinh encodings a code c stands for s sinh((c - zero) t) nanomaggies, with the softening s,
the step t and the code of zero of the pixel's band among the attributes of the file. The scale is
linear for the sky and logarithmic for what is bright (Lupton, Gunn & Szalay 1999, AJ 118, 1406).
With half a step h = t / 2, sinh(u + h) - sinh(u) <= (e^h - 1) cosh(u): a stored flux f is off by at
most (e^h - 1) sqrt(s^2 + f^2), and 0 is stored exactly (`error_bound_nmgy`). The scale is that of
the survey, declared before a pixel is seen: a stamp has the same codes in whichever shard it lies.
Attributes of the file alone decide what its codes stand for, whoever made them.

A million galaxies of 107 x 107 pixels in five bands take 229 GB as float32, 114 GB as float16 or
asinh16, 57 GB as asinh8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.config.encodings import ASINH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENCODINGS = {"float32": "<f4", "float16": "<f2", "asinh16": "<u2", "asinh8": "|u1"}
DECODING = ("softening_nmgy", "asinh_step", "zero_code")  # attributes of asinh encodings, (B,)
FLOAT16_LIMIT_NMGY = 65504.0
FLOAT16_RELATIVE = 2.0**-11  # half of the spacing of normal float16 numbers
FLOAT16_ABSOLUTE_NMGY = 2.0**-25  # half of the spacing of those below 2^-14


class UnfitPixelsError(ValueError):
    """Pixels that an encoding cannot hold; says what they are."""


def encoding_of(attributes: Mapping[str, Any]) -> str:
    """Return the encoding that the attributes of a file name; float32 if they name none."""
    return str(attributes.get("encoding", "float32"))


def pixel_attributes(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that pixels are encoded and decoded by; of asinh encodings (B,) each.

    Parameters
    ----------
    settings
        `encoding` (one of `ENCODINGS`; float32 if left out). Of asinh encodings also `bands`,
        `softening_nmgy` ({band: nanomaggies}, about the noise of a pixel), and the range in units
        of it: `lowest_softenings` (0 or less) and `highest_softenings` (above 0).
    """
    encoding = encoding_of(settings)
    if encoding not in ASINH:
        return {"encoding": encoding}
    softening = np.array([settings["softening_nmgy"][band] for band in settings["bands"]])
    lowest, highest = np.arcsinh([settings["lowest_softenings"], settings["highest_softenings"]])
    step = (highest - lowest) / (_last_code(encoding) - 2)  # two are left for rounding
    return {
        "encoding": encoding,
        "softening_nmgy": softening.astype(np.float64),
        "asinh_step": np.full(len(softening), step),
        "zero_code": np.full(len(softening), np.ceil(-lowest / step), np.int64),
    }


def limits_nmgy(attributes: Mapping[str, Any], n_bands: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest pixel that is held in each band, float64 (B,) each."""
    encoding = encoding_of(attributes)
    if encoding not in ASINH:
        most = FLOAT16_LIMIT_NMGY if encoding == "float16" else np.finfo(np.float32).max
        return np.full(n_bands, -most, np.float64), np.full(n_bands, most, np.float64)
    softening, step, zero = _bands_of(attributes)
    ends = softening * np.sinh((np.array([[0], [_last_code(encoding)]]) - zero) * step)
    return ends[0], ends[1]


def encode_pixels(flux_nmgy: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Return pixels as they are stored.

    Parameters
    ----------
    flux_nmgy
        Shape (n, B, S, S), nanomaggies, within `limits_nmgy`.
    attributes
        Of the file: `pixel_attributes`.

    Raises
    ------
    UnfitPixelsError
        For a pixel outside of that range, and one that is not finite.
    """
    encoding = encoding_of(attributes)
    dtype = np.dtype(ENCODINGS[encoding])
    if encoding not in ASINH:
        if encoding == "float16" and not (np.abs(flux_nmgy) <= FLOAT16_LIMIT_NMGY).all():
            raise UnfitPixelsError("a pixel that float16 does not hold")
        return flux_nmgy.astype(dtype, copy=False)
    softening, step, zero = (values[:, None, None] for values in _bands_of(attributes))
    codes = np.empty(flux_nmgy.shape, dtype)
    # In double: the code of a flux must not depend on the rounding of an intermediate value. Galaxy
    # by galaxy: their pixels stay in the processor's cache.
    steps = np.empty(flux_nmgy.shape[1:])
    for flux, stored in zip(flux_nmgy, codes, strict=True):
        np.divide(flux, softening, out=steps)
        np.arcsinh(steps, out=steps)
        steps /= step
        steps += zero
        np.rint(steps, out=steps)
        if not (steps.min() >= 0 and steps.max() <= np.iinfo(dtype).max):
            raise UnfitPixelsError(f"a pixel outside of the range of {encoding}")
        stored[...] = steps
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


def code_scale(attributes: Mapping[str, Any], n_bands: int) -> np.ndarray:
    """Return softening (nmgy) and step of the codes of each band, float64 (2, B); of floats 1, 0.

    Steps of floats are finer than anything that is shown of them.
    """
    if encoding_of(attributes) not in ASINH:
        return np.outer([1.0, 0.0], np.ones(n_bands))
    return np.stack(_bands_of(attributes)[:2])


def code_ends_nmgy(
    flux_nmgy: np.ndarray, softening_nmgy: np.ndarray, asinh_step: np.ndarray
) -> np.ndarray:
    """Return between which fluxes lies what is decoded to these, float64 (2, ...).

    Parameters
    ----------
    flux_nmgy
        Decoded pixels, of any shape (...).
    softening_nmgy, asinh_step
        As of `code_scale`, of a shape that fits.
    """
    steps, half = np.arcsinh(flux_nmgy.astype(np.float64) / softening_nmgy), asinh_step / 2
    return np.stack(
        [softening_nmgy * np.sinh(steps - half), softening_nmgy * np.sinh(steps + half)]
    )


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


def _last_code(encoding: str) -> int:
    return int(np.iinfo(ENCODINGS[encoding]).max)


def _bands_of(attributes: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (softening, step, code of zero) of each band, float64 (B,)."""
    softening, step, zero = (np.asarray(attributes[name], np.float64) for name in DECODING)
    return softening, step, zero
