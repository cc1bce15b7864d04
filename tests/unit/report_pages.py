"""The report's pages, made of the synthetic result tree, and their parsed form."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pandas as pd
from report_world import STUDIES, World

from zladder.report.citations_page import citations_page
from zladder.report.claims_page import claims_page
from zladder.report.costs_page import costs_page
from zladder.report.cutflow_page import cutflow_page
from zladder.report.provenance_page import provenance_page
from zladder.report.records import read_records
from zladder.report.scores_page import scores_page

SOURCES = {
    "surveys": {
        "a_survey": {
            "title": "A <b>survey</b> & 100 % sky",
            "licence": "CC_BY",
            "citation": "Us #1",
        }
    },
    "archives": {
        "a_file": {
            "title": "A file & more",
            "licence": "CC",
            "citation": "Us #2",
            "version": "R1",
            "url": "https://somewhere/a?b&c",
        }
    },
    "papers": ["soriano2024", "not_a_paper"],
}


def parsed(text: str) -> ElementTree.Element:
    """Return the tree of a page; fails where it is not well-formed."""
    assert text.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(text.split("\n", 1)[1])


def numbers_page(
    world: World,
    study: str,
    of_truth: dict[str, pd.DataFrame] | None = None,
    estimated: tuple[str, ...] = (),
) -> str:
    """Return the page of numbers of a study."""
    about = STUDIES[study]
    words = {
        "study": study,
        "title": about.title,
        "question": "Why?",
        "convention": about.convention,
        "estimated": list(estimated),
    }
    tables = world.table(study, "scores"), world.table(study, "differences")
    return scores_page(*tables, words, list((of_truth or {}).items()))


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
