"""The width of a frame's point-spread function, measured on its own stars, or not known."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import galsim
import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS
from deep_files import CFHTLS, CFHTLS_BANDS, counts, write_tile
from deep_sky import SEED, asked, objects, sky

from zladder.cutouts import star_width
from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.frames import Frame, Plane
from zladder.cutouts.read_tiles import read_tile
from zladder.cutouts.star_width import known_width, star_fwhm_arcsec
from zladder.survey.tile_files import write_tiles
from zladder.survey.tiles import Tile, lay_tiles
from zladder.tables.stamp_files import flag_value
from zladder.universe.star_moments import adaptive_moments

N_STARS, SIDE = 24, asked()["cfhtls"]["tile_pixels"]
_FOLDER = TemporaryDirectory()  # lives as long as the tests


def sources(tile: Tile, seed: int, **columns: np.ndarray) -> pd.DataFrame:
    """Bright sources anywhere in a tile, of the same flux in all bands; stars but for columns."""
    draw = np.random.default_rng(seed)
    x, y = draw.uniform(15, SIDE - 15, (2, N_STARS))
    found = objects(x, y, 0.0, "ugriz", layer=tile.layer, **columns)
    flux_nmgy = 10 ** (-0.4 * (draw.uniform(18.6, 20.0, N_STARS) - 22.5))
    return found.assign(**{f"disc_flux_{band}_nmgy": flux_nmgy for band in "ugriz"})


@cache
def starry() -> tuple[Path, pd.DataFrame]:
    """Tiles of the mock sky with more stars than so small ones have; folder and index."""
    stars = [sources(tile, number) for number, tile in enumerate(lay_tiles(asked()))]
    scene = pd.concat([sky()["scene_cfhtls"], *stars], ignore_index=True)
    folder = Path(_FOLDER.name)
    return folder, write_tiles(asked(), SEED, scene, folder)


def tile_of(folder: Path, row) -> Frame:
    return read_tile(folder / row.path, row.band, CFHTLS | {"shape": None})


def field(n_stars: int, saturation: float = np.inf, mask=None, seed: int = 1) -> Frame:
    """A frame of noise 1 and stars of GalSim's, 3.4 pixels wide, in pixels of an arcsec."""
    draw = np.random.default_rng(seed)
    image = draw.normal(size=(300, 280)).astype(np.float32)
    canvas = galsim.Image(image, xmin=0, ymin=0)
    star = galsim.Moffat(beta=2.8, fwhm=3.4)
    for x, y in draw.uniform(15, 265, (n_stars, 2)):
        place = galsim.PositionD(x, y)
        stamp = galsim.Image(galsim.BoundsI(int(x) - 30, int(x) + 30, int(y) - 30, int(y) + 30))
        (star * draw.uniform(2e3, 3e4)).drawImage(stamp, center=place, scale=1)
        both = stamp.bounds & canvas.bounds
        canvas[both] += stamp[both]
    wcs = WCS(naxis=2)
    wcs.wcs.cd = np.diag([-1.0, 1.0]) / 3600
    return Frame(
        Path("frame.fits"), np.minimum(canvas.array, saturation), wcs, 1.0, saturation, mask
    )


@pytest.mark.parametrize("band", CFHTLS_BANDS)
def test_widths_on_the_mock_skys_tiles_are_those_that_stars_were_painted_with(band):
    folder, index = starry()
    for row in index[index["band"] == band].itertuples():
        fwhm_arcsec, n_stars = star_fwhm_arcsec(tile_of(folder, row))
        assert fwhm_arcsec == pytest.approx(row.psf_fwhm_arcsec, rel=0.01)
        assert n_stars >= 15


def test_without_stars_nothing_is_known(tmp_path):
    tiles = lay_tiles(asked())
    draw = np.random.default_rng(7)
    parts = [
        sources(tile, 10 + number, disc_radius_arcsec=np.exp(draw.normal(-0.35, 0.5, N_STARS)),
                disc_axis_ratio=draw.uniform(0.2, 1.0, N_STARS),
                position_angle_deg=draw.uniform(0, 180, N_STARS))
        for number, tile in enumerate(tiles)
    ]  # fmt: skip
    index = write_tiles(asked(), SEED, pd.concat(parts), tmp_path)
    for row in index.itertuples():
        assert np.isnan(star_fwhm_arcsec(tile_of(tmp_path, row))[0])
    for n_stars in (0, 4):
        found, n = star_fwhm_arcsec(field(n_stars))
        assert (np.isnan(found), n) == (True, 0)


def test_full_masked_and_missing_pixels_say_nothing():
    plain, n_plain = star_fwhm_arcsec(field(40))
    assert plain == pytest.approx(3.4, rel=0.01)
    full = field(40, saturation=600.0)
    cut_off = full.image >= 600
    assert cut_off.sum() > 20
    fwhm, n_full = star_fwhm_arcsec(full)
    assert fwhm == pytest.approx(3.4, rel=0.01)
    assert 5 <= n_full < n_plain
    mask = np.zeros((300, 280), dtype=np.uint32)
    mask[:, 140:] = flag_value("missing")
    half = field(40, mask=mask)
    half.image[:, 140:] = np.nan
    half.image[::2, 150:] *= np.inf
    fwhm, n_half = star_fwhm_arcsec(half)
    assert fwhm == pytest.approx(3.4, rel=0.02)
    assert 5 <= n_half < n_plain


def test_of_a_large_frame_a_few_strips_are_read(monkeypatch):
    whole, read = field(60, seed=3), []
    n_whole = star_fwhm_arcsec(whole)[1]

    def convert(raw: np.ndarray) -> np.ndarray:
        read.append(raw.shape)
        return raw

    monkeypatch.setattr(star_width, "WHOLE_PIXELS", 1000)
    monkeypatch.setattr(star_width, "STRIP_ROWS", 60)
    monkeypatch.setattr(star_width, "MOST_PIXELS", 2 * 60 * 280)
    striped = Frame(whole.path, Plane(whole.image, convert), whole.wcs, 1.0, np.inf)
    fwhm, n_stars = star_fwhm_arcsec(striped)
    assert read == [(60, 280), (60, 280)]
    assert fwhm == pytest.approx(3.4, rel=0.02)
    assert 5 <= n_stars < n_whole


def test_a_frame_is_measured_once_and_a_cutout_never(caplog):
    caplog.set_level(logging.INFO, "zladder")
    widths: dict[str, float] = {}
    frame = field(40)
    assert known_width(frame, widths) == known_width(frame, widths) == pytest.approx(3.4, rel=0.01)
    assert len(caplog.records) == 1
    assert "frame.fits: width of the point-spread function by" in caplog.text
    small = Frame(Path("cutout.fits"), frame.image[:64, :64], frame.wcs, 1.0, np.inf)
    assert np.isnan(known_width(small, widths))
    assert len(caplog.records) == 1
    with_few = replace(field(2), path=Path("few.fits"))
    assert np.isnan(known_width(with_few, widths))
    assert "few.fits: width of the point-spread function by 0 stars: too few" in caplog.text


def cut(folder: Path, root: Path, sample: pd.DataFrame, **more):
    sample.to_parquet(folder / "sample.parquet")
    settings = CFHTLS | {"edge": "lose"} | more
    found = cut_stamps(folder / "sample.parquet", root, 0, settings, folder / "0.h5",
                       folder / "0.csv")  # fmt: skip
    with h5py.File(folder / "0.h5") as file:
        return found, file["psf_fwhm_arcsec"][()]


def galaxies(n: int = 30) -> pd.DataFrame:
    """Places on the wide tile, away from its edges."""
    tile = lay_tiles(asked())[0]
    ra, dec = tile.plane.to_sky(*np.random.default_rng(9).uniform(60, SIDE - 60, (2, n)))
    table = pd.DataFrame({"object_id": np.arange(n), "ra": ra, "dec": dec})
    return table.assign(**{f"extinction_{band}": 0.0 for band in CFHTLS_BANDS})


def test_stamps_of_a_tile_have_its_width_where_nobody_tells_it(tmp_path, monkeypatch):
    folder, index = starry()
    monkeypatch.setattr("zladder.cutouts.cut._BLOCK_GALAXIES", 10)  # the tile is opened thrice
    measured = []
    real = star_width.star_fwhm_arcsec
    monkeypatch.setattr(star_width, "star_fwhm_arcsec", lambda f: measured.append(f) or real(f))
    sample = galaxies().assign(psf_fwhm_arcsec_r=[1.5, *[np.nan] * 29], psf_fwhm_arcsec_z=0.9)
    found, widths = cut(tmp_path, folder, sample, psf_fwhm_arcsec={"g": 0.85})
    wide = index[index["layer"] == "wide"].set_index("band")["psf_fwhm_arcsec"]
    expected = np.tile([wide["u"], 0.85, wide["r"], wide["i"], 0.9], (30, 1))
    expected[0, 2] = 1.5
    np.testing.assert_allclose(widths, expected, rtol=0.01)
    assert len(measured) == 3  # of u, r and i: nothing else is asked of the pixels
    assert (found["n_out"], found["n_without_psf_width"]) == (30, {})


def test_stamps_of_a_tile_without_stars_are_counted(tmp_path, caplog):
    tile = lay_tiles(asked())[0]
    for band in CFHTLS_BANDS:
        write_tile(tmp_path / tile.file_name(band), counts((SIDE, SIDE)), band,
                   (tile.ra_deg, tile.dec_deg))  # fmt: skip
    found, widths = cut(tmp_path, tmp_path, galaxies(4).assign(psf_fwhm_arcsec_i=0.7))
    assert np.isnan(widths[:, [0, 1, 2, 4]]).all()
    assert found["n_out"] == 4
    assert found["n_without_psf_width"] == dict.fromkeys("ugrz", 4)
    assert "stamps without a width of the point-spread function" in caplog.text


@pytest.mark.parametrize(
    ("beta", "shear", "shift"), [(2.5, 0.0, 0.0), (3.5, 0.15, 0.4), (5.0, -0.25, -0.3)]
)
def test_adaptive_moments_are_galsims(beta, shear, shift):
    star = galsim.Moffat(beta=beta, fwhm=4.0).shear(g1=shear, g2=0.1).shift(shift, -shift / 2)
    image = star.drawImage(nx=33, ny=33, scale=1)
    theirs, ours = image.FindAdaptiveMom(), adaptive_moments(image.array[None].astype(float))
    assert ours.sigma_pixels[0] == pytest.approx(theirs.moments_sigma, rel=1e-3)
    centre = theirs.moments_centroid
    np.testing.assert_allclose([ours.x[0], ours.y[0]], [centre.x - 17, centre.y - 17], atol=1e-4)
    total = ours.xx + ours.yy
    shape = [(ours.xx - ours.yy)[0] / total[0], 2 * ours.xy[0] / total[0]]
    np.testing.assert_allclose(
        shape, [theirs.observed_shape.e1, theirs.observed_shape.e2], atol=1e-3
    )


def test_what_has_no_shape_has_no_moments():
    nothing, even, hot = np.zeros((21, 21)), np.ones((21, 21)), np.zeros((21, 21))
    hot[10, 10] = 1.0
    assert np.isnan(adaptive_moments(np.stack([nothing, -even, even, hot])).sigma_pixels).all()
