"""The deep sky in HSC-like cutouts: native files, training sets, shapes as all surveys see them."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from deep_sky import SEED, asked, cutouts, has_cards, objects, sky
from mock_sky import instrument

from zladder.provenance.digests import file_digest
from zladder.survey.areas import deep_and_wide
from zladder.survey.background import BLOCK, stamp_background
from zladder.survey.coadd import cfhtls_coadd, hsc_coadd
from zladder.survey.collecting import Sky
from zladder.survey.cutout_files import MASK_PLANES
from zladder.survey.cutout_survey import tract_noise, write_cutouts
from zladder.survey.fits_bytes import card_text
from zladder.survey.observing import make_dust
from zladder.survey.painting import paint
from zladder.survey.scene_columns import SHAPE_COLUMNS, stamp_scene_columns, tile_scene_columns
from zladder.survey.simulate import simulate_sky
from zladder.survey.stamp_targets import choose_targets
from zladder.survey.tiles import lay_tiles
from zladder.tables.cutouts import Told
from zladder.tables.hdf5_cutouts import open_hdf5

STAMP_CARDS = {
    "CTYPE1": str, "CTYPE2": str, "CUNIT1": str, "CUNIT2": str, "CRPIX1": float, "CRPIX2": float,
    "CRVAL1": float, "CRVAL2": float, "CD1_1": float, "CD1_2": float, "CD2_1": float,
    "CD2_2": float, "LTV1": int, "LTV2": int,
}  # fmt: skip
SET_KEYS = {
    "image": "<f4", "object_id": "<i8", "ra": "<f8", "dec": "<f8", "coord": "|S64",
    "skymap_id": "<i8", "x_coord": "<f8", "y_coord": "<f8",
    **{f"{band}_cmodel_{end}": "<f8" for band in "grizy" for end in ("mag", "magsigma")},
}  # fmt: skip
SPECZ_KEYS = {
    "specz_redshift": "<f8", "specz_redshift_err": "<f8", "specz_flag_homogeneous": "|b1",
    "specz_name": "|S64", "specz_ra": "<f8", "specz_dec": "<f8", "specz_mag_i": "<f8",
}  # fmt: skip


def test_cutouts_have_image_mask_and_variance_with_their_cards():
    folder, index = cutouts()
    targets = sky()["stamps_hsc"]
    assert len(index) == 5 * len(targets)
    for row in index.itertuples():
        assert row.path == f"{row.band}/{row.object_id}.fits"
        assert file_digest(folder / row.path) == row.digest
    for row in index.iloc[:10].itertuples():
        with warnings.catch_warnings(), fits.open(folder / row.path) as hdus:
            warnings.simplefilter("error")
            hdus.verify("exception")
            primary, image, mask, variance = hdus
            assert primary.data is None
            assert primary.header["FLUXMAG0"] == pytest.approx(63095734448.0194, rel=1e-15)
            assert primary.header["FILTER"] == f"HSC-{row.band.upper()}"
            for hdu, kind in ((image, "IMAGE"), (mask, "MASK"), (variance, "VARIANCE")):
                assert hdu.header["EXTTYPE"] == kind
                assert has_cards(hdu.header, STAMP_CARDS)
                assert hdu.data.shape == (64, 64)
            assert (image.data.dtype, mask.data.dtype) == (">f4", ">i4")
            bits = {name[3:]: bit for name, bit in mask.header.items() if name[:3] == "MP_"}
            assert bits == {name: bit for bit, name in enumerate(MASK_PLANES)}
            counts = 10 ** (0.4 * (27.0 - 22.5))
            sky_variance = (row.sky_sigma_nmgy * counts) ** 2
            assert variance.data.min() == pytest.approx(sky_variance, rel=1e-5)
            detected = (mask.data & 1 << bits["DETECTED"]) > 0
            np.testing.assert_array_equal(detected, image.data > 5 * np.sqrt(sky_variance))
            full = image.data >= np.float32(row.saturation_nmgy * counts)
            np.testing.assert_array_equal((mask.data & 1 << bits["SAT"]) > 0, full)


def test_the_training_sets_have_the_published_keys_and_the_pixels_of_the_files():
    folder, _ = cutouts()
    targets = sky()["stamps_hsc"].set_index("object_id")
    labels = {"specz": SPECZ_KEYS, "photoz": {"lp_zPDF_CLASSIC": "<f8"}}
    for name, keys in labels.items():
        with h5py.File(folder / f"{name}.h5") as file:
            assert {key: file[key].dtype.str for key in file} == SET_KEYS | keys
            ids = file["object_id"][:]
            assert (np.diff(ids) > 0).all()
            assert set(ids) == set(targets.index[targets[f"is_{name}"]])
            assert file["image"].shape == (8, 5, 64, 64)
            assert file["image"].maxshape == (None, 5, 64, 64)
            if name == "specz":
                assert file["specz_name"].shape == (8, 1)
                z = file["specz_redshift"][:]
                np.testing.assert_array_equal(z, targets.loc[ids, "specz_redshift"])
            for row, one in enumerate(ids):
                for k, band in enumerate("grizy"):
                    data = fits.getdata(folder / band / f"{one}.fits", 1)
                    np.testing.assert_array_equal(file["image"][row, k], data)


def test_the_projects_reader_eats_the_training_sets():
    folder, _ = cutouts()
    for name, kind in (("specz", "spec"), ("photoz", "photo")):
        read = open_hdf5(folder / f"{name}.h5", Told())
        assert read.bands == tuple("grizy")
        assert read.pixel_scale_arcsec == 0.168
        assert (read.objects["z_true_kind"] == kind).all()
        block = next(iter(read.blocks(("i",), 64)))
        for row, one in enumerate(read.objects["object_id"]):
            counts = fits.getdata(folder / "i" / f"{one}.fits", 1)
            nmgy = counts * 10 ** (-0.4 * (27.0 - 22.5))
            np.testing.assert_allclose(block[row, 0], nmgy, rtol=1e-5)


def test_one_galaxy_has_one_shape_and_the_same_light_in_both_surveys():
    truth, hsc, cfhtls = sky()["truth"], sky()["scene_hsc"], sky()["scene_cfhtls"]
    assert list(hsc.columns) == stamp_scene_columns("grizy")
    assert list(cfhtls.columns) == tile_scene_columns("ugriz")
    shapes = list(SHAPE_COLUMNS)
    # an angle drawn at random tells the galaxy
    galaxies = truth[~truth["is_star"]].drop_duplicates("position_angle_deg")
    deep = cfhtls[(cfhtls["layer"] == "deep") & (cfhtls["disc_radius_arcsec"] > 0)]
    both = deep.merge(hsc, on="position_angle_deg", suffixes=("_c", "_h"))
    assert len(both) > 10
    for column in shapes:
        if column != "position_angle_deg":
            np.testing.assert_array_equal(both[f"{column}_c"], both[f"{column}_h"])
    known = both.merge(galaxies, on="position_angle_deg")
    assert len(known) == len(both)
    np.testing.assert_array_equal(known["disc_radius_arcsec"], known["disc_radius_arcsec_c"])
    light = [sum(both[f"{part}_flux_i_nmgy_{end}"] for part in ("disc", "bulge")) for end in "ch"]
    assert np.abs(2.5 * np.log10(light[0] / light[1])).median() < 0.1


def test_pixels_show_the_same_size_and_angle_in_both_surveys():
    # a large elongated galaxy as both paint it, without noise: second moments less the seeing's
    shape = {"disc_radius_arcsec": 1.5, "disc_axis_ratio": 0.4, "position_angle_deg": 35.0}
    found = []
    for coadd, bands in ((hsc_coadd(asked()), "grizy"), (cfhtls_coadd(asked(), "deep"), "ugriz")):
        galaxy = objects([64.0], [64.0], 50.0, bands, **shape)
        angle = lay_tiles(asked())[0].plane.angle_rad(galaxy["position_angle_deg"].to_numpy())
        star = objects([64.0], [64.0], 50.0, bands)
        i_band = coadd.bands.index("i")
        moments = [
            second_moments(paint(one, angle, coadd, (1, 128, 128))[0, i_band], coadd.pixel_arcsec)
            for one in (galaxy, star)
        ]
        found.append(moments[0] - moments[1])
    sizes = [np.sqrt(np.trace(one)) for one in found]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.03)
    for one in found:
        # east is left: the long axis leans from +y (north) towards -x (east)
        turn = 0.5 * np.degrees(np.arctan2(-2 * one[0, 1], one[1, 1] - one[0, 0]))
        assert turn == pytest.approx(35.0, abs=1.0)


def second_moments(image: np.ndarray, pixel_arcsec: float) -> np.ndarray:
    """Return <xx>, <xy>; <xy>, <yy> in arcsec^2, of what lies within 8 arcsec."""
    y, x = (np.mgrid[:128, :128] - 64) * pixel_arcsec
    weight = np.where(np.hypot(x, y) < 8, image, 0).astype(float)
    xx, xy, yy = ((weight * one).sum() / weight.sum() for one in (x * x, x * y, y * y))
    return np.array([[xx, xy], [xy, yy]])


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("isprimary", False),
        ("i_extendedness_value", 0.0),
        ("i_blendedness_abs", 0.5),
        ("g_pixelflags_bright_object", True),
        ("y_pixelflags_saturatedcenter", True),
    ],
)
def test_what_the_survey_flags_gets_no_cutout(column, bad):
    deep, _ = deep_and_wide(asked())
    before = choose_targets(SEED, asked(), deep, sky())
    pd.testing.assert_series_equal(before["object_id"], sky()["stamps_hsc"]["object_id"])
    one_each = before.groupby("is_specz")["object_id"].first()
    hsc = sky()["hsc"].copy()
    hsc.loc[hsc["object_id"].isin(one_each), column] = bad
    after = choose_targets(SEED, asked(), deep, sky() | {"hsc": hsc})
    assert not after["object_id"].isin(one_each).any()
    assert len(after) == len(before)


def around(ra: list[float]) -> np.ndarray:
    """Return where objects stand around hosts at declination 1."""
    one = Sky(asked()["sed"], make_dust(asked()["dust"], SEED), SEED)
    hosts = np.array(ra), np.ones(len(ra))
    found = stamp_background(
        one, asked(), instrument("hsc"), hosts, 60.0, lambda _rng, seen: np.isfinite(seen.ra)
    )
    return found.seen.ra


def test_boxes_that_overlap_are_as_crowded_as_others():
    alone = around([150.0])
    assert len(alone) > 20
    np.testing.assert_array_equal(around([150.0, 150.0, 150.0]), alone)
    half = around([150.0, 150.0 + 30 / 3600 / np.cos(np.radians(1.0))])
    apart = around([150.0, 152.0])
    assert np.isin(alone, half).all()
    # Poisson, 4 standard deviations: half of the second box is the first one's
    second = (apart > 151).sum()
    assert abs(len(half) - len(alone) - second / 2) < 4 * np.sqrt(second / 4)


def test_a_stamp_depends_on_its_galaxy_alone(tmp_path):
    folder, index = cutouts()
    fewer = {**asked(), "hsc_images": {**asked()["hsc_images"], "n_specz_stamps": 3}}
    again = simulate_sky(fewer, SEED)
    for name in ("hsc", "cfhtls", "scene_cfhtls", "sdss"):
        pd.testing.assert_frame_equal(again[name], sky()[name])
    sets = {name: tmp_path / f"{name}.h5" for name in ("specz", "photoz")}
    targets, scene = again["stamps_hsc"], again["scene_hsc"]
    found = write_cutouts(asked(), SEED, targets, scene, tmp_path, sets)
    both = found.merge(index, on=["object_id", "band"], suffixes=("", "_before"))
    assert len(both) == len(found) == 5 * len(targets)
    assert len(targets) < len(sky()["stamps_hsc"]) < BLOCK
    # what is painted together decides how its light is rounded, in float32, and nothing else
    for path in both["path"]:
        now, before = (fits.getdata(one / path, 1).astype(float) for one in (tmp_path, folder))
        np.testing.assert_allclose(now, before, rtol=0, atol=3e-7 * np.abs(before).max())


@pytest.mark.parametrize(
    "value", ["O'Hara", np.float64(1.5e-7), np.int64(-3), np.bool_(1), 2.5, 7, True]
)
def test_cards_read_as_what_was_written(value):
    card = fits.Card.fromstring(card_text("KEY", value, "said"))
    card.verify("exception")
    assert (card.value, card.comment) == (value, "said")


def test_stamps_that_overlap_show_the_same_noise():
    first, second = (tract_noise(SEED, 7, corner, 64, 2) for corner in ((1010, 2050), (1033, 2040)))
    np.testing.assert_array_equal(first[:54, 23:], second[10:, :41])
    assert abs(float(first.std()) - 1) < 4 / np.sqrt(2 * first.size)
    assert not np.array_equal(first, tract_noise(SEED, 7, (1010, 2050), 64, 3))
