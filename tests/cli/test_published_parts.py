"""GalaxiesML's own three files of images are the splits of its galaxies, by the rules' commands."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import build_image_dataset
import convert_images
import numpy as np
import pandas as pd
import pytest

from tests import published_files as files
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.merge import overlay
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.tables.split_notes import read_note

ROOT = Path(__file__).resolve().parents[2]
NAME = "specz_images_as_published"
PARTS = {"training": 60, "validation": 40, "testing": 30}
SPLITS = {"training": {"train"}, "validation": {"validation", "calibration"}, "testing": {"test"}}
SIDE = 12


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return the three files, the ids in each, the wiring of the study and `build`, a command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "galaxiesml"
    folder.mkdir(parents=True)
    every = np.random.default_rng(3).permutation(sum(PARTS.values())) + files.FIRST_ID
    ids = dict(zip(PARTS, np.split(every, np.cumsum(list(PARTS.values()))[:-1]), strict=True))
    for part, mine in ids.items():
        columns = files.hsc_columns(SIDE, len(mine)) | {"object_id": mine[:, None]}
        path = folder / f"5x64x64_{part}_with_morphology.hdf5"
        files.write(path, columns, (1, 5, SIDE, SIDE))
    (folder / "HSC_v6.csv").touch()
    ladder = wiring()
    sample = pd.DataFrame({"object_id": np.sort(every), "z_true": 0.5, "part": "all"})
    sample = sample.assign(ra=np.linspace(10, 60, len(sample)), dec=np.linspace(-5, 5, len(sample)))
    (tmp_path / "samples").mkdir()
    sample.to_parquet(tmp_path / "samples" / "galaxiesml.parquet")
    shards = [converted(tmp_path, ladder, shard) for shard in ladder.shards()]

    def build(*part_files: str) -> int:
        return build_image_dataset.main([
            "--samples", "samples/galaxiesml.parquet", "--stamps", *shards,
            "--part-files", *part_files, "--settings", ladder.building_images(NAME),
            "--dataset", f"datasets/{NAME}.parquet", "--sidecar", f"datasets/{NAME}.json",
        ])  # fmt: skip

    return SimpleNamespace(ids=ids, ladder=ladder, build=build, folder=tmp_path / "datasets")


def wiring() -> Wiring:
    """Return the wiring of the study at the scale of tests, with stamps as small as the images."""
    given = overlay(
        read_yaml(ROOT / "config" / "config.yaml"),
        read_yaml(ROOT / "config" / "papers" / "soriano2024.yaml"),
    )
    given = overlay(given, {"scale": "test", "studies": ["galaxiesml_images"]})
    settings = load_settings(ROOT, given)
    settings["cutouts"]["stamp_pixels"] = SIDE
    return Wiring(settings, make_plan(settings))


def converted(folder: Path, ladder: Wiring, shard: int) -> str:
    stamps = f"cutouts/galaxiesml/{shard}.h5"
    code = convert_images.main([
        "--sample", "samples/galaxiesml.parquet", "--images",
        *ladder.published_images("galaxiesml"), "--shard", str(shard),
        "--settings", ladder.converting("galaxiesml"), "--stamps", stamps,
        "--losses", f"cutouts/galaxiesml/{shard}.losses.csv",
        "--sidecar", f"cutouts/galaxiesml/{shard}.json",
    ])  # fmt: skip
    assert code == 0
    return stamps


def test_the_file_of_a_galaxys_image_is_its_split(made):
    part_files = made.ladder.part_files(NAME)
    assert [Path(path).name.split("_")[1] for path in part_files] == list(PARTS)
    assert made.build(*part_files) == 0
    dataset = pd.read_parquet(made.folder / f"{NAME}.parquet").set_index("object_id")
    for part, ids in made.ids.items():
        assert set(dataset.loc[ids, "split"]) == SPLITS[part]
    names = ["images_train", "images_validation", "images_test"]
    for name, ids in zip(names, made.ids.values(), strict=True):
        assert set(dataset.loc[ids, "part"]) == {name}
    told = json.loads((made.folder / f"{NAME}.json").read_text())
    assert told["counts"]["n_out"] == len(dataset) == sum(PARTS.values())
    assert told["split"]["convention"] == "by_galaxy"  # tables and pages mark it by this
    assert read_note(made.folder / f"{NAME}.parquet").follows("by_galaxy")
    assert set(part_files) <= set(told["inputs"])


def test_a_galaxy_in_none_of_the_files_is_refused(made, capsys):
    first, *others = made.ladder.part_files(NAME)
    columns = files.hsc_columns(SIDE, 58) | {"object_id": made.ids["training"][2:, None]}
    files.write(Path(first), columns, (1, 5, SIDE, SIDE))
    assert made.build(first, *others) == 2
    message = capsys.readouterr().err
    for word in (first, "in none (2 such galaxies of galaxiesml)", "images_train", "convert them"):
        assert word in message
    assert not list(made.folder.glob("*"))
