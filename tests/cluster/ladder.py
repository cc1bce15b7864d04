"""The real ladder as Slurm jobs: what jobs to expect, and what each asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from tests.checkout import ROOT
from tests.cluster.login import Submitted
from zladder.docs.rule_files import Rule, read_rule_files
from zladder.docs.rules_page import compute_rules

if TYPE_CHECKING:
    from collections import Counter

SCALE = ("--config", "scale=test")


def our_rules() -> dict[str, Rule]:
    """Return the rules that run a program, by name."""
    files = read_rule_files(ROOT / "workflow" / "rules")
    return {rule.name: rule for file in files for rule in compute_rules(file)}


def names_of_jobs(planned: Counter[str]) -> tuple[set[str], set[str]]:
    """Return the names (rules or their groups) of the jobs to expect: all, and those with a GPU."""
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    rules = our_rules()
    sent = [name for name in planned if name in rules and "localrule" not in rules[name].keywords]
    with_gpu = [name for name in sent if "gpu" in rules[name].arguments("resources")]
    group = profile["groups"].get
    return {group(name, name) for name in sent}, {group(name, name) for name in with_gpu}


def name_of(job: Submitted, names: set[str]) -> str:
    """Return which of the names a job's comment gives."""
    found = [name for name in names if re.match(rf"rule_{name}(_|$)", job.comment)]
    assert len(found) == 1, (job.comment, found)
    return found[0]
