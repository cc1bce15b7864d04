"""docs/rules.md: every rule, from the rule files, with a graph of who reads whose files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zladder.docs.markdown import NOTE, bullet, code, page
from zladder.docs.rule_files import read_rule_files
from zladder.docs.rule_inputs import edges, input_patterns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from zladder.config.wiring import Wiring
    from zladder.docs.rule_files import Rule, RuleFile

OPENING = """\
Every rule runs one program of the same name, `workflow/scripts/RULE.py`, with the options that its
`shell:` block gives it. The first line of a rule's log is the command that repeats it by hand.

`<results>` is `results/SKY-SCALE`. Words in braces are wildcards: the names of surveys, samples,
datasets, studies, runs and papers of the configuration, and the numbers of shards. An input is
shown as the output that it comes from, on the mock sky; on real data `read_catalog`,
`cut_stamps` and `convert_images` read the files of the survey instead. The pages on counts, costs
and provenance, and the summary, also read the sidecars of every earlier rule: the graph leaves
those arrows out. On a cluster small rules share jobs ([cluster](cluster.md#groups))."""


# Where a survey is fetched; the mock sky, for which the graph is drawn, is not.
FETCHED_EDGES = [
    "  fetch_file -.-> read_catalog",
    "  fetch_query -.-> read_catalog",
    "  read_catalog -.-> fetch_frames",
    "  fetch_frames -.-> cut_stamps",
    "  fetch_file -.-> convert_images",
    "  convert_images -.-> build_image_dataset",
]


def rules_page(root: Path, ladder: Wiring) -> str:
    """Return the page; `ladder` is the wiring of the default configuration."""
    files = read_rule_files(root / "workflow" / "rules")
    rules = [rule for file in files for rule in compute_rules(file)]
    stages = [_stage(file, rules, ladder) for file in files]
    return page("# Rules", NOTE, OPENING, _graph(files, rules, ladder), *stages)


def compute_rules(file: RuleFile) -> list[Rule]:
    """Return the rules that run a program; the others are names for a set of files."""
    return [rule for rule in file.rules if "shell" in rule.keywords]


def _graph(files: Sequence[RuleFile], rules: Sequence[Rule], ladder: Wiring) -> str:
    lines = ["```mermaid", "flowchart LR"]
    for stage in dict.fromkeys(file.stage for file in files):
        lines.append(f"  subgraph {stage}")
        parts = [file for file in files if file.stage == stage]
        lines += [f"    {rule.name}" for file in parts for rule in compute_rules(file)]
        lines.append("  end")
    lines += [f"  {writer} --> {reader}" for writer, reader in edges(rules, ladder)]
    return "\n".join([*lines, *FETCHED_EDGES, "```"])


def _stage(file: RuleFile, rules: Sequence[Rule], ladder: Wiring) -> str:
    entries = [_entry(rule, rules, ladder) for rule in compute_rules(file)]
    contract = f"```text\n{file.contract}\n```"
    heading = file.path.stem.replace("_", ", ")  # of report.smk and report_pages.smk
    return page(f"## {heading}", f"`workflow/rules/{file.path.name}`", contract, *entries)


def _entry(rule: Rule, rules: Sequence[Rule], ladder: Wiring) -> str:
    lines = [f"### {rule.name}", "", rule.docstring, ""]
    for name, patterns in input_patterns(rule, rules, ladder).items():
        lines.append(bullet(f"input {code(name)}: " + ", ".join(map(code, patterns))))
    for name, path in rule.outputs().items():
        lines.append(bullet(f"output {code(name)}: {code(path)}"))
    lines.append(
        bullet(f"script: [{rule.name}.py](../workflow/scripts/{rule.name}.py); {_how(rule)}")
    )
    return "\n".join(lines)


def _how(rule: Rule) -> str:
    """Return where it runs, on what, and how often it is tried."""
    words = ["runs where Snakemake runs" if "localrule" in rule.keywords else "a job of its own"]
    if "gpu" in rule.arguments("resources"):
        words.append("on a GPU where there is one")
    if "retries" in rule.keywords:
        words.append(f"tried again up to {rule.keywords['retries']} times")
    return ", ".join(words)
