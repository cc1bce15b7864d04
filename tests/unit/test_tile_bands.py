"""Tiles whose bands have other names in files, and tiles that lack a band."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from deep_files import CFHTLS, CFHTLS_BANDS, CFHTLS_COUNT_NMGY, catalogue, counts, write_tile

from zladder.cutouts.cut import cut_stamps
from zladder.cutouts.read_tiles import read_tile
from zladder.cutouts.tile_names import tiles_in, weights_path
from zladder.cutouts.tile_places import place_in_tiles
from zladder.provenance.errors import BadInput, PassingBadInput

SETTINGS = CFHTLS | {"edge": "lose", "band_files": {"i": ["i", "y"]}}
WIDE = "CFHTLS_W_{band}_022200-043000_T0007_MEDIAN.fits"
NORTH = WIDE.replace("022200-043000", "022200-042900")
SIDE = 128


@pytest.fixture
def root(tmp_path):
    return tmp_path / "tiles"


def write_bands(root, names, tile=WIDE, **told):
    """Write the files of a tile: noise of a seed of its own in each band."""
    for name in names:
        filter_name = {"FILTER": "i.MP9702"} if name == "y" else {}
        image = counts((SIDE, SIDE), seed=ord(name))
        write_tile(root / tile.format(band=name), image, name, **told, **filter_name)


def sample_at(root, *xy):
    return catalogue(root / WIDE.format(band="r"), 0, list(xy), CFHTLS_BANDS)


def cut(root, sample, **settings):
    """Return the counts and the pixels of each galaxy in i."""
    folder = root.parent
    sample.to_parquet(folder / "sample.parquet")
    told = SETTINGS | settings
    done = cut_stamps(folder / "sample.parquet", root, 0, told, folder / "0.h5", folder / "0.csv")
    with h5py.File(folder / "0.h5") as file:
        return done, file["flux"][:, 3]


@pytest.mark.parametrize(("there", "shown"), [("ugryz", "y"), ("ugriyz", "i"), ("ugriz", "i")])
def test_the_pixels_of_a_band_are_those_of_the_first_of_its_names(root, there, shown):
    write_bands(root, there)
    [tile] = tiles_in(root, SETTINGS)
    assert tile == (WIDE, set(CFHTLS_BANDS), "W")
    done, [found] = cut(root, sample_at(root, [63.7, 63.7]))
    assert done["n_lost"]["frame"] == 0
    expected = counts((SIDE, SIDE), seed=ord(shown))[44:84, 44:84] * CFHTLS_COUNT_NMGY
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_another_name_of_a_band_is_no_band_of_its_own(root):
    write_bands(root, "ugryz")
    assert tiles_in(root, CFHTLS)[0].bands == set("ugrz")
    path = root / WIDE.format(band="y")
    with pytest.raises(BadInput) as caught:
        read_tile(path, "r", SETTINGS | {"shape": None})
    assert (caught.value.place, caught.value.found) == ("HDU 0, FILTER", "'i.MP9702'")
    template = {"weights": "CFHTLS_{layer}_{band}_{position}_T0007_WEIGHT.fits"}
    beside = root / WIDE.format(band="y").replace("MEDIAN", "WEIGHT")
    assert weights_path(path, SETTINGS | template) == beside


def test_a_tile_without_the_band_may_get_it_under_either_name(root):
    """Else a failed job would not be tried again after the file that it lacked came."""
    write_bands(root, "ugrz")
    with pytest.raises(PassingBadInput) as caught:
        cut(root, sample_at(root, [63.7, 63.7]))
    assert caught.value.found.startswith("no such file")
    assert caught.value.causes == [root / WIDE.format(band=name) for name in "iy"]


def test_a_tile_with_all_bands_comes_before_a_deeper_one_that_lacks_one(root):
    """The second, 40 pixels north, holds the first galaxy deeper, the third alone."""
    write_bands(root, "ugriz")
    write_bands(root, "ugrz", NORTH, sky=(35.5, -4.5 + 40 * 0.186 / 3600))
    sample = sample_at(root, [63.7, 100.2], [63.7, 63.7], [63.7, 140.0])
    placed, lost = place_in_tiles(sample, root, SETTINGS, "PRIMARY", 0)
    assert (placed["tile"].tolist(), lost) == ([WIDE, WIDE, NORTH], [])
    done, _ = cut(root, sample, max_lost_fraction=0.4)
    assert (done["n_out"], done["n_lost"]["frame"]) == (2, 1)
    write_bands(root, "y", NORTH, sky=(35.5, -4.5 + 40 * 0.186 / 3600))
    placed, _ = place_in_tiles(sample, root, SETTINGS, "PRIMARY", 0)
    assert placed["tile"].tolist() == [NORTH, WIDE, NORTH]
