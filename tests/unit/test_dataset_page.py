"""The page of a dataset: every number and figure stands there; what a dataset lacks is told."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image
from pixel_world import BANDS, draw_galaxies, write_pixels
from report_pages import parsed
from report_world import write_sidecar

from tests.checkout import ROOT
from zladder.config.documents import read_yaml
from zladder.config.load import load_settings
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.report.cutflow_page import datasets_section
from zladder.report.dataset_columns import compared_columns, read_shown_columns, signal_to_noise
from zladder.report.dataset_light import draw_light
from zladder.report.dataset_page import _three_digits, dataset_page
from zladder.report.dataset_shown import show_dataset
from zladder.report.dataset_splits import compare_splits
from zladder.report.page import wide_image
from zladder.report.pixel_counts import image_datasets_section
from zladder.report.records import read_records
from zladder.report.style import save_figure
from zladder.tables.sky_cells import healpix_index
from zladder.tables.stamp_files import STAMP_FLAGS

LONGEST_URI = 2 * 2**20  # what Chromium shows of a page that is handed on as a data URI
ABOUT = {"dataset": "images", "samples": ["mock_main"], "surveys": ["A <survey>"],
         "bands": list(BANDS), "sky_cell_order": 11, "label_fractions": [0.1, 0.5, 1.0],
         "images": True, "stretch": "sqrt", "crop_pixels": 8}  # fmt: skip


def whole_dataset(n=400, n_unlabelled=0):
    """Return a dataset with positions, labels, light and errors; splits are drawn by cell."""
    rng = np.random.default_rng(2)
    frame = draw_galaxies(n, n_unlabelled)
    frame["ra"], frame["dec"] = (
        150 + rng.uniform(0, 0.4, len(frame)),
        rng.uniform(0, 0.4, len(frame)),
    )
    cells = healpix_index(frame["ra"].to_numpy(), frame["dec"].to_numpy(), 11)
    names = np.array(["train", "train", "validation", "calibration", "test"])
    frame["split"] = names[cells % 5]
    frame["z_true_kind"] = np.where(frame["z_true"] < 0.1, "spec", "photo")
    for band in BANDS:
        frame[f"mag_err_{band}"] = 0.02 * rng.uniform(1, 20, len(frame))
        frame[f"extinction_{band}"] = 0.1
    return frame


@pytest.fixture(name="made", scope="module")
def made_page(tmp_path_factory):
    """Return (what is shown, the page) of an image dataset."""
    folder = tmp_path_factory.mktemp("page")
    dataset, shards = write_pixels(folder, whole_dataset(), size=12)
    shown = show_dataset(dataset, shards, ABOUT)
    return shown, page_of(folder, shown)


def page_of(folder, shown, about=ABOUT, stamps_by="cut_stamps"):
    """Return the page of what is shown; write its figures and its sidecars."""
    figures = {kind: folder / f"{kind}.png" for kind in shown.figures}
    for kind, figure in shown.figures.items():
        save_figure(figure, figures[kind], 50)
    counts = {"n_in": {"mock_main": 410}, "n_copies_dropped": 1, "n_without_stamp": 2,
              "n_dropped": {"border": 7}, "n_flagged": 0, "n_out": 400,
              "n_by_split": {"train": 300, "test": 100}}  # fmt: skip
    rule = "build_image_dataset.py" if about["images"] else "build_dataset.py"
    own = folder / "datasets" / f"{about['dataset']}.json"
    files = [write_sidecar(own, rule, 1, counts=counts),
             write_sidecar(folder / "datasets" / "another.json", rule, 1,
                           counts={**counts, "n_out": 123456}),
             write_sidecar(folder / "cutouts" / "mock_main" / "0.json", f"{stamps_by}.py", 1,
                           counts={"n_in": 412, "n_out": 408, "n_lost": {"edge": 4}})]  # fmt: skip
    about = {**about, "area": shown.area}
    return dataset_page(about, figures, shown.tables, read_records(files))


def words_of(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_the_page_is_well_formed_and_tells_what_each_figure_shows(made):
    shown, page = made
    tree = parsed(page)
    pictures = tree.findall(".//img")
    assert len(pictures) == len(shown.figures) == 3
    for picture in pictures:
        assert picture.get("src").startswith("data:image/")
        assert picture.get("alt").startswith("images: ")
    assert len({picture.get("alt") for picture in pictures}) == 3
    assert tree.find(".//h1").text == "The dataset images"
    assert "A &lt;survey&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    assert len(page) < LONGEST_URI / 1.4


def test_the_numbers_in_and_out_are_those_of_its_own_sidecars(made):
    _, page = made
    cells = {cell.text for cell in parsed(page).findall(".//td")}
    assert {"410", "408", "412", "7", "400"} <= cells
    assert "123,456" not in page
    assert "a stamp at the border" in page


@pytest.mark.parametrize("rule", ["cut_stamps", "convert_images"])
def test_stamps_are_counted_whoever_made_them(made, tmp_path, rule):
    page = page_of(tmp_path, made[0], stamps_by=rule)
    row = next(row for row in parsed(page).iter("tr") if "412" in {cell.text for cell in row})
    assert [cell.text for cell in row][0::3] == ["mock_main", "408", "1"]
    assert "edge 4" in "".join(row.itertext())


def test_every_number_of_the_tables_stands_on_the_page(made):
    shown, page = made
    tree = parsed(page)
    counted = {cell.get("data-part"): cell.text for cell in tree.iter("td")
               if cell.get("data-count") == "n"}  # fmt: skip
    assert counted == {row.part: f"{row.n:,}" for row in shown.tables["splits"].itertuples()}
    columns = shown.tables["columns"]
    assert len(columns) == 3 * (1 + 5 + 4 + 2 + 2)
    for row in columns.itertuples():
        assert f"<code>{row.column}</code>" in page
        assert f"{row.ks:.4f}" in page
    flags = {(cell.get("data-flag"), cell.get("data-band")) for cell in tree.iter("td")}
    assert len(flags - {(None, None)}) == len(STAMP_FLAGS) * (len(BANDS) + 1)
    assert "report/images.pixel_values.parquet" in page


def test_area_and_density_stand_on_the_page(made):
    shown, page = made
    area = shown.area
    assert 0.14 < area.deg2 < 0.3  # of a square of 0.4 deg
    assert f"400 galaxies on {area.deg2:.3f} deg²" in page
    assert f"they cover {area.deg2:.3f} deg² ({400 / area.deg2:,.0f} galaxies per deg²)" in page
    assert f"cells of order {area.order} that hold a galaxy" in page


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8512, "0.851"), (8.0, "8.00"), (99.96, "100.0"), (8032.4, "8,032"), (41253, "41,253")],
)
def test_areas_have_three_digits_and_all_before_the_point(value, text):
    assert _three_digits(value) == text


def test_the_split_comparison_says_how_many_by_chance(made):
    shown, page = made
    n = int(shown.tables["columns"]["p_cells"].notna().sum())
    small = int((shown.tables["columns"]["p_cells"] < 0.01).sum())
    assert f"Of {n} comparisons with the training galaxies, {small} have p &lt; 0.01" in page
    assert f"chance alone gives about {n / 100:.1f}" in page


LACKS = {
    "positions": (["ra", "dec"], "no positions"),
    "labels": (["z_true", "z_true_kind"], "carry no label"),
    "magnitudes": ([f"mag_{band}" for band in BANDS], "no magnitudes"),
    "errors": ([f"mag_err_{band}" for band in BANDS], "no errors of magnitudes"),
}


@pytest.mark.parametrize("lack", LACKS)
def test_what_a_dataset_lacks_is_told_and_the_rest_is_shown(tmp_path, lack):
    columns, words = LACKS[lack]
    path = tmp_path / "plain.parquet"
    whole_dataset().drop(columns=["early", "z_drawn", *columns]).to_parquet(path)
    about = {**ABOUT, "dataset": "plain", "images": False}
    shown = show_dataset(path, [], about)
    assert set(shown.figures) == {"light", "sky"}
    told = words_of(shown.figures["light"]) + words_of(shown.figures["sky"])
    assert words in told
    page = page_of(tmp_path, shown, about)
    parsed(page)
    compared = set(shown.tables["columns"]["column"])
    assert compared.isdisjoint(columns)
    assert ("mag_r" in compared) == (lack != "magnitudes")
    if lack == "positions":
        assert "The survey gives no positions" in page


def test_one_split_is_not_compared_and_no_number_is_no_reason_to_fail(tmp_path):
    frame = whole_dataset().drop(columns=["early", "z_drawn"]).assign(split="train")
    frame.loc[:, "z_true"] = np.nan
    frame.loc[frame.index[:300], "mag_u"] = np.inf
    frame["mag_g"] = np.nan
    frame["mag_err_r"] = 0.0
    path = tmp_path / "one.parquet"
    frame.to_parquet(path)
    about = {**ABOUT, "dataset": "one", "images": False}
    shown = show_dataset(path, [], about)
    words = words_of(shown.figures["light"])
    for told in ("nothing to compare", "carry no label", "u (300 without)", "g (400 without)"):
        assert told in words
    page = page_of(tmp_path, shown, about)
    assert "There is one split: nothing to compare." in page
    assert shown.tables["columns"].empty
    assert parsed(page) is not None


def test_signal_to_noise_is_flux_over_error():
    error = np.array([1.0857362, 0.10857362, 0, -1, np.nan, np.inf])
    assert signal_to_noise(error) == pytest.approx([1, 10, np.nan, np.nan, np.nan, 0], nan_ok=True)


def test_columns_are_compared_where_they_are():
    frame = pd.DataFrame({"z_true": [0.1], "mag_g": [np.inf], "mag_r": [np.inf], "mag_i": [20.0],
                          "mag_err_r": [0.1], "extinction_i": [0.2]})  # fmt: skip
    found = compared_columns(frame, ["u", "g", "r", "i"])
    assert list(found) == ["z_true", "mag_g", "mag_r", "mag_i", "g − r", "r − i", "mag_err_r"]
    assert np.isnan(found["g − r"]).all()


def test_only_what_is_shown_is_read(tmp_path):
    path = tmp_path / "d.parquet"
    whole_dataset(20).assign(huge="x" * 99).to_parquet(path)
    read = read_shown_columns(path, ["g", "w"])
    assert {"mag_g", "split", "ra"} <= set(read.columns)
    assert {"huge", "mag_r", "mag_w"}.isdisjoint(read.columns)


def test_the_light_of_each_split_kind_and_band_is_drawn_with_its_numbers():
    frame = whole_dataset()
    compared = compare_splits(compared_columns(frame, BANDS), frame["split"].to_numpy(), None)
    figure = draw_light(frame, compared, ABOUT)
    words = words_of(figure)
    for split, n in frame["split"].value_counts().items():
        assert f"{split} {n:,}" in words
    n_spec = int((frame["z_true_kind"] == "spec").sum())
    assert f"spectroscopic {n_spec}" in words
    tenth = int(((frame["split"] == "train") & (frame["fraction_rank"] < 0.1)).sum())
    assert f"10 % of train {tenth}" in words
    below = 100 * np.mean(1.0857362 / frame["mag_err_u"] < 5)
    assert f"u {below:.1f} %" in words
    drawn = sum(len(line.get_xdata()) for line in figure.axes[-1].lines)
    assert drawn == len(compared)


def test_each_dataset_of_the_dag_has_its_page_and_what_it_prints():
    given = {**read_yaml(ROOT / "config" / "config.yaml"), "studies_if_data": []}
    settings = load_settings(ROOT, given)
    wiring = Wiring(settings, make_plan(settings))
    told = json.loads(wiring.about_datasets())
    assert [about["dataset"] for about in told] == wiring.plan.datasets
    by_name = {about["dataset"]: about for about in told}
    stage = settings["datasets"]
    assert by_name["main_images"]["sky_cell_order"] == stage["images"]["sky_cell_order"]
    assert by_name["main"]["sky_cell_order"] == stage["sky_cell_order"]
    assert by_name["combined"]["samples"] == ["mock_specz", "mock_photoz"]
    assert by_name["main_images"]["stretch"] == settings["pretrain"]["pixels"]["stretch"]
    assert "stretch" not in by_name["main"]
    pages = {f"<results>/report/{name}.dataset.html" for name in wiring.plan.datasets}
    assert pages <= set(wiring.report_pages())
    sidecars = wiring.dataset_sidecars()
    assert set(sidecars) <= set(wiring.data_sidecars())
    assert len(wiring.all_stamps()) == len(set(wiring.all_stamps())) == len(sidecars) - len(pages)


@pytest.mark.parametrize(("width", "kind"), [(1500, "png"), (1501, "webp")])
def test_a_small_figure_goes_into_a_page_as_it_is(tmp_path, width, kind):
    path = tmp_path / "figure.png"
    Image.new("RGB", (width, 40), "white").save(path)
    assert f"data:image/{kind};base64" in wide_image(path, "d", "c")
    noise = np.random.default_rng(0).integers(0, 255, (400, 1500, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)  # not wide, yet of many bytes
    assert "data:image/webp;base64" in wide_image(path, "d", "c")


def test_what_each_split_loses_at_borders_is_told_with_advice_where_it_is_much(tmp_path):
    def words(**lost):
        counts = {"n_in": {"mock_main": 100}, "n_out": 60, "n_by_split": {"train": 40, "test": 20},
                  "n_paired_dropped": {"train": 8}, "n_border_dropped": lost}  # fmt: skip
        path = write_sidecar(tmp_path / "a.json", "build_image_dataset.py", 1, counts=counts)
        return str(image_datasets_section(read_records([path])))

    much = words(train=12, test=20)
    assert "a 32% (train 20%, test 50%)" in much
    assert "a lower datasets.images.sky_cell_order" in much
    little = words(train=12, test=2)
    assert "a 17% (train 20%, test 9%)" in little
    assert "sky_cell_order" not in little
    assert "Lost at the border" not in words(train=0, test=0)


def test_what_is_said_of_shared_pixels_is_what_the_splits_were_drawn_by(tmp_path):
    def made(name, convention, **counts):
        counts |= {"n_in": {"mock_main": 410}, "n_out": 400}
        note = {"digest": "12", "convention": convention}
        path = write_sidecar(
            tmp_path / f"{name}.json", "build_image_dataset.py", 1, counts=counts, split=note
        )
        return read_records([path])

    ours = made("ours", "", n_pairs_sharing_pixels=0, n_pairs_across=3)
    theirs = made("theirs_as_published", "by_galaxy + validation_as_test",
                  n_pairs_sharing_pixels=12345, n_pairs_across=67)  # fmt: skip
    promise, warning = "no stamp shows", "may show the same pixels"
    page = str(image_datasets_section(ours))
    assert promise in page
    assert warning not in page
    assert "as drawn: 3" in page
    page = str(image_datasets_section(theirs))
    assert promise not in page
    assert "Splits are drawn by galaxy" in page
    assert warning in page
    assert "12,345" in page
    assert "as drawn: 67" in page
    page = str(image_datasets_section([*ours, *theirs]))
    assert promise in page
    assert "Not so in theirs_as_published: splits are drawn by galaxy" in page
    page = str(datasets_section([*ours, *theirs]))
    assert "Not so in theirs_as_published" in page
    assert "close pairs of two splits stay (67 in theirs_as_published)" in page
    assert "Not so" not in str(datasets_section(ours))
