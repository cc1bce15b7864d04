"""The names of meridians and parallels: at the edges of a map, or inside where these fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patheffects import withStroke

from zladder.report.projection import HEMISPHERE_DEG, crossings
from zladder.report.style import INK, SOFT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from zladder.report.projection import Map

    Lines = dict[float, list[np.ndarray]]  # {angle in deg: pieces of its line, each (n, 2)}

CLOSEST = 0.07  # of the size of a map: names at an edge that stand closer run into each other
BORDER, POLE_BORDER = 0.06, 0.15  # of the size of a map: what is within is not well inside
QUIET_DEG = (-30.0, 30.0, 0.0, -60.0, 60.0)  # along which meridians of the whole sky are named
NEAR_DEG = 6.0  # of a parallel: galaxies as close lie under its names
HALF_TURN_DEG = 179.99  # a map of the whole sky is cut there
CUT_DEG = 12.0  # meridians as close to the cut of the whole sky are not named


def name_at_edges(axes: Axes, sky: Map, meridians: Lines, parallels: Lines) -> bool:
    """Name meridians at the lower edge and parallels at the left one; return whether that serves.

    It does not about a pole, where fewer than two lines meet an edge, and where two of them do so
    at nearly the same place. A line that meets an edge twice is named at the lower or right place.
    """
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    poles = _points(sky, [(0, -90), (0, 90)])
    if _well_inside(axes, poles, POLE_BORDER).any():
        return False
    bottom = _met(meridians, 1, low, (right, left))
    side = _met(parallels, 0, left, (low, high))
    for places, size in ((bottom, left - right), (side, high - low)):
        if len(places) < 2 or np.diff(sorted(places.values())).min() < CLOSEST * size:
            return False
    axes.set_xticks(list(bottom.values()), labels=_degrees(bottom))
    axes.set_yticks(list(side.values()), labels=_degrees(side))
    axes.set_xlabel("right ascension (ICRS)", color=SOFT)
    axes.set_ylabel("declination", color=SOFT)
    return True


def _met(lines: Lines, axis: int, level: float, span: tuple[float, float]) -> dict[float, float]:
    """Return {angle: where its line meets an edge first}."""
    found = {}
    for angle, pieces in lines.items():
        places = [float(at) for piece in pieces
                  for at in crossings(piece[:, axis], piece[:, 1 - axis], level)
                  if span[0] < at < span[1]]  # fmt: skip
        if places:
            found[angle] = min(places)
    return found


def name_inside(axes: Axes, sky: Map, meridians: Lines, parallels: Lines) -> None:
    """Name meridians along one parallel, parallels midway between two meridians: where most fit."""
    ordered = sorted(meridians)
    half_step = (ordered[1] - ordered[0]) / 2  # no name of a meridian is there
    rooms = {dec: _room(axes, sky, [(ra, dec) for ra in meridians]) for dec in parallels}
    across = max(parallels, key=lambda dec: (rooms[dec], _length(axes, parallels[dec])))
    aside = {ra + half_step: line for ra, line in meridians.items()}
    rooms = {ra: _room(axes, sky, [(ra, dec) for dec in parallels]) for ra in aside}
    beside = max(aside, key=lambda ra: (rooms[ra], _length(axes, aside[ra])))
    _write(axes, sky, [(ra, across) for ra in meridians], _degrees(meridians))
    _write(axes, sky, [(beside, dec) for dec in parallels], _degrees(parallels))
    _without_edges(axes)


def name_whole_sky(
    axes: Axes, sky: Map, angles: tuple[Sequence[float], Sequence[float]], dec_deg: np.ndarray
) -> None:
    """Name parallels at the left end of the map, meridians along one with few galaxies.

    Parameters
    ----------
    axes, sky
        As of `graticule.draw_graticule`.
    angles
        Right ascensions of the meridians and declinations of the parallels, in deg.
    dec_deg
        Of the galaxies, (N,).
    """
    quiet = min(QUIET_DEG, key=lambda dec: np.count_nonzero(np.abs(dec_deg - dec) < NEAR_DEG))
    named = [ra for ra in angles[0] if abs((ra - sky.ra_deg) % 360 - 180) > CUT_DEG]
    _write(axes, sky, [(ra, quiet) for ra in named], _degrees(named))
    ends = _points(sky, [(sky.ra_deg + HALF_TURN_DEG, dec) for dec in angles[1]])
    for end, name in zip(ends, _degrees(angles[1]), strict=True):
        axes.annotate(name, tuple(end), (-4, 0), textcoords="offset points", ha="right",
                      va="center", color=SOFT, fontsize=8, annotation_clip=False)  # fmt: skip
    _without_edges(axes)
    axes.spines[:].set_visible(False)


def _without_edges(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("right ascension and declination (ICRS)", color=SOFT)


def _write(
    axes: Axes, sky: Map, places: Sequence[tuple[float, float]], names: Sequence[str]
) -> None:
    """Write names at (RA, declination), where there is room, on top of what is drawn."""
    points = _points(sky, places)
    for (x, y), name, kept in zip(points, names, _has_room(axes, sky, points), strict=True):
        if kept:
            axes.text(x, y, name, ha="center", va="center", color=INK, fontsize=7.5,
                      path_effects=[withStroke(linewidth=2.6, foreground="white")])  # fmt: skip


def _points(sky: Map, places: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return (RA, declination) in deg on the map, (n, 2)."""
    return np.stack(sky.project(*np.transpose(places)), axis=1)


def _has_room(axes: Axes, sky: Map, points: np.ndarray) -> np.ndarray:
    """Return which points, (n, 2), a name can be written at, bool (n,)."""
    near = np.hypot(*points.T) <= HEMISPHERE_DEG  # lines of an azimuthal map end there
    return _well_inside(axes, points, BORDER) & (near | sky.whole)


def _room(axes: Axes, sky: Map, places: Sequence[tuple[float, float]]) -> int:
    """Return at how many places, (RA, declination), a name can be written."""
    return int(_has_room(axes, sky, _points(sky, places)).sum())


def _length(axes: Axes, pieces: Sequence[np.ndarray]) -> float:
    """Return how much of a line lies well inside, deg."""
    return sum(
        float(np.hypot(*np.diff(piece, axis=0).T)[_well_inside(axes, piece, BORDER)[1:]].sum())
        for piece in pieces
    )


def _well_inside(axes: Axes, points: np.ndarray, border: float) -> np.ndarray:
    """Return which points, (n, 2), are farther from the edges than a share of the map, (n,)."""
    inside = np.ones(len(points), dtype=bool)
    for values, limits in zip(points.T, (axes.get_xlim(), axes.get_ylim()), strict=True):
        margin = border * (max(limits) - min(limits))
        inside &= (values > min(limits) + margin) & (values < max(limits) - margin)
    return inside


def _degrees(angles: Iterable[float]) -> list[str]:
    """Return angles with as many decimals as the finest of them needs."""
    found = list(angles)
    decimals = next((n for n in range(2) if all(abs(angle - round(angle, n)) < 1e-6
                                                for angle in found)), 2)  # fmt: skip
    return [f"{angle:.{decimals}f}°".replace("-", "−") for angle in found]
