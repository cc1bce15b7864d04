"""Wide galaxies get wide pixels, deep ones deep pixels, where a deep field lies in a wide one."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from deep_files import CFHTLS, CFHTLS_BANDS, catalogue, counts, write_tile

from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.layers import layers_of
from zladder.cutouts.tile_places import place_in_tiles
from zladder.provenance.errors import BadInput

SETTINGS = CFHTLS | {
    "edge": "lose", "encoding": "float32",
    "layers": {"column": "FIELD", "begin": {"W": "W", "D": "D-85"}},
}  # fmt: skip
DEEP = "CFHTLS_D-85_{band}_022559-042940_T0007_MEDIAN.fits"
WIDE = "CFHTLS_W_{band}_022539-041200_T0007_MEDIAN.fits"
SHARPEST = DEEP.replace("D-85", "D-25")
SIDE, D1 = 256, (36.4958, -4.4944)
SHIFT_DEG = SIDE / 3 * 0.186 / 3600
DEEPER = 0.1  # noise of the deep layer over that of the wide one


def write_layers(root, *names, bands=CFHTLS_BANDS):
    """Write tiles: the deep ones at D1, the wide one a third of a side away, as W1's lies."""
    for name in names:
        shift, noise = (SHIFT_DEG, 1.0) if name == WIDE else (0.0, DEEPER)
        for band in bands:
            image = noise * counts((SIDE, SIDE), seed=ord(band))
            write_tile(root / name.format(band=band), image, band, (D1[0] + shift, D1[1] + shift))


def sample_of(root, n_galaxies: int = 60):
    """Return galaxies all over D1, every other one of the wide catalogue."""
    xy = np.random.default_rng(3).uniform(30, SIDE - 30, (n_galaxies, 2))
    xy[1::2] = xy[1::2] / 2 + [22, SIDE / 2 - 22]  # where both tiles are: east and north
    table = catalogue(root / DEEP.format(band="r"), 0, xy, CFHTLS_BANDS)
    return table.assign(FIELD=["D1", "W1"] * (n_galaxies // 2))


def cut(root, sample, **settings):
    """Return the noise in r by galaxy, and the counts."""
    folder, told = root.parent, SETTINGS | {"max_lost_fraction": 1.0} | settings
    sample.to_parquet(folder / "sample.parquet")
    done = cut_stamps(folder / "sample.parquet", root, 0, told, folder / "0.h5", folder / "0.csv")
    with h5py.File(folder / "0.h5") as file:
        sigma = file["sky_sigma_nmgy"][:, 2]
        return dict(zip(file["object_id"][()].tolist(), sigma.tolist(), strict=True)), done


@pytest.fixture
def root(tmp_path):
    return tmp_path / "tiles"


def test_galaxies_get_the_pixels_of_their_own_layer(root):
    write_layers(root, DEEP, WIDE, SHARPEST)  # the last one is never looked at
    sample = sample_of(root)
    noise, done = cut(root, sample)
    of_wide = max(noise.values())
    found = np.array([noise[one] for one in sample["object_id"]])
    assert (done["n_out"], done["n_fields"]) == (len(sample), 2)
    # MAD of 64 rows of 256: 0.9 %; 5 % is beyond five sigma
    np.testing.assert_allclose(found[0::2], DEEPER * of_wide, rtol=0.05)
    np.testing.assert_allclose(found[1::2], of_wide, rtol=1e-6)


def test_a_galaxy_off_the_tiles_of_its_layer_is_lost_though_another_layer_shows_it(root):
    write_layers(root, DEEP)
    sample = sample_of(root, 4)
    noise, done = cut(root, sample)
    assert list(noise) == sample["object_id"][0::2].tolist()
    assert done["n_lost"]["outside"] == 2
    with pytest.raises(BadInput) as caught:
        cut(root, sample, max_lost_fraction=0.0)
    assert "in none of 0 tiles of layer W " in caught.value.found
    (root.parent / "none").mkdir()
    with pytest.raises(BadInput) as caught:
        place_in_tiles(sample.assign(layer="W"), root.parent / "none", SETTINGS, "PRIMARY", 0)
    assert caught.value.expected.endswith("_MEDIAN.fits with layer W or D-85")


def test_two_tiles_of_one_place_are_refused_where_a_galaxy_may_belong_to_both(root):
    """D-25 and D-85 of a field differ in noise and seeing: their names must not decide."""
    write_layers(root, DEEP, SHARPEST, bands="r")
    sample = sample_of(root, 4)
    settings = {key: SETTINGS[key] for key in SETTINGS if key != "layers"}
    with pytest.raises(BadInput) as caught:
        place_in_tiles(sample, root, settings, "PRIMARY", 0)
    assert (caught.value.file, caught.value.place) == (str(root), "frames.path")
    assert caught.value.found == f"{SHARPEST} and {DEEP}"
    named = settings | {"path": CFHTLS["path"].replace("{layer}", "D-85")}
    assert set(place_in_tiles(sample, root, named, "PRIMARY", 0)[0]["tile"]) == {DEEP}
    settings["layers"] = {"column": "FIELD", "begin": {"D": "D-85", "D1": "D-25"}}
    told = sample[:3].assign(layer=["D-25", "D-85", "D-25"])
    placed, lost = place_in_tiles(told, root, settings, "PRIMARY", 0)
    assert (placed["tile"].tolist(), lost) == ([SHARPEST, DEEP, SHARPEST], [])


def test_the_longest_beginning_counts():
    layers = {"column": "FIELD", "begin": {"W": "W", "D1": "D-25", "D": "D-85"}}
    told = layers_of(pd.Series(["W1", " D1 ", "D3", "D", "W"]), layers, Path("sample.parquet"))
    assert told.tolist() == ["W", "D-25", "D-85", "D-85", "W"]


@pytest.mark.parametrize(("text", "found"), [("X1", "'X1'"), (None, "''"), ("w1", "'w1'")])
def test_a_galaxy_whose_layer_is_not_told_is_refused(root, text, found):
    write_layers(root, DEEP, bands="r")
    sample = sample_of(root, 4)
    sample.loc[2, "FIELD"] = text
    with pytest.raises(BadInput) as caught:
        cut(root, sample)
    assert (caught.value.place, caught.value.found) == (
        "column 'FIELD', row 3",
        f"{found} (1 such rows)",
    )
    with pytest.raises(BadInput) as caught:
        cut(root, sample.drop(columns="FIELD"))
    assert caught.value.place == "column 'FIELD'"
