"""The shape of the DAG: which jobs there are, what they ask for, what refuses to start."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.checkout import Checkout

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("dag")]

# docs/budget.md announces the number of jobs of the demo; more must be announced there too.
JOBS = {
    "simulate_sky": 1,
    "read_catalog": 4,
    "cross_match": 2,
    "select_sample": 3,
    "build_dataset": 4,
    "train_network": 6,
    "train_control": 10,
    "predict_run": 16,
    "score_study": 2,
    "judge_claims": 2,
}


def test_number_of_jobs_does_not_grow_unannounced(fresh: Checkout) -> None:
    rules = fresh.rules(config={"scale": "demo"})
    compute = {rule: n for rule, n in rules.items() if rule in JOBS}
    assert compute == JOBS
    assert sum(rules.values()) <= 70


def test_every_job_states_its_resources_in_abstract_words(fresh: Checkout) -> None:
    allowed = {"mem_mb", "mem_mib", "mem", "runtime", "tmpdir", "disk_mb", "disk_mib", "disk"}
    for job in fresh.jobs():
        assert set(job["resources"]) <= allowed, job
        if job["rule"] not in {"all", "soriano2024"}:
            assert job["resources"]["mem_mb"] >= 1000
            assert job["resources"]["runtime"] >= 10


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
    assert rules["fetch_survey"] == 2
    assert rules["simulate_sky"] == 0


def test_more_seeds_train_more_networks_and_no_more_controls(fresh: Checkout) -> None:
    one = fresh.rules()
    three = fresh.rules(config={"train": {"n_seeds": 3}})
    assert three - one == Counter({"train_network": 12, "predict_run": 12})


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
    ],
)
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
