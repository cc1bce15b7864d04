"""Seeing, noise of the sky and area on the page of a dataset: those of its stamps, by hand."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy_healpix import HEALPix
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from pixel_world import BANDS, draw_galaxies, write_pixels

from zladder.provenance.errors import BadInput
from zladder.report.dataset_columns import compared_columns, imaging_columns
from zladder.report.dataset_imaging import imaging_of_stamps
from zladder.report.dataset_light import draw_light
from zladder.report.dataset_shown import show_dataset
from zladder.report.sky_area import FINEST_ORDER, covered_area

ABOUT = {"dataset": "d", "bands": list(BANDS), "sky_cell_order": 11, "label_fractions": [1.0],
         "images": True, "stretch": "sqrt", "crop_pixels": 4}  # fmt: skip
# Of 4 training and 8 test galaxies: below 1.25 arcsec lie 3 of 4 and 2 of 8, no step is larger
SEEING = {"train": [1.0, 1.1, 1.2, 1.3], "test": [1.0, 1.2, 1.3, 1.3, 1.4, 1.4, 1.5, 1.6]}


def write_numbers(shards, dataset, name, values):
    """Write the numbers of a dataset's galaxies into the middle band of their stamps."""
    for path in shards:
        here = (dataset["shard"] == f"{path.parent.name}/{path.stem}").to_numpy()
        with h5py.File(path, "r+") as file:
            column = file[name][()]
            column[dataset["row"].to_numpy()[here], 2] = values[here]
            file[name][...] = column


@pytest.fixture(name="world")
def shuffled_world(tmp_path):
    """Return (path of an image dataset in any order, dataset, stamp files), with 12 galaxies."""
    frame = draw_galaxies(12, 0)
    frame["split"] = np.repeat(list(SEEING), [len(values) for values in SEEING.values()])
    path, shards = write_pixels(tmp_path, frame, size=6)
    dataset = pd.read_parquet(path).sample(frac=1, random_state=3).reset_index(drop=True)
    dataset.to_parquet(path)
    return path, dataset, shards


def test_each_galaxy_gets_the_numbers_of_its_own_stamp(world):
    _, dataset, shards = world
    numbers = np.arange(12, dtype=np.float32) / 8
    write_numbers(shards, dataset, "psf_fwhm_arcsec", numbers)
    write_numbers(shards, dataset, "sky_sigma_nmgy", -numbers)
    found = imaging_of_stamps(shards, dataset, "r")
    assert np.array_equal(found["psf_fwhm_arcsec_r"], numbers)
    assert np.array_equal(found["sky_sigma_nmgy_r"], -numbers)
    assert np.isnan(imaging_of_stamps(shards, dataset, "w")["sky_sigma_nmgy_w"]).all()
    with pytest.raises(BadInput):
        imaging_of_stamps(shards[:1], dataset, "r")


def test_seeing_of_the_splits_is_compared(world):
    path, dataset, shards = world
    values = np.zeros(12)
    for split, numbers in SEEING.items():
        values[(dataset["split"] == split).to_numpy()] = numbers
    write_numbers(shards, dataset, "psf_fwhm_arcsec", values)
    # what the catalogue says of its own measurement is not what the stamps are like
    dataset.assign(psf_fwhm_arcsec_r=9.0).to_parquet(path)
    shown = show_dataset(path, shards, ABOUT)
    rows = shown.tables["columns"].set_index("column")
    seeing = rows.loc["psf_fwhm_arcsec_r"]
    assert (seeing["n_train"], seeing["n_split"], seeing["n_no_number"]) == (4, 8, 0)
    assert seeing["ks"] == pytest.approx(3 / 4 - 2 / 8)
    assert rows.loc["sky_sigma_nmgy_r", "ks"] == 0  # all the same
    words = "\n".join(text.get_text() for text in shown.figures["light"].findobj(Text))
    for told in ("seeing, r", "sky noise, r", "seeing, r (arcsec)", "sky noise, r (nmgy)"):
        assert told in words
    steps = next(axes for axes in shown.figures["light"].axes if "arcsec" in axes.get_xlabel())
    x, y = next(line for line in steps.lines if "test" in line.get_label()).get_data()
    assert y[np.searchsorted(x, 1.25)] == pytest.approx(2 / 8)


def test_a_catalogue_has_the_seeing_that_it_lists_and_none_that_it_does_not():
    frame = draw_galaxies(30, 0)
    assert not imaging_columns(frame, BANDS)
    frame["psf_fwhm_arcsec_r"], frame["psf_fwhm_arcsec_u"] = 1.2, 1.5
    assert list(imaging_columns(frame, BANDS)) == ["psf_fwhm_arcsec_r"]
    assert "psf_fwhm_arcsec_u" not in compared_columns(frame, BANDS)
    bare = frame.drop(columns=[f"mag_{band}" for band in BANDS])
    assert list(imaging_columns(bare, BANDS)) == ["psf_fwhm_arcsec_r"]
    nothing = frame.assign(psf_fwhm_arcsec_r=np.nan)
    compared = pd.DataFrame(columns=["column"])
    for dataset, told in ((frame, "seeing, r (arcsec)"), (nothing, "not known")):
        figure = draw_light(dataset, compared, ABOUT)
        assert told in "\n".join(text.get_text() for text in figure.findobj(Text))


def in_cells(cells, order):
    """Return galaxies in the middle of HEALPix cells, nested."""
    ra, dec = HEALPix(nside=2**order, order="nested").healpix_to_lonlat(np.asarray(cells))
    return pd.DataFrame({"ra": ra.to_value("deg"), "dec": dec.to_value("deg")})


def test_the_area_is_that_of_the_finest_cells_that_are_filled():
    sky_deg2 = 41252.96
    thick = in_cells(np.repeat([0, 17, 700_000, 700_001], 4), FINEST_ORDER)
    area = covered_area(thick)
    assert (area.order, area.n_galaxies) == (FINEST_ORDER, 16)
    assert area.deg2 == pytest.approx(4 * sky_deg2 / (12 * 4**FINEST_ORDER))
    # 12 galaxies, each alone in its cell of order 3, in 3 cells of order 2
    area = covered_area(in_cells([*range(4), *range(40, 44), *range(700, 704)], 3))
    assert area.order == 2
    assert area.deg2 == pytest.approx(3 * sky_deg2 / (12 * 4**2))
    assert covered_area(in_cells([0, 300, 700], 3)) is None
    assert covered_area(thick[["ra"]]) is None


@settings(max_examples=20)
@given(st.floats(0.05, 0.5), st.integers(0, 99))
def test_the_area_of_an_even_cap_is_nearly_true(share, seed):
    rng = np.random.default_rng(seed)
    ra = rng.uniform(0, 360, 20_000)
    dec = np.degrees(np.arcsin(rng.uniform(1 - 2 * share, 1, 20_000)))
    found = covered_area(pd.DataFrame({"ra": ra, "dec": dec}))
    assert 0.95 < found.deg2 / (41252.96 * share) < 1.15
