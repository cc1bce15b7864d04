"""Maps of a dataset: areas stay equal, and each galaxy lies in a cell of its split's colour."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.path import Path as Outline
from matplotlib.text import Text

from zladder.report.dataset_light import SPLIT_COLOURS
from zladder.report.dataset_sky import _tint, cell_width_deg, draw_sky
from zladder.report.dataset_splits import cells_of
from zladder.report.projection import Map, crossings, map_of, step_of

ABOUT = {"dataset": "d", "sky_cell_order": 10, "stamp_arcsec": 0.0}


def sky_of(n=1500, ra=150.0, dec=2.0, width=0.6, seed=0):
    """Return galaxies in a square of the sky whose splits are drawn by cell."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "ra": (ra + width * rng.uniform(-0.5, 0.5, n) / np.cos(np.radians(dec))) % 360,
        "dec": dec + width * rng.uniform(-0.5, 0.5, n),
    })  # fmt: skip
    cells = cells_of(frame, ABOUT["sky_cell_order"])
    names = np.array(["train", "train", "validation", "calibration", "test"])
    return frame.assign(split=names[(cells * 2654435761) % 2**32 % 5])


@pytest.mark.parametrize(("whole", "code"), [(False, "ZEA"), (True, "AIT")])
def test_the_projections_are_those_of_astropy(whole, code):
    sky = Map(200.0, 0.0 if whole else 35.0, whole)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{code}", f"DEC--{code}"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [200.0, sky.dec_deg], [0, 0], [1, 1]
    rng = np.random.default_rng(0)
    ra = rng.uniform(0, 360, 200) if whole else 200 + rng.uniform(-60, 60, 200)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, 200))) if whole else rng.uniform(-20, 80, 200)
    x, y = sky.project(ra, dec)
    expected = wcs.wcs_world2pix(np.stack([ra, dec], axis=1), 0) + 1
    assert np.stack([x, y], axis=1) == pytest.approx(expected, abs=1e-8)


@given(st.floats(-70, 70), st.floats(-85, 85), st.booleans())
def test_a_small_square_keeps_its_area(east, dec, whole):
    sky = Map(30.0, 10.0, whole)
    step = 1e-3
    corners = [(0, 0), (step, 0), (step, step), (0, step)]
    x, y = sky.project(np.array([30 + east + a for a, _ in corners]),
                       np.array([dec + b for _, b in corners]))  # fmt: skip
    area = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    true = step * np.degrees(np.sin(np.radians(dec + step)) - np.sin(np.radians(dec)))
    assert area == pytest.approx(true, rel=1e-4)


def test_a_wide_sky_is_shown_whole_and_a_field_across_zero_hours_about_its_middle():
    field = map_of(np.array([359.0, 1.0]), np.array([10.0, 10.0]))
    assert (field.whole, field.ra_deg % 360) == (False, pytest.approx(0, abs=1e-9))
    assert map_of(np.array([0.0, 120, 240]), np.array([0.0, 10, 40])).whole
    assert map_of(np.array([0.0, 180]), np.array([0.0, 0])).whole  # there is no mean direction
    assert np.abs(field.project(np.array([359.0, 1.0]), np.full(2, 10.0))[0]).max() < 1


def test_lines_are_named_where_they_meet_an_edge():
    line = np.array([0.0, 1.0, 2.0])
    assert crossings(line, line * 10, 0.5) == pytest.approx([5.0])
    assert len(crossings(line, line, 3.0)) == 0
    assert [step_of(span) for span in (0.08, 0.4, 4, 90)] == [0.02, 0.1, 1.0, 30.0]


@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (0.05, -35.0), (80.0, 88.0)])
def test_each_galaxy_that_is_shown_lies_in_a_cell_of_its_split_s_colour(ra, dec):
    frame = sky_of(ra=ra, dec=dec)
    figure = draw_sky(frame, cells_of(frame, 10), ABOUT)
    detail = figure.axes[1]
    patches = {tuple(np.round(_tint(SPLIT_COLOURS[name]), 6)): name for name in SPLIT_COLOURS}
    cells = {}
    for found in detail.findobj(PolyCollection):
        name = patches[tuple(np.round(found.get_facecolor()[0, :3], 6))]
        cells[name] = [Outline(path.vertices) for path in found.get_paths()]
    n_dots = 0
    for line in detail.lines:
        colour = tuple(part / 0.75 for part in to_rgb(line.get_color()))
        name = next(n for n in SPLIT_COLOURS if np.allclose(to_rgb(SPLIT_COLOURS[n]), colour))
        dots = np.stack(line.get_data(), axis=1)
        n_dots += len(dots)
        for split, outlines in cells.items():
            inside = np.array([outline.contains_points(dots) for outline in outlines]).sum(axis=0)
            # on the rounded edge of a cell a dot may fall to either side
            assert np.mean(inside == (split == name)) > 0.98
    assert n_dots > 50


def test_stamps_are_drawn_at_their_size():
    frame = sky_of()
    figure = draw_sky(frame, cells_of(frame, 10), {**ABOUT, "stamp_arcsec": 36.0})
    drawn = figure.axes[1].findobj(PolyCollection)
    squares = [found for found in drawn if not found.get_facecolor().size]
    widths = {round(3600 * float(np.ptp(path.vertices[:, 0])), 6)
              for found in squares for path in found.get_paths()}  # fmt: skip
    assert widths == {36.0}
    assert "stamps of 36″" in "".join(text.get_text() for text in figure.findobj(Text))


def test_the_whole_map_shows_every_split_and_the_figure_says_what_it_is():
    frame = sky_of()
    figure = draw_sky(frame, cells_of(frame, 10), ABOUT)
    words = "\n".join(text.get_text() for text in figure.findobj(Text))
    for told in ("1,500 galaxies", "equal areas", f"{60 * cell_width_deg(10):.1f}′", "train",
                 "calibration"):  # fmt: skip
        assert told in words
    left, right = figure.axes[0].get_xlim()
    assert left > right  # east is at the left


def cap(ra, dec, n, rng):
    """Return positions that are even on the sky between two right ascensions and declinations."""
    low, high = np.sin(np.radians(dec))
    return np.stack([rng.uniform(*ra, n) % 360, np.degrees(np.arcsin(rng.uniform(low, high, n)))])


def disc(ra, dec, radius, n, rng):
    """Return positions within a radius, in deg, of a place."""
    middle = SkyCoord(ra, dec, unit="deg")
    angle, away = rng.uniform(0, 360, n), radius * np.sqrt(rng.uniform(0, 1, n))
    found = middle.directional_offset_by(angle * units.deg, away * units.deg)
    return np.stack([found.ra.deg, found.dec.deg])


@lru_cache
def footprints():
    """Return {name: (RA, declination), (2, N), in deg} of surveys and of fields."""
    rng = np.random.default_rng(1)
    north = cap((120, 240), (0, 60), 1500, rng)
    wide = [
        ((30, 39), (-5, 5)),
        ((150, 225), (-5, 5)),
        ((330, 363), (-5, 5)),
        ((210, 226), (41, 46)),
    ]
    fields = [cap(*corners, 300, rng) for corners in wide]
    return {
        "both caps of SDSS": np.hstack([north, cap((-45, 45), (-10, 25), 500, rng)]),
        "north cap of SDSS": north, "wide fields of HSC": np.hstack(fields),
        "a field": disc(150.1, 2.2, 0.7, 400, rng), "zero hours": disc(0.02, 0, 0.4, 400, rng),
        "a pole": disc(80, 89.9, 0.7, 400, rng), "beside a pole": disc(80, -88, 0.7, 400, rng),
        "about a pole": disc(80, -85, 20, 400, rng), "most of a side": disc(200, 0, 78, 1500, rng),
        "askew": disc(200, 40, 75, 1500, rng),
    }  # fmt: skip


def names_in(axes):
    """Return (what is named, place of the name) of the meridians and parallels of a map."""
    low, left = axes.get_ylim()[0], axes.get_xlim()[0]
    found = [
        (label.get_text(), (at, low), 0)
        for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    ]
    found += [
        (label.get_text(), (left, at), 1)
        for at, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    ]
    inside = [text for text in axes.texts if "°" in text.get_text()]
    found += [(text.get_text(), getattr(text, "xy", text.get_position()), None) for text in inside]
    return [(float(name.strip("°").replace("−", "-")), place, of) for name, place, of in found]


@pytest.mark.parametrize("footprint", footprints())
def test_lines_of_the_whole_map_are_named_once_at_their_true_places(footprint):
    ra, dec = footprints()[footprint]
    frame = pd.DataFrame({"ra": ra, "dec": dec, "split": "train"})
    sky, axes = map_of(ra, dec), draw_sky(frame, cells_of(frame, 7), ABOUT).axes[0]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---AIT", "DEC--AIT"] if sky.whole else ["RA---ZEA", "DEC--ZEA"]
    wcs.wcs.crval, wcs.wcs.crpix = [sky.ra_deg, 0 if sky.whole else sky.dec_deg], [0, 0]
    named = ([], [])
    for angle, place, of in names_in(axes):
        true = wcs.wcs_pix2world([np.array(place) - 1], 0)[0]
        away = np.abs([(angle - true[0] + 180) % 360 - 180, angle - true[1]])
        assert away[away.argmin() if of is None else of] < 0.02 * np.ptp(axes.get_ylim())
        named[int(away.argmin()) if of is None else of].append(angle)
    for angles in named:
        assert len(angles) >= 2
        assert len(set(angles)) == len(angles)
        assert all(-90 < angle < 360 for angle in angles)


@pytest.mark.parametrize("footprint", footprints())
def test_no_line_jumps_across_the_map(footprint):
    ra, dec = footprints()[footprint]
    frame = pd.DataFrame({"ra": ra, "dec": dec, "split": "train"})
    for axes in draw_sky(frame, cells_of(frame, 7), ABOUT).axes:
        (drawn,) = axes.findobj(LineCollection)
        assert len(drawn.get_segments()) >= 4
        for line in drawn.get_segments():
            assert np.hypot(*np.diff(line, axis=0).T).max() < 10
        if "Hammer" not in axes.get_title("left"):
            assert max(np.hypot(*line.T).max() for line in drawn.get_segments()) < 81.1


def test_the_map_of_the_whole_sky_is_twice_as_wide_as_high_and_holds_it():
    ra, dec = footprints()["both caps of SDSS"]
    frame = pd.DataFrame({"ra": ra, "dec": dec, "split": "train"})
    axes = draw_sky(frame, cells_of(frame, 7), ABOUT).axes[0]
    width, height = -np.diff(axes.get_xlim())[0], np.diff(axes.get_ylim())[0]
    assert width / height == pytest.approx(2, abs=0.1)
    assert width > 4 * np.degrees(np.sqrt(2)) > 2 * height * 0.9
    left = [place for _, place, _ in names_in(axes) if place[0] > 0]
    assert max(x for x, _ in left) == pytest.approx(2 * np.degrees(np.sqrt(2)), abs=0.1)


@pytest.mark.parametrize("n", [1, 2])
def test_a_galaxy_alone_is_drawn_too(n):
    frame = sky_of(n=n)
    figure = draw_sky(frame, cells_of(frame, 10), ABOUT)
    assert len(figure.axes) == 2
    figure.canvas.draw()


def test_without_positions_the_figure_says_so():
    figure = draw_sky(pd.DataFrame({"split": ["train"]}), None, ABOUT)
    assert "gives no positions" in "".join(text.get_text() for text in figure.findobj(Text))
