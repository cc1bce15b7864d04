"""The deep sky in CFHTLS-like tiles: native files and columns, the galaxies of other surveys."""

from __future__ import annotations

import json
from dataclasses import replace
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
from deep_sky import SEED, asked, cutouts, has_cards, optimal_sigma, sky, tiles
from galsim import Moffat
from mock_sky import instrument, settings
from scipy.stats import spearmanr

from zladder.catalogs.native import read_survey
from zladder.catalogs.standardize import standardize
from zladder.config.documents import read_yaml
from zladder.config.imaging import stamp_settings, tile_settings
from zladder.cutouts.cut import cut_stamps
from zladder.provenance.digests import canonical_json, file_digest
from zladder.survey.background import missing_in, tile_background
from zladder.survey.catalogues import HSC_ID_RANGE, write_native
from zladder.survey.collecting import Sky
from zladder.survey.geometry import Field
from zladder.survey.observing import Seen, make_dust
from zladder.survey.second_look import look_again
from zladder.survey.simulate import simulate_sky
from zladder.survey.stars import draw_stars, same_stars, star_magnitudes
from zladder.survey.tile_files import write_tiles
from zladder.survey.tiles import Tile, lay_tiles, sexagesimal
from zladder.tables.read import read_table

ROOT = Path(__file__).resolve().parents[2]
UNPAINTED = ["artefact", "duplicate"]  # rows of the truth that deep images do not show
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


def test_galaxies_of_each_layer_are_cut_out_of_its_own_tile(tmp_path):
    """From the native catalogue to stamps, as the shipped survey tells."""
    folder, index = tiles()
    native = tmp_path / "cfhtls.cat"
    write_native({"cfhtls": sky()["cfhtls"]}, {"cfhtls": native})
    survey = read_yaml(ROOT / "config" / "surveys" / "cfhtls_t0007.yaml")
    listed, _ = read_survey({"all": native}, survey)
    joined = listed.merge(sky()["cfhtls"][["id", "x", "y"]], left_on="object_id", right_on="id")
    joined = joined[(joined[["x", "y"]] - 256.5).abs().max(axis=1) < 200]
    joined.to_parquet(tmp_path / "sample.parquet")
    told = {"stamp_pixels": 32, "grid": "frame", "edge": "lose", "encoding": "float32",
            "n_shards": 1, "max_lost_fraction": 0.0}  # fmt: skip
    told |= {key: survey[key] for key in ("bands", "extinction_per_ebv")} | survey["frames"]
    cut_stamps(tmp_path / "sample.parquet", folder, 0, told, tmp_path / "0.h5", tmp_path / "0.csv")
    with h5py.File(tmp_path / "0.h5") as file:
        noise = pd.Series(file["sky_sigma_nmgy"][:, 2], index=file["object_id"][()])
    expected = index[index["band"] == "r"].set_index("layer")["sky_sigma_nmgy"]
    for name, part in joined.groupby("FIELD"):
        layer = {"W": "wide", "D-85": "deep"}[name]
        # crowded: most of it is sky
        np.testing.assert_allclose(noise[part["object_id"]], expected[layer], rtol=0.1)
    assert set(joined["FIELD"]) == {"W", "D-85"}


def test_the_deep_tile_shows_the_galaxies_of_the_other_catalogues():
    truth, catalogue = sky()["truth"], sky()["cfhtls"]
    listed = truth[truth["cfhtls_id"] > 0].merge(catalogue, left_on="cfhtls_id", right_on="id")
    assert len(listed) == len(catalogue)
    deep = listed[listed["FIELD"] == "D-85"]
    # the others fill the field up to the real sky
    assert (deep["cosmos_id"] > 0).sum() > 20
    assert (deep["object_id"] > 0).sum() > 20
    # and none of theirs is missing that stands 0.9 mag above five sigma, whole on the tile
    tile = lay_tiles(asked())[1]
    there = tile.near(truth["ra"].to_numpy(), truth["dec"].to_numpy(), -1.0)
    there &= ((truth["mag_hsc_i"] < 24.5) & ~truth["contaminant"].isin(UNPAINTED)).to_numpy()
    for name in ("cosmos_id", "object_id"):
        of_theirs = truth[there & (truth[name] > 0)]
        assert len(of_theirs) > 20
        assert (of_theirs["cfhtls_id"] > 0).all()
    i_true = deep["mag_cfhtls_i"]
    # HSC and MegaCam have nearly the same i band
    assert (i_true - deep["mag_hsc_i"]).abs().median() < 0.1
    bright = deep[(deep["i"] < 23) & ~deep["is_star"]]
    dimmed = bright["i"] - bright["mag_cfhtls_i"] - 1.6 * bright["ebv_mag"]
    assert dimmed.abs().median() < 0.03
    # the wide one has galaxies that nothing else lists
    wide = listed[listed["FIELD"] == "W"]
    assert (wide["object_id"] < 0).mean() > 0.8


def everything(rng: np.random.Generator, seen: Seen) -> np.ndarray:
    return np.ones(len(seen.ra), dtype=bool)


def test_the_tiles_are_equally_crowded():
    # Poisson, 4 standard deviations: a false alarm in 6e-5 of skies
    wanted = settings(n_photoz=1500, n_specz=60, n_main=20, n_deep=10)
    wanted["cfhtls"]["tile_pixels"] = 1024
    scene = simulate_sky(wanted, SEED)["scene_cfhtls"]
    flux = scene["disc_flux_i_nmgy"] + scene["bulge_flux_i_nmgy"]
    mag, is_deep = 22.5 - 2.5 * np.log10(flux), scene["layer"] == "deep"
    star = scene["disc_radius_arcsec"] == 0
    for low, high in ((0.0, 23.0), (0.0, 24.0), (24.0, 25.0), (25.0, 26.0)):
        there = mag.between(low, high) & ~star
        deep, wide = (there & is_deep).sum(), (there & ~is_deep).sum()
        assert deep > 40
        assert abs(deep - wide) < 4 * np.sqrt(deep + wide)


def test_the_deep_field_is_filled_up_by_magnitude_and_place():
    # 4,000 objects of each kind, shares to four standard deviations
    many = instrument("hsc").bands.index("i")
    field = Field(150.0, 2.0, 1.0)
    rule = missing_in(field, 0.7, 0.4, 24.75, many)
    seen = copies_at(sky_background(), 4000, 150.0)
    bright, star = seen.dimmed[:, many] < 24.75, np.isnan(seen.galaxies.z)
    kept = rule(np.random.default_rng(3), seen)
    for rows, expected in ((bright & ~star, 0.3), (star, 0.6), (~bright & ~star, 1.0)):
        assert rows.sum() > 500
        assert kept[rows].mean() == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(rows.sum()))
    assert rule(np.random.default_rng(3), copies_at(sky_background(), 4000, 153.0)).all()


def sky_background() -> Seen:
    """Return what is unlisted over the wide tile."""
    dust = make_dust(asked()["dust"], SEED)
    one = Sky(asked()["sed"], dust, SEED)
    hsc, tile = instrument("hsc"), lay_tiles(asked())[0]
    wanted = {**asked(), "background": {**asked()["background"], "stars_per_deg2": 1e5}}
    return tile_background(one, wanted, hsc, tile, everything).seen


def copies_at(seen: Seen, n: int, ra: float) -> Seen:
    many = seen.part(np.arange(n) % len(seen.ra))
    return replace(many, ra=np.full(n, ra), dec=np.full(n, 2.0))


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
    hsc, seen = instrument("hsc"), sky_background()
    again = look_again(np.random.default_rng(2), hsc, hsc, seen)
    np.testing.assert_allclose(again.magnitude, seen.magnitude, atol=1e-3)
    np.testing.assert_allclose(again.dimmed, seen.dimmed, atol=1e-3)
    assert np.isnan(seen.galaxies.z).sum() > 0
    assert not np.array_equal(again.flux, seen.flux)


def test_both_galaxies_of_an_hsc_like_blend_are_painted():
    many = settings(n_photoz=300, n_specz=30, n_main=10, n_deep=5)
    many["contaminants"]["hsc"]["blend_share"] = 0.4
    found = simulate_sky(many, SEED)
    truth, scene = found["truth"], found["scene_cfhtls"].query("layer == 'deep'")
    hosts = truth[truth["blended_with"] >= 0].reset_index(drop=True)
    others = truth.loc[hosts["blended_with"]].reset_index(drop=True)
    assert (others["object_id"] < 0).all()
    # an angle drawn at random tells the galaxy; one of two may lie beyond the tile's edge
    painted = [
        one["position_angle_deg"].isin(scene["position_angle_deg"]) for one in (hosts, others)
    ]
    seen = painted[0] & painted[1]
    assert abs(painted[0].sum() - painted[1].sum()) <= 2
    assert seen.sum() > 5
    place = scene.drop_duplicates("position_angle_deg").set_index("position_angle_deg")
    pixels = [
        place.loc[one.loc[seen, "position_angle_deg"], ["x_pixel", "y_pixel"]].to_numpy()
        for one in (hosts, others)
    ]
    distance_arcsec = 0.186 * np.hypot(*(pixels[0] - pixels[1]).T)
    nearest, farthest = many["contaminants"]["hsc"]["blend_distance_arcsec"]
    assert nearest - 1e-3 < distance_arcsec.min() < distance_arcsec.max() < farthest + 1e-3


# ---------------------------------------------------------------- the same bytes again


def test_the_programs_write_the_same_bytes_again(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "set_num_threads", lambda _n: None)
    for name in ("scene_cfhtls", "scene_hsc", "stamps_hsc"):
        sky()[name].to_parquet(tmp_path / f"{name}.parquet", index=False)
    out = tmp_path / "cfhtls"
    stay = [leave(out / "notes.fits"), leave(tmp_path / "hsc/g/notes.fits")]
    go = [leave(out / Tile("deep", 10.0, 1.0, 512).file_name("g")),
          leave(tmp_path / f"hsc/g/{HSC_ID_RANGE[0]}.fits")]  # fmt: skip
    common = ["--sidecar", str(tmp_path / "c.json"), "--log", str(tmp_path / "log")]
    given = canonical_json({**tile_settings(asked()), "seed": SEED})
    scene = str(tmp_path / "scene_cfhtls.parquet")
    index = ["--index", str(out / "index.parquet")]
    assert render_cfhtls.main(["--scene", scene, "--settings", given, *index, *common]) == 0
    written = pd.read_parquet(out / "index.parquet")
    pd.testing.assert_frame_equal(written, tiles()[1])
    counts = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["counts"]
    objects = len(sky()["scene_cfhtls"])
    assert counts == {"objects": objects, "images": 10, "old_images_removed": 1}

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
    counts = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["counts"]
    assert counts["old_images_removed"] == 1
    assert [path.exists() for path in (*stay, *go)] == [True, True, False, False]


def leave(path: Path) -> Path:
    """Write a file as if another run had left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"old")
    return path


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
