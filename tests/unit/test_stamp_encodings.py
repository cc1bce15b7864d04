"""Shards of every encoding: written whole, read back within the bound, refused where wrong."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.loaded_stamps import load_stamps
from zladder.config.encodings import ASINH
from zladder.cutouts.shard import write_stamps
from zladder.cutouts.unfit import holdable
from zladder.provenance.errors import BadInput
from zladder.report.shown_stamps import read_shown
from zladder.tables.cutouts import Told
from zladder.tables.hdf5_cutouts import open_hdf5
from zladder.tables.stamp_files import describe_stamps, stamp_column, stamp_datasets
from zladder.tables.stamp_pixels import ENCODINGS, error_bound_nmgy

BANDS = ["g", "r", "i"]
N, SIDE, ROOM = 23, 12, 30
SIGMA = np.array([0.02, 0.03, 0.5], np.float32)


def settings(encoding: str) -> dict:
    return {"bands": BANDS, "stamp_pixels": SIDE, "pixel_scale_arcsec": 0.3, "encoding": encoding,
            "softening_nmgy": dict(zip(BANDS, SIGMA.tolist(), strict=True)),
            "lowest_softenings": -10_000, "highest_softenings": 1e6}  # fmt: skip


def galaxies() -> dict[str, np.ndarray]:
    """Return the datasets of N stamps: noise, and a bright pixel in each."""
    draw = np.random.default_rng(8)
    described = stamp_datasets(len(BANDS), SIDE)
    stamps = {name: np.zeros((N, *entry), dtype) for name, (dtype, entry) in described.items()}
    stamps["flux"][:] = draw.normal(size=(N, 3, SIDE, SIDE)) * SIGMA[:, None, None]
    stamps["flux"][:, :, 6, 6] = draw.uniform(1, 500, (N, 3))
    stamps["sky_sigma_nmgy"][:] = SIGMA
    stamps["object_id"][:] = 100 + np.arange(N)
    return stamps


@pytest.fixture(params=ENCODINGS)
def shard(request, tmp_path):
    """A shard of each encoding, written in two parts into a room too large; and its content."""
    stamps, path = galaxies(), tmp_path / "main" / "0.h5"
    path.parent.mkdir()
    parts = [{name: values[some] for name, values in stamps.items()}
             for some in (slice(9), slice(9, N))]  # fmt: skip
    assert write_stamps(path, parts, ROOM, settings(request.param)) == N
    return request.param, path, stamps


def test_a_shard_is_as_the_page_of_formats_says(shard):
    encoding, path, stamps = shard
    about = describe_stamps(path)
    assert (about.encoding, about.n_stamps, about.stamp_pixels) == (encoding, N, SIDE)
    with h5py.File(path) as file:
        assert file["flux"].dtype == np.dtype(ENCODINGS[encoding])
        assert file["flux"].chunks is None
        assert file.attrs["encoding"] == encoding
    for name in ("object_id", "sky_sigma_nmgy", "flags"):
        np.testing.assert_array_equal(stamp_column(path, name), stamps[name])
    assert [file.name for file in path.parent.iterdir()] == ["0.h5"]


def test_every_reader_gives_the_pixels_within_the_bound(shard):
    encoding, path, stamps = shard
    with h5py.File(path) as file:
        bound = error_bound_nmgy(stamps["flux"], dict(file.attrs))
    index = pd.DataFrame({"shard": "main/0", "row": np.arange(N)[::-1],
                          "object_id": stamps["object_id"][::-1]})  # fmt: skip
    loaded = load_stamps({"main/0": path}, index, ["i", "g"]).flux.numpy()[::-1]
    shown = read_shown([path], index).flux[::-1]
    own = open_hdf5(path, Told())
    answered = np.concatenate(list(own.blocks(BANDS, SIDE)))
    assert loaded.dtype == shown.dtype == answered.dtype == np.float32
    for flux, wanted, most in (
        (loaded, stamps["flux"][:, [2, 0]], bound[:, [2, 0]]),
        (shown, stamps["flux"], bound),
        (answered, stamps["flux"], bound),
    ):
        assert (np.abs(flux.astype(np.float64) - wanted) <= most).all()
    if encoding == "float32":
        np.testing.assert_array_equal(loaded, stamps["flux"][:, [2, 0]])


def written_bytes() -> int:
    """Return what this process has written so far."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("n_lost", [0, 1, 2000])
def test_pixels_are_written_once_however_many_galaxies_are_lost(tmp_path, encoding, n_lost):
    path, whole = tmp_path / "0.h5", tmp_path / "whole.h5"
    stamps = {name: np.concatenate([values] * 120) for name, values in galaxies().items()}
    n, wanted = len(stamps["ra"]), settings(encoding)
    parts = [{name: values[rows] for name, values in stamps.items()}
             for rows in (slice(1000), slice(1000, n))]  # fmt: skip
    before = written_bytes()
    assert write_stamps(path, parts, n + n_lost, wanted) == n
    written = written_bytes() - before
    write_stamps(whole, [stamps], n, wanted)
    with h5py.File(path) as file, h5py.File(whole) as other:
        for name in stamps:
            assert file[name][()].tobytes() == other[name][()].tobytes()
        beside = sum(file[name].nbytes for name in stamps if name != "flux")
        most = file["flux"].nbytes + 3 * beside + 4 * 2**16 + 100 * n_lost
        assert [*file.attrs] == [*other.attrs]
    assert file_names(tmp_path) == ["0.h5", "whole.h5"]
    assert written < most
    assert path.stat().st_size < whole.stat().st_size + 4096 + 100 * n_lost


def file_names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize(("n_stamps", "n_most"), [(0, 3), (1, 1), (1, 3), (40, 999), (90, 91)])
@pytest.mark.parametrize("side", [4, 33])
def test_few_and_small_stamps_survive_the_loss_of_others(tmp_path, n_stamps, n_most, side):
    narrow = settings("asinh8") | {"stamp_pixels": side}
    stamps = {name: np.zeros((n_stamps, *entry), dtype)
              for name, (dtype, entry) in stamp_datasets(3, side).items()}  # fmt: skip
    stamps["flux"][:] = np.random.default_rng(2).normal(size=stamps["flux"].shape)
    stamps["object_id"][:] = 5 + np.arange(n_stamps)
    for name, room in (("short", n_most), ("exact", n_stamps)):
        assert write_stamps(tmp_path / name, [stamps], room, narrow) == n_stamps
    assert describe_stamps(tmp_path / "short").n_stamps == n_stamps
    assert file_names(tmp_path) == ["exact", "short"]
    with h5py.File(tmp_path / "short") as file, h5py.File(tmp_path / "exact") as exact:
        for name in stamps:
            np.testing.assert_array_equal(file[name][()], exact[name][()])
        np.testing.assert_array_equal(file["object_id"][()], stamps["object_id"])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_shard_without_galaxies_is_a_shard(tmp_path, encoding):
    write_stamps(tmp_path / "0.h5", [], 5, settings(encoding))
    about = describe_stamps(tmp_path / "0.h5")
    assert (about.n_stamps, about.encoding) == (0, encoding)


@pytest.mark.parametrize(("encoding", "place", "value", "told"), [
    ("asinh8", (3, 1, 2, 2), 5e4, "pixels from -310.7 to 35132 nmgy"),
    ("asinh16", (3, 1, 2, 2), -301.0, "pixels from -300.07 to 30015 nmgy"),
    ("float16", (3, 1, 0, 0), -7e4, "pixels from -65504 to 65504 nmgy"),
])  # fmt: skip
def test_a_galaxy_whose_pixel_does_not_fit_is_lost_by_name(encoding, place, value, told):
    stamps = galaxies()
    stamps["flux"][place] = value
    kept, (loss,) = holdable(stamps, settings(encoding), (1, 2, 3), lambda band: Path(f"{band}.f"))
    assert kept["object_id"].tolist() == [100 + row for row in range(N) if row != 3]
    assert (loss.object_id, loss.key, loss.band, loss.kind) == (103, (1, 2, 3), "r", "unfit")
    error = loss.error
    assert (error.file, error.place) == ("r.f", "object_id 103, band r")
    assert error.expected == f"{told}, which cutouts.encoding holds"
    assert error.found == f"one of {value:g} nmgy"
    assert "set cutouts.encoding: float32" in error.hint
    assert ("cutouts.highest_softenings" in error.hint) == (encoding in ASINH)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_fits_stays_without_a_copy(encoding):
    stamps = galaxies()
    kept, lost = holdable(stamps, settings(encoding), (), Path)
    assert kept is stamps
    assert lost == []


@pytest.mark.parametrize(("change", "place", "found"), [
    ({"encoding": "asinh9"}, "attribute 'encoding'", "'asinh9'"),
    ({"encoding": "float32"}, "dataset 'flux'", "uint8 of (23, 3, 12, 12)"),
    ({"asinh_step": None}, "attribute 'asinh_step'", "no such attribute"),
    ({"zero_code": [1, 2]}, "attribute 'zero_code'", "[1. 2.]"),
])  # fmt: skip
def test_a_shard_that_nothing_decodes_is_refused(tmp_path, change, place, found):
    write_stamps(tmp_path / "0.h5", [galaxies()], N, settings("asinh8"))
    with h5py.File(tmp_path / "0.h5", "r+") as file:
        for name, value in change.items():
            del file.attrs[name]
            if value is not None:
                file.attrs[name] = value
    with pytest.raises(BadInput) as caught:
        describe_stamps(tmp_path / "0.h5")
    assert (caught.value.place, caught.value.found) == (place, found)
