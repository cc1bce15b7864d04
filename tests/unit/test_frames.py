"""Frames of the mock sky: SDSS's layout, the noise that was asked for, objects where they are."""

from __future__ import annotations

import bz2
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import render_frames
import torch
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from mock_sky import settings

from zladder.config.imaging import FieldNumber, fields_of_shard, rendering_settings
from zladder.cutouts.read_sdss import frame_path, read_frame
from zladder.provenance.digests import canonical_json, file_digest
from zladder.provenance.errors import BadInput
from zladder.provenance.sidecar import read_sidecar
from zladder.survey.conditions import Conditions, draw_conditions, pixel_sigma_nmgy
from zladder.survey.frame_files import (
    INDEX_COLUMNS,
    frame_index,
    rounded,
    with_noise,
    write_field,
)
from zladder.survey.imaging import HEIGHT_PIXELS, WIDTH_PIXELS, ImagingField, lay_fields
from zladder.survey.measured_shards import read_image
from zladder.survey.painting import EDGE_SHARE, STAMP_SIZES, light_of, paint_field, stamp_sizes
from zladder.survey.renderer import make_seeing, render
from zladder.survey.scene_columns import SHAPE_COLUMNS, scene_columns
from zladder.survey.shards import render_shard

SEED = 3
BANDS = "ugriz"
NUMBER = FieldNumber(2001, 1, 11)


@cache
def asked() -> dict:
    wanted = settings(n_main=40, n_deep=10)  # fields 11 and 12, and another 11
    wanted["imaging"]["galaxies_per_field"] = 30
    return rendering_settings(wanted) | {"seed": SEED}


@cache
def field() -> ImagingField:
    return lay_fields(asked(), SEED)[0]


@cache
def conditions() -> Conditions:
    return draw_conditions(asked(), SEED, NUMBER)


def scene(x: list[float], y: list[float], flux_nmgy: float, **shape: float) -> pd.DataFrame:
    """Return stars of one flux in every band at these pixels, or discs where a size is given."""
    given = dict.fromkeys(SHAPE_COLUMNS, 0.0) | {"disc_axis_ratio": 1.0, "bulge_axis_ratio": 1.0}
    columns = dict(NUMBER._asdict()) | {"x_pixel": x, "y_pixel": y} | given | shape
    fluxes = {f"disc_flux_{band}_nmgy": flux_nmgy for band in BANDS}
    fluxes |= {f"bulge_flux_{band}_nmgy": 0.0 for band in BANDS}
    return pd.DataFrame(columns | fluxes)[scene_columns(BANDS)]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, pd.DataFrame, pd.DataFrame]:
    """The frames of one field with nine stars, of which the last saturates."""
    folder = tmp_path_factory.mktemp("frames")
    stars = scene(
        [200.25, 700.0, 1200.5, 1800.1, 300.7, 900.4, 1500.9, 2046.0, 1000.0],
        [200.0, 300.3, 250.5, 900.8, 800.2, 1100.6, 1300.0, 700.0, 700.0],
        1000.0,
    )
    stars.loc[8, [f"disc_flux_{band}_nmgy" for band in BANDS]] = 3e5
    rows = write_field(folder, field(), stars, asked(), SEED)
    return folder, stars, frame_index(rows)


def read(written: tuple[Path, pd.DataFrame, pd.DataFrame], band: str) -> fits.HDUList:
    folder, _, index = written
    path = index.set_index("band").loc[band, "path"]
    return fits.open(folder / path, memmap=False)


def test_a_frame_has_the_layout_of_the_archive(written):
    folder, _, index = written
    assert (folder / "2001/1/frame-r-002001-1-0011.fits").is_file()
    with read(written, "r") as file:
        assert len(file) == 4
        assert file[0].data.shape == (HEIGHT_PIXELS, WIDTH_PIXELS)
        assert file[0].header["BITPIX"] == -32
        assert file[1].data.shape == (WIDTH_PIXELS,)
        assert file[1].header["BITPIX"] == -32
        sky = file[2].data
        assert len(sky) == 1
        assert sky["ALLSKY"].shape == (1, 192, 256)
        assert sky["XINTERP"].shape == (1, WIDTH_PIXELS)
        assert sky["YINTERP"].shape == (1, HEIGHT_PIXELS)
        assert sky["XINTERP"].min() >= -0.5
        assert sky["XINTERP"].max() <= 255.5
        header = file[0].header
        wanted = {"RUN": 2001, "CAMCOL": 1, "FRAME": 11, "RERUN": "301", "FILTER": "r",
                  "BUNIT": "nanomaggy", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN",
                  "CUNIT1": "deg", "EXPTIME": 53.907456, "EQUINOX": 2000.0, "TELESCOP": "2.5m",
                  "ORIGIN": "SDSS", "FLAVOR": "science"}  # fmt: skip
        assert {key: header[key] for key in wanted} == wanted
        for key in ("STRIPE", "STRIP", "TAI", "SYS_SCN", "RADECSYS", "NMGYIVAR"):
            assert key in header
        assert header["NMGY"] == pytest.approx(file[1].data[0], rel=1e-6)
        assert "overdense: 30 listed galaxies, not about 3" in str(header["COMMENT"])
    assert list(index.columns) == list(INDEX_COLUMNS)
    assert index["band"].tolist() == list(BANDS)


def test_packed_frames_hold_the_same_and_are_read_the_same(written, tmp_path):
    plain_folder, stars, plain_index = written
    packed = asked() | {"imaging": asked()["imaging"] | {"compression": "bz2"}}
    rows = frame_index(write_field(tmp_path, field(), stars, packed, SEED))
    assert rows["path"].str.endswith(".fits.bz2").all()
    key = (NUMBER.run, NUMBER.camcol, NUMBER.field)
    expected = {"pixel_scale_arcsec": 0.396, "shape": None, "key": key}
    for name, plain_name, digest in zip(
        rows["path"], plain_index["path"], rows["digest"], strict=True
    ):
        assert (
            bz2.decompress((tmp_path / name).read_bytes())
            == (plain_folder / plain_name).read_bytes()
        )
        assert file_digest(tmp_path / name) == digest
    assert frame_path(tmp_path, key, "g") == tmp_path / "2001/1/frame-g-002001-1-0011.fits.bz2"
    here, there = (
        read_frame(frame_path(folder, key, "g"), "g", expected)
        for folder in (tmp_path, plain_folder)
    )
    np.testing.assert_array_equal(here.image, there.image)
    assert here.sky_sigma_nmgy == there.sky_sigma_nmgy
    measured = read_image(frame_path(tmp_path, key, "g"))  # what the mock's photometry reads
    np.testing.assert_array_equal(measured, there.image)


def test_the_header_tells_where_the_stars_are(written):
    _, stars, _ = written
    with read(written, "i") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)  # RADECSYS, as in the real files
        projection, image = WCS(file[0].header), file[0].data.astype(float)
    x, y = stars["x_pixel"].to_numpy(), stars["y_pixel"].to_numpy()
    np.testing.assert_allclose(
        projection.all_pix2world(x, y, 0), field().to_sky(x, y), rtol=0, atol=1e-9
    )
    assert abs(projection.wcs.cd[0, 1]) > 1e-6  # north is not up
    for row in range(7):  # bright, whole, not full: the centroid is good to 0.01 pixels
        column, line = round(x[row]), round(y[row])
        stamp = image[line - 8 : line + 9, column - 8 : column + 9]
        offset = np.arange(-8, 9)
        found_x = column + (stamp.sum(axis=0) * offset).sum() / stamp.sum()
        found_y = line + (stamp.sum(axis=1) * offset).sum() / stamp.sum()
        assert found_x == pytest.approx(x[row], abs=0.02)
        assert found_y == pytest.approx(y[row], abs=0.02)
        assert stamp.sum() == pytest.approx(1000.0, rel=0.02)


def test_an_empty_pixel_has_the_noise_of_the_index(written):
    # 2.9 million pixels give a standard deviation to 0.04 %: the bound is 10 of them
    _, _, index = written
    for row in index.itertuples():
        with read(written, row.band) as file:
            corner = file[0].data[:650, 1300:1750]
            counts = file[2].data["ALLSKY"].mean()
            per_count = file[0].header["NMGY"]
        empty = corner[np.abs(corner) < 6 * row.sky_sigma_nmgy]
        assert empty.std() == pytest.approx(row.sky_sigma_nmgy, rel=0.004)
        assert abs(empty.mean()) < 0.02 * row.sky_sigma_nmgy
        position = BANDS.index(row.band)
        gain = conditions().electrons_per_count[position]
        dark = conditions().dark_variance_counts2[position]
        assert row.sky_sigma_nmgy == pytest.approx(per_count * np.sqrt(counts / gain + dark))


def test_full_pixels_stand_at_the_value_of_the_header(written):
    _, _, index = written
    for row in index.itertuples():
        with read(written, row.band) as file:
            image, full = file[0].data, file[0].header["SATURATE"]
        assert full == row.saturation_nmgy
        assert image.max() == full
        lines, columns = np.nonzero(image >= full)
        assert len(lines) >= 5
        assert np.hypot(lines - 700, columns - 1000).max() < 30


def test_values_have_ten_binary_digits(written):
    with read(written, "z") as file:
        mantissa, _ = np.frexp(file[0].data)
    scaled = mantissa * 2**10
    np.testing.assert_array_equal(scaled, np.round(scaled))
    values = np.array([1.0, 1.0 + 2**-9, 1.0 + 2**-10, 1.0 + 2**-11, -3.14159, 0.0], np.float32)
    by_hand = [1.0, 1.0 + 2**-9, 1.0 + 2**-9, 1.0, -1608 / 512, 0.0]
    np.testing.assert_array_equal(rounded(values), np.array(by_hand, np.float32))


def test_the_index_knows_the_files(written):
    folder, stars, index = written
    assert frame_index([]).dtypes.equals(index.dtypes)
    for row in index.itertuples():
        assert file_digest(folder / row.path) == row.digest
        assert row.n_objects == len(stars)
    np.testing.assert_allclose(index["psf_fwhm_arcsec"], conditions().seeing_fwhm_arcsec)


def test_light_makes_noise_of_its_own():
    # 250,000 pixels give a standard deviation to 0.14 %: seven of them
    bright = np.full((500, 500), 50.0, dtype=np.float32)
    noisy = with_noise(np.random.default_rng(1), bright, conditions(), 2)
    per_electron = conditions().nmgy_per_count[2] / conditions().electrons_per_count[2]
    expected = np.sqrt(50.0 * per_electron + conditions().sky_sigma_nmgy[2] ** 2)
    assert noisy.std() == pytest.approx(expected, rel=0.01)
    assert noisy.mean() == pytest.approx(50.0, rel=1e-4)


def test_the_depth_is_that_of_a_star_fitted_with_its_profile():
    # 1,000 optimal fits to empty frames: the spread is known to 2.2 %, four of them
    block = asked()["imaging"]
    sigma = pixel_sigma_nmgy(np.array([22.7]), np.array([1.3]), block["moffat_beta"])[0]
    seeing = make_seeing(np.array([1.3 / 0.396] * 5), block["moffat_beta"])
    star = render(light_of(field(), scene([50.0], [50.0], 1.0), tuple(BANDS)), seeing, 48)
    profile = star[0, 2].numpy().astype(float)
    noise = sigma * np.random.default_rng(2).normal(size=(1000, 48, 48))
    fluxes = (noise * profile).sum(axis=(1, 2)) / (profile**2).sum()
    assert fluxes.std() == pytest.approx(10 ** (-0.4 * (22.7 - 22.5)) / 5, rel=0.09)


def test_seeing_and_sky_differ_from_field_to_field_and_are_as_asked():
    block = asked()["imaging"]
    many = [draw_conditions(asked(), SEED, FieldNumber(2001, 1, 11 + i)) for i in range(200)]
    seeing = np.array([one.seeing_fwhm_arcsec for one in many])
    median = [block["seeing_fwhm_arcsec"][band] for band in BANDS]
    # the median of 200 is good to 0.5 %: five of them
    np.testing.assert_allclose(np.median(seeing, axis=0), median, rtol=0.027)
    assert np.log(seeing[:, 2]).std() == pytest.approx(block["seeing_scatter_ln"], rel=0.25)
    assert seeing.min() > 1.0
    assert seeing.max() < 1.8
    assert draw_conditions(asked(), SEED, NUMBER).sky_counts.tolist() == (
        conditions().sky_counts.tolist()
    )


def test_a_depth_beyond_the_detector_is_refused():
    deep = settings(n_main=30, n_deep=10)
    deep["imaging"]["psf_depth_5sigma_mag"]["u"] = 26.0
    with pytest.raises(BadInput) as caught:
        draw_conditions(rendering_settings(deep), SEED, NUMBER)
    assert caught.value.place == "survey/imaging/psf_depth_5sigma_mag/u"
    assert "noise to the sky" in caught.value.expected
    assert "detector noise alone is more" in caught.value.found


def test_large_objects_get_large_stamps_and_no_visible_edge():
    radii = [0.5, 2.0, 6.0, 15.0]
    discs = scene([1024.0] * 4, [700.0] * 4, 500.0, disc_radius_arcsec=radii)
    sizes = stamp_sizes(discs, conditions())
    assert sizes.tolist() == sorted(sizes.tolist())
    assert set(sizes) <= set(STAMP_SIZES)
    assert sizes[0] < sizes[-1]
    for row in range(4):
        image = paint_field(field(), discs.iloc[[row]], conditions())
        half = sizes[row] // 2
        edge = image[:, 700, 1024 - half]
        assert (edge < 1.5 * EDGE_SHARE * conditions().sky_sigma_nmgy).all()
        assert image[:, 700, 1024 - half - 1].max() == 0
        assert image.sum(axis=(1, 2)) == pytest.approx(500.0, rel=0.03)


def test_objects_at_the_edge_are_cut_off_and_those_outside_leave_no_light():
    outside = scene([-300.0], [5000.0], 100.0)
    assert paint_field(field(), outside, conditions()).max() == 0
    half = paint_field(field(), scene([-0.5], [700.0], 100.0), conditions())
    assert half.sum(axis=(1, 2)) == pytest.approx(50.0, rel=0.01)
    assert half[2].argmax() // WIDTH_PIXELS == 700
    assert paint_field(field(), outside.iloc[:0], conditions()).shape[0] == 5


def test_a_disc_turns_with_its_field():
    # the long axis points at the position angle on the sky
    angle = 40.0
    disc = scene([1000.0], [700.0], 500.0, disc_radius_arcsec=3.0, disc_axis_ratio=0.25,
                 position_angle_deg=angle)  # fmt: skip
    image = paint_field(field(), disc, conditions())[2].astype(float)
    y, x = np.mgrid[:HEIGHT_PIXELS, :WIDTH_PIXELS] - np.array([700, 1000])[:, None, None]
    xx, yy, xy = ((image * product).sum() for product in (x * x, y * y, x * y))
    along = 0.5 * np.arctan2(2 * xy, xx - yy)
    ra, dec = field().to_sky(1000 + 5 * np.cos([along]), 700 + 5 * np.sin([along]))
    ra_0, dec_0 = field().to_sky(np.array([1000.0]), np.array([700.0]))
    east, north = (ra - ra_0) * np.cos(np.radians(dec_0)), dec - dec_0
    assert np.degrees(np.arctan2(east, north))[0] % 180 == pytest.approx(angle, abs=1.0)


def test_the_program_writes_a_shard_and_again_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "set_num_threads", lambda _n: None)
    table = scene([100.0, 500.0, 70.0], [300.0, 900.0, 20.0], 50.0)
    other = table.iloc[:2].assign(**FieldNumber(2001, 2, 12)._asdict())
    pd.concat([table, other]).to_parquet(tmp_path / "scene.parquet", index=False)
    digests = []
    for attempt in ("first", "second"):
        frames = tmp_path / attempt
        # of an earlier setting, of another shard, not ours: the first two are not in the index
        packed, gone, other_shard, foreign = (
            frames / name for name in (
                "2001/2/frame-r-002001-2-0012.fits.bz2", "1999/1/frame-g-001999-1-0014.fits",
                "1999/1/frame-g-001999-1-0013.fits", "2001/2/notes.fits",
            )
        )  # fmt: skip
        for path in (packed, gone, other_shard, foreign):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"old")
        arguments = [
            "--scene", str(tmp_path / "scene.parquet"), "--settings", canonical_json(asked()),
            "--shard", "0", "--n-shards", "2", "--index", str(frames / "0.parquet"),
            "--sidecar", str(frames / "0.json"), "--log", str(frames / "log"),
        ]  # fmt: skip
        assert render_frames.main(arguments) == 0
        index = pd.read_parquet(frames / "0.parquet")
        assert len(index) == 5  # the field with the number 12
        assert all((frames / path).is_file() for path in index["path"])
        assert {path.name[0] for path in frames.rglob("*")} <= set("0123456789lfn")  # no partial
        assert not packed.exists()  # a reader would find two of one frame
        assert not gone.exists()
        assert other_shard.read_bytes() == foreign.read_bytes() == b"old"
        counts = {"objects_in": 5, "objects_of_shard": 2, "objects_painted": 2}
        counts["old_frames_removed"] = 2
        assert read_sidecar(frames / "0.json")["counts"] == counts
        digests.append(index["digest"].tolist())
    assert digests[0] == digests[1]


def test_a_shard_may_be_empty(tmp_path):
    scene([100.0], [300.0], 50.0).to_parquet(tmp_path / "scene.parquet", index=False)
    assert fields_of_shard(asked(), 0, 5) == []
    rows, counts = render_shard(asked(), tmp_path / "scene.parquet", (0, 5), tmp_path)
    assert rows == []
    assert counts == {"objects_in": 1, "objects_of_shard": 0, "objects_painted": 0}
    assert frame_index(rows).empty


@pytest.mark.parametrize(
    ("change", "place", "expected", "found"),
    [
        ({"field": 77}, "columns run, camcol, field", "the fields of the settings", "77"),
        ({"x_pixel": None}, "column 'x_pixel'", "x_pixel", ""),
    ],
)
def test_a_scene_of_another_sky_is_refused(tmp_path, change, place, expected, found):
    table = scene([100.0], [300.0], 50.0)
    for name, value in change.items():
        table = table.drop(columns=name) if value is None else table.assign(**{name: value})
    table.to_parquet(tmp_path / "scene.parquet", index=False)
    with pytest.raises(BadInput) as caught:
        render_shard(asked(), tmp_path / "scene.parquet", (1, 2), tmp_path)
    assert caught.value.file == str(tmp_path / "scene.parquet")
    assert place in caught.value.place
    assert expected in caught.value.expected
    assert found in caught.value.found
    assert not (tmp_path / "2001").exists()
