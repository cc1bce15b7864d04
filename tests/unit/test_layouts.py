"""Galaxies find their images in every layout; stamps show them where and as bright as they are."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from deep_files import (
    CFHTLS,
    CFHTLS_BANDS,
    CFHTLS_COUNT_NMGY,
    COADDS,
    HSC,
    HSC_BANDS,
    HSC_COUNT_NMGY,
    catalogue,
    counts,
    hsc_hdus,
    write_hsc,
    write_tile,
)
from deep_sky import asked, objects

from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.layouts import LAYOUTS
from zladder.cutouts.read_tiles import read_tile
from zladder.cutouts.tile_names import tile_path, tiles_in, weights_path
from zladder.provenance.errors import BadInput, PassingBadInput
from zladder.survey.cutout_survey import write_cutouts
from zladder.survey.stamp_targets import stamp_places
from zladder.survey.tile_files import write_tiles
from zladder.survey.tiles import lay_tiles
from zladder.tables.stamp_files import flag_value

EDGE = {"edge": "mosaic"}
FLUX_NMGY = 30.0


class Cut:
    """Cut a sample's stamps in a folder, and read what was written."""

    def __init__(self, folder):
        self.root, self.folder = folder / "images", folder
        self.stamps, self.losses = folder / "0.h5", folder / "0.csv"

    def __call__(self, sample, settings, shard: int = 0):
        sample.to_parquet(self.folder / "sample.parquet")
        paths = (self.stamps, self.losses)
        return cut_stamps(self.folder / "sample.parquet", self.root, shard, settings | EDGE, *paths)

    def __getitem__(self, name: str) -> np.ndarray:
        with h5py.File(self.stamps) as file:
            return file[name][()]


@pytest.fixture
def cut(tmp_path):
    return Cut(tmp_path)


def centroids(flux: np.ndarray) -> np.ndarray:
    """Return the centroids of bright stars from the stamps' middle, through a moving window."""
    side = flux.shape[-1]
    axis = np.arange(side) - (side - 1) / 2
    centre = np.zeros((len(flux), 2))
    for _ in range(20):
        x, y = axis - centre[:, :1], axis - centre[:, 1:]
        weight = np.exp(-(x[:, None, :] ** 2 + y[:, :, None] ** 2) / 8.0) * flux
        total = weight.sum(axis=(1, 2))
        centre += (
            2
            * np.stack(
                [
                    (weight * x[:, None, :]).sum(axis=(1, 2)),
                    (weight * y[:, :, None]).sum(axis=(1, 2)),
                ]
            ).T
            / total[:, None]
        )
    return centre


def check_stars(cut: Cut) -> None:
    """Hold places and fluxes of stamps against the stars that were painted."""
    flux, offset = cut["flux"].astype(float), cut["offset_pixels"]
    for band in range(flux.shape[1]):
        moved = centroids(flux[:, band]) - offset[:, band]
        assert np.abs(moved).max() < 0.02
        # noise: sigma sqrt(1600) < 0.3 % of the light, wings outside 0.1 %
        total = flux[:, band].sum(axis=(1, 2))
        np.testing.assert_allclose(total, FLUX_NMGY, rtol=0.02)
        assert total.mean() == pytest.approx(FLUX_NMGY, rel=0.005)


@pytest.mark.parametrize("grid", ["frame", "sky"])
def test_stars_of_the_mock_skys_tiles_are_where_and_as_bright_as_they_are(cut, grid):
    draw = np.random.default_rng(3)
    tile = lay_tiles(asked())[1]
    x, y = np.stack(np.meshgrid(np.arange(40, 480, 60), np.arange(40, 480, 60))).reshape(2, -1)
    x, y = (axis + draw.uniform(-0.5, 0.5, len(axis)) for axis in (x, y))
    cut.root.mkdir()
    index = write_tiles(asked(), 1, objects(x, y, FLUX_NMGY, "ugriz", layer=tile.layer), cut.root)
    ra, dec = tile.plane.to_sky(x, y)
    sample = pd.DataFrame({"object_id": np.arange(len(x)), "ra": ra, "dec": dec, "ebv_mag": 0.1})
    per_ebv = dict(zip(CFHTLS_BANDS, (4.0, 3.2, 2.1, 1.6, 1.2), strict=True))
    found = cut(sample, CFHTLS | {"grid": grid, "extinction_per_ebv": per_ebv})
    assert (found["n_in"], found["n_out"], found["n_fields"]) == (len(x), len(x), 1)
    assert (cut["flags"] & ~flag_value("saturated") == 0).all()
    check_stars(cut)
    for row in index[index["layer"] == "wide"].itertuples():  # without a star
        frame = read_tile(cut.root / row.path, row.band, CFHTLS | {"shape": None})
        # MAD of 262,144 pixels: 1.17 / sqrt(n) = 0.23 %; 2 % is beyond 5 sigma
        assert frame.sky_sigma_nmgy == pytest.approx(row.sky_sigma_nmgy, rel=0.02)
        assert frame.saturation_nmgy == pytest.approx(row.saturation_nmgy, rel=1e-5)
    np.testing.assert_allclose(cut["extinction_mag"][0], 0.1 * np.array([*per_ebv.values()]))
    np.testing.assert_allclose(cut["ebv_mag"], 0.1)


@pytest.mark.parametrize("grid", ["frame", "sky"])
def test_stars_of_the_mock_skys_cutouts_are_where_and_as_bright_as_they_are(cut, grid):
    draw, n = np.random.default_rng(5), 8
    ra, dec = draw.uniform(0, 360, n), draw.uniform(-30, 60, n)
    targets = pd.DataFrame({"object_id": 10**16 + np.arange(n), "ra": ra, "dec": dec})
    targets = targets.join(stamp_places(targets, 64)).assign(is_specz=False, is_photoz=True)
    targets = targets.assign(lp_zPDF=0.5, specz_name="", specz_flag_homogeneous=True)
    empty = ("specz_redshift", "specz_redshift_err", "specz_ra", "specz_dec",
             *(f"{b}_cmodel_{end}" for b in HSC_BANDS for end in ("mag", "magsigma")))  # fmt: skip
    targets = targets.assign(**dict.fromkeys(empty, 0.5))
    x, y = (targets[f"{axis}_coord"] - targets[f"{axis}_corner"] for axis in "xy")
    stars = objects(x, y, FLUX_NMGY, "grizy", object_id=targets["object_id"])
    sets = {name: cut.folder / f"{name}.h5" for name in ("specz", "photoz")}
    index = write_cutouts(asked(), 1, targets, stars, cut.root, sets)
    sample = targets[["object_id", "ra", "dec"]]
    sample = sample.assign(**{f"extinction_{band}": 0.1 for band in HSC_BANDS})
    found = cut(sample, HSC | {"grid": grid})
    assert (found["n_out"], found["n_fields"]) == (n, n)
    check_stars(cut)
    if grid == "frame":
        sigma = index.groupby("band")["sky_sigma_nmgy"].first()[HSC_BANDS]
        # the photons of the star's wings are in the variance too
        np.testing.assert_allclose(cut["sky_sigma_nmgy"], np.tile(sigma, (n, 1)), rtol=0.01)
        assert list(pd.read_csv(cut.losses).columns) == ["object_id", "band", "reason"]


def test_masks_and_windows_of_cutouts_reach_the_stamps(cut):
    sample, flagged = [], np.array([[20, 20], [63, 63], [0, 0]])
    for number, (x, y) in enumerate(flagged):
        mask = np.zeros((64, 64), dtype=int)
        mask[y, x] = 1 << 1  # SAT
        for band in HSC_BANDS:
            path = cut.root / band / f"{1000 + number}.fits"
            write_hsc(path, counts(seed=number), band, mask=mask if band == "i" else None)
        sample.append(catalogue(path, 1, [[31.3, 32.1]], HSC_BANDS, 1000 + number))
    cut(pd.concat(sample, ignore_index=True), HSC)
    np.testing.assert_allclose(
        cut["flux"][:, 0], [counts(seed=n)[13:53, 12:52] * HSC_COUNT_NMGY for n in range(3)],
        rtol=1e-6,
    )  # fmt: skip
    expected = np.zeros((3, 5), dtype=np.uint32)
    expected[0, 2] = flag_value("saturated")
    np.testing.assert_array_equal(cut["flags"], expected)


def write_patches(root) -> dict[str, np.ndarray]:
    """Two patches of one tract that share 100 columns, in each band; return the i ones."""
    images = {}
    for patch, corner in (("3,4", (20000, 9000)), ("4,4", (20200, 9000))):
        for number, band in enumerate(HSC_BANDS):
            path = root / "9813" / f"calexp-HSC-{band.upper()}-9813-{patch}.fits"
            image = counts((200, 300), seed=corner[0] + number)
            write_hsc(path, image, band, corner=corner)
            images[patch] = image if band == "i" else images.get(patch)
    return images


def test_a_galaxy_lies_in_the_patch_that_holds_it_deepest(cut):
    images = write_patches(cut.root)
    first = cut.root / "9813" / "calexp-HSC-I-9813-3,4.fits"
    # of the first: inside, in the shared columns on either side of their middle, of the second
    sample = catalogue(first, 1, [[59.7, 89.7], [239.7, 89.7], [259.7, 89.7], [419.7, 119.7]],
                       HSC_BANDS)  # fmt: skip
    found = cut(sample, COADDS)
    assert (found["n_out"], found["n_fields"]) == (4, 2)
    flux = dict(zip(cut["object_id"].tolist(), cut["flux"][:, 2], strict=True))
    for row, (patch, x, y) in enumerate(
        [("3,4", 60, 90), ("3,4", 240, 90), ("4,4", 60, 90), ("4,4", 220, 120)]
    ):
        expected = images[patch][y - 20 : y + 20, x - 20 : x + 20] * HSC_COUNT_NMGY
        np.testing.assert_allclose(flux[1000 + row], expected, rtol=1e-6)


def test_galaxies_off_all_patches_and_stamps_off_their_patch_are_lost_by_name(cut):
    write_patches(cut.root)
    first = cut.root / "9813" / "calexp-HSC-I-9813-3,4.fits"
    places = [[60.0, 90.0], [-50.0, 90.0], [60.0, 5.0]]
    sample = catalogue(first, 1, places, HSC_BANDS)
    there = sample.copy()
    there["ra"], there["dec"] = (there["ra"] + 180) % 360, -there["dec"]  # behind us
    sample = pd.concat([sample, there.assign(object_id=there["object_id"] + 10)])
    found = cut(sample, COADDS | {"max_lost_fraction": 1.0})
    assert (found["n_in"], found["n_out"]) == (6, 1)
    assert found["n_lost"] == {
        "frame": 0,
        "outside": 4,
        "edge": 1,
        "not_finite": 0,
        "empty": 0,
        "unfit": 0,
    }
    losses = pd.read_csv(cut.losses, keep_default_na=False).set_index("object_id")
    assert set(losses.index) == {1001, 1002, 1010, 1011, 1012}
    assert "in none of 2 tiles" in losses.loc[1001, "reason"]
    assert losses.loc[1001, "tile"] == ""
    assert losses.loc[1002, "tile"] == "9813/calexp-HSC-{BAND}-9813-3,4.fits"
    with pytest.raises(PassingBadInput) as caught:
        cut(sample, COADDS | {"max_lost_fraction": 0.8})
    assert "in none of 2 tiles (5 of 6 galaxies lost" in caught.value.found
    patch = tile_path(cut.root, losses.loc[1002, "tile"], "g", COADDS)
    assert caught.value.causes == [cut.root, patch]  # another tile, or a mended one, may help


@pytest.mark.parametrize(
    ("settings", "write", "name", "hint"),
    [
        (HSC, write_hsc, "{band}/1000.fits", "fetch larger cutouts"),
        (COADDS, write_hsc, "9813/calexp-HSC-{BAND}-9813-3,4.fits", "the edges of the images"),
        (CFHTLS, write_tile, "CFHTLS_W_{band}_021800-042500_T0007_MEDIAN.fits",
         "the edges of the images"),
    ],
    ids=lambda value: value["layout"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_to_do_about_a_stamp_that_is_too_wide_is_said_of_its_layout(
    cut, settings, write, name, hint
):
    for band in settings["bands"]:
        path = write(cut.root / name.format(band=band, BAND=band.upper()), counts(), band)
    hdu = 0 if write is write_tile else 1
    sample = catalogue(path, hdu, [[40.0, 32.0]], settings["bands"])
    with pytest.raises(BadInput) as caught:
        cut(sample.assign(ebv_mag=0.1), settings | {"stamp_pixels": 60})
    assert caught.value.expected == "60 x 60 pixels inside the frame"
    assert hint in caught.value.hint
    assert "camcol" not in caught.value.hint


def test_a_missing_band_or_cutout_loses_its_galaxies_only(cut):
    for number in range(2):
        for band in HSC_BANDS:
            write_hsc(cut.root / band / f"{1000 + number}.fits", counts(seed=number), band)
    sample = pd.concat(
        [catalogue(cut.root / f"r/{1000 + n}.fits", 1, [[31.3, 32.1]], HSC_BANDS, 1000 + n)
         for n in range(2)], ignore_index=True)  # fmt: skip
    (cut.root / "z/1001.fits").unlink()
    found = cut(sample, HSC | {"max_lost_fraction": 0.5})
    assert (found["n_out"], found["n_lost"]["frame"]) == (1, 1)
    losses = pd.read_csv(cut.losses)
    assert losses["band"].tolist() == ["z"]
    assert "no such file" in losses["reason"][0]


@pytest.mark.parametrize("grid", ["frame", "sky"])
def test_a_galaxy_that_no_exposure_covers_is_lost_and_one_beside_such_pixels_is_flagged(cut, grid):
    """A hole of 9 x 9 pixels in i, and galaxies in its middle, 6, 15 and 45 pixels away."""
    hole = np.ones((128, 128), dtype=np.float32)
    hole[60:69, 40:49] = 0.0
    settings = CFHTLS | {"weights": "w_{band}_{place}.fits", "path": "t_{band}_{place}.fits"}
    for number, band in enumerate(CFHTLS_BANDS):
        image = counts((128, 128), seed=number)
        path = write_tile(cut.root / f"t_{band}_1.fits", image, band)
        weights = hole if band == "i" else np.ones_like(hole)
        write_tile(cut.root / f"w_{band}_1.fits", weights, band)
    sample = catalogue(path, 0, [[44.2, 63.9], [50.2, 63.9], [59.2, 64.1], [88.7, 64.0]],
                       CFHTLS_BANDS)  # fmt: skip
    found = cut(sample, settings | {"grid": grid, "max_lost_fraction": 0.25})
    assert (found["n_in"], found["n_out"], found["n_lost"]["empty"]) == (4, 3, 1)
    np.testing.assert_array_equal(cut["object_id"], sample["object_id"][1:])
    expected = np.zeros((3, 5), dtype=np.uint32)
    expected[:2, CFHTLS_BANDS.index("i")] = flag_value("missing")
    np.testing.assert_array_equal(cut["flags"], expected)
    losses = pd.read_csv(cut.losses)
    assert losses["band"].tolist() == ["i"]
    assert losses["reason"].iloc[0].startswith("empty: ")
    with pytest.raises(PassingBadInput) as caught:
        cut(sample, settings | {"grid": grid})
    assert caught.value.causes == [cut.root / "t_i_1.fits", cut.root / "w_i_1.fits"]


def test_pixels_of_0_without_weights_are_holes_too(cut):
    """The whole stamp, and a galaxy's own pixel alone, in one band each."""
    for number, band in enumerate(CFHTLS_BANDS):
        image = counts((128, 128), seed=number)
        if band == "g":
            image[10:60, 10:60] = 0.0
        if band == "z":
            image[90, 91] = 0.0
        name = f"CFHTLS_D-85_{band}_100000+021200_T0007_MEDIAN.fits"
        path = write_tile(cut.root / name, image, band)
    sample = catalogue(path, 0, [[35.2, 34.9], [91.3, 90.4], [92.3, 90.4]], CFHTLS_BANDS)
    found = cut(sample, CFHTLS | {"max_lost_fraction": 0.7})
    assert (found["n_out"], found["n_lost"]["empty"]) == (1, 2)
    assert pd.read_csv(cut.losses)["band"].tolist() == ["g", "z"]
    assert cut["flags"][0, 4] == flag_value("missing")


def test_all_shards_together_hold_every_galaxy_once(cut):
    for band in CFHTLS_BANDS:
        name = f"CFHTLS_D-85_{band}_100000+021200_T0007_MEDIAN.fits"
        path = write_tile(cut.root / name, counts((128, 128)), band)
    draw = np.random.default_rng(1)
    places = np.concatenate([draw.uniform(30, 90, (23, 2)), draw.uniform(-900, -90, (7, 2))])
    sample = catalogue(path, 0, places, CFHTLS_BANDS)
    allowed = CFHTLS | {"max_lost_fraction": 1.0}
    cut(sample, allowed)
    whole = dict(zip(cut["object_id"].tolist(), cut["flux"], strict=True))
    parts, lost = {}, []
    for shard in range(3):
        found = cut(sample, allowed | {"n_shards": 3}, shard)
        off = pd.read_csv(cut.losses)["object_id"]
        assert (off % 3 == shard).all()
        assert (found["n_in"], found["n_lost"]["outside"]) == (found["n_out"] + len(off), len(off))
        lost += off.tolist()
        parts |= dict(zip(cut["object_id"].tolist(), cut["flux"], strict=True))
    assert parts.keys() == whole.keys() == set(sample["object_id"][:23])
    assert sorted(lost) == sample["object_id"][23:].tolist()
    assert all((parts[key] == whole[key]).all() for key in whole)
    window = counts((128, 128)) * np.float32(CFHTLS_COUNT_NMGY)
    assert np.isin(whole[1000][1], window).all()


def test_a_tile_is_opened_for_one_shard_alone(cut):
    write_patches(cut.root)
    samples = [
        catalogue(cut.root / "9813" / f"calexp-HSC-I-9813-{patch}.fits", 1,
                  [[60.0, 90.0], [60.4, 91.0]], HSC_BANDS, first)
        for patch, first in (("4,4", 1000), ("3,4", 2001))
    ]  # fmt: skip
    for n_shards, parts in ((1, [(4, 2)]), (2, [(2, 1), (2, 1)]), (3, [(2, 1), (2, 1), (0, 0)])):
        ids = []
        for shard, part in enumerate(parts):
            found = cut(pd.concat(samples), COADDS | {"n_shards": n_shards}, shard)
            assert (found["n_out"], found["n_fields"]) == part
            ids += cut["object_id"].tolist()
        assert ids == [2001, 2002, 1000, 1001]  # by the tiles' names


def test_a_folder_without_tiles_and_a_tile_at_fault_are_refused(cut):
    sample = pd.DataFrame({"object_id": [1], "ra": [35.5], "dec": [-4.5], "ebv_mag": [0.1]})
    sample = sample.assign(**{f"extinction_{band}": 0.1 for band in CFHTLS_BANDS})
    cut.root.mkdir()
    with pytest.raises(BadInput) as caught:
        cut(sample, CFHTLS)
    assert (caught.value.place, caught.value.found) == ("frames.path", "none")
    name = "CFHTLS_W_u_022200-043000_T0007_MEDIAN.fits"
    write_tile(cut.root / name, counts((128, 128)), "u", CTYPE1=None)
    with pytest.raises(BadInput) as caught:
        cut(sample, CFHTLS)
    assert (caught.value.file, caught.value.place) == (str(cut.root / name), "HDU 0, CTYPE1")
    assert not cut.stamps.exists()


def test_names_of_tiles_are_found_and_filled_in(tmp_path):
    template = "{tract}/{BAND}/calexp-{BAND}-{tract}-{patch}.fits"
    names = ["9/R/calexp-R-9-1,2.fits", "9/I/calexp-I-9-1,2.fits", "9/I/calexp-I-9-2,2.fits",
             "9/I/calexp-I-8-2,2.fits", "9/Q/calexp-Q-9-3,2.fits", "9/I/other.fits"]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    settings = {"path": template, "bands": ["r", "i"]}
    first, second = tiles_in(tmp_path, settings)
    assert first == ("9/{BAND}/calexp-{BAND}-9-1,2.fits", {"r", "i"}, "")
    assert second == ("9/{BAND}/calexp-{BAND}-9-2,2.fits", {"i"}, "")
    assert tile_path(tmp_path, first.name, "r", settings) == tmp_path / names[0]
    settings = {"path": "a/T_{band}_{place}.fits", "weights": "W_{place}_{BAND}.fits",
                "bands": ["r", "i"]}  # fmt: skip
    assert weights_path(tmp_path / "a/T_i_5.fits", settings) == tmp_path / "a/W_5_I.fits"


def test_a_compressed_patch_tells_its_footprint_without_being_unpacked(cut):
    write_patches(cut.root)
    for path in sorted(cut.root.rglob("*.fits")):
        band = path.name.split("-")[2].lower()
        plain = hsc_hdus(counts((200, 300)), band, corner=(20000, 9000))
        packed = [fits.CompImageHDU(one.data, one.header, quantize_level=0,
                                    compression_type="GZIP_1") for one in plain[1:]]  # fmt: skip
        fits.HDUList([plain[0], *packed]).writeto(path, overwrite=True)
        if "3,4" not in path.name:
            path.unlink()
    first = cut.root / "9813" / "calexp-HSC-I-9813-3,4.fits"
    sample = catalogue(first, 1, [[59.7, 89.7]], HSC_BANDS)
    cut(sample, COADDS)
    expected = counts((200, 300))[70:110, 40:80] * HSC_COUNT_NMGY
    np.testing.assert_allclose(cut["flux"][0, 0], expected, rtol=1e-6)


def test_the_layouts_are_those_that_surveys_may_name():
    from zladder.config.frame_layouts import CUTOUTS, SDSS, TILES

    assert set(LAYOUTS) == {SDSS, CUTOUTS, *TILES}
