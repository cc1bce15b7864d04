"""Cutouts in one HDF5 file: zladder's stamps, and the layouts of two public releases.

Files are read from front to back in blocks, chunked and compressed ones too.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.cutouts import Cutouts
from zladder.tables.fluxes import flux_factor
from zladder.tables.hdf5_objects import column_ebv, layout_extinction, read_objects, release_ebv
from zladder.tables.hdf5_pixels import central_blocks
from zladder.tables.stamp_files import STAMP_SCHEMA, STAMP_UNIT, stamp_encoding
from zladder.tables.stamp_pixels import decode_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from zladder.tables.cutouts import Told

HINT = "see `zladder predict --help` for the layouts that can be read"


@dataclass(frozen=True)
class Layout:
    """What a layout fixes; None is told by attributes of the file.

    `images` (N, B, S, S) and `object_id` (N,) are names of datasets, `zero_point_mag` is the AB
    magnitude of a pixel value of 1.
    """

    images: str
    object_id: str
    bands: tuple[str, ...] | None
    pixel_scale_arcsec: float | None
    zero_point_mag: float


# zladder's stamps (docs/formats.md); the release of Hayat et al. 2021 (nanomaggies of SDSS frames,
# 0.396 arcsec); GalaxiesML and TransferZ-Images (HSC coadds, 0.168 arcsec, 27.0 mag a count).
LAYOUTS = {
    "zladder": Layout("flux", "object_id", None, None, 22.5),
    "sdss": Layout("images", "ObjID", ("u", "g", "r", "i", "z"), 0.396, 22.5),
    "galaxiesml": Layout("image", "object_id", ("g", "r", "i", "z", "y"), 0.168, 27.0),
}


def open_hdf5(path: Path, told: Told, layout_name: str | None = None) -> Cutouts:
    """Return the cutouts of an HDF5 file; its pixels are read when their blocks are asked for.

    The layout is the first of `LAYOUTS` that the file has, or the one that is named.

    Raises
    ------
    BadInput
        A damaged file, none of the layouts, datasets of another shape or type, another number of
        bands, positions or extinctions that are none.
    """
    with _whole(path), h5py.File(path, "r") as file:
        layout = _layout_of(path, file, layout_name)
        images = _images(path, file, layout)
        bands = _bands(path, file, layout, told)
        ebv_mag, extinction_mag = _dust(path, file, told, bands, len(images))
        return Cutouts(
            path=path,
            bands=bands,
            sides=(images.shape[2], images.shape[3]),
            pixel_scale_arcsec=told.pixel_scale_arcsec or _pixel_scale(path, file, layout),
            objects=read_objects(path, file, layout.object_id, len(images)),
            extinction_mag=extinction_mag,
            ebv_mag=ebv_mag,
            blocks=lambda wanted, side: _blocks(path, layout, told, bands, wanted, side),
            chunk_rows=images.chunks[0] if images.chunks else 1,
        )


def read_ids(path: Path, layout_name: str) -> np.ndarray:
    """Return the identifiers of the galaxies in a file of this layout, int64 (N,).

    Raises
    ------
    BadInput
        As `open_hdf5`.
    """
    with _whole(path), h5py.File(path, "r") as file:
        layout = _layout_of(path, file, layout_name)
        n = len(_images(path, file, layout))
        return read_objects(path, file, layout.object_id, n)["object_id"].to_numpy(np.int64)


def layout_rows(
    path: Path, layout_name: str, told: Told, side: int, rows: slice, folder: Path | None = None
) -> Iterator[np.ndarray]:
    """Give central pixels of some rows, in blocks, front to back, in one buffer (`central_blocks`).

    A block is float32 (n, B, side, side) in nanomaggies, valid until the next one is asked for.

    Raises
    ------
    BadInput
        For a file that is damaged there; without room in the folder for what waits there.
    """
    layout = LAYOUTS[layout_name]
    factor = _factor(layout, told)
    with _whole(path), h5py.File(path, "r") as file:
        images = file[layout.images]
        for block in central_blocks(images, side, rows, np.dtype(np.float32), folder):
            if factor != 1:
                np.multiply(block, factor, out=block)
            yield block


def _dust(
    path: Path, file: h5py.File, told: Told, bands: Sequence[str], n: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return (E(B-V) (N,), extinctions (N, B)), one of them at most; what is told wins."""
    if told.ebv is not None:
        return column_ebv(path, file, told.ebv, n), None
    if "e_bv" in file:
        return release_ebv(path, file, bands, n), None
    return None, layout_extinction(path, file, bands, n)


def _blocks(
    path: Path,
    layout: Layout,
    told: Told,
    bands: Sequence[str],
    wanted: Sequence[str],
    side: int,
) -> Iterator[np.ndarray]:
    """Give central pixels in nanomaggies, float32 (n, wanted, side, side)."""
    factor = _factor(layout, told)
    places = [bands.index(band) for band in wanted]
    with _whole(path), h5py.File(path, "r") as file:
        images = file[layout.images]
        for block in central_blocks(images, side, slice(0, len(images)), images.dtype):
            yield decode_pixels(block[:, places], file.attrs, places) * factor


def _factor(layout: Layout, told: Told) -> float:
    """Return nanomaggies per pixel value: by the zero point that is told, else the layout's."""
    zero_point = told.zero_point_mag
    return flux_factor(layout.zero_point_mag if zero_point is None else zero_point)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Tell what HDF5 says of a damaged file as bad input."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        hint = "cut off, damaged, not HDF5, or compressed by a filter that is not installed"
        raise BadInput(path, "file", "a whole HDF5 file", str(error), hint) from error


def _layout_of(path: Path, file: h5py.File, name: str | None) -> Layout:
    layouts = list(LAYOUTS.values()) if name is None else [LAYOUTS[name]]
    for layout in layouts:
        if layout.images in file and layout.object_id in file:
            return layout
    known = [f"{layout.images} and {layout.object_id}" for layout in layouts]
    expected = f"datasets {', or '.join(known)}"
    raise BadInput(path, "datasets", expected, ", ".join(file) or "none", HINT)


def _images(path: Path, file: h5py.File, layout: Layout) -> h5py.Dataset:
    images = file[layout.images]
    if not isinstance(images, h5py.Dataset):
        expected, found = "numbers of shape (N, B, S, S)", "a group"
        raise BadInput(path, f"dataset '{layout.images}'", expected, found, HINT)
    if images.ndim != 4 or images.dtype.kind not in "fiu" or min(images.shape) < 1:
        found = f"{images.dtype} of shape {images.shape}"
        place, expected = f"dataset '{layout.images}'", "numbers of shape (N, B, S, S)"
        raise BadInput(path, place, expected, found, "band before row before column")
    return images


def _bands(path: Path, file: h5py.File, layout: Layout, told: Told) -> tuple[str, ...]:
    """Return the bands of the planes: those told, else the layout's."""
    if layout.bands is None:
        for name, expected in (("schema", STAMP_SCHEMA), ("unit", STAMP_UNIT)):
            _attribute(path, file, name, expected)
        stamp_encoding(path, file, file[layout.images].shape[1])
    bands = told.bands or layout.bands
    if bands is None:
        words = np.atleast_1d(_attribute(path, file, "bands"))
        bands = tuple(word.decode() if isinstance(word, bytes) else str(word) for word in words)
    n_planes = file[layout.images].shape[1]
    if len(bands) != n_planes or len(set(bands)) != len(bands):
        place, found = f"dataset '{layout.images}'", f"{n_planes} planes"
        expected = f"one plane a band: {', '.join(bands)}"
        raise BadInput(path, place, expected, found, "name the planes in order: --bands")
    return bands


def _pixel_scale(path: Path, file: h5py.File, layout: Layout) -> float:
    scale = layout.pixel_scale_arcsec
    return float(_attribute(path, file, "pixel_scale_arcsec")) if scale is None else scale


def _attribute(path: Path, file: h5py.File, name: str, expected: str | None = None) -> Any:
    """Return an attribute of the file; refuse its absence, or another value than expected."""
    found = file.attrs.get(name)
    if found is None or (expected is not None and found != expected):
        wanted = "an attribute" if expected is None else f"'{expected}'"
        told = "no such attribute" if found is None else f"'{found}'"
        raise BadInput(path, f"attribute '{name}'", wanted, told, HINT)
    return found
