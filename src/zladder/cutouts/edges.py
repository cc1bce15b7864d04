"""Galaxies near an edge of their frame: the neighbouring field's frame, or pixels of both.

The fields of a run and camera column of SDSS follow each other along the rows and share 128 of
them: what leaves one frame there lies in the next.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.band import cut_band, fill_widths
from zladder.cutouts.beside import some
from zladder.cutouts.layout import stamp_scale_arcsec
from zladder.tables.stamp_files import flag_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zladder.cutouts.beside import Stamps
    from zladder.cutouts.frames import Frame

# Pixels of two frames are one grid where they lie within this of each other, all over a stamp:
# what the position of a galaxy may be off by.
SAME_PIXELS = 0.02


def mend_edges(
    frame: Frame,
    index: int,
    stamps: Stamps,
    xy: np.ndarray,
    settings: Mapping[str, Any],
    neighbour: Callable[[int], Frame | str],
) -> dict[int, str]:
    """Cut what leaves its frame out of the neighbouring ones; nothing is padded.

    Stamps that leave the frame along its rows are taken from the neighbour where that holds them
    whole; else, with `edge: mosaic`, from both: on the sky's grid each resampled onto it, in whole
    pixels only where those of the two frames coincide within 0.02 pixel. The flag `edge` gives
    way to `neighbour` or `mosaicked`. Noise and width of the PSF of a mosaic are those of both,
    weighted by their pixels (squares of the noise); a width that the catalogue lists stays that of
    the galaxy's own frame.

    Parameters
    ----------
    frame, index, stamps, settings
        As for `cut_band`, which has filled the stamps; `edge`: neighbour, mosaic or lose.
    xy
        What `cut_band` gave.
    neighbour
        From -1 (below the first row) or +1 (behind the last) to the frame there, or the words why
        there is none.

    Returns
    -------
    dict
        {row: why it stays without a whole stamp}.
    """
    notes: dict[int, str] = {}
    if settings["edge"] == "lose":
        return notes
    left = (stamps["flags"][:, index] & flag_value("edge")) > 0
    below = xy[:, 1] < frame.image.shape[0] / 2
    side = _frame_side(stamps, settings)
    left &= _reaches_rows(frame, side, xy)
    for step, half in ((-1, below), (1, ~below)):
        rows = np.flatnonzero(left & half)
        if len(rows) == 0:
            continue
        other = neighbour(step)
        if isinstance(other, str):
            notes |= dict.fromkeys(rows.tolist(), other)
            continue
        rows = _from_one(other, index, stamps, rows, settings)
        if len(rows) and settings["edge"] == "mosaic":
            rows = _from_both((frame, other), index, stamps, rows, xy[rows], settings)
        notes |= dict.fromkeys(rows.tolist(), f"{other.path} does not hold the rest")
    return notes


def _frame_side(stamps: Stamps, settings: Mapping[str, Any]) -> int:
    """Return the side of a stamp in pixels of its frame, rounded up."""
    side = stamps["flux"].shape[-1]
    return ceil(side * (stamp_scale_arcsec(settings) / settings["pixel_scale_arcsec"]))


def _reaches_rows(frame: Frame, side: int, xy: np.ndarray) -> np.ndarray:
    """Return which stamps may hold the first or the last row, bool (N,)."""
    reach = 0.75 * side + 4  # of a turned stamp and the kernel
    y, last = xy[:, 1], frame.image.shape[0] - 1
    return (np.abs(y) < reach) | (np.abs(y - last) < reach)


def _from_one(
    other: Frame, index: int, stamps: Stamps, rows: np.ndarray, settings: Mapping[str, Any]
) -> np.ndarray:
    """Cut stamps out of the neighbour; return the rows that it does not hold whole."""
    part = _cleared(some(stamps, rows), index)
    cut_band(other, index, part, settings)
    whole = _inside(part, index)
    fill_widths(part, index, other.psf_fwhm_arcsec)
    _put_back(stamps, index, rows[whole], some(part, whole), "neighbour")
    return rows[~whole]


def _from_both(
    frames: tuple[Frame, Frame],
    index: int,
    stamps: Stamps,
    rows: np.ndarray,
    xy: np.ndarray,
    settings: Mapping[str, Any],
) -> np.ndarray:
    """Put stamps together from a frame (where it has pixels) and its neighbour.

    Return the rows that both together do not hold whole.
    """
    side = _frame_side(stamps, settings)
    home, other = (_padded(frame, 2 * side) for frame in frames)
    same = np.ones(len(rows), dtype=bool)
    there: np.ndarray | None = None
    if settings["grid"] == "frame":
        there, same = _shifted(frames, xy, side)
        there = there + 2 * side
    parts = [_cleared(some(stamps, rows), index) for _ in frames]
    cut_band(home, index, parts[0], settings)
    cut_band(other, index, parts[1], settings, there)
    whole = same & _inside(parts[0], index) & _inside(parts[1], index)
    mosaic, share = _put_together(parts, index)
    fill_widths(mosaic, index, share * home.psf_fwhm_arcsec + (1 - share) * other.psf_fwhm_arcsec)
    whole &= np.isfinite(mosaic["flux"][:, index]).all(axis=(1, 2))
    _put_back(stamps, index, rows[whole], some(mosaic, whole), "mosaicked")
    return rows[~whole]


def _put_together(parts: list[Stamps], index: int) -> tuple[Stamps, np.ndarray]:
    """Return the first part with the second where it has no pixels, and the first one's share."""
    first, second = parts
    flux = first["flux"][:, index]
    missing = np.isnan(flux)
    share = 1.0 - missing.mean(axis=(1, 2))
    flux[missing] = second["flux"][:, index][missing]
    variance, its = (part["sky_sigma_nmgy"][:, index] ** 2 for part in parts)
    first["sky_sigma_nmgy"][:, index] = np.sqrt(share * variance + (1.0 - share) * its)
    first["flags"][:, index] |= second["flags"][:, index]
    # Neither has all pixels: those that are missing from both are looked for by the caller.
    first["flags"][:, index] &= ~flag_value("not_finite")
    return first, share


def _shifted(
    frames: tuple[Frame, Frame], xy: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in the neighbour by whole pixels, and where these coincide, bool (n,).

    Parameters
    ----------
    frames
        A frame and its neighbour.
    xy
        Positions in the first, (n, 2).
    side
        Of the stamps whose corners are compared.
    """
    half = side / 2.0
    corners = np.array([[-half, -half], [half, -half], [-half, half], [half, half]])
    points = (xy[:, None] + corners).reshape(-1, 2)
    sky = frames[0].wcs.wcs_pix2world(points, 0)
    steps = (frames[1].wcs.wcs_world2pix(sky, 0) - points).reshape(len(xy), 4, 2)
    whole = np.rint(steps.mean(axis=1))
    same = np.abs(steps - whole[:, None]).max(axis=(1, 2)) <= SAME_PIXELS
    return xy + whole, same


def _inside(part: Stamps, index: int) -> np.ndarray:
    return np.asarray((part["flags"][:, index] & flag_value("edge")) == 0)


def _padded(frame: Frame, width: int) -> Frame:
    """Return a frame with NaN all around it, `width` pixels wide."""
    wcs = frame.wcs.deepcopy()
    wcs.wcs.crpix = wcs.wcs.crpix + width
    everything = (slice(None), slice(None))  # of a frame in memory: no copy
    image = np.pad(frame.image[everything], width, constant_values=np.nan)
    mask = None if frame.mask is None else np.pad(frame.mask[everything], width)
    return replace(frame, image=image, wcs=wcs, mask=mask)


def _cleared(part: Stamps, index: int) -> Stamps:
    """Return a part without what another frame said of this band."""
    part["flags"][:, index] = 0
    part["flux"][:, index] = 0.0
    return part


def _put_back(stamps: Stamps, index: int, rows: np.ndarray, part: Stamps, flag: str) -> None:
    part["flags"][:, index] |= flag_value(flag)
    for name in ("flux", "flags", "offset_pixels", "sky_sigma_nmgy", "psf_fwhm_arcsec"):
        stamps[name][rows, index] = part[name][:, index]
