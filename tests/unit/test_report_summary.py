"""The first page: its numbers are the tables' numbers, and it works within Snakemake's report."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import yaml
from docutils.core import publish_parts
from jinja2 import Environment
from pixel_world import (
    BANDS,
    LADDER,
    collapse_table,
    draw_galaxies,
    ladder_scores,
    write_features,
    write_pixels,
    write_steps,
)
from report_world import STUDIES, World, write_sidecar

from tests.unit.mock_report import mock_commands
from zladder.report.methods import roles_of
from zladder.report.numerals import interval_text
from zladder.report.records import read_records
from zladder.report.style import new_figure, save_figure
from zladder.report.summary_page import Found, front_fragment, headline_of, summary_page
from zladder.report.summary_words import MEANINGS

ROOT = Path(__file__).parents[2]
SKY = {"sky": "mock", "scale": "demo"}


@pytest.fixture(name="figure", scope="module")
def noisy_figure(tmp_path_factory) -> Path:
    """Return a PNG as large as a figure of the report: docutils limits the length of a line."""
    path = tmp_path_factory.mktemp("figure") / "front.png"
    figure = new_figure(3, 3)
    figure.subplots().imshow(np.random.default_rng(1).random((90, 90)))
    save_figure(figure, path, 100)
    assert path.stat().st_size > 20_000
    return path


def found_of(world: World, figure: Path, *, simulated: bool = True) -> dict[str, Found]:
    """Return what each study found."""
    found = {}
    for name, study in STUDIES.items():
        about = {"title": study.title, "question": "Why <b>?", "convention": study.convention}
        tables = [world.table(name, kind) for kind in ("scores", "differences")]
        claims = pd.read_parquet(world.results / "studies" / name / "claims.parquet")
        about["simulated"] = simulated
        found[name] = Found(about, *tables, claims, roles_of(*tables), figure)
    return found


def test_the_three_numbers_are_those_of_the_chosen_network_on_test(report_world, figure):
    studies = found_of(report_world, figure)
    text = summary_page(studies, read_records(report_world.records), SKY)
    tree = ElementTree.fromstring(text.split("\n", 1)[1])
    shown = [
        (card.find("code").text, card.find("span").text)
        for card in tree.iter("div") if card.get("class") == "card"
    ]  # fmt: skip
    expected = []
    for name, outlier in (("transfer", "fout_15"), ("main_sample", "fout_05")):
        found = studies[name]
        dataset = found.roles.datasets[0]
        scores = found.scores.set_index(["dataset", "split", "method", "metric"])
        for metric in ("sigma_nmad", "bias_mean", outlier):
            row = scores.loc[(dataset, "test", found.roles.chosen[dataset], metric)]
            signed = metric == "bias_mean"
            whole = interval_text(row["value"], row["lo95"], row["hi95"], signed=signed)
            expected.append((metric, whole.split(" ")[0]))
            assert whole.partition(" ")[2] in text
            assert whole in headline_of(found)
    assert shown == expected
    assert {metric for metric, _ in expected} == set(MEANINGS)


def test_the_summary_counts_galaxies_and_verdicts_and_inlines_the_figure(report_world, figure):
    studies = found_of(report_world, figure)
    text = summary_page(studies, read_records(report_world.records), SKY)
    assert "2,311 galaxies, 2,000 after the cuts" in text
    assert text.count('src="data:image/png;base64,') == 2
    assert "A &lt;main&gt; sample &amp; five bands" in text
    assert "<main> sample" not in text
    verdicts = studies["transfer"].claims["verdict"].value_counts()
    for verdict, number in verdicts.items():
        assert re.search(rf">{verdict}</span> {number}\b", text)


def test_a_summary_without_claims_or_mock_says_so(report_world, figure):
    studies = {"main_sample": found_of(report_world, figure, simulated=False)["main_sample"]}
    text = summary_page(studies, [], SKY)
    assert "No published claim is held" in text
    assert "The galaxies are real ones" in text
    assert "simulated" not in text


def first_page(files: list) -> str:
    """Return the first page as Snakemake renders it: Jinja, then docutils."""
    text = (ROOT / "workflow/report/first_page.rst").read_text(encoding="utf-8")
    environment = Environment(trim_blocks=True, lstrip_blocks=True)
    config = {**SKY, "master_seed": 1}
    rendered = environment.from_string(text).render(
        snakemake=SimpleNamespace(config=config), files=files, categories={}
    )
    strict = {"halt_level": 2, "report_level": 2}  # a warning is an error
    return publish_parts(rendered, writer="html", settings_overrides=strict)["html_body"]


def test_the_first_page_shows_figure_result_and_the_way_in(report_world, figure, tmp_path):
    (tmp_path / "front.html").write_text(front_fragment(found_of(report_world, figure)))
    page = tmp_path / "summary.html"
    html = first_page([SimpleNamespace(target="summary.html", path=page)])
    assert html.count("data:image/png;base64,") == 2
    assert "sigma_nmad" in html
    assert f"results[&#x27;{page}&#x27;]" in html or f"results['{page}']" in html
    assert "<strong>demo</strong>" in html


def test_the_first_page_stands_without_a_summary():
    assert "zladder" in first_page([])


def captions() -> list[Path]:
    """Return all captions."""
    folder = ROOT / "workflow" / "report"
    return [path for path in sorted(folder.glob("*.rst")) if path.stem != "first_page"]


@pytest.mark.parametrize("path", captions(), ids=lambda path: path.stem)
def test_captions_are_valid_and_used(path):
    rendered = Environment().from_string(path.read_text(encoding="utf-8")).render(
        snakemake=SimpleNamespace(wildcards=SimpleNamespace(sample="a", dataset="b", paper="c"))
    )  # fmt: skip
    publish_parts(rendered, writer="html", settings_overrides={"halt_level": 2})
    files = sorted((ROOT / "workflow/rules").glob("report*.smk"))
    rules = "".join(file.read_text(encoding="utf-8") for file in files)
    assert f'caption="../report/{path.name}"' in rules


def script(rule: str):
    """Return a script of the workflow as a module."""
    spec = importlib.util.spec_from_file_location(rule, ROOT / "workflow/scripts" / f"{rule}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report_scripts() -> list[Path]:
    """Return the scripts of the stage."""
    scripts = sorted((ROOT / "workflow/scripts").glob("*.py"))
    return [path for path in scripts if "zladder.report" in path.read_text(encoding="utf-8")]


def commands(world: World, out: Path) -> dict[str, list[str]]:
    """Return {rule: arguments} for every script of the report, in an order that works."""
    metrics = world.results / "metrics"
    study, title = "main_sample", STUDIES["main_sample"].title
    words = {"study": study, "title": title, "question": "?", "convention": "sdss_cnn",
             "estimated": []}  # fmt: skip
    one = ["--scores", metrics / study / "scores.parquet",
           "--differences", metrics / study / "differences.parquet",
           "--settings", json.dumps(words)]  # fmt: skip
    claims = ["--claims", world.results / "studies" / study / "claims.parquet"]
    records = ["--records", *world.records]
    studies = json.dumps({study: {**words, "simulated": True}})
    survey = yaml.safe_load((ROOT / "config/surveys/sdss_mgs.yaml").read_text(encoding="utf-8"))
    sources = json.dumps({"surveys": {"sdss_mgs": survey}, "archives": {}, "papers": []})
    sample = json.dumps({"sample": "s", "bands": list("grizy"), "surveys": ["S"]})
    dpi = ["--dpi", "60"]
    predictions = world.files(f"predictions/{study}.*.parquet")
    return {
        "plot_redshifts": ["--predictions", *predictions, *one, *dpi,
                           "--planes", out / "main_sample.planes.png",
                           "--front", out / "front.png"],
        "plot_residuals": ["--curves", metrics / study / "curves.parquet", *one, *dpi,
                           "--figure", out / "residuals.png"],
        "plot_scores": [*one, *dpi, "--figure", out / "intervals.png"],
        "plot_sample": ["--sample", world.results / "samples/mock_specz.parquet",
                        "--settings", sample, *dpi, "--figure", out / "sample.png"],
        "plot_match": ["--quality", world.results / "catalogs/match/mock_specz.quality.json",
                       "--settings", json.dumps({"sample": "s", "labels": "L", "photometry": "P"}),
                       *dpi, "--figure", out / "match.png"],
        "tabulate_scores": [*one, "--page", out / "numbers.html"],
        "tabulate_claims": [*claims, *records, "--settings", studies,
                            "--page", out / "claims.html"],
        "tabulate_cutflow": ["--cutflows", world.results / "samples/mock_specz.cutflow.csv",
                             *records, "--page", out / "counts.html"],
        "tabulate_costs": [*records, "--page", out / "costs.html"],
        "write_provenance": [*records, "--cards", *world.files("runs/*/card.json"), "--settings",
                             json.dumps({**SKY, "master_seed": 1}), "--page", out / "p.html"],
        "write_citations": ["--settings", sources, "--page", out / "citations.html",
                            "--bibtex", out / "citations.bib"],
        "write_summary": [*one[:4], *claims, "--figures", out / "front.png", *records,
                          "--sky", json.dumps(SKY), "--studies", studies,
                          "--page", out / "summary.html", "--front", out / "front.html"],
    }  # fmt: skip


def pixel_commands(world: World, out: Path, data: Path) -> dict[str, list[str]]:
    """Return {rule: arguments} for the scripts on images and on papers; write their inputs."""
    galaxies = draw_galaxies(120, 20)
    dataset, shards = write_pixels(data, galaxies, size=8)
    features = write_features(data / "features" / "s.moco-s0.h5", galaxies, 1.0)
    drift, collapse = data / "drift.parquet", data / "collapse.parquet"
    pd.DataFrame({"method": ["moco"], "value": [0.1]}).to_parquet(drift)
    collapse_table().to_parquet(collapse)
    tables = {}
    for name, table in zip(("scores", "differences"), ladder_scores(), strict=True):
        tables[name] = data / f"{name}.parquet"
        table.to_parquet(tables[name])
    ladder = ["--scores", tables["scores"], "--differences", tables["differences"]]
    few = [name for name in LADDER if name.startswith("catalogue")]
    steps = write_steps(data, n_test=100)
    names = [f"s.{name}-s0.parquet" for name in (*few, "boosting")]
    renamed = [path.rename(path.with_name(name)) for path, name in zip(steps, names, strict=False)]
    about = {
        "title": "T",
        "dataset": "images",
        "surveys": ["S"],
        "bands": BANDS,
        "convention": "sdss_cnn",
    }
    settings = ["--settings", json.dumps({**about, "ladder": LADDER}), "--dpi", "40"]
    stamps = ["--dataset", dataset, "--stamps", *shards, *settings]
    return {
        "plot_wall": [*stamps, "--figure", out / "wall.png"],
        "plot_datasets": datasets_command(out, data, dataset, shards),
        "plot_labels": [*ladder, "--dataset", dataset, *settings, "--figure", out / "labels.png"],
        "plot_embeddings": ["--features", features, "--drift", drift, *stamps,
                            "--maps", out / "maps.png", "--galaxies", out / "galaxies.png"],
        **collapse_command(data, out, collapse, renamed, few),
        **mock_commands(out, data, stamps),
        "write_paper": paper_command(world, out),
    }  # fmt: skip


def datasets_command(out: Path, data: Path, dataset: Path, shards: list[Path]) -> list[str]:
    """Return the arguments that show an image dataset, after its wall, and a plain one."""
    plain = data / "plain.parquet"
    pd.read_parquet(dataset).drop(columns=["shard", "row", "stamp_flags"]).to_parquet(plain)
    common = {"bands": BANDS, "surveys": ["S"], "samples": ["mock_main"], "sky_cell_order": 10,
              "label_fractions": [0.1, 1.0]}  # fmt: skip
    settings = [
        {**common, "dataset": "plain", "images": False},
        {**common, "dataset": "wall", "images": True, "stretch": "sqrt", "crop_pixels": 6},
    ]
    several = {"pages": "dataset.html", "light": "light.png", "sky": "sky.png",
               "splits": "splits.parquet", "columns": "columns.parquet"}  # fmt: skip
    of_images = {"pixels": "pixels.png", "pixel-values": "pixel_values.parquet",
                 "flags": "flags.parquet"}  # fmt: skip
    records = []
    for name in ("plain", "wall"):
        counts = {"n_in": {"s": 1}, "n_out": 1, "n_by_split": {"train": 1}}
        file = data / "records" / f"{name}.json"
        records.append(write_sidecar(file, "build_dataset.py", 1.0, counts=counts))
    return [
        "--datasets", plain, dataset, "--records", *records, "--stamps", *shards,
        "--walls", out / "wall.png", "--settings", json.dumps(settings), "--dpi", "40",
        *[part for name, end in several.items()
          for part in (f"--{name}", out / f"plain.{end}", out / f"wall.{end}")],
        *[part for name, end in of_images.items() for part in (f"--{name}", out / f"wall.{end}")],
    ]  # fmt: skip


def collapse_command(
    data: Path, out: Path, collapse: Path, predictions: list[Path], networks: list[str]
) -> dict[str, list[str]]:
    """Return the arguments that draw a collapse; write the tables of its four methods."""
    methods = [*networks, "boosting"]
    rename = dict(zip(("baseline", "step2", "step3", "step3a"), methods, strict=True))
    table = pd.read_parquet(collapse)
    table = table[table["method"].isin(rename)].replace({"method": rename})
    table.to_parquet(collapse)
    options = []
    for name, whole in zip(("scores", "differences"), ladder_scores(), strict=True):
        part = whole[whole["method"].isin(methods)]
        if name == "differences":
            part = part.assign(chosen=part["method"] == networks[0])
        part.to_parquet(data / f"few_{name}.parquet")
        options += [f"--{name}", data / f"few_{name}.parquet"]
    return {"plot_collapse": [
        "--collapse", collapse, "--predictions", *predictions, *options, "--settings",
        json.dumps({"title": "T"}), "--dpi", "40", "--figure", out / "collapse.png",
    ]}  # fmt: skip


def paper_command(world: World, out: Path) -> list[str]:
    """Return the arguments that write a paper's page, after its figure."""
    study = "main_sample"
    folder = world.results / "metrics" / study
    about = {"title": "T", "question": "?", "convention": "sdss_cnn", "simulated": True}
    settings = {"paper": "lin2022", **SKY, "studies": {study: about}}
    return [
        "--scores", folder / "scores.parquet", "--differences", folder / "differences.parquet",
        "--claims", world.results / "studies" / study / "claims.parquet",
        "--figures", out / "main_sample.planes.png", "--cards", *world.files("runs/*/card.json"),
        "--records", *world.records, "--settings", json.dumps(settings),
        "--cutflows", *world.files("samples/*.cutflow.csv"), "--page", out / "paper.html",
    ]  # fmt: skip


def test_every_script_of_the_report_runs_and_leaves_only_its_outputs(report_world, tmp_path):
    out = tmp_path / "out"
    asked = {**commands(report_world, out), **pixel_commands(report_world, out, tmp_path / "data")}
    assert {path.stem for path in report_scripts()} == set(asked)
    for rule, arguments in asked.items():
        log, sidecar = tmp_path / f"{rule}.log", tmp_path / f"{rule}.json"
        given = [*map(str, arguments), "--log", str(log), "--sidecar", str(sidecar)]
        assert script(rule).main(given) == 0, rule
        assert log.read_text(encoding="utf-8").splitlines()[0].startswith("cd ")
        assert json.loads(sidecar.read_text(encoding="utf-8"))["script"] == f"{rule}.py"
    written = {path.name for path in out.iterdir()}
    pages = {f"{name}.html" for name in ("numbers", "claims", "counts", "costs", "p", "citations",
                                         "summary", "front", "paper", "mock_sky", "plain.dataset",
                                         "wall.dataset")}  # fmt: skip
    figures = {f"{name}.png" for name in (
        "main_sample.planes", "front", "residuals", "intervals", "sample", "match", "wall",
        "labels", "collapse", "maps", "galaxies", "mock_sky.samples", "mock_sky.tracks",
        "mock_sky.dust", "mock_sky.frames", "mock_sky.wall", "toy.oracle",
        "plain.light", "plain.sky", "wall.light", "wall.sky", "wall.pixels",
    )}  # fmt: skip
    tables = {"mock_sky.frames.parquet", "mock_sky.quantiles.parquet", "toy.pit.parquet"}
    tables |= {f"{name}.{kind}.parquet" for name in ("plain", "wall")
               for kind in ("splits", "columns")}  # fmt: skip
    tables |= {"wall.pixel_values.parquet", "wall.flags.parquet"}
    assert written == pages | figures | tables | {"citations.bib"}
    assert all(path.stat().st_size > 300 for path in out.iterdir())


def test_a_table_that_is_not_there_is_bad_input_and_nothing_is_written(
    report_world, tmp_path, capsys
):
    arguments = commands(report_world, tmp_path)["tabulate_scores"]
    arguments[1] = tmp_path / "none.parquet"
    assert script("tabulate_scores").main([*map(str, arguments)]) == 2
    message = capsys.readouterr().err
    for words in ("none.parquet", "the file", "an input file", "nothing"):
        assert words in message
    assert list(tmp_path.iterdir()) == []
