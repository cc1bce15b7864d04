"""Published images become stamps: of the galaxies of a sample, pixel for pixel, each counted."""

from __future__ import annotations

import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest

from tests import published_files as files
from tests.published_files import HSC, R_HSC, SDSS, N, R
from zladder.cutouts import convert
from zladder.cutouts.convert import convert_images
from zladder.cutouts.ring import ring_noise
from zladder.provenance.errors import BadInput
from zladder.tables import cutouts
from zladder.tables.stamp_files import describe_stamps, flag_value
from zladder.tables.stamp_pixels import ENCODINGS, error_bound_nmgy


class Folder:
    """Converts what lies in a folder; keeps the table of losses."""

    def __init__(self, path):
        self.path, self.losses = path, path / "losses.csv"

    def __call__(self, settings, sample, paths, shard=0, **changes):
        to = self.path / f"{shard}.h5"
        self.counts = convert_images(sample, paths, shard, settings | changes, to, self.losses)
        with h5py.File(to) as file:
            return {name: item[()] for name, item in file.items()}

    def refused(self, *arguments, **changes) -> BadInput:
        with pytest.raises(BadInput) as caught:
            self(*arguments, **changes)
        return caught.value


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def sample(tmp_path):
    return files.sample_of(tmp_path / "sample.parquet", np.sort(files.ids()))


@pytest.mark.parametrize(
    "chunk", [None, (1, 5, 15, 15), (4, 1, 7, 15), (30, 1, 4, 4), (12, 2, 4, 7)]
)
@pytest.mark.parametrize("rows", [1, 7, 2048])
def test_the_released_images_of_sdss_come_as_they_are(folder, sample, monkeypatch, chunk, rows):
    monkeypatch.setattr(cutouts, "_BLOCK_ROWS", rows)
    columns = files.sdss_columns()
    stamps = folder(SDSS, sample, [files.write(folder.path / "a.h5", columns, chunk)])
    assert stamps["flux"].tobytes() == columns["images"][:, :, 1:13, 1:13].tobytes()
    np.testing.assert_array_equal(stamps["object_id"], columns["ObjID"])
    table = pd.read_parquet(sample).set_index("object_id").loc[stamps["object_id"]]
    np.testing.assert_array_equal(stamps["ra"], table["ra"])
    np.testing.assert_array_equal(stamps["dec"], table["dec"])
    ebv = np.linspace(0.01, 0.2, N)
    np.testing.assert_allclose(stamps["ebv_mag"], ebv, rtol=1e-5)
    np.testing.assert_allclose(stamps["extinction_mag"], np.outer(ebv, list(R.values())), rtol=1e-5)
    assert (stamps["offset_pixels"] == 0.5).all()  # 15 to 12 pixels
    assert np.isnan(stamps["psf_fwhm_arcsec"]).all()
    assert (stamps["flags"] == 0).all()
    assert folder.counts == {
        "n_in": N, "n_out": N, "n_images": N,
        "n_lost": {"no_image": 0, "not_finite": 0, "empty": 0, "no_dust": 0, "unfit": 0},
    }  # fmt: skip
    about = describe_stamps(folder.path / "0.h5")
    assert (about.bands, about.pixel_scale_arcsec) == (tuple("ugriz"), 0.396)


def test_counts_of_hsc_become_nanomaggies_and_dust_stays_where_nobody_tells_it(folder, sample):
    columns = files.hsc_columns()
    stamps = folder(HSC, sample, [files.write(folder.path / "a.h5", columns, (1, 5, 16, 16))])
    factor = np.float32(10 ** (0.4 * (22.5 - 27.0)))
    np.testing.assert_array_equal(stamps["flux"], columns["image"][:, :, 2:14, 2:14] * factor)
    assert (stamps["extinction_mag"] == 0).all()
    assert np.isnan(stamps["ebv_mag"]).all()
    noise = np.median(stamps["sky_sigma_nmgy"], axis=0)
    np.testing.assert_allclose(noise, files.SIGMA * factor, rtol=0.1)  # 76 pixels each, of 30


def test_dust_comes_from_the_file_else_from_the_catalogue(folder):
    columns, ids = files.hsc_columns(), np.sort(files.ids())
    per_ebv = np.array(list(R_HSC.values()))
    listed = dict(zip([f"extinction_{b}" for b in "grizy"], np.outer(per_ebv, np.full(N, 0.1)),
                      strict=True))  # fmt: skip
    sample = files.sample_of(folder.path / "sample.parquet", ids, **listed)
    stamps = folder(HSC, sample, [files.write(folder.path / "a.h5", columns)])
    np.testing.assert_allclose(stamps["ebv_mag"], 0.1, rtol=1e-5)
    own = {f"a_{band}": np.full(N, 0.2 * R_HSC[band]) for band in "grizy"}
    stamps = folder(HSC, sample, [files.write(folder.path / "b.h5", columns | own)])
    np.testing.assert_allclose(stamps["extinction_mag"], [0.2 * per_ebv] * N, rtol=1e-5)
    np.testing.assert_allclose(stamps["ebv_mag"], 0.2, rtol=1e-5)


def test_a_galaxy_twice_in_the_sample_is_refused(folder):
    """Else one of its two rows would be counted as without image."""
    ids = np.sort(files.ids())
    ids[20] = ids[4]
    sample = files.sample_of(folder.path / "sample.parquet", ids)
    stored = pd.read_parquet(sample)["object_id"]
    row = int(np.argmax(stored.duplicated()))
    path = files.write(folder.path / "a.h5", files.sdss_columns())
    error = folder.refused(SDSS, sample, [path], max_lost_fraction=1.0)
    assert (error.file, error.place) == (str(sample), f"column 'object_id', row {row + 1}")
    assert error.found == f"{ids[4]} a second time"


def test_without_dust_the_survey_must_say_so(folder, sample):
    path = files.write(folder.path / "a.h5", files.hsc_columns())
    error = folder.refused(HSC, sample, [path], dust="listed")
    assert (error.file, error.found) == (str(path), "none of them")
    assert "dust: unknown" in error.hint


@pytest.mark.parametrize("n_shards", [1, 3, 8])
def test_shards_share_the_files_out_and_lose_nothing(folder, n_shards):
    """Galaxies of the sample without image, and images of no galaxy of it, are among them."""
    columns = files.sdss_columns()
    first = {name: values[:11] for name, values in columns.items()}
    second = {name: values[11:] for name, values in columns.items()}
    paths = [files.write(folder.path / "a.h5", first, (4, 5, 15, 15)),
             files.write(folder.path / "b.h5", second)]  # fmt: skip
    ids = files.FIRST_ID + np.arange(0, 40, 2)  # 15 with image, 5 without
    sample = files.sample_of(folder.path / "sample.parquet", ids)
    flux, seen, lost, n_images = [], [], [], 0
    for shard in range(n_shards):
        stamps = folder(SDSS, sample, paths, shard, n_shards=n_shards, max_lost_fraction=1.0)
        flux.append(stamps["flux"])
        seen += stamps["object_id"].tolist()
        lost += pd.read_csv(folder.losses)["object_id"].tolist()
        counts = folder.counts
        n_images += counts["n_images"]
        assert counts["n_in"] == counts["n_out"] + sum(counts["n_lost"].values())
        assert counts["n_lost"]["no_image"] == len(pd.read_csv(folder.losses))
    assert n_images == N
    assert sorted(lost) == (files.FIRST_ID + np.arange(30, 40, 2)).tolist()
    assert sorted(seen + lost) == ids.tolist()
    rows = {identifier: row for row, identifier in enumerate(columns["ObjID"].tolist())}
    wanted = columns["images"][[rows[one] for one in seen], :, 1:13, 1:13]
    np.testing.assert_array_equal(np.concatenate(flux), wanted)


def test_images_that_are_none_are_lost_with_their_reason(folder, sample):
    columns = files.sdss_columns()
    columns["images"][3, 1, 7, 7] = np.nan
    columns["images"][4, 0, 5, 5], columns["images"][4, 0, 5, 6] = np.inf, -np.inf
    columns["images"][5, 2] = 0.0
    columns["e_bv"][6] = np.nan
    columns["images"][7, 1, 0, 0] = np.nan  # beyond the stamp: nothing is lost
    path = files.write(folder.path / "a.h5", columns)
    stamps = folder(SDSS, sample, [path], max_lost_fraction=0.2)
    kept = np.delete(np.arange(N), [3, 4, 5, 6])
    np.testing.assert_array_equal(stamps["object_id"], columns["ObjID"][kept])
    np.testing.assert_array_equal(stamps["flux"], columns["images"][kept][:, :, 1:13, 1:13])
    assert folder.counts["n_lost"] == {
        "no_image": 0,
        "not_finite": 2,
        "empty": 1,
        "no_dust": 1,
        "unfit": 0,
    }
    losses = pd.read_csv(folder.losses)
    assert losses["object_id"].tolist() == columns["ObjID"][[3, 4, 5, 6]].tolist()
    assert losses["band"].tolist() == ["g", "u", "r", "u"]
    assert losses["reason"].str.split(":").str[0].tolist() == [
        "not_finite", "not_finite", "empty", "no_dust",
    ]  # fmt: skip
    assert str(path) in losses["reason"][0]
    assert "row 3 (from 0), band g" in losses["reason"][0]
    error = folder.refused(SDSS, sample, [path])
    assert "4 of 30 galaxies lost: not_finite 2, empty 1, no_dust 1" in error.found


def test_filled_borders_are_flagged_band_by_band_and_do_not_count_as_noise(folder, sample):
    columns = files.sdss_columns(side=12)
    columns["images"][2, 1, :1] = 0.0
    columns["images"][3, :, :, -1:] = 0.0
    columns["images"][4, 0, 6, 6] = 0.0  # inside: a pixel may be 0
    stamps = folder(SDSS, sample, [files.write(folder.path / "a.h5", columns)])
    wanted = np.zeros((N, 5), np.uint32)
    wanted[2, 1] = wanted[3] = flag_value("masked")
    np.testing.assert_array_equal(stamps["flags"], wanted)
    ratio = stamps["sky_sigma_nmgy"] / files.SIGMA
    assert (np.abs(ratio - 1) < 0.7).all()  # 1.17 / sqrt(60) a stamp; 4 sigma


@pytest.mark.parametrize(("side", "stamp_pixels"), [(15, 12), (15, 11), (16, 12), (16, 11)])
def test_the_middle_of_an_image_lies_where_the_offset_says(folder, sample, side, stamp_pixels):
    """Of images that say where their pixels are: the mean of the middle ones, by hand."""
    columns = files.sdss_columns(side)
    y, x = np.mgrid[:side, :side]
    columns["images"][:, :] = (100 * y + x).astype(np.float32)  # bands, galaxies: all alike
    path = files.write(folder.path / "a.h5", columns)
    stamps = folder(SDSS, sample, [path], stamp_pixels=stamp_pixels)
    first_y, first_x = divmod(int(stamps["flux"][0, 0, 0, 0]), 100)
    place = (stamp_pixels - 1) / 2 + stamps["offset_pixels"] + (first_x, first_y)  # in the image
    np.testing.assert_array_equal(place, np.full((N, 5, 2), (side - 1) / 2))
    assert (np.abs(stamps["offset_pixels"]) == ((side - stamp_pixels) % 2) / 2).all()


def test_images_that_are_not_square_have_offsets_of_their_own_in_x_and_y(folder, sample):
    columns = files.sdss_columns(16)
    columns["images"] = columns["images"][..., 1:]  # 16 rows of 15
    stamps = folder(SDSS, sample, [files.write(folder.path / "a.h5", columns)])
    np.testing.assert_array_equal(stamps["offset_pixels"], np.full((N, 5, 2), (0.5, 0.0)))


def test_the_noise_of_a_border_by_hand():
    """The 24 outer pixels of 5 x 5: 1 to 24 but for the middle, whose lower median is 12."""
    stamp = np.insert(np.arange(1.0, 25.0), 12, 1e6).astype(np.float32).reshape(1, 1, 5, 5)
    noise, filled = ring_noise(stamp)
    assert noise.tolist() == [[pytest.approx(1.4826 * 6, rel=1e-6)]]  # 0, twice 1 to 11, 12
    assert not filled.any()
    stamp[0, 0, [0, 1, 3, 4]] = 0
    stamp[0, 0, :, [0, 1, 3, 4]] = 0
    noise, filled = ring_noise(stamp)
    assert np.isnan(noise).all()
    assert filled.all()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_holds_them_within_its_bound(folder, sample, encoding):
    columns = files.sdss_columns()
    path = files.write(folder.path / "a.h5", columns)
    folder(SDSS, sample, [path], encoding=encoding)
    with h5py.File(folder.path / "0.h5") as file:
        about = dict(file.attrs)
        stored = file["flux"][()]
    flux = columns["images"][:, :, 1:13, 1:13]
    back = convert_back(stored, about)
    assert (np.abs(back - flux) <= error_bound_nmgy(flux, about)).all()


def convert_back(stored, about):
    from zladder.tables.stamp_pixels import decode_pixels

    return decode_pixels(stored, about).astype(np.float64)


DAMAGE = {
    "shorter ids": (lambda c: c.update(ObjID=c["ObjID"][:-1]), "dataset 'ObjID'", "shape (29,)"),
    "shorter dust": (lambda c: c.update(e_bv=c["e_bv"][:-2]), "dataset 'e_bv'",
                     "float32 of shape (28, 5)"),
    "shorter positions": (lambda c: c.update(dec=c["dec"][:4]), "dataset 'dec'", "shape (4,)"),
    "two of one id": (lambda c: c["ObjID"].__setitem__(9, c["ObjID"][2]),
                      "dataset 'ObjID', row 9 (from 0)", "a second time"),
    "no images": (lambda c: c.pop("images"), "datasets", "ObjID"),
    "no ids": (lambda c: c.pop("ObjID"), "datasets", "images"),
    "bands missing": (lambda c: c.update(images=c["images"][:, :4]), "dataset 'images'",
                      "4 planes"),
    "ids of floats": (lambda c: c.update(ObjID=c["ObjID"].astype(float)), "dataset 'ObjID'",
                      "float64"),
    "small": (lambda c: c.update(images=c["images"][..., 4:]), "dataset 'images'", "15 x 11"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_file_that_is_not_what_it_should_be_is_refused(folder, sample, damage):
    change, place, found = DAMAGE[damage]
    columns = files.sdss_columns()
    change(columns)
    path = files.write(folder.path / "a.h5", columns)
    error = folder.refused(SDSS, sample, [path])
    assert (error.file, error.place) == (str(path), place)
    assert found in error.found


def test_a_galaxy_in_two_files_is_refused(folder, sample):
    columns = files.sdss_columns()
    parts = [{name: values[k : 20 + k] for name, values in columns.items()} for k in (0, 10)]
    paths = [files.write(folder.path / f"{k}.h5", part) for k, part in enumerate(parts)]
    error = folder.refused(SDSS, sample, paths)
    assert (error.file, error.place) == (str(paths[1]), "dataset 'ObjID', row 0 (from 0)")
    assert "10 such rows" in error.found


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_cut_off_file_is_refused(folder, sample, share):
    path = files.write(folder.path / "a.h5", files.sdss_columns())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    error = folder.refused(SDSS, sample, [path])
    assert (error.file, error.expected) == (str(path), "a whole HDF5 file")


def test_a_damaged_chunk_is_refused(folder, sample):
    path = files.write(folder.path / "a.h5", files.sdss_columns(), (1, 5, 15, 15))
    with h5py.File(path) as file:
        chunk = file["images"].id.get_chunk_info(17)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset + 20)
        stream.write(b"\xff" * 200)
    error = folder.refused(SDSS, sample, [path])
    assert (error.file, error.expected) == (str(path), "a whole HDF5 file")


def test_memory_does_not_grow_with_the_file(folder, monkeypatch):
    monkeypatch.setattr(cutouts, "_BLOCK_ROWS", 100)
    peaks = []
    for n in (400, 1600):
        path = files.write(folder.path / f"{n}.h5", files.hsc_columns(16, n), (10, 5, 16, 16))
        sample = files.sample_of(folder.path / "sample.parquet", np.sort(files.ids(n)))
        tracemalloc.start()
        convert.convert_images(sample, [path], 0, HSC, folder.path / "0.h5", folder.losses)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.25 * peaks[0] + 1200 * 200  # tables: some 200 bytes a galaxy
