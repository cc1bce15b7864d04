"""The imaging fields: where they lie, what stands in them, and that catalogue and scene agree."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from mock_sky import settings
from scipy.spatial import cKDTree

from zladder.catalogs.select import select_sample
from zladder.catalogs.standardize import standardize
from zladder.config.imaging import (
    FieldNumber,
    field_numbers,
    fields_of_shard,
    frame_name,
    rendering_settings,
)
from zladder.survey.catalogues import write_native
from zladder.survey.imaging import (
    HEIGHT_PIXELS,
    PIXEL_ARCSEC,
    WIDTH_PIXELS,
    ImagingField,
    lay_fields,
)
from zladder.survey.places import Places
from zladder.survey.scene_columns import scene_columns
from zladder.survey.simulate import simulate_sky
from zladder.survey.spacing import distance_for, spaced_points
from zladder.tables.read import read_table

ROOT = Path(__file__).resolve().parents[2]
SEED = 3
FIELD = ImagingField(FieldNumber(2001, 1, 11), 185.3, 41.0, 117.0)
NUMBERS = ["run", "camcol", "field"]


@cache
def asked() -> dict:
    wanted = settings(n_photoz=20, n_specz=20, n_main=1200, n_deep=800)
    wanted["imaging"]["galaxies_per_field"] = 400
    return wanted


@cache
def sky() -> dict[str, pd.DataFrame]:
    return simulate_sky(asked(), SEED)


@cache
def fields() -> list[ImagingField]:
    return lay_fields(asked(), SEED)


def imaged_truth() -> pd.DataFrame:
    return sky()["truth"].query("run > 0").reset_index(drop=True)


def field_of(numbers: tuple) -> ImagingField:
    return next(one for one in fields() if tuple(one.number) == tuple(numbers))


def wcs(field: ImagingField) -> WCS:
    projection = WCS(naxis=2)
    projection.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    projection.wcs.crpix = [(WIDTH_PIXELS + 1) / 2, (HEIGHT_PIXELS + 1) / 2]
    projection.wcs.crval = [field.ra_deg, field.dec_deg]
    projection.wcs.cd = field.cd
    return projection


def test_fields_are_told_by_the_settings_alone():
    numbers = field_numbers(asked())
    assert numbers == [
        *[FieldNumber(2001, 1 + i, 11 + i) for i in range(3)],
        *[FieldNumber(2002, 1 + i, 11 + i) for i in range(2)],
    ]
    assert [one.number for one in fields()] == numbers
    shards = [fields_of_shard(asked(), shard, 2) for shard in range(2)]
    assert sorted(shards[0] + shards[1]) == sorted(numbers)
    assert all(number.field % 2 == 1 for number in shards[1])
    assert frame_name(numbers[1], "r") == "2001/2/frame-r-002001-2-0012.fits"


def test_painting_depends_on_what_it_reads_and_no_more():
    told = rendering_settings(asked())
    assert set(told) == {"n_main", "n_deep", "sky", "imaging", "sdss"}
    assert field_numbers(told) == field_numbers(asked())
    assert lay_fields(told, SEED) == fields()


def test_the_projection_is_that_of_astropy():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, WIDTH_PIXELS, 50), rng.uniform(0, HEIGHT_PIXELS, 50)
    ra, dec = FIELD.to_sky(x, y)
    expected = wcs(FIELD).all_pix2world(x, y, 0)
    np.testing.assert_allclose([ra, dec], expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(FIELD.to_pixels(ra, dec), [x, y], rtol=0, atol=1e-6)
    assert np.linalg.det(FIELD.cd) == pytest.approx(-((PIXEL_ARCSEC / 3600) ** 2))


@pytest.mark.parametrize("position_angle", [0.0, 30.0, 130.0])
def test_position_angles_are_kept_on_the_pixels(position_angle):
    ra, dec = FIELD.to_sky(np.array([900.0]), np.array([700.0]))
    start = SkyCoord(ra, dec, unit="deg")
    moved = start.directional_offset_by(position_angle * units.deg, 5 * units.arcsec)
    x, y = FIELD.to_pixels(moved.ra.deg, moved.dec.deg)
    angle = np.arctan2(y - 700.0, x - 900.0)
    found = FIELD.angle_rad(np.array([position_angle]))
    assert np.cos(angle - found)[0] == pytest.approx(1.0, abs=1e-5)


def test_fields_do_not_overlap_and_lie_behind_dust_of_their_own():
    centres = SkyCoord([one.ra_deg for one in fields()], [one.dec_deg for one in fields()],
                       unit="deg")  # fmt: skip
    apart = centres[:, None].separation(centres[None]).deg + np.eye(len(centres))
    assert apart.min() > np.hypot(WIDTH_PIXELS, HEIGHT_PIXELS) * PIXEL_ARCSEC / 3600
    ebv = imaged_truth().groupby(NUMBERS)["ebv_mag"].mean()
    assert ebv.std() > 0.2 * ebv.mean()
    assert len({one.turn_deg for one in fields()}) == len(fields())


@pytest.mark.parametrize(("name", "run", "n"), [("sdss", 2001, 1200), ("sdss_deep", 2002, 800)])
def test_listed_galaxies_lie_in_their_frames_off_the_edge_and_apart(name, run, n):
    table, n_fields = sky()[name], n // 400
    assert (table["run"] == run).all()
    assert (table["rerun"] == 301).all()
    assert table.groupby(NUMBERS).ngroups == n_fields
    galaxies = sky()["truth"].query("contaminant == ''")
    table = table[table["objID"].isin(galaxies["objID"])]
    assert n <= len(table) < 1.03 * n
    for numbers, part in table.groupby(NUMBERS):
        x, y = field_of(numbers).to_pixels(part["ra"].to_numpy(), part["dec"].to_numpy())
        assert min(x.min(), y.min()) > 32  # 34, and the error of the listed position
        assert x.max() < WIDTH_PIXELS - 33
        assert y.max() < HEIGHT_PIXELS - 33
        nearest = cKDTree(np.stack([x, y], axis=1)).query(np.stack([x, y], axis=1), k=2)[0][:, 1]
        assert nearest.min() > 50  # 58 pixels by `distance_for`, less errors


def test_identifiers_are_made_of_the_fields_numbers():
    table = pd.concat([sky()["sdss"], sky()["sdss_deep"]])
    ids = table["objID"].to_numpy()
    assert len(np.unique(ids)) == len(ids)
    for shift, bits, name in ((48, 11, "rerun"), (32, 16, "run"), (29, 3, "camcol"),
                              (16, 12, "field")):  # fmt: skip
        np.testing.assert_array_equal((ids >> shift) & (2**bits - 1), table[name])
    assert (ids >> 59 == 2).all()


def test_the_deeper_sample_has_no_redshifts_and_its_own_limit():
    deep = sky()["sdss_deep"]
    assert not {"z", "zErr", "zWarning", "specObjID"} & set(deep.columns)
    corrected = (deep["modelMag_r"] - deep["extinction_r"])[deep["modelMag_r"] > 0]
    assert 18.1 < corrected.max() <= 18.2
    assert (corrected > 17.8).mean() > 0.2


def test_the_scene_and_the_truth_have_the_same_objects():
    scene, truth = sky()["scene"], imaged_truth()
    assert list(scene.columns) == scene_columns("ugriz")
    pd.testing.assert_frame_equal(scene[NUMBERS], truth[NUMBERS])
    for numbers, part in truth.groupby(NUMBERS):
        x, y = field_of(numbers).to_pixels(part["ra"].to_numpy(), part["dec"].to_numpy())
        placed = scene.loc[part.index, ["x_pixel", "y_pixel"]].to_numpy()
        np.testing.assert_allclose(np.stack([x, y], axis=1), placed, rtol=0, atol=1e-6)
    listed = truth[truth["objID"] > 0]
    assert len(listed) == len(sky()["sdss"]) + len(sky()["sdss_deep"])
    others = sky()["truth"].query("run < 0")
    assert (others[["camcol", "field"]] == -1).all(axis=None)
    assert others["half_light_radius_kpc"].isna().all()


def test_pixels_have_the_catalogues_light():
    # the catalogue adds photon noise to what the scene holds: at r < 17, some per cent at most
    scene, truth = sky()["scene"], imaged_truth()
    total = scene["disc_flux_r_nmgy"] + scene["bulge_flux_r_nmgy"]
    truth = truth[truth["contaminant"] == ""]
    total = total[truth.index]
    scene_mag = pd.Series(22.5 - 2.5 * np.log10(total), name="scene_mag")
    joined = truth.join(scene_mag).merge(sky()["sdss"], on="objID")
    joined = joined[joined["modelMag_r"].between(0, 17)]
    difference = joined["modelMag_r"] - joined["scene_mag"]
    assert len(joined) > 200
    assert difference.abs().median() < 0.01
    extinction = joined["scene_mag"] - joined["mag_sdss_r"]
    ratio = extinction / joined["ebv_mag"]
    assert ratio.median() == pytest.approx(2.3, abs=0.15)


def test_neighbours_are_faint_unlisted_and_beside_listed_galaxies():
    block, scene, truth = asked()["imaging"], sky()["scene"], imaged_truth()
    listed = (truth["objID"] > 0) & (truth["contaminant"] == "")
    beside = (truth["objID"] < 0) & ~truth["is_star"]
    in_blends = truth.query("contaminant == 'blend'")["blended_with"]
    beside.loc[in_blends - (len(sky()["truth"]) - len(truth))] = False  # rows of all the truth
    assert beside.sum() == pytest.approx(block["neighbour_share"] * listed.sum(), abs=2)
    flux = scene["disc_flux_r_nmgy"] + scene["bulge_flux_r_nmgy"]
    r_mag = 22.5 - 2.5 * np.log10(flux[beside])
    assert r_mag.between(18.4, 21.6).all()  # 18.5-21.5, and the calibration
    nearest, farthest = np.array(block["neighbour_distance_arcsec"]) / PIXEL_ARCSEC
    for _, part in truth.groupby(NUMBERS):
        place = scene.loc[part.index, ["x_pixel", "y_pixel"]].to_numpy()
        chosen = beside[part.index].to_numpy()
        distance, _ = cKDTree(place[listed[part.index]]).query(place[chosen])
        assert distance.max() < farthest + 0.01
        assert np.median(distance) > nearest


def test_stars_are_points_and_a_few_are_bright():
    scene, truth, block = sky()["scene"], imaged_truth(), asked()["imaging"]
    stars = scene[truth["is_star"] & (truth["objID"] < 0)]
    per_field = block["stars_per_field"] + block["bright_stars_per_field"]
    assert (stars.groupby(NUMBERS).size() == per_field).all()
    assert (stars[["disc_radius_arcsec", "bulge_radius_arcsec", "bulge_flux_r_nmgy"]] == 0).all(
        axis=None
    )
    bright = stars["disc_flux_i_nmgy"] > 10 ** (-0.4 * (12.5 - 22.5))
    assert (bright.groupby([stars[name] for name in NUMBERS]).sum() == 2).all()


def test_more_of_one_sample_leaves_the_other_as_it_was():
    wanted = settings(n_photoz=20, n_specz=20, n_main=200, n_deep=100)
    more = simulate_sky(wanted | {"n_deep": 150}, SEED)
    fewer = simulate_sky(wanted, SEED)
    pd.testing.assert_frame_equal(fewer["sdss"], more["sdss"])


def test_the_frame_of_a_galaxy_survives_to_its_sample(tmp_path):
    for name in ("mock_sdss", "mock_sdss_deep"):
        survey = yaml.safe_load((ROOT / f"config/surveys/{name}.yaml").read_text(encoding="utf-8"))
        file = tmp_path / survey["source"]["simulated"]
        native = sky()[file.stem]
        write_native({file.stem: native}, {file.stem: file})
        table, _ = standardize(read_table(file, "csv"), survey, file, "all")
        cuts = [{"name": "measured in every band", "finite": ["mag_u", "mag_r"]}]
        chosen = {"name": name, "deredden": True, "cuts": cuts}
        sample, _ = select_sample(table, table, None, chosen, file)
        joined = sample.merge(native, left_on="object_id", right_on="objID", suffixes=("", "_n"))
        assert len(joined) == len(sample) > 0.95 * len(native)
        for column in NUMBERS:
            assert sample[column].dtype == np.int64
            np.testing.assert_array_equal(joined[column], joined[f"{column}_n"])
        assert ("z_true" in sample) == (name == "mock_sdss")


def test_points_keep_their_distance_and_a_crowd_is_refused():
    rng = np.random.default_rng(4)
    distance = distance_for(500, 1.0)
    points = spaced_points(lambda n: rng.random((n, 2)), 500, distance)
    assert points.shape == (500, 2)
    assert cKDTree(points).query(points, k=2)[0][:, 1].min() >= distance
    with pytest.raises(ValueError, match="no room for 500 points"):
        spaced_points(lambda n: rng.random((n, 2)), 500, 2 * distance, 20)


def test_places_are_given_once_and_first_come():
    places = Places(np.random.default_rng(5), [FIELD], 20, 40)
    assert len(places.ra) == 26
    rng, taken = np.random.default_rng(6), []
    for n in (10, 60, 60):
        ra, _ = places.draw(rng, n)
        kept = np.arange(n) % 3 == 0
        got = places.take(kept)
        assert not (got & ~kept).any()
        first = {
            place: row for row, place in reversed(list(enumerate(places.offered))) if kept[row]
        }
        assert sorted(np.flatnonzero(got)) == sorted(first.values())
        taken += ra[got].tolist()
    assert len(set(taken)) == len(taken) <= 26
