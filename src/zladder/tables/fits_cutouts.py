"""Cutouts in a folder of FITS files: a cube of bands a galaxy, or a file a galaxy and band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from astropy.io import fits

from zladder.provenance.errors import BadInput
from zladder.tables.cutouts import Cutouts, block_rows, centre, name_id, number_of
from zladder.tables.fits_planes import planes_of, quietly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from zladder.tables.cutouts import Told
    from zladder.tables.fits_planes import Plane

SUFFIXES = (".fits", ".fit", ".fits.gz")
_SCALE_TOLERANCE = 0.01  # within one set of cutouts
Galaxies = dict[str, dict[str, "Plane"]]  # name, band


def open_folder(path: Path, told: Told) -> Cutouts:
    """Return the cutouts of a folder; headers are read now, pixels when their blocks are asked for.

    A file with a cube (band, y, x) is called ``NAME.fits``, a file with one band
    ``NAME_BAND.fits``; files of other suffixes are left alone. `object_id` is the name where that
    is an integer, else its 63-bit BLAKE2b; `file` gives the name.

    Raises
    ------
    BadInput
        No such files, damaged ones, a band twice, pixels of different scales, and headers that do
        not tell band or zero point where nobody else does.
    """
    files = sorted(
        item
        for item in path.iterdir()
        if item.name.lower().endswith(SUFFIXES) and not item.name.startswith(".")
    )
    if not files:
        expected, found = f"files that end in {', '.join(SUFFIXES)}", "none"
        raise BadInput(path, "files", expected, found, "give a folder of FITS cutouts")
    galaxies: Galaxies = {}
    for file in files:
        for name, plane in planes_of(file, _stem(file), told):
            _add(galaxies, name, plane)
    planes = [plane for bands in galaxies.values() for plane in bands.values()]
    for plane in planes:
        _require_alike(planes[0], plane)
    ids = np.array([name_id(name) for name in galaxies], dtype=np.int64)
    return Cutouts(
        path=path,
        bands=tuple(dict.fromkeys(plane.band for plane in planes)),
        sides=(min(plane.shape[0] for plane in planes), min(plane.shape[1] for plane in planes)),
        pixel_scale_arcsec=told.pixel_scale_arcsec or planes[0].pixel_scale_arcsec,
        objects=pd.DataFrame({"object_id": ids, "file": list(galaxies)}),
        extinction_mag=None,
        ebv_mag=_ebv(galaxies, told),
        blocks=lambda wanted, side: _blocks(path, galaxies, wanted, side),
    )


def _stem(file: Path) -> str:
    suffix = next(suffix for suffix in reversed(SUFFIXES) if file.name.lower().endswith(suffix))
    return file.name[: -len(suffix)]


def _add(galaxies: Galaxies, name: str, plane: Plane) -> None:
    """Put a plane to its galaxy; its bands must have one size."""
    bands = galaxies.setdefault(name, {})
    if plane.band in bands:
        found = f"a second one, the first is in {bands[plane.band].path.name}"
        hint = "keep one file a galaxy and band"
        raise BadInput(plane.path, f"band {plane.band}", "one image of each band", found, hint)
    for other in bands.values():
        if other.shape != plane.shape:
            expected, found = f"{other.shape}, as in {other.path.name}", f"{plane.shape}"
            hint = "cut all bands of a galaxy alike"
            raise BadInput(plane.path, "rows and columns", expected, found, hint)
    bands[plane.band] = plane


def _require_alike(first: Plane, plane: Plane) -> None:
    scale, other = first.pixel_scale_arcsec, plane.pixel_scale_arcsec
    if scale is None and other is None:
        return
    if scale is None or other is None or abs(other / scale - 1.0) > _SCALE_TOLERANCE:
        expected, found = f"{scale} arcsec, as in {first.path.name}", f"{other} arcsec"
        hint = "resample the cutouts to one scale"
        raise BadInput(plane.path, "pixel scale", expected, found, hint)


def _ebv(galaxies: Galaxies, told: Told) -> np.ndarray | None:
    """Return the E(B-V) that is told: one number, or what a keyword says in any band's header."""
    if told.ebv is None:
        return None
    number = number_of(told.ebv)
    if number is not None:
        return np.full(len(galaxies), number)
    return np.array([_keyword_ebv(bands, told.ebv) for bands in galaxies.values()])


def _keyword_ebv(bands: Mapping[str, Plane], keyword: str) -> float:
    known = [plane.ebv_mag for plane in bands.values() if plane.ebv_mag is not None]
    if not known:
        plane = next(iter(bands.values()))
        hint = "add it to the header of one band, or give a number"
        raise BadInput(plane.path, keyword, "E(B-V) in mag", "no such keyword", hint)
    return known[0]


def _blocks(
    path: Path, galaxies: Galaxies, wanted: Sequence[str], side: int
) -> Iterator[np.ndarray]:
    """Give central pixels in nanomaggies, float32 (n, wanted, side, side)."""
    _require_bands(path, galaxies, wanted)
    every = list(galaxies.values())
    step = block_rows(len(wanted), side)
    for start in range(0, len(every), step):
        part = every[start : start + step]
        yield np.stack([_stamp(bands, wanted, side) for bands in part])


def _require_bands(path: Path, galaxies: Galaxies, wanted: Sequence[str]) -> None:
    """Refuse galaxies that lack a band, before the first pixel is read."""
    short = [name for name, bands in galaxies.items() if not set(wanted) <= set(bands)]
    if short:
        found = f"{', '.join(galaxies[short[0]])} ({len(short)} such galaxies)"
        hint = "add the missing files, or take these galaxies out of the folder"
        raise BadInput(path, f"bands of {short[0]}", ", ".join(wanted), found, hint)


def _stamp(bands: Mapping[str, Plane], wanted: Sequence[str], side: int) -> np.ndarray:
    stamp = np.empty((len(wanted), side, side), dtype=np.float32)
    opened: dict[tuple[Path, int], np.ndarray] = {}
    for place, band in enumerate(wanted):
        plane = bands[band]
        key = plane.path, plane.hdu
        if key not in opened:
            opened[key] = _read(plane)
        image = opened[key] if plane.index is None else opened[key][plane.index]
        rows, columns = (centre(size, side) for size in plane.shape)
        stamp[place] = image[rows, columns].astype(np.float32) * np.float32(plane.nmgy_per_unit)
    return stamp


def _read(plane: Plane) -> np.ndarray:
    with quietly(plane.path), fits.open(plane.path, memmap=False) as hdus:
        return np.asarray(hdus[plane.hdu].data)
