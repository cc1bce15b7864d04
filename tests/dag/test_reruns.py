"""What Snakemake runs again after an edit: what depends on it, and nothing else."""

from __future__ import annotations

import resource
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tests.checkout import Checkout

pytestmark = pytest.mark.timeout(300)

# At the scale `test`, with two label fractions.
NETWORKS = 8  # base, spec_only, transfer, combined; ensemble, single; two of catalogue
IMAGES = 12  # two each of four on the ladder; finetuned_equal; two of classes; baseline
ENCODERS = 5
PROBES = 8  # two each of four
HEADS = 4  # step2, step3, step3a, step3b
EVALUATED = {
    "predict_run", "predict_images", "predict_probe", "predict_classes",
    "score_study", "measure_collapse", "measure_drift", "judge_claims", "score_truth",
    "check_leaks",
}  # fmt: skip
TRAININGS = {
    "pretrain_encoder", "train_network", "train_image", "embed_images", "train_probe", "train_head",
}  # fmt: skip


def after_training(rules: Iterable[str]) -> set[str]:
    """Return the rules of a rerun that may follow a training."""
    shown = {rule for rule in rules if rule.startswith(("plot_", "tabulate_", "write_"))}
    of_the_data = {"plot_sample", "plot_match", "plot_wall", "plot_datasets",
                   "tabulate_cutflow", "plot_oracle",
                   "plot_mock_sky", "plot_types", "plot_frames"}  # fmt: skip
    return (shown | EVALUATED | TRAININGS) - of_the_data


def append(checkout: Checkout, path: str, line: str) -> None:
    """Add a line of code to a file."""
    file = checkout.folder / path
    file.write_text(file.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")


def methods(jobs: list[dict[str, Any]], rule: str) -> list[str]:
    """Return the methods of a rule's jobs, sorted, without study and seed."""
    runs = [job["wildcards"]["run"] for job in jobs if job["rule"] == rule]
    return sorted(run.split(".")[1].removesuffix("-s0") for run in runs)


def test_nothing_to_do_when_nothing_changed(checkout: Checkout) -> None:
    assert checkout.rules() == Counter()


def test_every_output_of_the_checkout_was_recorded(checkout: Checkout) -> None:
    """Without a record Snakemake notices no change, and the tests below would prove nothing."""
    folder = checkout.folder
    files = [path for path in folder.glob("results/**/*") if path.is_file()]
    outputs = [path for path in files if path.suffix != ".log"]
    records = [path for path in folder.glob(".snakemake/metadata/**/*") if path.is_file()]
    assert len(outputs) == len(records) > 400


def test_touching_and_commenting_every_file_of_ours_reruns_nothing(checkout: Checkout) -> None:
    folder = checkout.folder
    kinds = ("src/**/*.py", "workflow/**/*.py", "workflow/**/*.smk", "workflow/**/*.yaml",
             "config/**/*.yaml", "profiles/**/*.yaml", "envs/*.yaml", "Snakefile",
             "requirements.lock")  # fmt: skip
    files = [path for kind in kinds for path in folder.glob(kind)]
    assert len(files) > 300
    assert folder / "src/zladder/learning/augment.py" in files
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
    append(checkout, "src/zladder/learning/losses.py", "CHANGED = True")
    rules = checkout.rules()
    assert rules["train_network"] == rules["predict_run"] == NETWORKS
    assert rules["train_image"] == IMAGES
    assert rules["train_head"] == HEADS
    assert rules["score_study"] == rules["judge_claims"] == 4
    assert set(rules) <= after_training(rules)
    assert rules["pretrain_encoder"] == rules["train_probe"] == rules["train_control"] == 0


def test_another_augmentation_reruns_all_that_look_at_pixels(checkout: Checkout) -> None:
    append(checkout, "src/zladder/learning/augment.py", "CHANGED = True")
    rules = checkout.rules()
    assert rules["pretrain_encoder"] == ENCODERS
    assert rules["train_image"] == IMAGES
    assert rules["embed_images"] == ENCODERS + 1  # the baseline's features too
    assert (rules["train_probe"], rules["train_head"]) == (PROBES, HEADS)
    assert set(rules) <= after_training(rules)
    assert rules["train_network"] == rules["predict_run"] == 0


def test_another_contrast_reruns_the_pretrainings_and_what_starts_from_them(
    checkout: Checkout,
) -> None:
    append(checkout, "src/zladder/pretrain/moco.py", "CHANGED = True")
    jobs = checkout.jobs()
    rules = Counter(job["rule"] for job in jobs)
    assert (rules["pretrain_encoder"], rules["embed_images"]) == (ENCODERS, ENCODERS)
    assert methods(jobs, "train_image") == [
        "colour_finetuned_f100", "colour_finetuned_f20", "finetuned_classes",
        "finetuned_equal", "finetuned_f100", "finetuned_f20",
        "joint_finetuned_f100", "joint_finetuned_f20",
    ]  # fmt: skip
    assert rules["train_probe"] == PROBES
    assert {job["wildcards"].get("study") for job in jobs} <= {None, "label_efficiency"}
    assert rules["train_head"] == rules["train_network"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("contrastive_weight: 0.02,", "contrastive_weight: 0.2,"),
        ("    augmentation: *clean\n    optimizer: &rates",
         "    augmentation: *views\n    optimizer: &rates"),
    ],
)  # fmt: skip
def test_an_encoders_recipe_reruns_that_pretraining_and_its_children(
    checkout: Checkout, old: str, new: str
) -> None:
    checkout.edit("config/stages/pretrain.yaml", old, new)
    jobs = checkout.jobs()
    for rule in ("pretrain_encoder", "embed_images"):
        assert methods(jobs, rule) == ["joint"]
    assert methods(jobs, "train_image") == ["joint_finetuned_f100", "joint_finetuned_f20"]
    assert methods(jobs, "train_probe") == ["probe_joint_f100", "probe_joint_f20"]
    rules = {job["rule"] for job in jobs} - {"all", "hayat2021"}
    assert rules <= after_training(rules)
    assert "measure_drift" in rules
    assert not rules & {"train_network", "train_head", "predict_run", "measure_collapse"}


def test_another_label_fraction_trains_that_rung_only(checkout: Checkout) -> None:
    old = "head_steps_limit: 100, label_fractions: [0.2, 1.0]"
    checkout.edit("config/scales.yaml", old, old.replace("0.2", "0.1"))
    jobs = checkout.jobs()
    rung = ["colour_finetuned_f10", "finetuned_f10", "joint_finetuned_f10", "supervised_f10"]
    assert methods(jobs, "predict_images") == rung
    assert methods(jobs, "predict_classes") == []  # classes are trained on all labels
    assert methods(jobs, "train_image") == rung
    probes = [f"probe_{name}_f10" for name in ("colour", "joint", "moco", "untrained")]
    assert methods(jobs, "train_probe") == methods(jobs, "predict_probe") == probes
    assert methods(jobs, "train_network") == methods(jobs, "predict_run") == ["catalogue_f10"]
    rules = {job["rule"] for job in jobs} - {"all", "hayat2021"}
    assert "plot_datasets" in rules  # it shows how many labels each fraction has
    assert rules - {"plot_datasets"} <= after_training(rules)
    assert not rules & {"pretrain_encoder", "embed_images", "measure_drift", "plot_embeddings"}


def test_another_width_of_the_labels_reruns_the_heads(checkout: Checkout) -> None:
    append(checkout, "src/zladder/train/class_labels.py", "CHANGED = True")
    jobs = checkout.jobs()
    assert methods(jobs, "train_head") == ["step2", "step3", "step3a", "step3b"]
    assert methods(jobs, "predict_classes") == methods(jobs, "train_head")
    assert not {job["rule"] for job in jobs} & (TRAININGS - {"train_head"})


def test_other_stamps_rerun_what_looks_at_them_and_not_the_frames(checkout: Checkout) -> None:
    old, new = "cutouts: {stamp_pixels: 40}           # for", "cutouts: {stamp_pixels: 44}  #"
    checkout.edit("config/scales.yaml", old, new)
    rules = checkout.rules()
    assert (rules["cut_stamps"], rules["build_image_dataset"], rules["plot_wall"]) == (4, 2, 2)
    assert rules["pretrain_encoder"] == ENCODERS
    assert rules["render_frames"] == rules["simulate_sky"] == rules["select_sample"] == 0


def test_other_paint_reruns_the_frames_and_not_the_catalogues(checkout: Checkout) -> None:
    append(checkout, "src/zladder/survey/painting.py", "CHANGED = True")
    rules = checkout.rules()
    assert (rules["render_frames"], rules["cut_stamps"]) == (2, 4)
    assert rules["simulate_sky"] == rules["read_catalog"] == rules["build_dataset"] == 0


def test_another_learning_rate_reruns_that_run_only(checkout: Checkout) -> None:
    old = "learning_rate: 5.0e-4"
    checkout.edit("config/studies/transfer.yaml", old, "learning_rate: 4.0e-4")
    jobs = checkout.jobs()
    assert methods(jobs, "train_network") == ["transfer"]
    scored = [job["wildcards"]["study"] for job in jobs if job["rule"] == "score_study"]
    assert scored == ["transfer"]
    studies = {job["wildcards"].get("study", "transfer") for job in jobs}
    assert studies == {"transfer"}


def test_a_parent_that_changes_takes_its_child_along(checkout: Checkout) -> None:
    old = "base: {recipe: mlp_soriano, dataset: photoz}"
    new = "base: {recipe: mlp_soriano, dataset: photoz, schedule: {patience: 11}}"
    checkout.edit("config/studies/transfer.yaml", old, new)
    assert methods(checkout.jobs(), "train_network") == ["base", "transfer"]


@pytest.mark.parametrize(
    ("module", "rule", "n_jobs", "shown_on"),
    [
        ("planes", "plot_redshifts", 4, {"write_summary", "write_paper"}),
        ("label_curve", "plot_labels", 1, {"write_paper"}),
        ("wall", "plot_wall", 2, {"write_paper", "plot_datasets"}),
        ("dataset_sky", "plot_datasets", 1, set()),
        ("collapse_plot", "plot_collapse", 1, {"write_paper"}),
        ("embedding_map", "plot_embeddings", 1, {"write_paper"}),
    ],
)
def test_a_plots_colour_reruns_that_plot(
    checkout: Checkout, module: str, rule: str, n_jobs: int, shown_on: set[str]
) -> None:
    append(checkout, f"src/zladder/report/{module}.py", "COLOUR = 'crimson'")
    rules = checkout.rules()
    assert rules.pop(rule) == n_jobs
    assert set(rules) == shown_on


def test_an_upgraded_package_reruns_the_rules_that_import_it(checkout: Checkout) -> None:
    checkout.edit("requirements.lock", "torch==", "torch==9.")
    rules = checkout.rules()
    assert rules["train_network"] == NETWORKS
    assert rules["pretrain_encoder"] == ENCODERS
    assert rules["render_frames"] == 2  # painted by torch
    assert rules["read_catalog"] == rules["simulate_sky"] == rules["build_dataset"] == 0


def test_resources_and_threads_rerun_nothing(checkout: Checkout) -> None:
    for stage in ("train", "pretrain"):
        path = checkout.folder / f"workflow/rules/{stage}.smk"
        text = path.read_text(encoding="utf-8")
        changed = text.replace("runtime=60", "runtime=90").replace("runtime=120", "runtime=240")
        assert changed != text
        path.write_text(changed.replace("threads: 1", "threads: 2"), encoding="utf-8")
    checkout.edit("config/stages/pretrain.yaml", "resident_mb: 4000", "resident_mb: 60000")
    # A training is told the length of its job and what fits into memory; it is none the staler.
    assert checkout.rules() == Counter()


def test_another_cut_reruns_that_sample_and_what_follows(checkout: Checkout) -> None:
    checkout.edit("config/surveys/cosmos2020.yaml", "lp_mass_best > 7.5", "lp_mass_best > 7.6")
    jobs = checkout.jobs()
    selected = [job["wildcards"]["sample"] for job in jobs if job["rule"] == "select_sample"]
    assert selected == ["mock_photoz"]
    assert not [job for job in jobs if job["rule"] in {"read_catalog", "crossmatch"}]
    studies = {job["wildcards"].get("study") for job in jobs}
    assert not studies & {"main_sample", "label_efficiency", "class_residuals"}
