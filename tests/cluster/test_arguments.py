"""What a job asks Slurm for, by the class of its rule, however the profile is named."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.checkout import ROOT
from tests.cluster.login import QUICK, Login, Submitted
from zladder.docs.rule_files import read_rule_files
from zladder.docs.rules_page import compute_rules

pytestmark = pytest.mark.timeout(400)

TABLE = yaml.safe_load((Path(__file__).parent / "arguments.yaml").read_text(encoding="utf-8"))
PROFILE = ROOT / "profiles" / "slurm" / "config.yaml"
WAYS = [
    ("--workflow-profile", "slurm"), ("--profile", "profiles/slurm"), ("--profile", "slurm"),
]  # fmt: skip
GROUPED = {"ZLADDER_TRAININGS_PER_JOB": "8"}


def by_comment(jobs: list[Submitted]) -> dict[str, list[list[str]]]:
    """Return {comment: arguments of each job with it}."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for job in jobs:
        found[job.comment].append(job.arguments)
    return dict(found)


def watch(login: Login, running: subprocess.Popen[str]) -> set[str]:
    """Return the comments that the queue shows until Snakemake ends."""
    seen: set[str] = set()
    while running.poll() is None:
        seen |= {comment for (comment,) in login.slurm.jobs("%k")}
        time.sleep(0.3)
    return seen


def test_every_class_of_rule_asks_for_exactly_what_the_table_says(
    toy: Callable[..., Login],
) -> None:
    login = toy()
    running = login.start("--profile", "slurm", *QUICK, **GROUPED)
    seen = watch(login, running)
    said, _ = running.communicate()
    assert running.returncode == 0, said[-4000:]
    assert by_comment(login.submitted()) == TABLE
    assert seen == set(TABLE)  # squeue -o %k names the rule
    assert {job.job_name.split("_")[0] for job in login.submitted()} == {"zladder"}
    members_took_turns(login.folder / "out")


def members_took_turns(out: Path) -> None:
    """Assert that the trainings of the group ran one after the other on one GPU."""
    spans, devices = [], set()
    for path in out.glob("training.?"):
        begin, device, end = path.read_text(encoding="utf-8").split()
        devices.add(device)
        spans.append((float(begin), float(end)))
    spans.sort()
    [device] = devices  # whichever Slurm gave: another job may be on the same node
    assert device in {"0", "1", "2", "3"}
    assert len(spans) == 8
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert (out / "encoder.four").read_text(encoding="utf-8").strip() == "0,1,2,3"


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_all_ways_to_name_the_profile_ask_for_the_same(
    toy: Callable[..., Login], way: tuple[str, str]
) -> None:
    login = toy(refuse=True)
    code, said = login.snakemake(*way, *QUICK, "--retries", "0", **GROUPED)
    assert code != 0
    assert "refused by the test" in said
    first = {comment: calls[:1] for comment, calls in TABLE.items()}
    assert by_comment(login.submitted()) == first


def test_after_a_refused_job_what_was_stale_is_still_to_do(toy: Callable[..., Login]) -> None:
    login = toy()
    sky = ("--profile", "slurm", *QUICK, "--retries", "0", "--", "out/sky")
    code, said = login.snakemake(*sky)
    assert code == 0, said[-3000:]
    snakefile = login.folder / "Snakefile"
    text = snakefile.read_text(encoding="utf-8")
    changed = text.replace("        runtime=10,\n", "        runtime=10,\n    params: 2\n", 1)
    assert changed != text
    snakefile.write_text(changed, encoding="utf-8")
    login.refuse()
    code, said = login.snakemake(*sky)
    assert code != 0
    assert "refused by the test" in said
    code, said = login.snakemake("-n", *sky)
    assert code == 0, said[-3000:]
    assert "rule simulate_sky:" in said
    assert "Nothing to be done" not in said


def test_without_an_account_nothing_starts(toy: Callable[..., Login]) -> None:
    login = toy(refuse=True)
    code, said = login.snakemake("--profile", "slurm", ZLADDER_ACCOUNT="")
    assert code == 2
    for words in ("bad input: the environment: ZLADDER_ACCOUNT", "expected:", "found:", "hint:"):
        assert words in said
    assert login.submitted() == []
    assert not (login.folder / ".snakemake").exists()


def test_site_values_fall_back_on_each_other(toy: Callable[..., Login]) -> None:
    login = toy(refuse=True)
    login.snakemake(
        "--profile", "slurm", "--retries", "0", *QUICK, "--", "out/sky", "out/encoder.one",
        ZLADDER_ACCOUNT="proj", ZLADDER_GPU_ACCOUNT="", ZLADDER_QOS="regular",
    )  # fmt: skip
    sky, encoder = sorted(login.submitted(), key=lambda job: job.asks_for_gpus())
    assert {"-A proj", "--qos=regular", "-C cpu"} <= set(sky.arguments)
    assert {"-A proj", "--qos=regular", "-C gpu"} <= set(encoder.arguments)


def test_the_profiles_hold_what_they_must() -> None:
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text(encoding="utf-8"))
    assert not {"executor", "resources", "default-resources", "set-resources"} & set(default)
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    wanted = {
        "executor": "slurm", "slurm-status-command": "squeue", "slurm-no-requeue": True,
        "retries": 2, "keep-going": True, "rerun-incomplete": True,
    }  # fmt: skip
    assert {key: profile[key] for key in wanted} == wanted
    assert "keep-incomplete" not in profile  # stale results would pass for new
    assert (ROOT / "slurm").resolve() == ROOT / "profiles" / "slurm"
    assert (ROOT / "slurm").is_symlink()


def test_every_rule_of_ours_with_threads_or_gpus_has_its_processors_in_the_profile() -> None:
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    rules = [
        rule for file in read_rule_files(ROOT / "workflow/rules") for rule in compute_rules(file)
    ]
    for rule in rules:
        wide = rule.keywords["threads"].strip() != "1"
        gpu = "gpu" in rule.keywords["resources"]
        asked = profile["set-resources"].get(rule.name, {})
        assert bool({"cpus_per_task", "cpus_per_gpu"} & set(asked)) == (wide or gpu), rule.name
        assert (asked.get("constraint") == "gpu") == gpu, rule.name
        assert "mem_mb" not in asked  # it would hide that memory grows with the attempt
