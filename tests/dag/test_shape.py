"""The shape of the DAG: which jobs there are, what they ask for, what refuses to start."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.checkout import TARGETS
from zladder.learning.window_size import WINDOW_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.checkout import Checkout

pytestmark = pytest.mark.timeout(300)

# docs/budget.md announces the number of jobs of the demo; more must be announced there too.
JOBS = {
    "tabulate_photometry": 1, "simulate_sky": 1, "render_frames": 2, "render_cfhtls": 1,
    "render_hsc": 1,
    "read_catalog": 5, "crossmatch": 2, "select_sample": 4,
    "cut_stamps": 4,
    "build_dataset": 4, "build_image_dataset": 2,
    "pretrain_encoder": 5,
    "train_network": 9, "train_control": 14, "train_image": 16, "embed_images": 6,
    "train_probe": 12, "train_head": 4,
    "predict_run": 23, "predict_images": 13, "predict_probe": 12, "predict_classes": 7,
    "compute_oracle": 3, "predict_oracle": 7, "score_study": 4,
    "measure_collapse": 1, "measure_drift": 1, "measure_realism": 1,
    "judge_claims": 4,
    "score_truth": 4, "check_leaks": 4, "check_side_information": 3,
    "compare_labels": 1,
    "plot_redshifts": 4, "plot_residuals": 4, "plot_scores": 4, "plot_sample": 4, "plot_wall": 2,
    "plot_match": 2, "plot_datasets": 1,
    "plot_mock_sky": 1, "plot_frames": 1, "plot_types": 1, "plot_oracle": 4, "write_mock_sky": 1,
    "plot_labels": 1, "plot_collapse": 1, "plot_embeddings": 1,
    "tabulate_scores": 4, "tabulate_claims": 1, "tabulate_cutflow": 1, "tabulate_costs": 1,
    "write_provenance": 1, "write_citations": 1, "write_summary": 1, "write_paper": 3,
}  # fmt: skip
ON_GPU = {"pretrain_encoder", "train_image", "embed_images", "predict_images"}
PAPERS = {"hayat2021": "label_efficiency", "lin2022": "class_residuals", "soriano2024": "transfer"}


def test_number_of_jobs_does_not_grow_unannounced(fresh: Checkout) -> None:
    rules = fresh.rules(config={"scale": "demo"})
    assert rules == JOBS
    assert sum(rules.values()) == 226


def test_every_job_states_its_resources_in_abstract_words(fresh: Checkout) -> None:
    allowed = {"mem_mb", "mem_mib", "mem", "runtime", "tmpdir", "disk_mb", "disk_mib", "disk",
               "gpu", "resident_mb"}  # fmt: skip
    jobs = [job for job in fresh.jobs() if job["rule"] not in TARGETS]
    for job in jobs:
        assert set(job["resources"]) <= allowed, job
        assert job["resources"]["mem_mb"] >= 1000
        assert job["resources"]["runtime"] >= 10
    on_images = [job for job in jobs if job["rule"] in ("pretrain_encoder", "train_image")]
    two_windows = 2 * WINDOW_BYTES // 10**6  # more than what may be resident by default
    assert {job["resources"]["mem_mb"] for job in on_images} == {two_windows + 2000}
    asking = {job["rule"]: job["resources"].get("gpu", 0) for job in jobs}
    assert asking == {rule: int(rule in ON_GPU) for rule in JOBS}


@pytest.mark.parametrize("paper", PAPERS)
def test_a_papers_target_builds_its_studies_and_its_page(fresh: Checkout, paper: str) -> None:
    jobs = fresh.jobs(targets=[paper])
    named: dict[str, set[str]] = {}
    for job in jobs:
        for wildcard, value in job["wildcards"].items():
            named.setdefault(wildcard, set()).add(value)
    assert named["paper"] == {paper}
    assert named["study"] == {run.split(".")[0] for run in named["run"]} == {PAPERS[paper]}
    images = {"hayat2021": {"main_images", "deep_images"}, "lin2022": {"main_images"},
              "soriano2024": set()}  # fmt: skip
    assert {name for name in named["dataset"] if name.endswith("_images")} == images[paper]
    surveys = {"hayat2021": {"mock_sdss", "mock_sdss_deep"}, "lin2022": {"mock_sdss"},
               "soriano2024": {"mock_cosmos", "mock_hsc", "mock_galaxiesml"}}  # fmt: skip
    assert named["survey"] == surveys[paper]
    rules = {job["rule"] for job in jobs}
    assert ("pretrain_encoder" in rules) == (paper == "hayat2021")
    assert ("train_head" in rules) == (paper == "lin2022")
    assert ("render_frames" in rules) == bool(images[paper])


def test_real_study_joins_when_its_data_are_there(fresh: Checkout, tmp_path: Path) -> None:
    data = tmp_path / "data" / "sdss_mgs"
    data.mkdir(parents=True)
    for part in ("train", "test"):
        (data / f"SDSS_MGS.{part}").write_text("#zs\n0.1\n", encoding="utf-8")
    without = fresh.rules()
    joined = fresh.rules(ZLADDER_DATA=str(tmp_path / "data"))
    more = joined - without
    assert more["train_network"] == 2
    assert more["score_study"] == more["select_sample"] == more["read_catalog"] == 1


def test_required_study_without_data_fetches_them(fresh: Checkout) -> None:
    rules = fresh.rules(config={"studies": ["sdss_main_sample"], "studies_if_data": []})
    assert rules["fetch_file"] == 2
    assert rules["simulate_sky"] == rules["render_frames"] == rules["cut_stamps"] == 0


def test_fluxes_are_measured_on_the_frames_where_a_study_asks_for_it(fresh: Checkout) -> None:
    rules = fresh.rules(config={"studies": ["measured_photometry"], "studies_if_data": []})
    assert (rules["render_frames"], rules["measure_frames"], rules["merge_measured"]) == (2, 2, 1)
    assert (rules["read_catalog"], rules["cut_stamps"]) == (2, 0)


def test_more_seeds_train_more_networks_and_no_more_controls(fresh: Checkout) -> None:
    one = fresh.rules()
    three = fresh.rules(config={"train": {"n_seeds": 3}})
    trained = ("pretrain_encoder", "train_network", "train_image", "train_probe", "train_head")
    wanted = Counter({rule: 2 * one[rule] for rule in (*trained, "embed_images")})
    wanted += Counter({f"predict_{rule}": 2 * one[f"predict_{rule}"]
                       for rule in ("images", "probe", "classes")})  # fmt: skip
    wanted["predict_run"] = 2 * one["train_network"]
    assert three - one == wanted


def test_each_label_fraction_trains_the_methods_on_the_ladder(fresh: Checkout) -> None:
    two = fresh.rules(targets=["hayat2021"])
    more = {"train": {"label_fractions": [0.2, 0.5, 1.0]}}
    three = fresh.rules(targets=["hayat2021"], config=more)
    assert three - two == Counter({
        "train_image": 4, "train_probe": 4, "train_network": 1,
        "predict_images": 4, "predict_probe": 4, "predict_run": 1,
    })  # fmt: skip


def test_more_shards_paint_and_cut_in_more_jobs(fresh: Checkout) -> None:
    two = fresh.rules()
    five = fresh.rules(config={"cutouts": {"n_shards": 5}})
    assert five - two == Counter({"render_frames": 3, "cut_stamps": 6})


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "hint"),
    [
        ("config/config.yaml", "master_seed: 1", "master_sed: 1", "master_sed", "master_seed"),
        (
            "config/studies/transfer.yaml",
            "optimizer: {learning_rate",
            "optimiser: {learning_rate",
            "networks.transfer.optimiser",
            "optimizer",
        ),
        (
            "config/stages/datasets.yaml",
            "sky_cell_order: 13",
            "sky_cell_order: -3",
            "sky_cell_order",
            "HEALPix",
        ),
        (
            "config/studies/label_efficiency.yaml",
            "parent: joint, ladder",
            "parent: joynt, ladder",
            "networks.probe_joint.parent",
            "joint",
        ),
        ("config/scales.yaml", "cutouts: {stamp_pixels: 40}           # as in test",
         "cutouts: {stamp_pixels: 39}  #", "at least 40", "larger stamps"),
    ],
)  # fmt: skip
def test_config_typo_ends_with_exit_code_2(
    fresh: Checkout, file: str, old: str, new: str, place: str, hint: str
) -> None:
    fresh.edit(file, old, new)
    done = fresh.snakemake("-n")
    assert done.returncode == 2
    assert done.stderr.count("bad input:") == 1
    assert file in done.stderr
    assert place in done.stderr
    assert hint in done.stderr
    for word in ("expected:", "found:", "hint:"):
        assert word in done.stderr
    assert not (fresh.folder / "results").exists()
