"""The pages say what the records say, escaped, and without a request to anywhere."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from report_pages import SOURCES, all_pages, parsed
from report_world import write_sidecar

from zladder.report.citations_page import citations_bibtex, citations_page
from zladder.report.costs_page import costs_page
from zladder.report.cutflow_page import cutflow_page
from zladder.report.provenance_page import provenance_page
from zladder.report.records import read_records
from zladder.report.three_hops import HOPS

ROOT = Path(__file__).parents[2]


def test_pages_are_well_formed_and_ask_nobody_for_anything(report_world):
    for name, text in all_pages(report_world).items():
        tree = parsed(text)
        assert not {"script", "link", "iframe", "object", "embed"} & {e.tag for e in tree.iter()}
        for element in tree.iter():
            for attribute in ("src", "href", "srcset", "data", "action"):
                assert element.get(attribute, "data:").startswith("data:"), name
        assert not re.search(r"@import|url\(", text)


def test_the_cut_flow_stands_on_the_page(report_world):
    flow = pd.read_csv(report_world.results / "samples" / "mock_specz.cutflow.csv")
    records = read_records(report_world.records)
    tree = parsed(cutflow_page({"mock_specz": flow}, records))
    cells = [cell for cell in tree.iter("td") if cell.get("data-cut")]
    assert len(cells) == len(flow) * 5
    for cell in cells:
        row = flow.set_index("cut").loc[cell.get("data-cut")]
        assert cell.text == f"{row[cell.get('data-count')]:,}"
    shares = {cell.get("data-fraction"): cell.text for cell in tree.iter("td")
              if cell.get("data-fraction")}  # fmt: skip
    assert shares == {"redshift range": "95.2 %", "a <strange> cut & more": "90.9 %"}
    text = "".join(tree.itertext())
    for words in ("g_cmodel_mag", "4,988", "one to one, 1″", "second candidates", "1,400",
                  "1 to look at", "columns 'a' & 'b' look <odd>",
                  "3 by identifier, 2 by place"):  # fmt: skip
        assert words in text


def test_what_archives_gave_stands_on_the_page(report_world, tmp_path):
    records = read_records(report_world.records)
    about = {"sky": "mock", "scale": "demo", "master_seed": 1}
    assert "Nothing: all of it was made or lay here." in provenance_page(records, {}, about)
    file = {"archive": "toy_file", "url": "https://x.org/?a=1&b=2", "date": "2026-01-02T03:04:05"}
    write_sidecar(tmp_path / "all.json", "fetch_file.py", 1.0, **file, sha256="ab" * 32)
    write_sidecar(tmp_path / "3.json", "fetch_frames.py", 1.0, **file)
    records += read_records([tmp_path / "all.json", tmp_path / "3.json"])
    text = "".join(parsed(provenance_page(records, {}, about)).itertext())
    for words in ("toy_file", file["url"], file["date"], "ab" * 32, "of each frame: its index"):
        assert words in text


def test_the_match_stands_on_the_page(report_world):
    records = read_records(report_world.records)
    [record] = [r for r in records if r.rule == "crossmatch"]
    record.content["quality"]["warnings"] = ["the <right> side may be radians"]
    tree = parsed(cutflow_page({}, records))
    cells = {cell.get("data-count"): cell.text for cell in tree.iter("td")}
    counts, false = record.counts, record.content["quality"]["false"]
    for name in ("n_left", "n_no_neighbour", "n_contested", "n_matched", "n_right"):
        assert cells[name] == f"{counts[name]:,}"
    assert counts["n_no_neighbour"] > 150
    text = "".join(tree.itertext())
    assert f"{false['n_false']:,.1f} (" in text
    assert "the <right> side may be radians" in text


def test_nothing_matched_is_a_dash_and_no_match_no_section(report_world):
    records = [r for r in read_records(report_world.records) if r.rule == "crossmatch"]
    quantiles = dict.fromkeys(("0.05", "0.5", "0.95"))
    records[0].content["quality"]["separations"]["quantiles_arcsec"] = quantiles
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
    rules = (ROOT / "workflow" / "rules" / f"{hop.file}.smk").read_text(encoding="utf-8")
    assert f"rule {hop.rule}:" in rules
    for name in hop.functions:
        module, _, function = name.rpartition(".")
        source = ROOT.joinpath("src", *module.split(".")).with_suffix(".py")
        tree = ast.parse(source.read_text(encoding="utf-8"))  # importing torch would take seconds
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert function in defined


def test_citations_name_every_source_and_invent_nothing():
    text = "".join(parsed(citations_page(SOURCES)).itertext())
    for words in (
        "A <b>survey</b> & 100 % sky",
        "CC_BY",
        "Us #1",
        "https://somewhere/a?b&c",
        "R1",
        "arXiv:2411.18054",
        "torch",
    ):
        assert words in text
    bibtex = citations_bibtex(SOURCES)
    assert "doi" not in bibtex.lower()
    assert r"100 \% sky" in bibtex
    keys = re.findall(r"^@\w+\{([^,]+),$", bibtex, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) > 10
    assert bibtex.count("{") == bibtex.count("}")
