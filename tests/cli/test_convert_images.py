"""Published images become a shard by the command that the rule runs, whole or not at all."""

from __future__ import annotations

import json
from hashlib import blake2b

import convert_images
import numpy as np
import pytest

from tests import published_files as files
from zladder.provenance.digests import told_digest
from zladder.tables.stamp_files import describe_stamps


@pytest.fixture
def convert(tmp_path):
    """Return a function that converts a file of GalaxiesML and returns the exit code."""
    files.sample_of(tmp_path / "sample.parquet", np.sort(files.ids()))
    out = tmp_path / "cutouts" / "galaxiesml"

    def run(columns, **settings) -> int:
        path = files.write(tmp_path / "images.h5", columns, (1, 5, 16, 16))
        return convert_images.main([
            "--sample", str(tmp_path / "sample.parquet"), "--images", str(path), "--shard", "1",
            "--settings", json.dumps(files.HSC | {"n_shards": 2} | settings),
            "--stamps", str(out / "1.h5"), "--losses", str(out / "1.losses.csv"),
            "--sidecar", str(out / "1.json"), "--log", str(tmp_path / "1.log"),
        ])  # fmt: skip

    run.folder, run.log = out, tmp_path / "1.log"
    return run


def test_a_shard_with_its_losses_and_counts(convert):
    assert convert(files.hsc_columns(), encoding="asinh16") == 0
    about = describe_stamps(convert.folder / "1.h5")
    assert (about.n_stamps, about.stamp_pixels, about.encoding) == (15, 12, "asinh16")
    told = json.loads((convert.folder / "1.json").read_text(encoding="utf-8"))
    assert told["counts"]["n_in"] == told["counts"]["n_out"] == 15
    read = blake2b((convert.folder / "1.h5").read_bytes(), digest_size=16).hexdigest()
    assert told_digest(convert.folder / "1.h5") == told["written"]["digest"] == read
    assert sorted(path.name for path in convert.folder.iterdir()) == [
        "1.h5",
        "1.json",
        "1.losses.csv",
    ]
    assert "15 of 15 images" in convert.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(object_id=c["object_id"][:-1]), "dataset 'object_id'"),
        (lambda c: c["object_id"].__setitem__(20, c["object_id"][3]), "one image a galaxy"),
        (lambda c: c["image"].__setitem__((25, 2), np.nan), "1 of 15 galaxies lost: not_finite 1"),
        (lambda c: c["image"].__setitem__((25, 2, 8, 8), 1e6), "1 of 15 galaxies lost: unfit 1"),
    ],
)
def test_bad_input_leaves_nothing_and_passes_once_it_is_repaired(convert, change, words):
    columns = files.hsc_columns()
    change(columns)
    assert convert(columns, encoding="asinh8") == 2
    assert words in convert.log.read_text(encoding="utf-8")
    assert not list(convert.folder.iterdir())
    assert convert(files.hsc_columns()) == 0
