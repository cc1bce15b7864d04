"""The deep sky in two further surveys: native files and columns, the same galaxies in all."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import render_cfhtls
import render_hsc
import torch
import yaml
from astropy.io import fits
from astropy.wcs import WCS
from deep_sky import SEED, asked, cutouts, objects, optimal_sigma, sky, tiles
from galsim import Moffat
from mock_sky import instrument
from scipy.stats import spearmanr

from zladder.catalogs.standardize import standardize
from zladder.config.documents import read_yaml
from zladder.config.imaging import stamp_settings, tile_settings
from zladder.provenance.digests import canonical_json, file_digest
from zladder.survey.background import BLOCK, tile_background
from zladder.survey.catalogues import write_native
from zladder.survey.coadd import cfhtls_coadd, hsc_coadd
from zladder.survey.collecting import Sky
from zladder.survey.cutout_files import MASK_PLANES
from zladder.survey.cutout_survey import write_cutouts
from zladder.survey.observing import make_dust
from zladder.survey.painting import paint
from zladder.survey.scene_columns import SHAPE_COLUMNS, stamp_scene_columns, tile_scene_columns
from zladder.survey.second_look import look_again
from zladder.survey.simulate import simulate_sky
from zladder.survey.stars import draw_stars, same_stars, star_magnitudes
from zladder.survey.tile_files import write_tiles
from zladder.survey.tiles import lay_tiles, sexagesimal
from zladder.tables.cutouts import Told
from zladder.tables.hdf5_cutouts import open_hdf5
from zladder.tables.read import read_table

ROOT = Path(__file__).resolve().parents[2]
CAT_COLUMNS = [
    *("id", "x", "y", "ra", "dec", "r2", "flag", *"ugriz"),
    *(f"{band}err" for band in "ugriz"),
    "e(b-v)",
    *(f"{band}(SExflag)" for band in "ugriz"),
    *("dk", "FIELD"),
]
TILE_CARDS = {
    "BITPIX": int, "NAXIS1": int, "NAXIS2": int, "FILTER": str, "BUNIT": str, "PHOTZP": float,
    "EXPTIME": float, "GAIN": float, "SATURATE": float, "EQUINOX": float, "RADESYS": str,
    "CTYPE1": str, "CTYPE2": str, "CUNIT1": str, "CUNIT2": str, "CRPIX1": float, "CRPIX2": float,
    "CRVAL1": float, "CRVAL2": float, "CD1_1": float, "CD1_2": float, "CD2_1": float,
    "CD2_2": float,
}  # fmt: skip
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


def has_cards(header: fits.Header, cards: dict[str, type]) -> bool:
    return {name: type(header[name]) for name in cards} == cards


# ---------------------------------------------------------------- the CFHTLS-like survey


def test_tiles_have_the_names_and_cards_of_the_real_ones():
    folder, index = tiles()
    assert index.groupby(["layer", "band"]).ngroups == len(index) == 10
    for row in index.itertuples():
        tile = next(one for one in lay_tiles(asked()) if one.layer == row.layer)
        position = sexagesimal(tile.ra_deg, tile.dec_deg)
        name = {"wide": "W", "deep": "D-85"}[row.layer]
        assert row.path == f"CFHTLS_{name}_{row.band}_{position}_T0007_MEDIAN.fits"
        assert file_digest(folder / row.path) == row.digest
        with fits.open(folder / row.path) as hdus:
            hdus.verify("exception")
            [primary] = hdus
            assert has_cards(primary.header, TILE_CARDS)
            assert primary.header["PHOTZP"] == 30.0
            assert primary.header["FILTER"] == row.band
            assert primary.data.shape == (512, 512)
            assert primary.data.dtype == ">f4"
            assert np.isfinite(primary.data).all()
            # most of it is sky: its spread is the index's, in counts of zero point 30
            low, middle = np.percentile(primary.data, [15.87, 50])
            sigma = row.sky_sigma_nmgy * 10 ** (0.4 * (30.0 - 22.5))
            assert middle - low == pytest.approx(sigma, rel=0.12)  # faint objects widen it


def test_positions_are_told_in_names_as_sexagesimals():
    assert sexagesimal(150.119166, 2.209722) == "100029+021235"
    assert sexagesimal(359.9999, -4.2) == "000000-041200"


def test_the_catalogue_has_the_real_columns_and_reads_as_any_survey(tmp_path):
    table, file = sky()["cfhtls"], tmp_path / "cfhtls.cat"
    assert list(table.columns) == CAT_COLUMNS
    write_native({"cfhtls": table}, {"cfhtls": file})
    first, second = file.read_text(encoding="utf-8").splitlines()[:2]
    assert "ra, dec: deg" in first
    assert second == f"# {' '.join(CAT_COLUMNS)}"
    raw = read_table(file, "whitespace")
    assert list(raw.columns) == CAT_COLUMNS
    surveys = ROOT / "config" / "surveys"
    real = yaml.safe_load((surveys / "cfhtls_t0007.yaml").read_text(encoding="utf-8"))
    mock = read_yaml(surveys / "mock_cfhtls.yaml")
    assert (mock["like"], mock["source"]) == ("cfhtls_t0007", {"simulated": "cfhtls.cat"})
    read, _ = standardize(raw, {**real, "name": "mock_cfhtls"}, file, "all")
    assert len(read) == len(table)
    assert read["object_id"].is_unique
    joined = read.merge(table, left_on="object_id", right_on="id", suffixes=("", "_native"))
    for band in "ugriz":
        seen = joined[band] < 99
        np.testing.assert_allclose(
            joined.loc[seen, f"mag_{band}"], joined.loc[seen, band], atol=1e-3
        )
        assert np.isinf(joined.loc[~seen, f"mag_{band}"]).all()
    np.testing.assert_allclose(joined["ebv_mag"], joined["e(b-v)"], atol=1e-3)


def test_listed_positions_are_pixels_of_the_tile():
    folder, index = tiles()
    for name, part in sky()["cfhtls"].groupby("FIELD"):
        layer = {"W": "wide", "D-85": "deep"}[name]
        path = index.loc[index["layer"] == layer, "path"].iloc[0]
        wcs = WCS(fits.getheader(folder / path))
        told = wcs.all_world2pix(part["ra"], part["dec"], 1)
        np.testing.assert_allclose(told, part[["x", "y"]].to_numpy().T, atol=1e-4)
        assert part[["x", "y"]].to_numpy().min() > -0.5
        assert part[["x", "y"]].to_numpy().max() < 513.5


def test_the_deep_tile_shows_the_galaxies_of_the_other_catalogues():
    truth, catalogue = sky()["truth"], sky()["cfhtls"]
    listed = truth[truth["cfhtls_id"] > 0].merge(catalogue, left_on="cfhtls_id", right_on="id")
    assert len(listed) == len(catalogue)
    deep = listed[listed["FIELD"] == "D-85"]
    # the rest are unlabelled galaxies that only the HSC-like catalogue lists there: few of 34
    assert ((deep["cosmos_id"] > 0) | (deep["object_id"] > 0)).all()
    assert (deep["cosmos_id"] > 0).mean() > 0.9
    assert (deep["object_id"] > 0).mean() > 0.9
    i_true = deep["mag_cfhtls_i"]
    # HSC and MegaCam have nearly the same i band
    assert (i_true - deep["mag_hsc_i"]).abs().median() < 0.1
    bright = deep[(deep["i"] < 23) & ~deep["is_star"]]
    dimmed = bright["i"] - bright["mag_cfhtls_i"] - 1.6 * bright["ebv_mag"]
    assert dimmed.abs().median() < 0.03
    # the wide one has galaxies that nothing else lists
    wide = listed[listed["FIELD"] == "W"]
    assert (wide["object_id"] < 0).mean() > 0.8


def test_numbers_within_a_tile_say_nothing_of_redshift():
    # two rank correlations at 0.1 %: a false alarm in 0.2 % of skies
    listed = sky()["cfhtls"].merge(sky()["truth"], left_on="id", right_on="cfhtls_id")
    for _, part in listed[~listed["is_star"]].groupby("FIELD"):
        assert len(part) > 20
        assert spearmanr(part["id"], part["z_true"]).pvalue > 1e-3


def test_stars_have_the_colours_of_the_same_black_body():
    rng = np.random.default_rng(1)
    hsc, cfhtls = np.array([4800.0, 6200, 7700, 8900, 9800]), np.array([3800.0, 4750, 7670])
    both = np.concatenate([hsc, cfhtls])
    magnitude = star_magnitudes(draw_stars(rng, 300), both, hsc[2])
    found = same_stars(magnitude[:, :5], hsc, cfhtls)
    np.testing.assert_allclose(found, magnitude[:, 5:], atol=1e-3)


def test_a_second_look_sees_the_same_through_the_same_filters():
    dust = make_dust(asked()["dust"], SEED)
    hsc = instrument("hsc")
    seen = tile_background(
        Sky(asked()["sed"], dust, SEED), asked(), hsc, lay_tiles(asked())[0]
    ).seen
    again = look_again(np.random.default_rng(2), hsc, hsc, seen)
    np.testing.assert_allclose(again.magnitude, seen.magnitude, atol=1e-3)
    np.testing.assert_allclose(again.dimmed, seen.dimmed, atol=1e-3)
    assert np.isnan(seen.galaxies.z).sum() > 0
    assert not np.array_equal(again.flux, seen.flux)


# ---------------------------------------------------------------- the HSC-like cutouts


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


# ---------------------------------------------------------------- the same bytes again


def test_a_stamp_depends_on_its_galaxy_alone(tmp_path):
    _, index = cutouts()
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
    assert (both["digest"] == both["digest_before"]).all()


def test_the_programs_write_the_same_bytes_again(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "set_num_threads", lambda _n: None)
    for name in ("scene_cfhtls", "scene_hsc", "stamps_hsc"):
        sky()[name].to_parquet(tmp_path / f"{name}.parquet", index=False)
    out = tmp_path / "cfhtls"
    common = ["--sidecar", str(tmp_path / "c.json"), "--log", str(tmp_path / "log")]
    given = canonical_json({**tile_settings(asked()), "seed": SEED})
    scene = str(tmp_path / "scene_cfhtls.parquet")
    index = ["--index", str(out / "index.parquet")]
    assert render_cfhtls.main(["--scene", scene, "--settings", given, *index, *common]) == 0
    written = pd.read_parquet(out / "index.parquet")
    pd.testing.assert_frame_equal(written, tiles()[1])
    counts = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["counts"]
    assert counts == {"objects": len(sky()["scene_cfhtls"]), "images": 10}

    out = tmp_path / "hsc"
    given = canonical_json({**stamp_settings(asked()), "seed": SEED})
    outputs = [word for name in ("specz", "photoz") for word in (f"--{name}", str(out / name))]
    scene, targets = (str(tmp_path / f"{name}.parquet") for name in ("scene_hsc", "stamps_hsc"))
    inputs = ["--scene", scene, "--targets", targets, "--settings", given]
    index = ["--index", str(out / "index.parquet")]
    assert render_hsc.main([*inputs, *outputs, *index, *common]) == 0
    pd.testing.assert_frame_equal(pd.read_parquet(out / "index.parquet"), cutouts()[1])
    for name in ("specz", "photoz"):
        assert (out / name).read_bytes() == (cutouts()[0] / f"{name}.h5").read_bytes()
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


def test_a_scene_of_another_sky_is_refused(tmp_path, capsys):
    sky()["scene_cfhtls"].drop(columns="layer").to_parquet(tmp_path / "scene.parquet")
    given = canonical_json({**tile_settings(asked()), "seed": SEED})
    code = render_cfhtls.main([
        "--scene", str(tmp_path / "scene.parquet"), "--settings", given,
        "--index", str(tmp_path / "index.parquet"), "--sidecar", str(tmp_path / "s.json"),
        "--log", str(tmp_path / "log"),
    ])  # fmt: skip
    assert code == 2
    assert "layer" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.fits"))


def test_a_tile_is_the_same_in_strips(tmp_path, monkeypatch):
    # light crosses from strip to strip; noise is each strip's own
    monkeypatch.setattr("zladder.survey.tile_files.STRIP_ROWS", 200)
    monkeypatch.setattr(
        "zladder.survey.tile_files.coadd_noise", lambda _rng, light, _coadd, _index: light.copy()
    )
    scene = sky()["scene_cfhtls"]
    strips = write_tiles(asked(), SEED, scene, tmp_path / "strips")
    monkeypatch.setattr("zladder.survey.tile_files.STRIP_ROWS", 2048)
    whole = write_tiles(asked(), SEED, scene, tmp_path / "whole")
    for path in whole["path"]:
        first, second = (fits.getdata(tmp_path / one / path) for one in ("strips", "whole"))
        np.testing.assert_allclose(first, second, atol=1e-3 * np.abs(second).max() * 1e-3)
    assert len(strips) == 10


def test_the_sky_of_a_blank_tile_has_the_depth_of_its_layer(tmp_path):
    # a whole tile without objects, from scene to file
    empty = sky()["scene_cfhtls"].iloc[:0]
    index = write_tiles(asked(), SEED, empty, tmp_path)
    for row in index[index["band"] == "r"].itertuples():
        image = fits.getdata(tmp_path / row.path)
        star = Moffat(beta=3.5, fwhm=row.psf_fwhm_arcsec)
        share = star.drawImage(nx=33, ny=33, scale=0.186).array
        depth = 30.0 - 2.5 * np.log10(5 * optimal_sigma(image, share))
        expected = asked()["cfhtls"][row.layer]["depth_5sigma_mag"]["r"]
        # 512^2 pixels hold 8,000 independent fits: 0.8 % or 0.009 mag, three of them
        assert depth == pytest.approx(expected, abs=0.026)
