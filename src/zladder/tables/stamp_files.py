"""Stamp shards: contiguous HDF5 files of cut-out pixels. What they hold, and looking inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import h5py
import numpy as np

from zladder.config.encodings import ASINH
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_pixels import DECODING, ENCODINGS, encoding_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike

STAMP_SCHEMA = "zladder stamps 2"
STAMP_UNIT = "nmgy"

# Attribute of resampled stamps: how the noise of pixels (rows, columns) apart correlates. Four each
# way are what a kernel of four pixels asks for.
NOISE_CORRELATION, NOISE_LAGS = "noise_correlation", 4
WHITE_NOISE = np.outer(*[np.eye(NOISE_LAGS)[0]] * 2)  # without that attribute

# Bits of `flags`, band by band, and of the pixels of a frame's mask; a stamp with one of LOSING in
# some band is not written but listed as lost.
STAMP_FLAGS = {
    "edge": 0,  # the stamp leaves the frame
    "not_finite": 1,  # some pixel is NaN or infinite
    "saturated": 2,  # some pixel is at or above what the detector can count
    "masked": 3,  # the survey's mask marks some pixel
    "neighbour": 4,  # all pixels are a neighbouring frame's
    "mosaicked": 5,  # the pixels are those of two frames, side by side
    "missing": 6,  # no exposure covers some pixel
}
LOSING = ("edge", "not_finite")
# Flags that find fault with pixels; the others say where good ones come from.
FAULTS = tuple(name for name in STAMP_FLAGS if name not in ("neighbour", "mosaicked"))


def flag_value(name: str) -> np.uint32:
    """Return the number that a flag adds to `flags`."""
    return np.uint32(1 << STAMP_FLAGS[name])


def have_flags(flags: ArrayLike, names: Sequence[str] = FAULTS) -> np.ndarray:
    """Return which entries of `flags`, uint32 of any shape, have one of these flags, bool."""
    wanted = sum(int(flag_value(name)) for name in set(names))
    return np.asarray(np.asarray(flags, dtype=np.uint32) & np.uint32(wanted)) != 0


def stamp_datasets(
    n_bands: int, stamp_pixels: int, encoding: str = "float32"
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return {dataset: (dtype, shape of one galaxy's entry)} of a stamp shard.

    Units: flux and sky_sigma_nmgy in nanomaggies, positions in deg, extinction and E(B-V) in mag,
    offsets in pixels, the width of the point-spread function in arcsec.
    """
    return {
        "flux": (ENCODINGS[encoding], (n_bands, stamp_pixels, stamp_pixels)),
        "object_id": ("<i8", ()),
        "ra": ("<f8", ()),
        "dec": ("<f8", ()),
        "flags": ("<u4", (n_bands,)),
        "extinction_mag": ("<f4", (n_bands,)),
        "ebv_mag": ("<f4", ()),
        "offset_pixels": ("<f4", (n_bands, 2)),
        "sky_sigma_nmgy": ("<f4", (n_bands,)),
        "psf_fwhm_arcsec": ("<f4", (n_bands,)),
    }


@dataclass(frozen=True)
class StampFile:
    """What a stamp shard says of itself: N stamps of S x S pixels in each of its bands."""

    path: Path
    bands: tuple[str, ...]
    pixel_scale_arcsec: float
    n_stamps: int
    stamp_pixels: int
    encoding: str = "float32"


def describe_stamps(path: Path) -> StampFile:
    """Return what a shard holds, without reading its pixels.

    Raises
    ------
    BadInput
        A missing or damaged file, another schema or unit, a missing dataset, datasets of another
        shape or type, or pixels in chunks.
    """
    if not path.is_file():
        raise BadInput(path, "file", "a stamp shard", "no such file", "run the stage cutouts")
    try:
        with h5py.File(path, "r") as file:
            return _described(path, file)
    except (OSError, RuntimeError) as error:
        raise BadInput(path, "file", "a whole HDF5 file", str(error),
                       "cut off, damaged or not HDF5: cut the stamps again") from error  # fmt: skip


def stamp_column(path: Path, name: str) -> np.ndarray:
    """Return one of the small datasets of a shard as `stamp_datasets` describes it, N rows."""
    with h5py.File(path, "r") as file:
        return np.asarray(file[name][()])


def stamp_noise(path: Path) -> np.ndarray:
    """Return how the noise of a shard's pixels correlates, float64 (4, 4): `WHITE_NOISE` if untold.

    Raises
    ------
    BadInput
        An attribute of another shape, or that is no correlation.
    """
    with h5py.File(path, "r") as file:
        told = np.asarray(file.attrs.get(NOISE_CORRELATION, WHITE_NOISE), np.float64)
    if told.shape != WHITE_NOISE.shape or told[0, 0] != 1.0 or not (np.abs(told) <= 1.0).all():
        expected = f"{NOISE_LAGS} x {NOISE_LAGS} numbers from -1 to 1, the first one 1"
        _refuse(path, f"attribute '{NOISE_CORRELATION}'", expected, f"{told.tolist()}")
    return told


def stamp_encoding(path: Path, file: h5py.File, n_bands: int) -> str:
    """Return how a shard's pixels are stored.

    Raises
    ------
    BadInput
        An encoding that is not known, or without what decodes it.
    """
    encoding = encoding_of(file.attrs)
    if encoding not in ENCODINGS:
        _refuse(path, "attribute 'encoding'", f"one of {', '.join(ENCODINGS)}", f"'{encoding}'")
    for name in DECODING if encoding in ASINH else ():
        values = np.asarray(file.attrs.get(name, np.nan), np.float64)
        if values.shape != (n_bands,) or not np.isfinite(values).all():
            found = "no such attribute" if name not in file.attrs else f"{values}"
            _refuse(path, f"attribute '{name}'", f"{n_bands} numbers, one a band", found)
    return encoding


def _described(path: Path, file: h5py.File) -> StampFile:
    for name, wanted in (("schema", STAMP_SCHEMA), ("unit", STAMP_UNIT)):
        found = file.attrs.get(name)
        if found != wanted:
            _refuse(path, f"attribute '{name}'", f"'{wanted}'", _said(found))
    for name in ("bands", "pixel_scale_arcsec"):
        if name not in file.attrs:
            _refuse(path, f"attribute '{name}'", "an attribute", "none")
    bands = tuple(str(band) for band in np.atleast_1d(file.attrs["bands"]))
    shape: tuple[int, ...] = file["flux"].shape if "flux" in file else ()
    if len(shape) != 4 or shape[2] != shape[3]:
        _refuse(path, "dataset 'flux'", "shape (N, B, S, S)", f"{shape or 'no such dataset'}")
    encoding = stamp_encoding(path, file, len(bands))
    for name, (dtype, entry) in stamp_datasets(len(bands), shape[2], encoding).items():
        _require_dataset(path, file, name, np.dtype(dtype), (shape[0], *entry))
    scale = float(file.attrs["pixel_scale_arcsec"])
    return StampFile(path, bands, scale, shape[0], shape[2], encoding)


def _require_dataset(
    path: Path, file: h5py.File, name: str, dtype: np.dtype, shape: Sequence[int]
) -> None:
    expected = f"{dtype} of shape {tuple(shape)}, not chunked"
    if name not in file:
        _refuse(path, f"dataset '{name}'", expected, "no such dataset")
    item = file[name]
    if item.dtype != dtype or item.shape != tuple(shape) or item.chunks:
        chunked = ", chunked" if item.chunks else ""
        _refuse(path, f"dataset '{name}'", expected, f"{item.dtype} of {item.shape}{chunked}")


def _said(value: object) -> str:
    return "no such attribute" if value is None else f"'{value}'"


def _refuse(path: Path, place: str, expected: str, found: str) -> NoReturn:
    hint = "give a shard of the stage cutouts (docs/formats.md)"
    raise BadInput(path, place, expected, found, hint)
