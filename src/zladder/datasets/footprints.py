"""Which cells of the sky a stamp shows something of."""

from __future__ import annotations

import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.sky_cells import healpix_index

# Cells are found by points on a circle that is a tenth wider than asked. A corner of a cell can
# slip in between two of N points without holding one, by at most pi / N / tan(angle / 2) of the
# radius: the tenth covers this for N = 128 and the angles of HEALPix cells (all above 50 degrees).
_WIDER = 1.1
_RING_POINTS = 128
_FEW_POINTS = 16  # enough to tell that a circle lies in the middle of a cell


def stamp_radius_arcsec(
    stamp_pixels: int, pixel_scale_arcsec: float, kernel_pixels: int = 0
) -> float:
    """Return the distance within which all that a stamp shows lies, however it is turned.

    Half the diagonal of S + 1 pixels: a stamp's centre may be half a pixel from the position. A
    resampled stamp also shows the frame's pixels within its kernel's reach of its border.
    """
    side = stamp_pixels + 1 + 2 * kernel_pixels
    return float(side / np.sqrt(2.0) * pixel_scale_arcsec)


def reached_cells(
    ra: np.ndarray, dec: np.ndarray, radius_arcsec: float, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (index of the position, cell), one entry for each cell that a circle reaches.

    Parameters
    ----------
    ra, dec
        ICRS positions in deg, shape (N,).
    radius_arcsec
        Radius of the circles.
    order
        HEALPix order of the cells (nested).

    Returns
    -------
    tuple
        Two int64 arrays; a cell that the circle misses by less than a tenth of its radius may be
        among them, none that it reaches is left out (cells are wider than the circles; own test,
        as the cone search of astropy_healpix 2.0.1 misses cells near the poles).
    """
    own = healpix_index(ra, dec, order)
    radius = np.radians(_WIDER * radius_arcsec / 3600.0)
    every = np.arange(len(ra))
    near = np.flatnonzero(_crosses(ra, dec, own, radius, order))
    pairs = [np.stack([every, own], axis=1)]
    for angle in _angles(_RING_POINTS):
        cells = healpix_index(*_moved(ra[near], dec[near], radius, angle), order)
        other = cells != own[near]
        pairs.append(np.stack([near[other], cells[other]], axis=1))
    found = np.unique(np.concatenate(pairs), axis=0)
    return found[:, 0], found[:, 1]


def require_wide_cells(radius_arcsec: float, order: int) -> None:
    """Refuse cells that could lie inside a stamp: `reached_cells` would not find them.

    Raises
    ------
    BadInput
        If the mean width of a cell is not above the diameter of the circles.
    """
    width_arcsec = 3600.0 * np.degrees(np.sqrt(np.pi / 3.0) / 2**order)
    if width_arcsec < 2.0 * _WIDER * radius_arcsec:
        file, place = "config/stages/datasets.yaml", "images.sky_cell_order"
        expected = f"cells wider than a stamp ({2 * radius_arcsec:.0f} arcsec across)"
        found = f"order {order}: {width_arcsec:.0f} arcsec"
        raise BadInput(file, place, expected, found, "take a lower order")


def _angles(n_points: int) -> np.ndarray:
    return np.arange(n_points) * 2.0 * np.pi / n_points


def _crosses(
    ra: np.ndarray, dec: np.ndarray, own: np.ndarray, radius: float, order: int
) -> np.ndarray:
    """Return which circles have one of a few points in another cell, bool (N,)."""
    crosses = np.zeros(len(ra), dtype=bool)
    for angle in _angles(_FEW_POINTS):
        crosses |= healpix_index(*_moved(ra, dec, radius, angle), order) != own
    return crosses


def _moved(
    ra: np.ndarray, dec: np.ndarray, radius: float, angle: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (deg) at a distance `radius` (rad) in a direction (rad) from north.

    The direct problem on the sphere; it holds next to the poles too.
    """
    latitude = np.radians(dec)
    sine = np.sin(latitude) * np.cos(radius) + np.cos(latitude) * np.sin(radius) * np.cos(angle)
    east = np.sin(angle) * np.sin(radius)
    north = np.cos(latitude) * np.cos(radius) - np.sin(latitude) * np.sin(radius) * np.cos(angle)
    moved = np.degrees(np.arctan2(east, north))
    return (ra + moved) % 360.0, np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
