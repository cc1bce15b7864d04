"""What stamps at the border of two fields must be: told by the strip that both were cut out of."""

from __future__ import annotations

import bz2
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

from tests.archive_content.small_sky import in_threads
from tests.archive_content.strips import BANDS
from zladder.config.imaging import FRAME_ROWS, FieldNumber, frame_name
from zladder.cutouts.field import cut_field
from zladder.survey.imaging import PIXEL_ARCSEC, WIDTH_PIXELS
from zladder.tables.stamp_files import flag_value

KERNEL_BEFORE, KERNEL_BEHIND = 2, 3  # pixels that Lanczos-3 takes beside the one of a position
NEIGHBOUR, MOSAICKED, LOST = map(flag_value, ("neighbour", "mosaicked", "edge"))


@dataclass(frozen=True)
class Cutting:
    """How stamps are cut: `grid` is frame or sky."""

    grid: str
    side: int

    @property
    def settings(self) -> dict[str, Any]:
        """What `cut_field` reads."""
        return {"bands": BANDS, "stamp_pixels": self.side, "pixel_scale_arcsec": PIXEL_ARCSEC,
                "grid": self.grid, "edge": "lose", "layout": "sdss_frames"}  # fmt: skip


def origins(
    galaxies: pd.DataFrame, cutting: Cutting, strips: Path, frames: Path, other: FieldNumber
) -> np.ndarray:
    """Return the flag that tells where each band of each stamp has its pixels, uint32 (N, B).

    Parameters
    ----------
    galaxies
        All of one field: `ra, dec` (deg), `run, camcol, field`.
    cutting
        How stamps are cut.
    strips, frames
        Folders of the strips and of packed frames.
    other
        The field beside.

    Returns
    -------
    numpy.ndarray
        0: in its own frame; NEIGHBOUR or MOSAICKED: in the other, in both; LOST: beyond both.
    """
    own = number_of(galaxies)
    found = np.full((len(galaxies), len(BANDS)), LOST, dtype=np.uint32)
    for index, band in enumerate(BANDS):
        wcs = _world(fits.getheader(strips / frame_name(own, band)))
        begins = [round(wcs.wcs.crpix[1] - _served(frames, number, band).wcs.crpix[1])
                  for number in (own, other)]  # fmt: skip
        first, last = needed_pixels(galaxies, cutting, wcs)
        beside = (first[:, 0] >= 0) & (last[:, 0] < WIDTH_PIXELS)
        spans = {MOSAICKED: (min(begins), max(begins)), NEIGHBOUR: begins[1:] * 2,
                 0: begins[:1] * 2}  # fmt: skip
        for flag, (low, high) in spans.items():
            within = (first[:, 1] >= low) & (last[:, 1] < high + FRAME_ROWS)
            found[within & beside, index] = flag
    return found


def needed_pixels(
    galaxies: pd.DataFrame, cutting: Cutting, wcs: WCS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last column and row that stamps need of an image, int64 (N, 2).

    By astropy's projections; whole pixels by the rule of its `Cutout2D`.
    """
    sky = galaxies[["ra", "dec"]].to_numpy()
    if cutting.grid == "frame":
        first = np.ceil(wcs.all_world2pix(sky, 0) - cutting.side / 2).astype(np.int64)
        return first, first + cutting.side - 1
    end = cutting.side - 1.0
    corners = np.array([[0.0, 0.0], [end, 0.0], [0.0, end], [end, end]])
    places = [wcs.all_world2pix(_north_up(*one, cutting.side).all_pix2world(corners, 0), 0)
              for one in sky.tolist()]  # fmt: skip
    ends = np.min(places, axis=1), np.max(places, axis=1)
    first, last = (np.floor(one) for one in ends)
    return first.astype(np.int64) - KERNEL_BEFORE, last.astype(np.int64) + KERNEL_BEHIND


def number_of(galaxies: pd.DataFrame) -> FieldNumber:
    """Return the one field that all galaxies lie in."""
    (number,) = set(galaxies[list(FieldNumber._fields)].itertuples(index=False, name=None))
    return FieldNumber(*map(int, number))


def true_pixels(galaxies: pd.DataFrame, cutting: Cutting, strips: Path) -> np.ndarray:
    """Return stamps out of the strip, float32 (N, B, S, S); none may leave it.

    Whole pixels by slices of the image alone.
    """
    number = number_of(galaxies)
    if cutting.grid == "sky":
        stamps, losses = cut_field(galaxies, number, strips, cutting.settings)
        assert not losses
        return stamps["flux"]
    stamps = np.empty((len(galaxies), len(BANDS), cutting.side, cutting.side), dtype=np.float32)
    for index, band in enumerate(BANDS):
        with fits.open(strips / frame_name(number, band)) as file:
            image, wcs = file[0].data, _world(file[0].header)
            first, _ = needed_pixels(galaxies, cutting, wcs)
            for stamp, (x, y) in zip(stamps[:, index], first.tolist(), strict=True):
                stamp[:] = image[y : y + cutting.side, x : x + cutting.side]
    return stamps


def rows_in_frames(galaxies: pd.DataFrame, frames: Path) -> np.ndarray:
    """Return rows of galaxies in their field's packed frames, (N, B): 0 where the first begins."""
    number, sky = number_of(galaxies), galaxies[["ra", "dec"]].to_numpy()
    places = [_served(frames, number, band).all_world2pix(sky, 0)[:, 1] for band in BANDS]
    return np.stack(places, axis=1) + 0.5


def compare(
    shard: Path, galaxies: pd.DataFrame, cutting: Cutting, strips: Path, frames: Path,
    other: FieldNumber,
) -> pd.Series:  # fmt: skip
    """Compare stamps with the strip: who has one, its flags, its pixels.

    Parameters
    ----------
    shard
        File of stamps.
    galaxies, cutting, strips, frames, other
        As for `origins`.

    Returns
    -------
    pandas.Series
        Of all galaxies, by `object_id`: the flags of all bands, as `origins` tells them.
    """
    told = origins(galaxies, cutting, strips, frames, other)
    galaxy = np.bitwise_or.reduce(told, axis=1)
    with h5py.File(shard) as file:
        ids, flags, flux = (file[name][()] for name in ("object_id", "flags", "flux"))
    rows = pd.Index(galaxies["object_id"]).get_indexer(ids)
    assert sorted(rows) == np.flatnonzero(galaxy & LOST == 0).tolist()
    np.testing.assert_array_equal(flags & (NEIGHBOUR | MOSAICKED), told[rows])
    truth = true_pixels(galaxies.iloc[rows], cutting, strips)
    if cutting.grid == "frame":
        assert flux.tobytes() == truth.tobytes()
    else:
        np.testing.assert_allclose(flux, truth, rtol=1e-5, atol=1e-6)
    return pd.Series(galaxy, index=galaxies["object_id"])


def unpack(frames: Path, folder: Path) -> None:
    """Write packed frames as plain ones into another folder."""

    def one(path: Path) -> None:
        plain = folder / path.relative_to(frames).with_suffix("")
        plain.parent.mkdir(parents=True, exist_ok=True)
        plain.write_bytes(bz2.decompress(path.read_bytes()))

    in_threads(one, sorted(frames.rglob("*.bz2")))


def _served(frames: Path, number: FieldNumber, band: str) -> WCS:
    """Return the world coordinates of a packed frame."""
    with bz2.open(frames / frame_name(number, band, "bz2")) as stream:
        return _world(fits.Header.fromfile(stream))


def _world(header: fits.Header) -> WCS:
    del header["RADECSYS"]  # what astropy warns of
    return WCS(header)


def _north_up(ra_deg: float, dec_deg: float, side: int) -> WCS:
    """Return world coordinates of a stamp with a galaxy in the middle."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra_deg, dec_deg]
    wcs.wcs.crpix = [(side + 1) / 2, (side + 1) / 2]
    wcs.wcs.cdelt = [-PIXEL_ARCSEC / 3600, PIXEL_ARCSEC / 3600]
    return wcs
