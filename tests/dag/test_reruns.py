"""What Snakemake runs again after an edit: what depends on it, and nothing else."""

from __future__ import annotations

import resource
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checkout import Checkout

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("dag")]

NETWORKS = 6  # base, spec_only, transfer, combined; ensemble, single


def after_training(rules: Counter[str]) -> set[str]:
    """Return the rules of a rerun that may follow a training."""
    return {rule for rule in rules if rule.startswith(("plot_", "tabulate_", "write_"))} | {
        "train_network",
        "predict_run",
        "score_study",
        "judge_claims",
    }


def test_nothing_to_do_when_nothing_changed(checkout: Checkout) -> None:
    assert checkout.rules() == Counter()


def test_touching_and_commenting_every_file_of_ours_reruns_nothing(checkout: Checkout) -> None:
    folder = checkout.folder
    kinds = ("src/**/*.py", "workflow/**/*.py", "workflow/**/*.smk", "workflow/**/*.yaml",
             "config/**/*.yaml", "profiles/**/*.yaml", "envs/*.yaml", "Snakefile",
             "requirements.lock")  # fmt: skip
    files = [path for kind in kinds for path in folder.glob(kind)]
    assert len(files) > 150
    for path in files:
        path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
    for path in folder.glob("workflow/report/*"):  # captions and style: no place for a comment
        path.touch()
    assert checkout.rules() == Counter()


def test_dry_run_without_work_takes_less_than_five_seconds(checkout: Checkout) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = checkout.snakemake("-n", "--config", "scale=test")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "Nothing to be done" in done.stdout + done.stderr
    # CPU seconds: on an idle machine the wall clock shows the same, on a busy one it does not.
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 5.0


def test_another_docstring_reruns_nothing(checkout: Checkout) -> None:
    checkout.edit("src/zladder/learning/losses.py", '"""Losses of', '"""The losses of')
    assert checkout.rules() == Counter()


def test_another_loss_reruns_the_trainings_and_what_follows(checkout: Checkout) -> None:
    path = "src/zladder/learning/losses.py"
    text = (checkout.folder / path).read_text(encoding="utf-8")
    (checkout.folder / path).write_text(text + "\nCHANGED = True\n", encoding="utf-8")
    rules = checkout.rules()
    assert rules["train_network"] == NETWORKS
    assert rules["predict_run"] == NETWORKS
    assert rules["score_study"] == rules["judge_claims"] == 2
    assert set(rules) <= after_training(rules)
    assert rules["train_control"] == rules["build_dataset"] == rules["plot_sample"] == 0


def test_another_learning_rate_reruns_that_run_only(checkout: Checkout) -> None:
    old = "learning_rate: 5.0e-4"
    checkout.edit("config/studies/transfer.yaml", old, "learning_rate: 4.0e-4")
    jobs = checkout.jobs()
    trained = [job["wildcards"]["run"] for job in jobs if job["rule"] == "train_network"]
    assert trained == ["transfer.transfer-s0"]
    scored = [job["wildcards"]["study"] for job in jobs if job["rule"] == "score_study"]
    assert scored == ["transfer"]
    studies = {job["wildcards"].get("study", "transfer") for job in jobs}
    assert studies == {"transfer"}


def test_a_parent_that_changes_takes_its_child_along(checkout: Checkout) -> None:
    old = "base: {recipe: mlp_soriano, dataset: photoz}"
    new = "base: {recipe: mlp_soriano, dataset: photoz, schedule: {patience: 11}}"
    checkout.edit("config/studies/transfer.yaml", old, new)
    trained = [job["wildcards"]["run"] for job in checkout.jobs() if job["rule"] == "train_network"]
    assert sorted(trained) == ["transfer.base-s0", "transfer.transfer-s0"]


def test_a_plots_colour_reruns_that_plot(checkout: Checkout) -> None:
    path = "src/zladder/report/planes.py"
    text = (checkout.folder / path).read_text(encoding="utf-8")
    (checkout.folder / path).write_text(text + "\nCOLOUR = 'crimson'\n", encoding="utf-8")
    rules = checkout.rules()
    assert rules.pop("plot_redshifts") == 2
    assert set(rules) <= {"write_summary"}  # shows one of these planes


def test_an_upgraded_package_reruns_the_rules_that_import_it(checkout: Checkout) -> None:
    checkout.edit("requirements.lock", "torch==", "torch==9.")
    rules = checkout.rules()
    assert rules["train_network"] == NETWORKS
    assert rules["train_control"] == rules["read_catalog"] == 0


def test_resources_and_threads_rerun_nothing(checkout: Checkout) -> None:
    path = checkout.folder / "workflow/rules/train.smk"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("runtime=60", "runtime=90"), encoding="utf-8")
    # The training is told the length of its job; a longer one does not make it stale.
    assert checkout.rules() == Counter()


def test_another_cut_reruns_that_sample_and_what_follows(checkout: Checkout) -> None:
    checkout.edit("config/stages/catalogs.yaml", "lp_mass_best > 7.5", "lp_mass_best > 7.6")
    jobs = checkout.jobs()
    selected = [job["wildcards"]["sample"] for job in jobs if job["rule"] == "select_sample"]
    assert selected == ["mock_photoz"]
    assert not [job for job in jobs if job["rule"] in {"read_catalog", "cross_match"}]
    assert "main_sample" not in {job["wildcards"].get("study") for job in jobs}
