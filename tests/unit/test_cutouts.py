"""A shard holds the right pixels of the right galaxies; what has none is listed and counted."""

from __future__ import annotations

import gc
import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.nddata import Cutout2D
from stamp_sky import (
    BANDS,
    INSIDE,
    KEY,
    SETTINGS,
    SHAPE,
    SIGMA_NMGY,
    galaxies,
    noise,
    path_of,
    wcs_of,
    write_field,
    write_frame,
)

from zladder.cutouts.cut import cut_stamps
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import describe_stamps, flag_value, stamp_column

OTHER = (756, 2, 16)  # a field of the same shard
ODD = (756, 2, 15)


class Cut:
    """Frames and a sample in a folder, and what cutting them gives."""

    def __init__(self, folder):
        self.root, self.sample = folder / "frames", folder / "sample.parquet"
        self.stamps, self.losses = folder / "0.h5", folder / "0.losses.csv"

    def __call__(self, sample: pd.DataFrame, shard: int = 0, **settings):
        sample.to_parquet(self.sample)
        return cut_stamps(self.sample, self.root, shard, SETTINGS | settings, self.stamps,
                          self.losses)  # fmt: skip

    def __getitem__(self, name: str) -> np.ndarray:
        return stamp_column(self.stamps, name)

    def refused(self, *arguments, **settings) -> BadInput:
        with pytest.raises(BadInput) as caught:
            self(*arguments, **settings)
        return caught.value


@pytest.fixture
def cut(tmp_path):
    return Cut(tmp_path)


def test_every_band_equals_cutout2d_about_the_galaxy_in_its_own_frame(cut):
    images = write_field(cut.root)
    sample = galaxies(INSIDE)
    counts = cut(sample)
    assert (counts["n_in"], counts["n_out"], counts["n_fields"]) == (5, 5, 1)
    sky = SkyCoord(sample["ra"].to_numpy(), sample["dec"].to_numpy(), unit="deg")
    firsts = set()
    for index, band in enumerate(BANDS):
        for row, place in enumerate(sky):
            reference = Cutout2D(images[band], place, 40, wcs=wcs_of(band), mode="partial",
                                 fill_value=0.0)  # fmt: skip
            assert cut["flux"][row, index].tobytes() == reference.data.tobytes()
            offset = np.array(reference.input_position_cutout) - 19.5
            np.testing.assert_allclose(cut["offset_pixels"][row, index], offset, atol=1e-5)
            firsts.add((row, reference.origin_original))
    assert len(firsts) > len(INSIDE)  # the bands are cut at different pixels


def test_what_stands_beside_the_pixels(cut):
    write_field(cut.root)
    sample = galaxies(INSIDE)
    cut(sample)
    for name in ("object_id", "ra", "dec"):
        np.testing.assert_array_equal(cut[name], sample[name])
    extinction = sample[[f"extinction_{band}" for band in BANDS]].to_numpy(dtype=np.float32)
    np.testing.assert_array_equal(cut["extinction_mag"], extinction)
    # MAD of 20,480 pixels: relative error 1.17 / sqrt(2 n) = 0.6 %; 5 sigma, P = 6e-7.
    np.testing.assert_allclose(cut["sky_sigma_nmgy"], SIGMA_NMGY, rtol=0.03)
    assert (cut["flags"] == 0).all()
    described = describe_stamps(cut.stamps)
    assert described.bands == tuple(BANDS)
    assert (described.n_stamps, described.stamp_pixels) == (5, 40)
    assert described.pixel_scale_arcsec == 0.396
    with h5py.File(cut.stamps) as file:
        assert all(item.chunks is None and item.compression is None for item in file.values())
        assert (file.attrs["unit"], file.attrs["schema"]) == ("nmgy", "zladder stamps 2")


def test_ebv_is_the_catalogues_else_told_by_the_extinctions_else_unknown(cut):
    write_field(cut.root)
    sample, per_ebv = galaxies(INSIDE), {"u": 4.0, "g": 3.0, "r": 2.0, "i": 1.5, "z": 1.0}
    cut(sample)
    assert np.isnan(cut["ebv_mag"]).all()
    cut(sample, extinction_per_ebv={"g": 3.0, "r": 2.0})
    assert np.isnan(cut["ebv_mag"]).all()
    for band in BANDS:
        sample[f"extinction_{band}"] = per_ebv[band] * 0.05 * np.arange(5)
    sample.loc[3, "extinction_g"] += 0.1
    expected = 0.05 * np.arange(5)
    expected[3] += 0.1 * 3.0 / (16 + 9 + 4 + 2.25 + 1)
    cut(sample, extinction_per_ebv=per_ebv)
    np.testing.assert_allclose(cut["ebv_mag"], expected, rtol=1e-6)
    cut(sample.assign(ebv_mag=[np.nan, 0.2, np.nan, 0.3, 0.0]), extinction_per_ebv=per_ebv)
    expected[[1, 3, 4]] = [0.2, 0.3, 0.0]
    np.testing.assert_allclose(cut["ebv_mag"], expected, rtol=1e-6)


def test_the_catalogue_tells_the_width_of_the_psf(cut):
    write_field(cut.root)
    cut(galaxies(INSIDE))
    assert np.isnan(cut["psf_fwhm_arcsec"]).all()
    cut(galaxies(INSIDE).assign(psf_fwhm_arcsec_r=[1.1, 1.2, np.nan, 1.4, 1.5]))
    np.testing.assert_allclose(cut["psf_fwhm_arcsec"][:, 2], [1.1, 1.2, np.nan, 1.4, 1.5])
    assert np.isnan(np.delete(cut["psf_fwhm_arcsec"], 2, axis=1)).all()


def test_the_survey_tells_the_width_that_the_catalogue_does_not(cut):
    write_field(cut.root)
    known = galaxies(INSIDE).assign(psf_fwhm_arcsec_r=[1.1, 1.2, np.nan, 1.4, 1.5])
    cut(known, psf_fwhm_arcsec={"r": 0.9, "z": 0.8})
    np.testing.assert_allclose(cut["psf_fwhm_arcsec"][:, 2], [1.1, 1.2, 0.9, 1.4, 1.5])
    np.testing.assert_allclose(cut["psf_fwhm_arcsec"][:, 4], 0.8)
    assert np.isnan(cut["psf_fwhm_arcsec"][:, [0, 1, 3]]).all()


def test_stars_land_where_the_offset_says(cut):
    xy = np.array([[45.0, 50.0], [70.27, 66.61], [104.5, 81.5], [84.83, 57.39]])
    sample = galaxies(xy)
    rows, columns = np.indices(SHAPE)
    for band in BANDS:
        places = wcs_of(band).wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0)
        image = np.zeros(SHAPE)
        for x, y in places:
            image += np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.4**2))
        write_frame(cut.root, band, image)
    cut(sample)
    y, x = np.indices((40, 40)) - 19.5
    for flux, offset in zip(cut["flux"], cut["offset_pixels"], strict=True):
        for stamp, (dx, dy) in zip(flux, offset, strict=True):
            near = stamp * (np.hypot(x - dx, y - dy) < 6)  # the other stars are farther away
            centroid = [(near * axis).sum() / near.sum() for axis in (x, y)]
            np.testing.assert_allclose(centroid, [dx, dy], atol=0.02)


def test_fields_are_dealt_to_shards_by_their_number(cut):
    for number, key in enumerate((KEY, OTHER, ODD)):
        write_field(cut.root, key, seed=10 * number)
    sample = pd.concat([galaxies(INSIDE, OTHER, 1), galaxies(INSIDE[:2], ODD, 100),
                        galaxies(INSIDE, KEY, 200)])  # fmt: skip
    assert cut(sample)["n_out"] == 10
    np.testing.assert_array_equal(cut["object_id"], [*range(200, 205), *range(1, 6)])
    assert cut(sample, shard=1)["n_out"] == 2
    np.testing.assert_array_equal(cut["object_id"], [100, 101])
    assert cut(sample, shard=2, n_shards=3)["n_in"] == 5  # 14 = 2 modulo 3
    assert (cut["object_id"] >= 200).all()


def test_a_shard_without_galaxies_is_an_empty_shard(cut):
    assert cut(galaxies(INSIDE), shard=1) == {
        "n_in": 0, "n_out": 0, "n_fields": 0,
        "n_lost": {"frame": 0, "outside": 0, "edge": 0, "not_finite": 0, "empty": 0, "unfit": 0},
        "n_flagged": {"saturated": 0, "masked": 0, "neighbour": 0, "mosaicked": 0, "missing": 0},
        "n_without_psf_width": {},
    }  # fmt: skip
    assert cut["flux"].shape == (0, 5, 40, 40)
    assert describe_stamps(cut.stamps).n_stamps == 0


def test_the_same_input_gives_the_same_bytes(cut):
    write_field(cut.root)
    cut(galaxies(INSIDE))
    first = cut.stamps.read_bytes()
    cut(galaxies(INSIDE[::-1], first_id=1000).assign(object_id=[1004, 1003, 1002, 1001, 1000])
        .assign(**{c: galaxies(INSIDE)[c][::-1].to_numpy() for c in galaxies(INSIDE)
                   if c.startswith("extinction")}))  # fmt: skip
    assert cut.stamps.read_bytes() == first
    with h5py.File(cut.stamps) as file:  # no time of writing, which another second would change
        assert {h5py.h5g.get_objinfo(file.id, name.encode()).mtime for name in file} == {0}


def test_a_stamp_of_zeros_alone_is_lost_and_a_pixel_of_zero_is_not(cut):
    """Of five galaxies two have an empty u band, of which one keeps a single pixel with light."""
    images = write_field(cut.root)
    sample = galaxies(INSIDE)
    image = images["u"].copy()
    corners = np.ceil(wcs_of("u").wcs_world2pix(sample[["ra", "dec"]].to_numpy(), 0) - 20)
    (x, y), (lit_x, lit_y) = corners[[0, 3]].astype(int)
    for left, low in ((x, y), (lit_x, lit_y)):
        image[low : low + 40, left : left + 40] = 0.0
    image[lit_y + 3, lit_x + 5] = 0.25
    alone = [not image[b : b + 40, a : a + 40].any() for a, b in corners.astype(int)]
    assert alone == [True, False, False, False, False]
    write_frame(cut.root, "u", image)
    counts = cut(sample, max_lost_fraction=0.2)
    assert (counts["n_out"], counts["n_lost"]["empty"]) == (4, 1)
    np.testing.assert_array_equal(cut["object_id"], sample["object_id"][1:])
    row = cut["object_id"].tolist().index(sample["object_id"][3])
    assert cut["flux"][row, 0, 3, 5] == np.float32(0.25)
    losses = pd.read_csv(cut.losses)
    assert losses["band"].tolist() == ["u"]
    assert losses["reason"].iloc[0].startswith("empty: ")
    with pytest.raises(BadInput) as caught:
        cut(sample)
    assert caught.value.expected == "pixels with data"
    assert "(1 of 5 galaxies lost: empty 1)" in caught.value.found


# Near the left edge, off the frame, and the good ones.
FAULTY = np.vstack([INSIDE, [[12.0, 64.0], [300.0, 64.0]]])


def spoiled(cut) -> pd.DataFrame:
    """Frames of which one has a NaN in i, and a sample of which one stamp holds it."""
    images = write_field(cut.root)
    image = images["i"].copy()
    sample = galaxies(FAULTY)
    x, y = wcs_of("i").wcs_world2pix(sample[["ra", "dec"]].to_numpy()[:1], 0)[0]
    image[int(y) - 18, int(x) - 18] = np.nan
    write_frame(cut.root, "i", image)
    return sample


def test_losses_are_listed_with_their_reason_and_the_rest_is_kept(cut):
    sample = spoiled(cut)
    counts = cut(sample, max_lost_fraction=0.5)
    lost = {"frame": 0, "outside": 1, "edge": 1, "not_finite": 1, "empty": 0, "unfit": 0}
    assert (counts["n_in"], counts["n_out"], counts["n_lost"]) == (7, 4, lost)
    table = pd.read_csv(cut.losses)
    assert list(table) == ["object_id", "run", "camcol", "field", "band", "reason"]
    assert table["object_id"].tolist() == [1000, 1005, 1006]
    assert table["band"].tolist() == ["i", "u", "u"]
    assert table[["run", "camcol", "field"]].drop_duplicates().to_numpy().tolist() == [list(KEY)]
    assert [reason.split(":")[0] for reason in table["reason"]] == ["not_finite", "edge", "outside"]
    np.testing.assert_array_equal(cut["object_id"], [1001, 1002, 1003, 1004])
    assert np.isfinite(cut["flux"]).all()
    kept = cut["flux"].copy()
    cut(sample.iloc[1:5])
    np.testing.assert_array_equal(cut["flux"], kept)


@pytest.mark.parametrize(("limit", "allowed"), [(3 / 7, True), (3 / 7 - 1e-9, False), (0.0, False)])
def test_too_many_losses_are_bad_input(cut, limit, allowed):
    sample = spoiled(cut)
    if allowed:
        assert cut(sample, max_lost_fraction=limit)["n_out"] == 4
        return
    error = cut.refused(sample, max_lost_fraction=limit)
    assert error.file == str(path_of(cut.root, "i"))
    assert error.place == "object_id 1000"
    assert error.expected == "40 x 40 finite pixels"
    assert "3 of 7 galaxies lost: outside 1, edge 1, not_finite 1" in error.found
    assert "max_lost_fraction" in error.hint


def test_a_galaxy_that_its_frame_does_not_hold_is_bad_input(cut):
    write_field(cut.root)
    error = cut.refused(galaxies(FAULTY[[0, 6]]))
    assert (error.file, error.place) == (str(path_of(cut.root, "u")), "object_id 1001")
    assert error.expected == "a galaxy inside the frame"
    assert "of 160 x 128 pixels" in error.found


def test_a_galaxy_on_the_other_side_of_the_sky_is_outside_its_frame(cut):
    write_field(cut.root)
    sample = galaxies(INSIDE)
    sample.loc[2, ["ra", "dec"]] = [1.3, -12.7]
    assert cut(sample, max_lost_fraction=0.5)["n_lost"]["outside"] == 1


@pytest.mark.parametrize("fault", ["missing", "truncated", "band", "world"])
def test_a_frame_that_cannot_be_used_loses_its_field_and_no_other(cut, fault):
    write_field(cut.root)
    write_field(cut.root, OTHER, seed=10)
    path = path_of(cut.root, "g")
    if fault == "missing":
        path.unlink()
    elif fault == "truncated":
        path.write_bytes(path.read_bytes()[:30000])
    else:
        write_frame(cut.root, "g", noise(1), **({"FILTER": "r"} if fault == "band"
                                                else {"CTYPE1": None}))  # fmt: skip
    sample = pd.concat([galaxies(INSIDE, KEY, 1), galaxies(INSIDE, OTHER, 100)])
    counts = cut(sample, max_lost_fraction=0.5)
    assert (counts["n_out"], counts["n_lost"]["frame"]) == (5, 5)
    assert (cut["object_id"] >= 100).all()
    reasons = pd.read_csv(cut.losses)["reason"]
    assert reasons.str.startswith(f"frame: {path}: ").all()
    error = cut.refused(sample)
    place, found = {
        "missing": ("file", "no such file"), "truncated": ("file", "30000 of "),
        "band": ("HDU 0, FILTER", "'r'"), "world": ("HDU 0, CTYPE1", "'no such keyword'"),
    }[fault]  # fmt: skip
    assert (error.file, error.place) == (str(path), place)
    assert error.found.startswith(found)
    assert "5 of 10 galaxies lost: frame 5" in error.found


def test_every_frame_at_fault_is_logged_once_with_its_galaxies_and_a_way_out(cut, caplog):
    keys = [(756, 2, field) for field in range(20, 45)]
    for key in keys[:3]:
        write_field(cut.root, key)
        path_of(cut.root, "g", key).unlink()
    sample = pd.concat([galaxies(INSIDE, k, 100 * k[2]) for k in keys])
    error = cut.refused(sample, n_shards=1, max_lost_fraction=0.99)  # certain at the last one
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    missing = [path_of(cut.root, "g" if key in keys[:3] else "u", key) for key in keys]
    words = "file: expected a frame, found no such file"
    assert told == [f"lost: 5 galaxies, frame: {path}: {words}" for path in missing]
    assert "snakemake --forcerun render_frames" in error.hint


def test_a_saturated_stamp_is_kept_with_a_flag(cut):
    images = write_field(cut.root)
    sample = galaxies(INSIDE[:2])
    x, y = wcs_of("z").wcs_world2pix(sample[["ra", "dec"]].to_numpy()[1:], 0)[0]
    images["z"][int(y), int(x)] = 60000 * 0.005
    write_frame(cut.root, "z", images["z"])
    cut(sample)
    first_too = abs(INSIDE[0] - INSIDE[1]).max() < 19  # neighbours share the star
    np.testing.assert_array_equal(cut["flags"][1], [0, 0, 0, 0, flag_value("saturated")])
    assert (cut["flags"][0, 4] == 0) is not np.bool_(first_too)
    assert (cut["flags"][:, :4] == 0).all()


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [("ra", np.nan, "nan"), ("field", 14.5, "14.5"), ("camcol", -9999, "-9999.0"),
     ("extinction_g", np.inf, "inf")],
)  # fmt: skip
def test_a_sample_with_a_number_missing_is_bad_input(cut, column, value, found):
    sample = galaxies(INSIDE).astype({column: float})
    sample.loc[3, column] = value
    error = cut.refused(sample)
    assert (error.file, error.place) == (str(cut.sample), f"column '{column}', row 4")
    assert error.found.startswith(found)


def test_a_sample_without_fields_is_bad_input(cut):
    error = cut.refused(galaxies(INSIDE).drop(columns="camcol"))
    assert error.file == str(cut.sample)
    assert "camcol" in error.place


def test_memory_does_not_grow_with_the_shard(cut):
    fields = [(756, 2, number) for number in range(20, 52, 2)]
    for key in fields:
        write_field(cut.root, key)
    many = np.tile(INSIDE, (10, 1))
    peaks = []
    for keys in (fields[:2], fields):
        sample = pd.concat([galaxies(many, key, 1000 * key[2]) for key in keys])
        tries = []
        for _ in range(3):  # what other tests left behind can only add: the least counts
            gc.collect()
            tracemalloc.start()
            counts = cut(sample)
            tries.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        peaks.append(min(tries))
    assert counts["n_out"] == 50 * len(fields)
    written = cut.stamps.stat().st_size
    assert written > 25e6
    assert peaks[1] - peaks[0] < 0.1 * written
