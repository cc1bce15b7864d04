"""What every file of the repository must and must not say."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

import zladder
from zladder.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
THIS = Path(__file__).relative_to(ROOT).as_posix()
PAGES = ["README.md", "config/README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
WIDEST = 120

# Letters in brackets keep this file from matching itself.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.}>])/(?:hom[e]|roo[t]|User[s]|wor[k])/\w",
    "a package registry": r"p[y]pi\.org|p[y]thonhosted\.org|conda\.an[a]conda\.org"
    r"|download\.p[y]torch\.org|registry\.np[m]js\.org",
    "unfinished work": r"\b(?:T[O]DO|F[I]XME|X[X]X)\b",
    "a page that users do not have": r"\b(?:[h]ayat2021|[l]in2022|[s]oriano2024) "
    r"(?:section|[A-Z]\d)|\b[m]etrics\.md|\b[m]ock-experiments",
    "a place to fill in": r"<m[e]asured>|<!-- [r]ecipe",
}


def repository_files() -> list[str]:
    """Return the files of the repository, those too that are new and not ignored."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def findings(text: str) -> list[str]:
    """Return what of the forbidden a text holds, with its line."""
    return [
        f"line {number}: {what}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, line)
    ]


def test_no_file_holds_machine_paths_registries_or_unfinished_work():
    found = {}
    for name in repository_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a figure
        if findings(text):
            found[name] = findings(text)
    assert found == {}


@pytest.mark.parametrize(
    "line",
    ["see /h0me/me/data", "https://download.pyt0rch.org/whl", "# T0DO", "see m0ck-experiments"],
)
def test_the_forbidden_is_noticed(line):
    assert findings(line) == []
    assert len(findings(line.replace("T0", "TO").replace("0", "o"))) == 1


def test_the_files_of_a_release_are_there_and_agree_on_the_version():
    for name in ("LICENSE", "CITATION.cff", "CHANGELOG.md", "README.md", "codemeta.json"):
        assert (ROOT / name).is_file(), name
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    codemeta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    versions = {project["version"], citation["version"], codemeta["version"], zladder.__version__}
    assert versions == {zladder.__version__}
    assert f"## {zladder.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert project["license"] == citation["license"] == "BSD-3-Clause"
    assert codemeta["license"].endswith("/BSD-3-Clause")


def test_the_workflow_catalogue_knows_how_to_start():
    catalogue = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text("utf-8"))
    assert catalogue["usage"]["mandatory-flags"] is not None


def test_every_make_target_is_in_the_readme():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    defined = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))
    assert set(targets) == defined
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [target for target in targets if f"make {target}" not in readme] == []
    for variable in ("PYTHON", "UV", "TORCH_INDEX", "CORES"):
        assert f"{variable}=" in readme


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_resolve(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_not_wider_than_a_screen(page):
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    wide = [n for n, line in enumerate(lines, 1) if len(line) > WIDEST and line[0] != "|"]
    assert wide == []


def commands(page: str, program: str) -> list[list[str]]:
    """Return the arguments of the calls of a program in a page's blocks of shell."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [shlex.split(line.split(">")[0], comments=True) for line in lines]
    return [words[1:] for words in found if words and words[0] == program]


@pytest.mark.parametrize("page", PAGES)
def test_the_documented_commands_exist(page):
    for arguments in commands(page, "zladder"):
        parser().parse_args(arguments)


def test_the_readme_shows_every_command():
    shown = {arguments[0] for arguments in commands("README.md", "zladder")}
    assert shown == {"score", "predict", "runs", "card", "fetch"}


def test_the_documented_files_of_snakemake_exist():
    for page in PAGES:
        for arguments in commands(page, "snakemake"):
            for flag, value in pairwise(arguments):
                if flag == "--configfile" and "my_field" not in value:
                    assert (ROOT / value).is_file(), (page, value)
