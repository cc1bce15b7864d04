"""What is wrong with frames, samples or disks ends with 2, is named, and leaves nothing behind."""

from __future__ import annotations

import bz2
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import cut_stamps
import numpy as np
import pandas as pd
import pytest

from tests.unit import stamp_sky
from zladder.cutouts import read_sdss

N_GALAXIES = 40  # of 32 kB each


@pytest.fixture
def sky(tmp_path):
    """One field and its galaxies."""
    stamp_sky.write_field(tmp_path / "frames")
    places = np.tile(stamp_sky.INSIDE, (N_GALAXIES // 5, 1))
    stamp_sky.galaxies(places).to_parquet(tmp_path / "sample.parquet")
    return tmp_path


def command(folder: Path, out: Path, **settings: object) -> list[str]:
    return [
        "--sample", str(folder / "sample.parquet"), "--frames", str(folder / "frames"),
        "--shard", "0", "--settings", json.dumps(stamp_sky.SETTINGS | settings),
        "--stamps", str(out / "0.h5"), "--losses", str(out / "0.losses.csv"),
        "--sidecar", str(out / "0.json"), "--log", str(folder / "0.log"),
    ]  # fmt: skip


def refused(folder: Path, capfd, *words: str, **settings: object) -> None:
    out = folder / "cutouts"
    assert cut_stamps.main(command(folder, out, **settings)) == 2
    told = capfd.readouterr().err
    for word in words:
        assert word in told
    assert not list(out.iterdir())


def test_a_truncated_bz2(sky, capfd):
    path = stamp_sky.path_of(sky / "frames", "r")
    packed = bz2.compress(path.read_bytes())
    path.unlink()
    cut_off = path.with_name(path.name + ".bz2")
    cut_off.write_bytes(packed[: len(packed) // 2])
    refused(sky, capfd, str(cut_off), "a whole FITS file", "40 of 40 galaxies lost: frame 40")


def test_a_frame_of_another_band_under_this_name(sky, capfd):
    path = stamp_sky.write_frame(sky / "frames", "g", stamp_sky.noise(1), FILTER="r")
    refused(sky, capfd, str(path), "HDU 0, FILTER", "'g', as the file's name says", "'r'")


@pytest.mark.parametrize("keyword", ["CTYPE1", "CRVAL2", "CD1_1"])
def test_no_world_coordinates(sky, capfd, keyword):
    path = stamp_sky.write_frame(sky / "frames", "g", stamp_sky.noise(1), **{keyword: None})
    refused(sky, capfd, str(path), f"HDU 0, {keyword}",
            "a frame needs world coordinates: write the keyword")  # fmt: skip


def test_a_band_of_nan(sky, capfd):
    path = stamp_sky.write_frame(sky / "frames", "z", np.full(stamp_sky.SHAPE, np.nan))
    refused(sky, capfd, str(path), "pixels", "NaN or infinity in all", "frame 40")


def test_a_galaxy_off_every_frame(sky, capfd):
    sample = stamp_sky.galaxies(np.vstack([stamp_sky.INSIDE, [[60.0, 5000.0]]]))
    sample.to_parquet(sky / "sample.parquet")
    refused(sky, capfd, "object_id 1005", "a galaxy inside the frame", "1 of 6", "outside 1",
            "check run, camcol and field of the sample")  # fmt: skip


def test_a_pixel_beyond_the_range_of_an_encoding(sky, capfd):
    """A star in one of the stamps: the galaxy, the pixel and what to set are named."""
    image = stamp_sky.noise(2)
    image[55, 52] = 345.6
    path = stamp_sky.write_frame(sky / "frames", "r", image)
    stamp_sky.galaxies(stamp_sky.INSIDE).to_parquet(sky / "sample.parquet")
    narrow = {"encoding": "asinh8", "softening_nmgy": dict.fromkeys(stamp_sky.BANDS, 0.02),
              "lowest_softenings": -100, "highest_softenings": 1e4}  # fmt: skip
    words = ("object_id 1000, band r", "which cutouts.encoding holds", "one of 345.6 nmgy",
             "2 of 5 galaxies lost: unfit 2", "widen cutouts.lowest_softenings")  # fmt: skip
    refused(sky, capfd, str(path), *words, **narrow)
    out = sky / "cutouts"
    assert cut_stamps.main(command(sky, out, **narrow | {"highest_softenings": 1e6})) == 0
    assert len(list(out.iterdir())) == 3


def listed_by(folder: Path) -> Path:
    return folder / "0.log.losses.csv"


def test_the_losses_of_a_refused_shard_can_be_looked_up(sky, capfd):
    """Outputs are gone, the list lies beside the log until a shard is cut."""
    path = stamp_sky.write_frame(sky / "frames", "i", np.full(stamp_sky.SHAPE, np.nan))
    refused(sky, capfd, f"those lost until then: {listed_by(sky)}", "40 of 40 galaxies lost")
    table = pd.read_csv(listed_by(sky))
    assert table["object_id"].tolist() == list(range(1000, 1040))
    assert table["reason"].str.startswith(f"frame: {path}: pixels").all()
    assert cut_stamps.main(command(sky, sky / "cutouts", max_lost_fraction=1.0)) == 0
    assert not listed_by(sky).exists()


def fields_of_which_one_is_damaged(folder: Path, n_fields: int = 6) -> list[Path]:
    """Write fields of the shard, the second without a header; return all frames of band u."""
    keys = [(756, 2, 14 + 2 * number) for number in range(n_fields)]
    for number, key in enumerate(keys):
        stamp_sky.write_field(folder / "frames", key)
        galaxies = stamp_sky.galaxies(stamp_sky.INSIDE, key, 1000 * number)
        galaxies.to_parquet(folder / f"{number}.parquet")
    parts = [pd.read_parquet(folder / f"{number}.parquet") for number in range(n_fields)]
    pd.concat(parts).to_parquet(folder / "sample.parquet")
    paths = [stamp_sky.path_of(folder / "frames", "u", key) for key in keys]
    paths[1].write_bytes(b"damaged")
    return paths


@pytest.fixture
def opened(monkeypatch) -> list[Path]:
    """Files that were unpacked, in order."""
    seen: list[Path] = []
    read = read_sdss._read_image

    def noted(path: Path):
        seen.append(path)
        return read(path)

    monkeypatch.setattr(read_sdss, "_read_image", noted)
    return seen


def test_cutting_ends_where_too_many_are_lost_for_certain(sky, capfd, opened):
    """Five of thirty are lost in the second field: with fewer allowed, no third one is opened."""
    paths = fields_of_which_one_is_damaged(sky)
    words = (str(paths[1]), "5 of 30 galaxies lost: frame 5")
    refused(sky, capfd, *words, max_lost_fraction=4.9 / 30)
    assert [path for path in opened if path in paths] == paths[:2]
    assert cut_stamps.main(command(sky, sky / "cutouts", max_lost_fraction=5 / 30)) == 0
    assert paths[-1] in opened


def test_what_was_refused_is_not_cut_again_until_a_frame_changes(sky, capfd, opened):
    """Frames are no inputs: the stamp knows those at fault, the neighbours and their folder."""
    paths = fields_of_which_one_is_damaged(sky)
    refused(sky, capfd)
    opened.clear()
    refused(sky, capfd, "not tried again", "5 of 30 galaxies lost", str(listed_by(sky)))
    assert not opened
    assert listed_by(sky).is_file()
    os.utime(paths[3])  # of a field that has no part in it
    refused(sky, capfd, "not tried again")
    frame = stamp_sky.path_of(sky / "frames", "u", (756, 2, 17))
    frame.write_bytes(b"a neighbour of the damaged field comes to lie there")
    refused(sky, capfd, "5 of 30 galaxies lost")
    assert opened
    opened.clear()
    refused(sky, capfd, "not tried again")
    stamp_sky.write_frame(sky / "frames", "u", stamp_sky.noise(3), (756, 2, 16))
    assert cut_stamps.main(command(sky, sky / "cutouts")) == 0
    assert not list(sky.glob("*.bad_input.json"))


def test_two_galaxies_of_one_id(sky, capfd):
    sample = stamp_sky.galaxies(stamp_sky.INSIDE)
    sample.loc[4, "object_id"] = 1001
    sample.loc[4, "field"] = 99  # of another shard
    sample.to_parquet(sky / "sample.parquet")
    refused(sky, capfd, "column 'object_id', row 5", "one row a galaxy", "1001 a second time")


def run(folder: Path, out: Path, file_bytes: int | None = None) -> subprocess.CompletedProcess:
    """Run the program by itself, if asked with a limit to what a file may hold."""

    def limit() -> None:
        if file_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return subprocess.run([sys.executable, cut_stamps.__file__, *command(folder, out)], text=True,
                          preexec_fn=limit, capture_output=True, check=False)  # fmt: skip


def test_a_file_that_cannot_grow(sky):
    out = sky / "cutouts"
    done = run(sky, out, 600_000)
    assert done.returncode == 2, done.stderr
    for word in (str(out), "disk", "room for the stamps of a shard", "File too large"):
        assert word in done.stderr
    assert not list(out.iterdir())
    assert run(sky, out).returncode == 0  # no stamp of known bad input stands in the way


def test_a_full_disk(sky):
    disk = sky / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)],
                             capture_output=True, check=False)  # fmt: skip
    if os.geteuid() != 0 or mounted.returncode != 0:
        pytest.skip("no right to mount a small disk here: the test above stands for it")
    try:
        for room in (600, 3):  # kB: in the midst of the pixels, and at the very start
            (disk / "filler").write_bytes(bytes(1024 * (600 - room)))
            done = run(sky, disk / "cutouts")
            assert done.returncode == 2, done.stderr
            assert "No space left on device" in done.stderr
            assert not list((disk / "cutouts").iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)
