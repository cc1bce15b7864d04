"""The meridians and parallels of a map, without jumps: lines end where its projection does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection

from zladder.report.graticule_names import (
    HALF_TURN_DEG,
    name_at_edges,
    name_inside,
    name_whole_sky,
)
from zladder.report.projection import HEMISPHERE_DEG, step_of
from zladder.report.style import RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zladder.report.graticule_names import Lines
    from zladder.report.projection import Map

POINTS_OF_LINE = 361
WHOLE_STEP_DEG = 30.0


def draw_graticule(axes: Axes, sky: Map, dec_deg: np.ndarray) -> None:
    """Draw the lines that lie within the limits of a map, and name them.

    Parameters
    ----------
    axes
        Its limits are those of the map, x growing to the left.
    sky
        The projection.
    dec_deg
        Declinations of what is drawn, (N,): names keep off them on a map of the whole sky.
    """
    meridians, parallels = _whole_sky(sky) if sky.whole else _around(axes, sky)
    lines = [piece for found in (meridians, parallels) for pieces in found.values()
             for piece in pieces]  # fmt: skip
    if sky.whole:
        lines += [_meridian(sky, sky.ra_deg + cut) for cut in (-HALF_TURN_DEG, HALF_TURN_DEG)]
    axes.add_collection(LineCollection(lines, color=RULE, linewidth=0.6, zorder=0.5),
                        autolim=False)  # fmt: skip
    if sky.whole:
        name_whole_sky(axes, sky, (list(meridians), list(parallels)), dec_deg)
    elif not name_at_edges(axes, sky, meridians, parallels):
        name_inside(axes, sky, meridians, parallels)


def _whole_sky(sky: Map) -> tuple[Lines, Lines]:
    """Return meridians and parallels of the whole sky."""
    meridians = np.arange(0, 360, WHOLE_STEP_DEG).tolist()
    parallels = np.arange(-90 + WHOLE_STEP_DEG, 90, WHOLE_STEP_DEG).tolist()
    return ({ra: [_meridian(sky, ra)] for ra in meridians},
            {dec: [_parallel(sky, dec, HALF_TURN_DEG)] for dec in parallels})  # fmt: skip


def _around(axes: Axes, sky: Map) -> tuple[Lines, Lines]:
    """Return meridians and parallels as far as the farthest corner, and a quarter turn at most."""
    across, up = np.abs(axes.get_xlim()), np.abs(axes.get_ylim())
    corner = min(float(np.hypot(across.max(), up.max())), HEMISPHERE_DEG)
    reach = 2 * np.arcsin(np.radians(corner) / 2)  # on the sky, of r = 2 sin(reach / 2)
    dec = np.radians(sky.dec_deg)
    # A circle about a point spans asin(sin(reach) / cos(dec)) to either side, or holds a pole.
    has_pole = abs(dec) + reach >= np.pi / 2
    aside = 180.0 if has_pole else float(np.degrees(np.arcsin(np.sin(reach) / np.cos(dec))))
    low, high = (max(-90.0, float(np.degrees(dec - reach))),
                 min(90.0, float(np.degrees(dec + reach))))  # fmt: skip
    height = float(np.ptp(axes.get_ylim()))
    wide = step_of(height / max(float(np.cos(dec)), 1e-3))
    meridians = {ra % 360.0: _near(_meridian(sky, ra, low, high))
                 for ra in _multiples(sky.ra_deg - aside, sky.ra_deg + aside, wide)}  # fmt: skip
    about_pole = np.pi / 2 - abs(dec) < reach / 2  # declination runs but half way across
    tall = step_of(height / 2 if about_pole else height)
    parallels = {dec: _near(_parallel(sky, dec, aside))
                 for dec in _multiples(low, high, tall) if abs(dec) < 90}  # fmt: skip
    return meridians, parallels


def _multiples(low: float, high: float, step: float) -> list[float]:
    """Return the multiples of a step from one angle to another; 0 is never −0."""
    numbers = np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    return [round(float(number * step), 6) + 0.0 for number in numbers]


def _meridian(sky: Map, ra: float, low: float = -90.0, high: float = 90.0) -> np.ndarray:
    """Return a meridian on the map, (n, 2)."""
    dec = np.linspace(low, high, POINTS_OF_LINE)
    return np.stack(sky.project(np.full_like(dec, ra), dec), axis=1)


def _parallel(sky: Map, dec: float, aside: float) -> np.ndarray:
    """Return a parallel on the map, (n, 2), from its east to its west."""
    ra = sky.ra_deg + np.linspace(aside, -aside, POINTS_OF_LINE)
    return np.stack(sky.project(ra, np.full_like(ra, dec)), axis=1)


def _near(line: np.ndarray) -> list[np.ndarray]:
    """Return the pieces of a line within a quarter turn of the middle of an azimuthal map.

    Farther out lines are drawn ever longer: the point opposite to the middle is a whole circle.
    """
    inside = np.hypot(*line.T) <= HEMISPHERE_DEG
    ends = np.flatnonzero(np.diff(inside.astype(np.int8))) + 1
    pieces = zip(np.split(line, ends), np.split(inside, ends), strict=True)
    return [piece for piece, kept in pieces if kept[0] and len(piece) > 1]
