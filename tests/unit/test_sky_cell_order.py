"""Cells of the sky that splits are drawn by: wide enough for the stamps of each scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.datasets.footprints import reached_cells, stamp_radius_arcsec
from zladder.datasets.splits import splits_of_keys
from zladder.tables.sky_cells import healpix_index

ROOT = Path(__file__).resolve().parents[2]
SCALE = 0.396


@pytest.mark.parametrize("scale", ["test", "demo", "small", "paper"])
def test_cells_of_each_scale_are_many_of_its_stamps_wide(scale):
    """By the shares themselves: less than a quarter of random places lies at a border."""
    given = read_yaml(ROOT / "config" / "config.yaml") | {"scale": scale}
    settings = load_settings(ROOT, given)
    images, pixels = settings["datasets"]["images"], settings["cutouts"]["stamp_pixels"]
    assert (images["sky_cell_order"] == 10) is (scale != "paper")
    draw = np.random.default_rng(5)
    places = draw.uniform(0, 360, 20000), np.degrees(np.arcsin(draw.uniform(-1, 1, 20000)))
    order, splits = images["sky_cell_order"], images["splits"]
    place, cell = reached_cells(*places, stamp_radius_arcsec(pixels, SCALE), order)
    home = splits_of_keys(healpix_index(*places, order), splits, 1)[place]
    at_border = np.unique(place[splits_of_keys(cell, splits, 1) != home])
    assert 0.05 < len(at_border) / 20000 < 0.25
