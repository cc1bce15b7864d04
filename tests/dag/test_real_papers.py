"""What the papers' overlays would run at full size: every rule, from the archive on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.real_routes import planned_jobs
from zladder.config.documents import read_yaml

if TYPE_CHECKING:
    from tests.checkout import Checkout

pytestmark = pytest.mark.timeout(300)

SEEDS, FRACTIONS = 5, 8  # of the scale `paper`
LONGEST = 100_000  # bytes of a command: Linux takes less than 131,072 in one argument
SHARDS, CONVERTED = 256, 64  # of the overlays on SDSS's frames; of the scale
SHOWN = {
    "judge_claims": 1, "score_study": 1, "plot_redshifts": 1, "plot_residuals": 1,
    "plot_scores": 1, "tabulate_scores": 1, "write_paper": 1,
}  # fmt: skip
TOLD = {"plot_datasets": 1, "tabulate_cutflow": 1}  # of all datasets, that of `main_sample` too
# On the ladder of labels: supervised and three from encoders; four probes; the catalogue.
IMAGES = SEEDS * (4 * FRACTIONS + 1 + 2)
JOBS = {
    "hayat2021": SHOWN | TOLD | {
        "fetch_query": 2, "fetch_frames": 2 * SHARDS, "read_catalog": 2, "select_sample": 2,
        "cut_stamps": 2 * SHARDS, "build_image_dataset": 2, "build_dataset": 1,
        "pretrain_encoder": 5 * SEEDS, "embed_images": 5 * SEEDS,
        "train_image": IMAGES, "train_probe": 4 * FRACTIONS * SEEDS,
        "train_network": FRACTIONS * SEEDS, "train_control": 2,
        "predict_images": IMAGES - 2 * SEEDS, "predict_classes": 2 * SEEDS,
        "predict_probe": 4 * FRACTIONS * SEEDS, "predict_run": FRACTIONS * SEEDS + 2,
        "measure_drift": 1, "plot_wall": 2, "plot_labels": 1, "plot_embeddings": 1,
    },
    "lin2022": SHOWN | TOLD | {
        "fetch_query": 1, "fetch_frames": SHARDS, "read_catalog": 1, "select_sample": 1,
        "cut_stamps": SHARDS, "build_image_dataset": 1, "build_dataset": 1,
        "train_image": SEEDS, "embed_images": SEEDS, "train_head": 4 * SEEDS,
        "train_control": 2, "predict_classes": 5 * SEEDS, "predict_run": 2,
        "measure_collapse": 1, "plot_wall": 1, "plot_collapse": 1,
    },
    "soriano2024": TOLD | {
        name: n if name == "write_paper" else 2 * n for name, n in SHOWN.items()
    } | {
        "fetch_file": 5, "fetch_query": 1, "read_catalog": 3, "crossmatch": 1, "select_sample": 2,
        "build_dataset": 3, "convert_images": CONVERTED, "build_image_dataset": 1, "plot_wall": 1,
        "train_network": 5 * SEEDS, "train_image": SEEDS, "train_control": 6,
        "predict_run": 5 * SEEDS + 6, "predict_images": SEEDS,
    },
}  # fmt: skip


# Studies of images of both kinds of labels, which the paper's overlay does not name: at the scale
# `test`, with two shards and one seed.
OF_IMAGES = ("transferz_images", "image_transfer", "galaxiesml_images")
IMAGE_JOBS = TOLD | {
    name: n if name == "write_paper" else 3 * n for name, n in SHOWN.items()
} | {
    "fetch_file": 7, "read_catalog": 2, "select_sample": 2, "convert_images": 4,
    "build_image_dataset": 5, "train_image": 6, "train_network": 2, "train_control": 3,
    "predict_images": 6, "predict_run": 5, "plot_wall": 5,
}  # fmt: skip


def test_published_images_of_both_kinds_of_labels_are_listed(fresh: Checkout) -> None:
    overlay = "config/papers/soriano2024.yaml"
    arguments = (
        "--configfile",
        overlay,
        "--config",
        f"studies=[{','.join(OF_IMAGES)}]",
        "scale=test",
    )
    done = fresh.snakemake("-n", "-p", "soriano2024", *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    jobs = planned_jobs(done.stdout + done.stderr)
    assert {
        name: n for name, n in jobs.items() if name not in ("soriano2024", "total")
    } == IMAGE_JOBS
    parts = "data/fetched/galaxiesml/images_{train,validation,test}"
    assert done.stdout.count(f"--part-files {parts} --settings") == 1


def test_released_images_can_be_what_an_encoder_learns_from(fresh: Checkout) -> None:
    """They are converted, and only the labelled galaxies are cut."""
    overlay = "config/papers/hayat2021_released.yaml"
    done = fresh.snakemake("-n", "hayat2021", "--configfile", overlay)
    assert done.returncode == 0, done.stderr[-2000:]
    jobs = planned_jobs(done.stdout + done.stderr)
    changed = {"fetch_query": 1, "fetch_file": 2, "read_catalog": 1,  # of the labelled galaxies
               "fetch_frames": SHARDS, "cut_stamps": SHARDS,
               "convert_images": SHARDS}  # fmt: skip
    wanted = JOBS["hayat2021"] | changed
    assert {name: n for name, n in jobs.items() if name not in ("hayat2021", "total")} == wanted


def test_a_job_asks_for_the_time_that_its_fields_take(fresh: Checkout) -> None:
    samples = {"sdss_dr12_main": 92, "sdss_dr12_deep": 157}  # docs/cluster.md
    overlay = read_yaml(fresh.folder / "config" / "papers" / "hayat2021.yaml")
    stamps = [f"results/sdss-paper/cutouts/{sample}/{SHARDS - 1}.h5" for sample in samples]
    jobs = fresh.jobs(config=overlay, targets=stamps)
    asked = {job["wildcards"]["sample"]: job["resources"]["runtime"]
             for job in jobs if job["rule"] == "cut_stamps"}  # fmt: skip
    assert asked == samples


def commands(talk: str) -> list[str]:
    """Return the shell command of every job that Snakemake listed (`-p`)."""
    return [line.strip() for line in talk.splitlines() if 'python "$ZLADDER_SCRIPTS"/' in line]


def test_the_whole_report_is_listed_whatever_braces_the_texts_hold(fresh: Checkout) -> None:
    """Snakemake takes {words} of plain texts for wildcards: an archive's address has some.

    No command is too long for bash, of many shards far down in a file system.
    """
    fresh.edit("config/studies/class_residuals.yaml", "title: Classes", "title: The {classes}")
    fresh.edit("config/surveys/sdss_dr12.yaml", "title: SDSS DR12", "title: SDSS {DR12}")
    deep = f"/scratch/{'project-' * 10}/results/sdss"
    given = ("cutouts={n_shards: 1000}", f"pathvars={{results: {deep}}}")
    overlay = ("--configfile", "config/papers/lin2022.yaml")
    done = fresh.snakemake("-n", "-p", *overlay, "--config", *given)
    assert done.returncode == 0, done.stderr[-2000:]
    talk = done.stdout + done.stderr
    jobs, found = planned_jobs(talk), commands(talk)
    assert {"all", "write_citations", "write_provenance", "plot_datasets"} < set(jobs)
    assert jobs["cut_stamps"] == 1000
    assert len(found) == jobs["total"] - jobs["all"]
    assert max(len(command.encode()) for command in found) < LONGEST
    assert any(f"{deep}/cutouts/sdss_dr12_main/{{0..999}}.h5" in command for command in found)
    for text in ("frames/{rerun}/{run}/{camcol}/", "The {classes}", "SDSS {DR12}"):
        assert text in talk


@pytest.mark.parametrize("paper", JOBS)
def test_at_full_size_every_rule_is_listed_and_no_server_is_asked(
    fresh: Checkout, paper: str
) -> None:
    """A server that is not there would end the run: what is listed needs none."""
    overlay = f"config/papers/{paper}.yaml"
    dead = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = fresh.snakemake("-n", "-p", paper, "--configfile", overlay, **dead)
    assert done.returncode == 0, done.stderr[-2000:]
    talk = done.stdout + done.stderr
    jobs = {rule: n for rule, n in planned_jobs(talk).items() if rule not in (paper, "total")}
    assert jobs == JOBS[paper]
    assert len(commands(talk)) == sum(jobs.values())
    assert max(len(command.encode()) for command in commands(talk)) < LONGEST
    sky = "hsc" if paper == "soriano2024" else "sdss"
    assert f"results/{sky}-paper/report/{paper}.html" in talk
    seen = {"hayat2021": "main_images", "lin2022": "main_images", "soriano2024": "combined"}
    assert f"results/{sky}-paper/report/{seen[paper]}.dataset.html" in talk
    assert not (fresh.folder / "data").exists()
    assert not (fresh.folder / "results").exists()
