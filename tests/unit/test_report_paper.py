"""A paper's page: its words, our numbers, its figures, verdicts, and what is not the paper's."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from report_pages import parsed
from report_world import STUDIES, write_sidecar

from zladder.provenance.errors import BadInput
from zladder.report.claims_page import claims_table, count_verdicts
from zladder.report.cutflow_page import cutflow_page
from zladder.report.markup import tag
from zladder.report.paper_page import CAPTIONS, figures_by_subject, paper_page
from zladder.report.paper_runs import runs_table
from zladder.report.paper_words import PAPER_WORDS
from zladder.report.records import read_records
from zladder.report.references import PAPERS
from zladder.report.style import new_figure, save_figure
from zladder.report.summary_page import Found, headline_of, read_found

SKY = {"sky": "mock", "scale": "demo"}
PIXELS = {"crop_pixels": 32, "stretch": "sqrt"}
RESNET = {"kind": "resnet", "width": 24, "blocks": [1, 2, 1], "stem_stride": 2}
PRETRAIN = {
    "task": "pretrain", "run": "s.moco-s0", "data": {"dataset": "deep_images"}, "inputs": PIXELS,
    "model": RESNET, "parent": None, "schedule": {"steps": 500, "batch_size": 128},
    "objective": {"contrastive_weight": 1.0, "colour_weight": 0.0, "temperature": 0.1},
}  # fmt: skip
HEAD = {
    "task": "head", "run": "s.step3-s0", "data": {"dataset": "images", "label_fraction": 1.0},
    "inputs": {"features_of": "s.baseline-s0"}, "parent": {"run": "s.baseline-s0", "card": "x"},
    "output": {"kind": "classes", "bins": 180}, "schedule": {"steps": 400, "batch_size": 256},
    "labels": {"cell_limit": 10, "softened": True, "shifted": False},
}  # fmt: skip


def finetuned(fraction: float, name: str) -> dict:
    """Return the card of one rung of a ladder."""
    data = {"dataset": "images", "label_fraction": fraction}
    return {
        "task": "image", "run": f"s.{name}-s0", "data": data, "inputs": PIXELS, "model": RESNET,
        "output": {"kind": "regression"}, "parent": {"run": "s.moco-s0", "card": "x"},
        "schedule": {"steps": 0, "batch_size": 64},
    }  # fmt: skip


@pytest.fixture(name="figures", scope="module")
def small_figures(tmp_path_factory) -> list:
    """Return a PNG of every kind for the study, and a wall for each of two datasets."""
    folder, figure = tmp_path_factory.mktemp("figures"), new_figure(1, 1)
    figure.subplots().plot([0, 1])
    names = [f"transfer.{kind}" for kind in (*CAPTIONS, "intervals") if kind != "wall"]
    for name in (*names, "images.wall", "other.wall"):
        save_figure(figure, folder / f"{name}.png", 40)
    return sorted(folder.glob("*.png"))


def found_of(world, figures) -> Found:
    """Return what the study of the synthetic tree found."""
    study = STUDIES["transfer"]
    about = {"title": study.title, "question": "Why <b>?", "convention": study.convention}
    folder = world.results / "metrics" / "transfer"
    claims = world.results / "studies" / "transfer" / "claims.parquet"
    tables = (folder / "scores.parquet", folder / "differences.parquet", claims)
    return read_found({**about, "simulated": True}, *tables, figures["transfer"]["planes"])


def cutflows(world) -> dict[str, pd.DataFrame]:
    """Return the cut-flows of the synthetic tree."""
    files = world.files("samples/*.cutflow.csv")
    return {path.name.split(".")[0]: pd.read_csv(path) for path in files}


@pytest.fixture(name="page", scope="module")
def whole_page(report_world, figures) -> str:
    """Return the page of one paper."""
    by_subject = figures_by_subject(figures)
    cards = [PRETRAIN, finetuned(0.05, "finetuned_f5"), finetuned(1.0, "finetuned_f100"), HEAD]
    studies = {"transfer": found_of(report_world, by_subject)}
    about = {"paper": "hayat2021", **SKY}
    records = read_records(report_world.records)
    return paper_page(about, studies, by_subject, cards, records, cutflows(report_world))


@pytest.mark.parametrize("paper", list(PAPER_WORDS))
def test_every_paper_says_what_it_asks_what_it_says_and_what_is_ours(report_world, figures, paper):
    assert paper in PAPERS
    by_subject = figures_by_subject(figures)
    studies = {"transfer": found_of(report_world, by_subject)}
    text = "".join(
        parsed(paper_page({"paper": paper, **SKY}, studies, by_subject, [], [], {})).itertext()
    )
    words = PAPER_WORDS[paper]
    for said in (words.name, words.title, words.asks, *words.says, *words.departures):
        assert said in text
    for work in PAPERS[paper]:
        assert work.text().replace("\\&", "&") in text


def test_the_page_holds_the_study_s_result_and_the_verdicts_of_its_claims(report_world, page):
    text = "".join(parsed(page).itertext())
    claims = pd.read_parquet(report_world.results / "studies" / "transfer" / "claims.parquet")
    for verdict, n in count_verdicts({"transfer": claims}).items():
        if n:
            assert f"{verdict} {n}" in text
    for claim, source in zip(claims["claim"], claims["source"], strict=True):
        assert f"{claim} · {source}" in text
    assert "Why <b>?" in text
    by_subject = {"transfer": {"planes": None}}
    value = headline_of(found_of(report_world, by_subject)).split("sigma_nmad ")[1].split(" ")[0]
    assert value in text


def test_every_cut_of_the_samples_is_counted(report_world, page):
    [(sample, flow)] = cutflows(report_world).items()
    tree = parsed(page)
    assert sample in ["".join(head.itertext()) for head in tree.iter("h3")]
    shown = {(cell.get("data-cut"), cell.get("data-count")): "".join(cell.itertext())
             for cell in tree.iter("td") if cell.get("data-cut")}  # fmt: skip
    for row in flow.to_dict("records"):
        for column in ("n_in", "n_lost", "n_out"):
            assert shown[row["cut"], column].replace(",", "") == str(row[column])


def test_every_figure_of_the_study_is_inlined_with_its_words_and_no_other(page):
    tree = parsed(page)
    images = list(tree.iter("img"))
    kinds = [kind for kind in CAPTIONS if kind != "wall"]
    assert len(images) == len(kinds) + 1  # the wall of the dataset that the cards name
    assert {image.get("alt") for image in images} == {words for words, _ in CAPTIONS.values()}
    assert all(re.match(r"data:image/(png|webp);base64,", image.get("src")) for image in images)
    captions = ["".join(caption.itertext()) for caption in tree.iter("figcaption")]
    assert captions[0] == f"images: {CAPTIONS['wall'][1]}"
    assert "http" not in page.replace("http-equiv", "")


def test_runs_are_told_by_method_with_fractions_parents_and_length(page):
    cards = [PRETRAIN, finetuned(0.05, "finetuned_f5"), finetuned(1.0, "finetuned_f100"), HEAD]
    table = parsed("<!DOCTYPE html>\n" + str(runs_table(cards)))
    rows = ["|".join("".join(cell.itertext()) for cell in row) for row in table.iter("tr")][1:]
    assert len(rows) == 3
    assert rows[0] == (
        "mocoencoder, without redshifts|deep_images|scratch|residual network, width 24, blocks "
        "1-2-132 × 32 px, sqrt|contrast (temperature 0.1)500 steps of 128|1"
    )
    assert rows[1].startswith("finetunednetwork on images|images5, 100 % of the labels|moco|")
    assert rows[1].endswith("one redshiftnot trained|2")
    assert rows[2] == (
        "step3classes on features|images|baseline|on features of baseline|180 classes, softened, "
        "at most 10 galaxies a cell400 steps of 256|1"
    )
    assert str(runs_table(cards)) in page


def test_cards_of_step_one_can_be_told(report_world):
    cards = [
        json.loads(path.read_text())["card"] for path in report_world.files("runs/*/card.json")
    ]
    assert "boosting" in runs_table(cards)


def test_a_paper_that_nobody_described_is_bad_input(report_world, figures):
    by_subject = figures_by_subject(figures)
    studies = {"transfer": found_of(report_world, by_subject)}
    with pytest.raises(BadInput) as error:
        paper_page({"paper": "hayat2012", **SKY}, studies, by_subject, [], [], {})
    assert (error.value.file, error.value.place) == ("the settings", "paper")
    assert "hayat2021" in error.value.expected
    assert error.value.found == "'hayat2012'"
    assert error.value.hint == "did you mean 'hayat2021'?"


def test_a_claim_that_asks_for_more_than_an_ordering_says_so(report_world):
    claims = pd.read_parquet(report_world.results / "studies" / "transfer" / "claims.parquet")
    claims["at_least"] = 1.0
    assert "asked:" not in claims_table(claims)
    claims.loc[0, "at_least"] = 5.0
    assert claims_table(claims).count("asked: ≥ 5") == 1


# ---------------------------------------------------------------- stamps on the page of counts


def test_stamps_and_image_datasets_are_counted_with_what_was_lost(tmp_path):
    shards = [
        {
            "n_in": 100,
            "n_out": 97,
            "n_lost": {"edge": 3},
            "n_fields": 4,
            "n_without_psf_width": {"u": 97, "g": 2},
        },
        {
            "n_in": 90,
            "n_out": 88,
            "n_lost": {"edge": 1, "not_finite": 1},
            "n_fields": 5,
            "n_without_psf_width": {},
        },
    ]
    files = [
        write_sidecar(tmp_path / f"cutouts/mock_main/{k}.json", "cut_stamps.py", 1.0, counts=counts)
        for k, counts in enumerate(shards)
    ]
    counts = {"n_in": {"mock_main": 190}, "n_copies_dropped": 2, "n_without_stamp": 5,
              "n_dropped": {"border": 11}, "n_flagged": 3, "n_out": 172,
              "n_pairs_sharing_pixels": 0, "n_pairs_across": 6,
              "n_by_split": {"train": 120, "test": 52}}  # fmt: skip
    made = tmp_path / "datasets" / "images.json"
    files.append(write_sidecar(made, "build_image_dataset.py", 1.0, counts=counts))
    tree = parsed(cutflow_page({}, read_records(files)))
    rows = ["|".join("".join(cell.itertext()) for cell in row) for row in tree.iter("tr")]
    assert "mock_main|9|190|185|5edge 4, not_finite 1|99|2" in rows
    border = "a stamp at the border of another split's sky 11"
    assert f"images|190|2|5|11{border}|172|3|0close, as drawn: 6|120|52" in rows


def test_a_page_without_pixels_does_not_speak_of_stamps(report_world):
    page = cutflow_page({}, read_records(report_world.records))
    assert "Stamps" not in page
    assert str(tag("h2", "Image datasets")) not in page
