"""Which fields are fetched: those of the galaxies, and the neighbours that their stamps need."""

from __future__ import annotations

import bz2
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from stamp_sky import (
    KEY,
    SCALE_ARCSEC,
    SETTINGS,
    galaxies,
    noise,
    path_of,
    wcs_of,
    write_frame,
)

from tests.archive_server.server import ArchiveServer
from zladder.config.grids import reach_rows
from zladder.config.imaging import FRAME_ROWS, SHARED_ROWS
from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.resample import resample, sky_grids
from zladder.cutouts.windows import first_pixels, lie_inside
from zladder.provenance.errors import PassingBadInput
from zladder.survey.archives.field_plan import leaving, plan_fields
from zladder.survey.archives.frames import fetch_frames
from zladder.survey.archives.manners import Manners

STAGE = {"stamp_pixels": 112, "grid": "frame", "grid_scale_arcsec": None, "edge": "mosaic"}
FRAMES = {"pixel_scale_arcsec": SCALE_ARCSEC}
NEW_ROWS = FRAME_ROWS - SHARED_ROWS
QUICK = {
    "requests_per_second": 1000.0, "timeout_seconds": 5.0, "n_tries": 2, "first_wait_seconds": 0.01,
    "query_seconds": 5.0, "longest_wait_seconds": 1.0, "slowest_bytes_per_second": 1.0,
    "progress_seconds": 60.0, "poll_seconds": 0.01, "max_missing_frames_fraction": 0.0,
}  # fmt: skip
TEMPLATE = "/{rerun}/{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits.bz2"


def catalogue(path, rows, **columns):
    """Write galaxies (run, camcol, field) with these columns; return the file."""
    table = pd.DataFrame(rows, columns=["run", "camcol", "field"])
    table.insert(0, "object_id", np.arange(len(table)))
    table.assign(**columns).to_parquet(path)
    return path


def test_a_plan_by_hand(tmp_path):
    """Stamps of 112 pixels: half of it and 2 rows of doubt, 58 rows either way."""
    assert reach_rows(STAGE, FRAMES) == 58.0
    rows = [(94, 1, 11)] * 3 + [(94, 1, 12), (94, 2, 11), (752, 3, 0), (752, 3, 207)]
    rowc_r = [57.9, 700.0, FRAME_ROWS - 57.9, 10.0, 58.1, 3.0, np.nan]
    path = catalogue(tmp_path / "a.parquet", rows, rowc_r=rowc_r)
    plan = plan_fields(path, ["g", "r"], (0, 1), 58.0)
    own = [(94, 1, 11), (94, 1, 12), (94, 2, 11), (752, 3, 0), (752, 3, 207)]
    assert (plan.fields, plan.beside) == (own, [(94, 1, 10)])  # 12 is there, and no field is -1
    for plain in (
        plan_fields(path, ["g", "r"], (0, 1), None),
        plan_fields(path, ["g"], (0, 1), 58.0),  # no row in any of these bands
        plan_fields(path, ["r"], (0, 1), 3.0),  # a stamp of three pixels
    ):
        assert (plain.fields, plain.beside) == (own, [])
    parts = [plan_fields(path, ["r"], (k, 3), 58.0) for k in range(3)]
    assert [part.beside for part in parts] == [[], [(94, 1, 10)], []]  # by its own number
    assert sorted(field for part in parts for field in part.fields) == own


def test_each_band_has_its_own_row_and_what_no_row_is_says_nothing(tmp_path):
    rows = [(94, 1, field) for field in (11, 21, 31, 41)]
    path = catalogue(
        tmp_path / "a.parquet", rows,
        rowc_r=[60.0, FRAME_ROWS - 60.0, -9999.0, np.nan], rowc_z=[56.0, 800.0, 9e9, 1480.0],
    )  # fmt: skip
    assert plan_fields(path, ["r", "z"], (0, 1), 58.0).beside == [(94, 1, 10), (94, 1, 42)]
    assert plan_fields(path, ["r"], (0, 1), 58.0).beside == []


def test_how_far_a_stamp_reaches():
    sky = STAGE | {"grid": "sky"}
    assert reach_rows(sky, FRAMES) == pytest.approx(56 * sqrt(2) + 5, abs=1e-3)
    wide = sky | {"grid_scale_arcsec": 0.5}
    assert reach_rows(wide, FRAMES) == pytest.approx(56 * sqrt(2) * 0.5 / 0.396 + 5, abs=1e-3)
    assert reach_rows(STAGE | {"edge": "lose"}, FRAMES) is None


@examples(max_examples=100, deadline=None, derandomize=True)
@given(
    quarters=st.integers(-16, 20), at_end=st.booleans(), unsure=st.sampled_from([-1.0, 0.0, 1.0]),
    side=st.integers(8, 128), grid=st.sampled_from(["frame", "sky"]),
    turn_deg=st.sampled_from([0.0, 45.0, 63.0, 225.0]),
)  # fmt: skip
@example(quarters=-4, at_end=False, unsure=1.0, side=40, grid="frame", turn_deg=0.0)
@example(quarters=-3, at_end=True, unsure=-1.0, side=41, grid="frame", turn_deg=0.0)
@example(quarters=6, at_end=False, unsure=1.0, side=40, grid="sky", turn_deg=45.0)
@example(quarters=8, at_end=True, unsure=-1.0, side=40, grid="sky", turn_deg=45.0)
def test_every_stamp_is_whole_in_its_field_and_those_planned_with_it(
    quarters, at_end, unsure, side, grid, turn_deg
):
    """As the cutter finds it, in one strip of these fields; the listed row may be off by one.

    Half a stamp from the first or the last row, and some quarters of a row: the worst is there.
    """
    far = quarters / 4
    half = side / 2 if grid == "frame" else side / sqrt(2)
    y = FRAME_ROWS - 1 - half - far if at_end else half + far
    reach = reach_rows(STAGE | {"grid": grid, "stamp_pixels": side}, FRAMES)
    rowc = y + 0.5 + unsure
    below, behind = (bool(one[0]) for one in leaving(np.array([[rowc]]), reach))
    n_rows = FRAME_ROWS + NEW_ROWS * (below + behind)
    assert is_whole(y + NEW_ROWS * below, n_rows, side, grid, turn_deg)
    if min(y, FRAME_ROWS - 1 - y) > reach + 1:
        assert not below
        assert not behind


def is_whole(y: float, n_rows: int, side: int, grid: str, turn_deg: float) -> bool:
    """Return whether the cutter finds a stamp about a row whole, far from the columns' ends."""
    shape, x = (n_rows, 300), 150.0
    if grid == "frame":
        return bool(lie_inside(first_pixels(np.array([[x, y]]), side), side, shape)[0])
    turn = np.radians(turn_deg)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [181.3, 12.7]
    wcs.wcs.crpix = [x + 1, n_rows / 2]
    c, s = np.cos(turn), np.sin(turn)
    wcs.wcs.cd = SCALE_ARCSEC / 3600 * np.array([[-c, s], [s, c]])
    ra, dec = wcs.wcs_pix2world([[x, y]], 0).T
    grids = sky_grids(wcs, ra, dec, SCALE_ARCSEC, side)
    out = np.empty((1, side, side), np.float32)
    return bool(resample(np.zeros(shape, np.float32), grids, out, None, np.inf)[0][0])


ROWS = [20.0, 700.0, FRAME_ROWS - 15.0]  # over the first row, inside, over the last row
BEFORE, BEHIND = ((*KEY[:2], KEY[2] + step) for step in (-1, 1))


@pytest.fixture
def strip(tmp_path):
    """An archive with three fields of one strip, in r; the galaxies lie in the middle one."""
    root, height = tmp_path / "written", FRAME_ROWS + 2 * NEW_ROWS
    image = noise(3, (height, 160))
    with ArchiveServer(tmp_path / "served") as server:
        for number, key in enumerate((BEFORE, KEY, BEHIND)):
            start = number * NEW_ROWS
            y = wcs_of("r").wcs.crpix[1] + NEW_ROWS - start
            path = write_frame(root, "r", image[start : start + FRAME_ROWS], key, CRPIX2=y)
            packed = bz2.compress(path.read_bytes(), 1)
            server.put(TEMPLATE[1:].format(rerun=301, band="r", **numbers(key)), packed)
        yield server


def numbers(key) -> dict[str, int]:
    return dict(zip(("run", "camcol", "field"), key, strict=True))


@pytest.fixture
def cut(tmp_path, strip):
    """Return a function that plans, fetches and cuts, as the two rules do."""

    def run(**changes):
        wanted = SETTINGS | {"bands": ["r"], "grid": "sky", "n_shards": 1, "max_lost_fraction": 1.0}
        wanted |= changes
        sample = galaxies(np.array([[80.0, row] for row in ROWS])).assign(rowc_r=np.add(ROWS, 0.5))
        sample.to_parquet(tmp_path / "sample.parquet")
        archive = {"name": "toy", "kind": "frames", "url": strip.url + TEMPLATE, "rerun": 301}
        manners = Manners(**QUICK, hosts=tmp_path / "hosts")
        reach = reach_rows({"grid_scale_arcsec": None, **wanted}, FRAMES)
        index, counts = fetch_frames(archive, tmp_path / "sample.parquet", ["r"], (0, 1),
                                     tmp_path / "frames", manners, reach)  # fmt: skip
        index.to_parquet(tmp_path / "index.parquet")
        stamps, losses = tmp_path / "0.h5", tmp_path / "losses.csv"
        found = cut_stamps(tmp_path / "sample.parquet", tmp_path / "frames", 0, wanted, stamps,
                           losses, [tmp_path / "index.parquet"])  # fmt: skip
        return counts, found, pd.read_csv(losses)["reason"].tolist()

    return run


def test_neighbours_without_a_galaxy_are_fetched_and_their_stamps_are_whole(cut, strip):
    counts, found, lost = cut()
    assert (counts["fields"], counts["fields_beside"], counts["fetched"]) == (1, 2, 3)
    assert (found["n_out"], lost) == (3, [])
    assert found["n_flagged"]["neighbour"] + found["n_flagged"]["mosaicked"] == 2
    assert {len(seen) for seen in strip.seen.values()} == {1}


@pytest.mark.parametrize(("changes", "n_out"), [({"edge": "lose"}, 1), ({"stamp_pixels": 8}, 3)])
def test_what_no_stamp_needs_is_not_fetched(cut, strip, changes, n_out):
    counts, found, _ = cut(**changes)
    assert (counts["fields_beside"], counts["fetched"], len(strip.seen)) == (0, 1, 1)
    assert found["n_out"] == n_out


def test_the_end_of_a_run_is_no_fault_and_its_galaxies_are_lost_by_name(cut, strip):
    strip.misbehave(TEMPLATE.format(rerun=301, band="r", **numbers(BEHIND)), status=404)
    counts, found, lost = cut()
    assert (counts["missing"], counts["missing_beside"], counts["fetched"]) == (0, 1, 2)
    assert (found["n_out"], found["n_lost"]["edge"]) == (2, 1)
    assert f"; the neighbouring field {BEHIND[2]} has no frame here" in lost[0]
    strip.misbehave(TEMPLATE.format(rerun=301, band="r", **numbers(KEY)), status=404)
    path_of(strip.folder.parent / "frames", "r").with_suffix(".fits.bz2").unlink()
    with pytest.raises(PassingBadInput, match="1 missing"):  # of a field that holds galaxies
        cut()


def test_a_damaged_neighbour_is_one(cut, strip):
    address = TEMPLATE.format(rerun=301, band="r", **numbers(BEFORE))
    strip.misbehave(address, content=bz2.compress(b"SIMPLE"))
    with pytest.raises(PassingBadInput, match="1 damaged"):
        cut()
