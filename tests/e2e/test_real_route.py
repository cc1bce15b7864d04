"""Each paper's real route, whole: from what archives publish, over HTTP, to its page.

The archive serves some 200 galaxies a list in the native formats (`tests.archive_content`), each at
its own path: the overlay of a test changes the server's name and nothing else of what is fetched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.archive_content.places import FRAMES, registry
from tests.archive_server.sql import SKYSERVER
from tests.real_routes import ACCOUNT, BESIDE, SAMPLES, Route, Routes
from tests.strip_truth import number_of
from zladder.catalogs.native import read_survey
from zladder.config.documents import read_yaml
from zladder.config.names import method_of
from zladder.evaluate.claims import judge_ratio
from zladder.evaluate.ratios import VANISHING
from zladder.tables.fluxes import flux_factor
from zladder.tables.stamp_pixels import decode_pixels, error_bound_nmgy

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
STUDIES = {
    "hayat2021": "label_efficiency", "lin2022": "class_residuals", "soriano2024": "transfer",
}  # fmt: skip
FETCHED = {
    "hayat2021": {"fetch_query": 2, "fetch_frames": 4},
    "lin2022": {"fetch_query": 1, "fetch_frames": 2},
    "soriano2024": {
        "fetch_file": 5,
        "fetch_query": 1,
        "crossmatch": 1,
        "convert_images": 2,
    },
}
HAYAT = "config/papers/hayat2021.yaml"
IMAGES = [f"galaxiesml_images_{part}" for part in ("train", "validation", "test")]
FIGURES = {
    "hayat2021": {"wall", "labels", "embeddings", "stamps", "planes", "residuals"},
    "lin2022": {"wall", "collapse", "planes", "residuals"},
    "soriano2024": {"planes", "residuals"},
}


def test_everything_is_fetched_and_nothing_simulated(route: Route) -> None:
    jobs = route.jobs
    for rule in ("fetch_file", "fetch_query", "fetch_frames", "crossmatch", "convert_images"):
        assert jobs.get(rule, 0) == FETCHED[route.paper].get(rule, 0), rule
    assert jobs["write_paper"] == jobs[route.paper] == 1
    assert jobs["judge_claims"] == (2 if route.paper == "soriano2024" else 1)
    mock = {"simulate_sky", "render_frames", "compute_oracle", "check_leaks", "write_mock_sky"}
    assert not mock & set(jobs)


def test_every_galaxy_is_counted_from_the_archive_to_the_dataset(route: Route) -> None:
    for sample, survey in SAMPLES[route.paper].items():
        read = route.counts(f"catalogs/{survey}.json")
        assert read["rows_in"] >= 200
        assert read["rows_in"] == read["rows_out"] + read["duplicates"]
        cutflow = pd.read_csv(route.results / f"samples/{sample}.cutflow.csv")
        assert (cutflow["n_in"] - cutflow["n_lost"] == cutflow["n_out"]).all()
        assert cutflow["n_in"][1:].tolist() == cutflow["n_out"][:-1].tolist()
        assert cutflow["n_lost"].sum() > 0
        assert cutflow["n_in"].iloc[0] == listed(route, sample, read["rows_out"])
        assert cutflow["n_out"].iloc[-1] == len(route.table(f"samples/{sample}.parquet"))
    for path in (route.results / "datasets").glob("*.json"):
        counts = route.counts(f"datasets/{path.name}")
        lost = counts["n_copies_dropped"] + counts.get("n_without_stamp", 0)
        lost += sum(counts.get("n_dropped", {}).values())
        assert sum(counts["n_in"].values()) == counts["n_out"] + lost, path.name
        n_samples = {name: len(route.table(f"samples/{name}.parquet")) for name in counts["n_in"]}
        assert counts["n_in"] == n_samples
        assert sum(counts["n_by_split"].values()) == counts["n_out"]


def listed(route: Route, sample: str, n_read: int) -> int:
    """Return how many rows a selection begins with: those read, or the pairs of a match."""
    match = route.results / "catalogs" / "match" / f"{sample}.parquet"
    if not match.is_file():
        return n_read
    pairs = pd.read_parquet(match)
    assert 0.8 * n_read < len(pairs) <= n_read
    assert pairs["left_index"].is_unique
    assert pairs["right_index"].is_unique
    return len(pairs)


def test_every_galaxy_with_an_image_got_a_stamp_of_its_frame(route: Route) -> None:
    samples = [name for name in SAMPLES[route.paper] if name.startswith("sdss")]
    for sample in samples:
        counts = [route.counts(f"cutouts/{sample}/{shard}.json") for shard in (0, 1)]
        assert sum(one["n_in"] for one in counts) == len(route.table(f"samples/{sample}.parquet"))
        assert sum(one["n_out"] for one in counts) == sum(one["n_in"] for one in counts)


def test_every_galaxy_with_a_published_image_got_its_pixels(routes: Routes) -> None:
    """From the archive's three files through the shards to the splits; the others are listed."""
    route = routes.of("soriano2024")
    shards = [route.results / f"cutouts/galaxiesml/{k}.h5" for k in (0, 1)]
    losses = pd.concat(pd.read_csv(path.with_suffix(".losses.csv")) for path in shards)
    images: dict[int, np.ndarray] = {}
    for name in IMAGES:
        with h5py.File(routes.places.file(name)) as file:
            ids = file["object_id"][()].ravel().tolist()
            images.update(zip(ids, file["image"][()], strict=True))
    sample = set(route.table("samples/galaxiesml.parquet")["object_id"])
    dataset = route.table("datasets/specz_images.parquet").set_index(["shard", "row"])
    seen: list[int] = []
    for path in shards:
        with h5py.File(path) as file:
            ids, flux, attributes = file["object_id"][()], file["flux"][()], dict(file.attrs)
        counts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["counts"]
        assert counts["n_in"] == counts["n_out"] + sum(counts["n_lost"].values())
        assert attributes["pixel_scale_arcsec"] == 0.168
        assert list(attributes["bands"]) == list("grizy")
        wanted = np.stack([images[one] for one in ids.tolist()]) * flux_factor(27.0)
        np.testing.assert_array_equal(flux, wanted)
        seen += ids.tolist()
        indexed = dataset.loc[f"galaxiesml/{path.stem}"]
        np.testing.assert_array_equal(ids[indexed.index], indexed["object_id"])
    assert len(images) == 200
    assert set(seen) == sample & set(images)
    assert set(losses["object_id"]) == sample - set(images)
    assert len(seen) == len(set(seen)) > 150
    assert set(dataset["split"]) == {"train", "validation", "calibration", "test"}


def test_the_released_images_of_the_other_paper_become_stamps(routes: Routes) -> None:
    route = routes.of("hayat2021")
    overlay = route.checkout.folder / "released.yaml"
    overlay.write_text("cutouts: {encoding: asinh8, max_lost_fraction: 0.95}\n")  # 20 of 200
    target = "results/sdss-test/cutouts/sdss_dr12_released/1.h5"
    place, paper = (route.arguments.index(one) for one in ("--config", HAYAT))
    more = [*route.arguments[1:place], overlay.name, *route.arguments[place:]]
    more[paper - 1] = HAYAT.replace(".yaml", "_released.yaml")
    done = route.checkout.snakemake(target, *more)
    assert done.returncode == 0, done.stderr[-2000:]
    with h5py.File(route.checkout.folder / target) as shard:
        flux = decode_pixels(shard["flux"][()], shard.attrs)
        bound, ids = error_bound_nmgy(flux, dict(shard.attrs)), shard["object_id"][()].tolist()
        assert (shard["ebv_mag"][()] > 0).all()
    images: dict[int, np.ndarray] = {}
    for part in ("train", "valid"):
        with h5py.File(routes.places.file(f"self_supervised_sdss_{part}")) as file:
            images.update(zip(file["ObjID"][()].tolist(), file["images"][()], strict=True))
    assert 0 < len(ids) < len(images)
    assert (np.abs(flux - np.stack([images[one] for one in ids])) <= 1.1 * bound).all()


def test_the_papers_page_shows_figures_and_claims_with_their_sources(route: Route) -> None:
    study, paper = STUDIES[route.paper], route.paper
    page = unescape((route.results / f"report/{paper}.html").read_text(encoding="utf-8"))
    assert "The galaxies are real ones" in page
    assert page.count("data:image/webp;base64,") >= len(FIGURES[paper])
    for kind in FIGURES[paper] - {"wall"}:
        assert (route.results / f"report/{study}.{kind}.png").stat().st_size > 1000
    claims = read_yaml(ROOT / "config" / "claims" / f"{paper}.yaml")["claims"]
    found = route.table(f"studies/{study}/claims.parquet").set_index("claim")
    assert set(found.index) == set(claims)
    for name, claim in claims.items():
        assert found.loc[name, "source"] == claim["source"]
        assert name in page
        assert claim["source"] in page
        if "published_ratio" in claim:
            assert found.loc[name, "published_ratio"] == claim["published_ratio"]
            assert f"{claim['published_ratio']:.1f}" in page


def test_the_papers_page_shows_every_cut(route: Route) -> None:
    page = (route.results / f"report/{route.paper}.html").read_text(encoding="utf-8")
    for sample in SAMPLES[route.paper]:
        assert f"<h3>{sample}</h3>" in page
        for row in pd.read_csv(route.results / f"samples/{sample}.cutflow.csv").to_dict("records"):
            for column in ("n_in", "n_lost", "n_out"):
                cell = rf'data-cut="{re.escape(row["cut"])}"[^>]*data-count="{column}"[^>]*>'
                assert str(row[column]) in re.findall(rf"{cell}(\d+)<", page), (row, column)


def test_verdicts_are_those_of_a_real_sky(route: Route) -> None:
    claims = read_yaml(ROOT / "config" / "claims" / f"{route.paper}.yaml")["claims"]
    found = route.table(f"studies/{STUDIES[route.paper]}/claims.parquet")
    assert not found["reason"].str.contains("mock").any()
    assert not found["verdict"].isin(["by construction"]).any()
    held = found[found["verdict"] != "not applicable"]
    assert len(held) > 0
    for row in held.to_dict("records"):
        assert row["verdict"] == verdict_on_a_real_sky(row, claims[row["claim"]]), row


def verdict_on_a_real_sky(row: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    verdict, _ = judge_ratio(
        row["ratio"], row["lo95"], row["hi95"], claim.get("published_ratio"),
        claim.get("tolerance"), simulated=False, better=row["better"], at_least=row["at_least"],
        quantity=VANISHING.get(row["metric"], row["metric"]),
    )  # fmt: skip
    return verdict


def test_every_answer_counts_its_galaxies(route: Route) -> None:
    study = STUDIES[route.paper]
    scores = route.table(f"metrics/{study}/scores.parquet")
    assert (scores["n_total"] == scores["n_used"] + scores["n_nonfinite"]).all()
    tested = scores[scores["split"] == "test"]
    for dataset, rows in tested.groupby("dataset"):
        n_test = route.counts(f"datasets/{dataset}.json")["n_by_split"]["test"]
        assert (rows["n_total"] == n_test).all()
    methods = {
        method_of(path.stem)
        for path in (route.results / "predictions").glob(f"{study}.*-s0.parquet")
    }
    assert set(tested["method"]) == methods


def test_again_there_is_nothing_to_do_and_nobody_is_asked(routes: Routes, route: Route) -> None:
    asked = sum(map(len, routes.server.seen.values()))
    done = route.checkout.snakemake(*route.arguments, **ACCOUNT)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr
    assert sum(map(len, routes.server.seen.values())) == asked


def test_the_published_images_are_fetched_and_read_as_they_are(routes: Routes) -> None:
    """Those of Hayat et al., through a network that was trained on stamps cut from frames."""
    route = routes.of("hayat2021")
    file = "data/fetched/archives/self_supervised_sdss_valid"
    done = route.checkout.snakemake(file, *route.arguments[1:])
    assert done.returncode == 0, done.stderr[-2000:]
    run = route.results / "runs" / "label_efficiency.supervised_f100-s0"
    command = ["predict", str(run), file, "-o", "redshifts.parquet"]
    program = "from zladder.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, *command], cwd=route.checkout.folder, check=False,
        env=route.checkout.environment(PYTHONPATH="src"), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with h5py.File(route.checkout.folder / file) as released:
        ids = released["ObjID"][:]
    answers = pd.read_parquet(route.checkout.folder / "redshifts.parquet")
    assert sorted(answers["object_id"]) == sorted(ids)
    assert answers["z_phot"].notna().all()


def test_the_images_of_transferz_become_a_dataset_with_the_authors_parts(routes: Routes) -> None:
    route = routes.of("soriano2024")
    target = "results/hsc-test/datasets/photoz_images_as_published.parquet"
    study = "studies=[transferz_images]"
    done = route.checkout.snakemake(target, *route.arguments[1:], study)
    assert done.returncode == 0, done.stderr[-2000:]
    dataset = route.table("datasets/photoz_images_as_published.parquet")
    for part, splits in (
        ("train", {"train"}),
        ("validation", {"validation", "calibration"}),
        ("test", {"test"}),
    ):
        file = route.checkout.folder / f"data/fetched/transferz_images/{part}"
        with h5py.File(file) as published:
            ids, labels = published["object_id"][()], published["lp_zPDF_CLASSIC"][()]
            images = published["image"][()] * flux_factor(27.0)
        found = dataset[dataset["object_id"].isin(ids)].set_index("object_id")
        assert set(found["split"]) == splits
        assert len(found) == ((labels > 0.01) & (labels < 4)).sum() > 0
        for one, flux in zip(ids.tolist(), images, strict=True):
            if one in found.index:
                place = found.loc[one]
                with h5py.File(route.results / "cutouts" / f"{place['shard']}.h5") as shard:
                    np.testing.assert_array_equal(shard["flux"][int(place["row"])], flux)
    assert set(dataset["part"]) == {"train", "validation", "test"}


def test_the_catalogue_of_cfhtls_is_fetched_and_read(routes: Routes) -> None:
    route = routes.of("hayat2021")
    done = route.checkout.snakemake("fetch_cfhtls_t0007", *route.arguments[1:])
    assert done.returncode == 0, done.stderr[-2000:]
    survey = read_yaml(ROOT / "config" / "surveys" / "cfhtls_t0007.yaml")
    file = route.checkout.folder / "data/fetched/cfhtls_t0007/all"
    table, counts = read_survey({"all": file}, {"name": "cfhtls_t0007", **survey})
    assert counts["rows_in"] == counts["rows_out"] == len(table) > 200
    assert np.isinf(table["mag_u"]).any()  # 99: not detected
    assert (table["mag_i"] < 30).any()


def test_the_server_saw_only_declared_addresses(routes: Routes, route: Route) -> None:
    """And of a frame each byte once."""
    frames = {urlsplit(url).path for url in frame_urls(route)}
    wanted = {
        "hayat2021": {SKYSERVER}, "lin2022": {SKYSERVER},
        "soriano2024": {path_of(name) for name in ("galaxiesml_v6", "cosmos2020_classic", *IMAGES)},
    }[route.paper]  # fmt: skip
    queue = path_of("hsc_pdr2_cosmos") if route.paper == "soriano2024" else None
    seen = {path for path in route.sent if not (queue and path.startswith(queue))}
    assert seen == frames | wanted
    assert bool(queue) == (len(seen) < len(route.sent))
    for path in frames | wanted - {SKYSERVER}:
        file = routes.server.folder / path.lstrip("/")
        assert route.sent[path] == file.stat().st_size + 1, path  # in one request


def frame_urls(route: Route) -> set[str]:
    """Return the addresses of the frames of a paper's catalogued galaxies, and of those beside."""
    rows: list[dict[str, int]] = []
    for survey in set(SAMPLES[route.paper].values()) & set(BESIDE):
        own = number_of(route.table(f"catalogs/{survey}.parquet"))
        rows += [own._asdict(), own._replace(field=BESIDE[survey])._asdict()]
    template = str(registry()[FRAMES]["url"])
    return {template.format(rerun=301, band=band, **row) for row in rows for band in "ugriz"}


def path_of(archive: str) -> str:
    return urlsplit(registry()[archive]["url"]).path


def test_the_account_is_written_nowhere(routes: Routes) -> None:
    folder = routes.of("soriano2024").checkout.folder
    secret = ACCOUNT["ZLADDER_HSC_PASSWORD"].encode()
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            assert path.stat().st_size > 50e6 or secret not in path.read_bytes(), path
