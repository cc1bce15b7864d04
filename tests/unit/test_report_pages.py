"""The pages say what the tables say, completely, escaped, and without a request to anywhere."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from report_world import STUDIES, World

from zladder.evaluate.claims import VERDICTS
from zladder.metrics.conventions import ordered_ids
from zladder.metrics.point import POINT_METRICS
from zladder.report import claims_page as claims_module
from zladder.report.citations_page import citations_bibtex, citations_page
from zladder.report.claims_page import claims_page, count_verdicts
from zladder.report.costs_page import costs_page
from zladder.report.cutflow_page import cutflow_page
from zladder.report.metric_words import FORMULAS, OUTLIER_LIMITS, SIGNED, outlier_id
from zladder.report.numerals import MINUS, fixed
from zladder.report.provenance_page import provenance_page
from zladder.report.records import Record, read_records
from zladder.report.scores_page import scores_page
from zladder.report.three_hops import HOPS

ROOT = Path(__file__).parents[2]
SOURCES = {
    "surveys": {
        "a_survey": {
            "title": "A <b>survey</b> & 100 % sky",
            "licence": "CC_BY",
            "citation": "Us #1",
        }
    },
    "papers": ["soriano2024", "not_a_paper"],
}


def parsed(text: str) -> ElementTree.Element:
    """Return the tree of a page; fails where it is not well-formed."""
    assert text.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(text.split("\n", 1)[1])


def numbers_page(world: World, study: str) -> str:
    """Return the page of numbers of a study."""
    about = STUDIES[study]
    words = {
        "study": study,
        "title": about.title,
        "question": "Why?",
        "convention": about.convention,
    }
    return scores_page(world.table(study, "scores"), world.table(study, "differences"), words)


def claims_of(world: World) -> dict[str, pd.DataFrame]:
    """Return {study: its claims}."""
    files = {study: world.results / "studies" / study / "claims.parquet" for study in STUDIES}
    return {study: pd.read_parquet(path) for study, path in files.items()}


def about_claims() -> dict[str, dict[str, object]]:
    """Return what the page of claims is told of the studies."""
    return {name: {"title": study.title, "simulated": True} for name, study in STUDIES.items()}


def all_pages(world: World) -> dict[str, str]:
    """Return every page but the summary."""
    records = read_records(world.records)
    cards = [json.loads(path.read_text())["card"] for path in world.files("runs/*/card.json")]
    about = {"sky": "mock", "scale": "demo", "master_seed": 1}
    flow = pd.read_csv(world.results / "samples" / "mock_specz.cutflow.csv")
    return {
        **{study: numbers_page(world, study) for study in STUDIES},
        "claims": claims_page(claims_of(world), about_claims(), records),
        "counts": cutflow_page({"mock_specz": flow}, records),
        "costs": costs_page(records),
        "provenance": provenance_page(records, {card["run"]: card for card in cards}, about),
        "citations": citations_page(SOURCES),
    }


def test_pages_are_well_formed_and_ask_nobody_for_anything(report_world):
    for name, text in all_pages(report_world).items():
        tree = parsed(text)
        assert not {"script", "link", "iframe", "object", "embed"} & {e.tag for e in tree.iter()}
        for element in tree.iter():
            for attribute in ("src", "href", "srcset", "data", "action"):
                assert element.get(attribute, "data:").startswith("data:"), name
        assert not re.search(r"@import|url\(", text)


@pytest.mark.parametrize("study", list(STUDIES))
def test_every_number_of_the_table_stands_on_the_page(report_world, study):
    scores = report_world.table(study, "scores").set_index(["dataset", "split", "method", "metric"])
    tree = parsed(numbers_page(report_world, study))
    sections = tree.findall("./body/main/section")
    seen = 0
    for dataset, section in zip(STUDIES[study].datasets, sections, strict=False):
        assert section.find("h2").text == f"Test galaxies of {dataset}"
        tables = {
            "test": section.find("./div/table"),
            "validation": section.findall("./details")[-1],
        }
        for split, table in tables.items():
            for cell in table.iter("td"):
                metric, method = cell.get("data-metric"), cell.get("data-method")
                if metric is None:
                    continue
                row = scores.loc[(dataset, split, method, metric)]
                decimals = len(cell.text.partition(".")[2])
                assert cell.text == fixed(row["value"], decimals, signed=metric in SIGNED)
                assert repr(float(row["value"])) in cell.get("title")
                ends = f"[{fixed(row['lo95'], decimals)}, {fixed(row['hi95'], decimals)}]"
                assert cell.find("span").text == ends
                seen += 1
    n_methods = len(STUDIES[study].networks) + 5
    assert seen == len(STUDIES[study].datasets) * 2 * n_methods * len(POINT_METRICS)


def test_counts_stand_below_the_metrics(report_world):
    scores = report_world.table("transfer", "scores").set_index(["dataset", "split", "method"])
    table = parsed(numbers_page(report_world, "transfer")).find("./body/main/section/div/table")
    cells = [cell for cell in table.iter("td") if cell.get("data-count")]
    assert len(cells) == 4 * 9
    for cell in cells:
        row = scores.loc[("specz", "test", cell.get("data-method"))].iloc[0]
        assert cell.text == f"{row[cell.get('data-count')]:,}"


@pytest.mark.parametrize("study", list(STUDIES))
def test_the_ids_of_the_convention_come_first(report_world, study):
    table = parsed(numbers_page(report_world, study)).find("./body/main/section/div/table")
    ids = [row.find("./th/code").text for row in table.findall("./tbody/tr")]
    convention = STUDIES[study].convention
    assert tuple(ids[: len(POINT_METRICS)]) == ordered_ids(convention, POINT_METRICS)
    assert ids[len(POINT_METRICS) :] == ["n_total", "n_used", "n_nonfinite", "n_off_grid"]


def test_differences_stand_on_the_page_with_their_sign(report_world):
    differences = report_world.table("transfer", "differences")
    rows = differences.set_index(["dataset", "metric", "method"])
    section = parsed(numbers_page(report_world, "transfer")).find("./body/main/section")
    cells = [cell for cell in section.iter("td") if cell.get("data-difference")]
    assert len(cells) == 6 * 4
    for cell in cells:
        row = rows.loc[("specz", cell.get("data-difference"), cell.get("data-method"))]
        decimals = len(cell.text.partition(".")[2])
        assert cell.text == fixed(row["difference"], decimals, signed=True)
        assert f"{100 * row['relative']:+.1f}".replace("-", MINUS) in cell.findall("span")[1].text


def test_nan_is_a_dash_with_its_reason(report_world):
    scores = report_world.table("main_sample", "scores")
    lost = (scores["method"] == "single") & (scores["split"] == "test")
    scores.loc[lost, ["value", "lo95", "hi95"]] = np.nan
    words = {"study": "x", "title": "x", "question": "?", "convention": "sdss_cnn"}
    text = scores_page(scores, report_world.table("main_sample", "differences"), words)
    table = parsed(text).find("./body/main/section/div/table")
    cells = [cell for cell in table.iter("td") if cell.get("data-method") == "single"]
    shown = [cell.find("span") for cell in cells if cell.get("data-metric")]
    assert {span.text for span in shown} == {"–"}
    assert all("fewer than two galaxies" in span.get("title") for span in shown)
    assert "nan" not in "".join(table.itertext())
    assert "one seed only" in text  # why there is no seed_std


def test_a_collapsed_method_is_called_so(report_world):
    scores = report_world.table("main_sample", "scores")
    flat = (scores["method"] == "trainz") & (scores["metric"] == "sigma_nmad")
    scores.loc[flat, "value"] = 0.0
    words = {"study": "x", "title": "x", "question": "?", "convention": "sdss_cnn"}
    text = scores_page(scores, report_world.table("main_sample", "differences"), words)
    assert "share one residual): trainz" in text
    assert "share one residual" not in numbers_page(report_world, "main_sample")


def test_words_exist_for_every_metric_and_none_is_signed_by_mistake():
    assert set(FORMULAS) == {*POINT_METRICS, "fout_3sig"}
    assert set(SIGNED) == {name for name in POINT_METRICS if name.startswith("bias")}
    assert [outlier_id(name) for name in ("sdss_cnn", "hsc", "dc1")] == [
        "fout_05",
        "fout_15",
        "fout_15",
    ]
    assert set(OUTLIER_LIMITS) <= set(POINT_METRICS)


def test_verdicts_are_the_house_s_own_words():
    assert tuple(claims_module.VERDICTS) == VERDICTS


def test_claims_stand_with_ours_verdict_reason_and_source(report_world):
    claims = claims_of(report_world)
    tree = parsed(claims_page(claims, about_claims(), []))
    text = "".join(tree.itertext())
    assert len(claims["transfer"]) == len(report_world.claims)
    for _, row in claims["transfer"].iterrows():
        cell = next(cell for cell in tree.iter("td") if cell.get("data-claim") == row["claim"])
        if np.isnan(row["ratio"]) and np.isfinite(row["lo95"]):
            assert cell.text.startswith("≥ ")
        else:
            assert cell.text == fixed(row["ratio"], len(cell.text.partition(".")[2]))
        for words in (row["text"], row["source"], row["verdict"], row["reason"]):
            assert words in text
    counted = {cell.get("data-verdict"): int(cell.text) for cell in tree.iter("td")
               if cell.get("data-verdict")}  # fmt: skip
    assert counted == count_verdicts(claims)
    assert sum(counted.values()) == len(report_world.claims)


def test_a_study_without_claims_says_so_and_a_real_sky_is_not_called_mock(report_world):
    claims = {"main_sample": claims_of(report_world)["main_sample"]}
    assert claims["main_sample"].empty
    about = {"main_sample": {"title": "Real", "simulated": False}}
    text = claims_page(claims, about, [])
    assert "No published claim is held against this study" in text
    assert "mock sky can confirm" not in text
    assert "mock sky can confirm" in claims_page(
        claims, {"main_sample": {"title": "x", "simulated": True}}, []
    )


def test_an_ordering_is_not_given_a_number(report_world):
    found = claims_of(report_world)["transfer"]
    tree = parsed(claims_page({"transfer": found}, about_claims(), []))
    dashes = [
        span for span in tree.iter("span") if span.get("title") == claims_module.ORDERING_ONLY
    ]
    assert len(dashes) == found["published_ratio"].isna().sum() > 0


def test_a_metric_that_its_source_does_not_define_is_called_so_in_its_row(report_world):
    found = claims_of(report_world)["transfer"]
    found.loc[found.index[0], "definition"] = "stated"
    tree = parsed(claims_page({"transfer": found}, about_claims(), []))
    rows = [row for row in tree.iter("tr") if any(c.get("data-claim") for c in row.iter("td"))]
    told = [claims_module.NOT_STATED in "".join(row.findall("td")[2].itertext()) for row in rows]
    assert told == list(found["definition"] == "not stated")
    assert told == [False] + [True] * (len(found) - 1)


@pytest.mark.parametrize(
    ("lo95", "shown"), [(38.749, "≥ 38.74"), (0.9999, "≥ 0.99"), (1.0, "≥ 1.00"), (np.inf, None)]
)
def test_a_lower_bound_is_shown_as_one_and_never_rounded_up(report_world, lo95, shown):
    found = claims_of(report_world)["transfer"].iloc[[0]]
    found = found.assign(ratio=np.nan, lo95=lo95, hi95=np.inf)
    tree = parsed(claims_page({"transfer": found}, about_claims(), []))
    cell = next(cell for cell in tree.iter("td") if cell.get("data-claim"))
    assert cell.text == shown
    expected = claims_module.BOUND_ONLY if shown else "–"
    assert cell.find("span").text == expected


def test_trainings_that_the_limit_stopped_are_named_for_their_study_only(report_world):
    told = {"transfer.base-s0": "epochs", "transfer.combined-s0": "patience",
            "main_sample.single-s0": "epochs", "transfer.transfer-s0": None}  # fmt: skip
    records = [
        Record(Path(f"runs/{run}/sidecar.json"), {"stopped_by": by} if by else {})
        for run, by in told.items()
    ]
    claims = {"transfer": claims_of(report_world)["transfer"]}
    text = claims_page(claims, about_claims(), records)
    assert "what they could: transfer.base-s0. A claim" in text
    assert "Stopped by the limit" not in claims_page(claims, about_claims(), records[1:])


def test_the_cut_flow_stands_on_the_page(report_world):
    flow = pd.read_csv(report_world.results / "samples" / "mock_specz.cutflow.csv")
    records = read_records(report_world.records)
    tree = parsed(cutflow_page({"mock_specz": flow}, records))
    cells = [cell for cell in tree.iter("td") if cell.get("data-cut")]
    assert len(cells) == len(flow) * 5
    for cell in cells:
        row = flow.set_index("cut").loc[cell.get("data-cut")]
        assert cell.text == f"{row[cell.get('data-count')]:,}"
    text = "".join(tree.itertext())
    for words in ("g_cmodel_mag", "4,988", "2,311", "0.17, 0.41", "1,400"):
        assert words in text


def test_nothing_matched_is_a_dash_and_no_match_no_section(report_world):
    records = [r for r in read_records(report_world.records) if r.rule == "cross_match"]
    quantiles = dict.fromkeys(("0.05", "0.5", "0.95"))
    records[0].content["counts"]["separation_quantiles_arcsec"] = quantiles
    assert "nothing was matched" in cutflow_page({}, records)
    assert "Matches on the sky" not in cutflow_page({}, [])


def test_costs_are_the_sums_of_the_sidecars(report_world):
    records = read_records(report_world.records)
    tree = parsed(costs_page(records))
    by_rule = {cell.get("data-rule"): cell.get("title") for cell in tree.iter("td")
               if cell.get("data-rule")}  # fmt: skip
    expected: dict[str, float] = {}
    for record in records:
        expected[record.rule] = expected.get(record.rule, 0.0) + record.content["seconds"]
    assert by_rule == {rule: f"{seconds:.3f} s" for rule, seconds in expected.items()}
    runs = [cell.get("data-run") for cell in tree.iter("td") if cell.get("data-run")]
    assert sorted(runs) == sorted(
        path.parent.name for path in report_world.files("runs/*/card.json")
    )


def test_the_time_of_a_training_is_that_of_all_its_attempts(tmp_path):
    path = tmp_path / "a.b-s0" / "sidecar.json"
    path.parent.mkdir()
    path.write_text(
        json.dumps({"script": "train_network.py", "seconds": 3, "training_seconds": 90})
    )
    record = read_records([path])[0]
    assert (record.seconds, record.subject, record.rule) == (90, "a.b-s0", "train_network")


def test_provenance_holds_cards_commands_and_digests(report_world):
    tree = parsed(all_pages(report_world)["provenance"])
    text = "".join(tree.itertext())
    command = "python workflow/scripts/score_study.py --x 'a file.parquet'"
    digests = ("0123456789abcdef", "ab" * 16)
    for words in ("a <b>card</b> & more", *digests, "node<1>", "2.4.0", command, "Master seed 1"):
        assert words in text
    runs = {path.parent.name for path in report_world.files("runs/*/card.json")}
    assert runs <= {summary.text for summary in tree.iter("summary")}


@pytest.mark.parametrize("hop", HOPS, ids=lambda hop: hop.page)
def test_the_three_hops_lead_somewhere(hop):
    assert (ROOT / "workflow" / "scripts" / f"{hop.rule}.py").is_file()
    rules = (ROOT / "workflow" / "rules" / f"{hop.stage}.smk").read_text(encoding="utf-8")
    assert f"rule {hop.rule}:" in rules
    for name in hop.functions:
        module, _, function = name.rpartition(".")
        source = ROOT.joinpath("src", *module.split(".")).with_suffix(".py")
        tree = ast.parse(source.read_text(encoding="utf-8"))  # importing torch would take seconds
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert function in defined


def test_citations_name_every_source_and_invent_nothing():
    text = "".join(parsed(citations_page(SOURCES)).itertext())
    for words in ("A <b>survey</b> & 100 % sky", "CC_BY", "Us #1", "arXiv:2411.18054", "torch"):
        assert words in text
    bibtex = citations_bibtex(SOURCES)
    assert "doi" not in bibtex.lower()
    assert r"100 \% sky" in bibtex
    keys = re.findall(r"^@\w+\{([^,]+),$", bibtex, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) > 10
    assert bibtex.count("{") == bibtex.count("}")
