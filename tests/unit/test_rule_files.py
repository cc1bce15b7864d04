"""The rule files keep the conventions that docs/rules.md tells of."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from zladder.config.wiring import code_of
from zladder.docs.pages import mock_wiring
from zladder.docs.rule_files import Rule, read_rule_files, read_rules
from zladder.docs.rule_inputs import edges, input_patterns, wildcard_values
from zladder.docs.rules_page import compute_rules

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
FILES = read_rule_files(ROOT / "workflow" / "rules")
RULES = {rule.name: rule for file in FILES for rule in compute_rules(file)}
TARGETS = [rule for file in FILES for rule in file.rules if "shell" not in rule.keywords]
TARGETS += read_rules((ROOT / "Snakefile").read_text(encoding="utf-8"))
STAGES = ("survey", "catalogs", "cutouts", "datasets", "pretrain", "train", "evaluate", "report")

# The order of keywords. Those of one group stand in the order that snakefmt gives them.
ORDER = [
    {"name", "default_target"}, {"input"}, {"output"}, {"log"}, {"benchmark"},
    {"conda", "localrule", "group", "wildcard_constraints", "threads", "priority",
     "retries"},
    {"resources"}, {"params"}, {"message"}, {"shell"},
]  # fmt: skip
NEEDED = ("output", "log", "benchmark", "conda", "threads", "resources", "params", "message")
SITE_WORDS = r"\b(partition|slurm_\w+|account|qos|constraint|clusters|gres)\b"
ABSOLUTE = r"""["'\s=]/[a-z][\w.-]*/"""


def faults(rule: Rule) -> list[str]:
    """Return what of the conventions a rule that runs a program breaks."""
    found = [f"no {keyword}" for keyword in NEEDED if keyword not in rule.keywords]
    if not re.match(r"[A-Z].+\.", rule.docstring):
        found.append("no docstring")
    if not re.search(
        rf'python "\$ZLADDER_SCRIPTS"/{rule.name}\.py ', rule.keywords.get("shell", "")
    ):
        found.append("another script")
    code = rule.arguments("params").get("code")
    if code is None or ast.unparse(code) != f"CODE['{rule.name}']":
        found.append("no code param")
    for name, value in rule.arguments("params").items():
        # Snakemake takes {words} of a plain text for wildcards, and a user's text may hold some.
        if ast.unparse(value).startswith("LADDER.") and "LADDER.settings" not in ast.unparse(value):
            found.append(f"plain param {name}")
    for keyword in ("log", "benchmark"):
        path = rule.keywords.get(keyword, "")
        if rule.name not in path and '"data/' not in path:  # what is fetched outlives the results
            found.append(f"{keyword} without the rule's name")
    text = "\n".join(rule.keywords.values())
    found += ["absolute path"] if re.search(ABSOLUTE, text) else []
    found += ["site"] if re.search(SITE_WORDS, text) else []
    return found + order_faults(rule)


def order_faults(rule: Rule) -> list[str]:
    """Return a keyword that is not known, or that stands before one it should follow."""
    places = [
        next((i for i, group in enumerate(ORDER) if keyword in group), None)
        for keyword in rule.keywords
    ]
    unknown = [k for k, place in zip(rule.keywords, places, strict=True) if place is None]
    known = [place for place in places if place is not None]
    return [f"keyword {k}" for k in unknown] + (["order"] if known != sorted(known) else [])


@pytest.mark.parametrize("name", RULES)
def test_a_rule_keeps_the_conventions(name):
    assert faults(RULES[name]) == []


GOOD = '''
rule make_it:
    """Make it well. Wildcards: none."""
    input:
        "<results>/a.csv",
    output:
        made="<results>/made.csv",
    log:
        "<logs>/make_it.log",
    benchmark:
        "<benchmarks>/make_it.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        runtime=30,
    params:
        code=CODE["make_it"],
    message:
        "Making it"
    shell:
        'python "$ZLADDER_SCRIPTS"/make_it.py --made {output.made:q}'
'''


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('    """Make it well. Wildcards: none."""\n', "", "no docstring"),
        ('    log:\n        "<logs>/make_it.log",\n', "", "no log"),
        ('    benchmark:\n        "<benchmarks>/make_it.tsv"\n', "", "no benchmark"),
        ('    conda:\n        "../../envs/tables.yaml"\n', "", "no conda"),
        ('    message:\n        "Making it"\n', "", "no message"),
        ('CODE["make_it"]', 'CODE["make_that"]', "no code param"),
        ('"$ZLADDER_SCRIPTS"/make_it.py', '"$ZLADDER_SCRIPTS"/make_that.py', "another script"),
        ("<logs>/make_it.log", "<logs>/it.log", "log without the rule's name"),
        ("    threads: 1\n    resources:\n        runtime=30,\n",
         "    resources:\n        runtime=30,\n    threads: 1\n", "order"),
        ("runtime=30,", 'runtime=30,\n        slurm_partition="gpu",', "site"),
        ("<results>/a.csv", "/scratch/me/a.csv", "absolute path"),
        ("    threads: 1\n", "    threads: 1\n    shadow: 1\n", "keyword shadow"),
        ("    params:\n", "    params:\n        told=LADDER.about_sources(),\n",
         "plain param told"),
        ("    shell:\n", "    run:\n", "keyword run"),
        ("    shell:\n", "    script:\n", "keyword script"),
    ],
)  # fmt: skip
def test_a_rule_that_breaks_a_convention_is_noticed(old, new, fault):
    assert faults(read_rules(GOOD)[0]) == []
    assert GOOD.count(old) == 1
    assert fault in faults(read_rules(GOOD.replace(old, new))[0])


def test_rules_without_a_program_are_names_for_files():
    allowed = {"name", "default_target", "localrule", "input"}
    for rule in TARGETS:
        assert "localrule" in rule.keywords
        assert set(rule.keywords) <= allowed, rule


def test_nothing_runs_python_inside_a_rule_file_or_asks_for_a_checkpoint():
    for path in [ROOT / "Snakefile", *(file.path for file in FILES)]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(run|script|notebook|wrapper|checkpoint)\b.*:$", text, re.M), (
            path
        )


def test_the_rule_files_are_stages_and_open_with_their_contract():
    for file in FILES:
        assert file.stage == STAGES[file.number - 1]
        # A stage of many rules has a second file, named for what it holds: report_pages.smk.
        assert file.path.stem.split("_")[0] == file.stage
        assert "REQUIRED INPUTS:" in file.contract
        assert "OUTPUTS:" in file.contract


def test_every_script_has_its_rule_and_stays_short():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(RULES)
    for path in SCRIPTS.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 60, path


def test_every_code_digest_and_conda_file_exists():
    assert set(code_of(SCRIPTS, spawned=False)) == set(RULES)
    for rule in RULES.values():
        file = rule.arguments("conda")["0"].value
        assert (ROOT / "workflow" / "rules" / file).is_file()


LOOP = """
for name in names:

    rule:
        name:
            f"get_{name}"
        localrule: True
        input:
            files,


rule last:
    threads: 2
"""


def test_rules_of_a_loop_and_keywords_on_one_line_are_read():
    loop, last = read_rules(LOOP)
    assert (loop.name, loop.docstring, loop.keywords["localrule"]) == ("", "", "True")
    assert list(loop.keywords) == ["name", "localrule", "input"]
    assert (last.name, last.keywords) == ("last", {"threads": "2"})


def test_the_graph_knows_who_reads_whose_files():
    found = edges(list(RULES.values()), mock_wiring(ROOT))
    wanted = {
        ("simulate_sky", "read_catalog"), ("crossmatch", "select_sample"),
        ("train_network", "train_network"), ("train_control", "predict_run"),
        ("predict_run", "score_study"), ("plot_redshifts", "write_summary"),
        ("render_frames", "cut_stamps"), ("build_image_dataset", "build_image_dataset"),
        ("pretrain_encoder", "train_image"), ("embed_images", "train_head"),
        ("predict_classes", "train_head"), ("measure_drift", "judge_claims"),
        ("judge_claims", "write_paper"),
    }  # fmt: skip
    assert wanted <= set(found)
    assert ("read_catalog", "build_dataset") not in found
    assert ("train_control", "train_network") not in found
    # Rules that write files of the same names do so for runs of their own.
    assert {writer for writer, reader in found if reader == "predict_probe"} == {
        "build_image_dataset", "embed_images", "train_probe",
    }  # fmt: skip
    assert len(found) == len(set(found))


def test_every_input_of_the_mock_sky_is_some_rules_output():
    wiring = mock_wiring(ROOT)
    # Fetched, or at a path: no mock image is published.
    elsewhere = {("convert_images", "images"), ("build_image_dataset", "parts")}
    for rule in RULES.values():
        for name, patterns in input_patterns(rule, list(RULES.values()), wiring).items():
            assert bool(patterns) == ((rule.name, name) not in elsewhere), f"{rule.name}: {name}"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ('"a/{study}.png"', "a/{study}.png"),
        ('report("a/{study}.png", category="c")', "a/{study}.png"),
        ('collect("a/{study}.png", study=LADDER.plan.studies)', "a/{study}.png"),
        ('[report(f"a/{study}.png", labels={"page": study}) for study in LADDER.plan.studies]',
         "a/{study}.png"),
        ("LADDER.frame_indices()", ""),
    ],
)  # fmt: skip
def test_an_output_is_told_as_a_path_with_the_names_it_is_made_for(written, path):
    [rule] = read_rules(GOOD.replace('"<results>/made.csv"', written))
    assert rule.outputs() == {"made": path}


def test_names_that_outputs_are_collected_over_are_no_wildcards():
    rule = RULES["plot_datasets"]
    assert wildcard_values(rule, mock_wiring(ROOT)) == [{}]
    assert "{dataset}" in rule.outputs()["pages"]
