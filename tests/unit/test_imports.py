"""Who may import whom, what is locked, and what every file of the library looks like."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "zladder"
MODULES = sorted(SOURCE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
STAGES = {
    "survey", "catalogs", "cutouts", "datasets", "pretrain", "train", "evaluate", "report",
}  # fmt: skip
SHARED = {
    "provenance", "config", "tables", "networks", "learning", "metrics", "pdf", "universe",
}  # fmt: skip
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", LOCK, re.M))
PINS = {name.lower().replace("_", "-"): version for name, version in PINS.items()}
# What the house does without (docs say why), and what no CPU-only environment needs.
UNWANTED = ("torchvision", "timm", "lightly", "kornia", "xgboost")
CONDA_NAMES = {"pytorch": "torch"}


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> set[str]:
    """Return every module that a file imports, anywhere in it, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{names(path)} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages(path: Path) -> set[str]:
    """Return the packages of ours that a file imports."""
    ours = (name.split(".") for name in imported(path) if name.startswith("zladder."))
    return {parts[1] for parts in ours}


@pytest.mark.parametrize("stage", sorted(STAGES & {path.name for path in SOURCE.iterdir()}))
def test_a_stage_imports_no_other_stage(stage):
    for path in (SOURCE / stage).rglob("*.py"):
        others = packages(path) & STAGES - {stage}
        assert not others, f"{names(path)} imports {others}"
        assert packages(path) <= SHARED | {stage, "__version__"}, names(path)


def test_shared_packages_import_no_stage():
    for package in SHARED:
        for path in (SOURCE / package).rglob("*.py"):
            assert not packages(path) & (STAGES | {"cli", "docs"}), names(path)


def test_a_script_uses_one_stage():
    for path in SCRIPTS:
        assert len(packages(path) & STAGES) == 1, names(path)


def test_imports_are_static_and_nothing_is_pickled_or_evaluated():
    developers = set((SOURCE / "docs").iterdir())  # reads rule files; no job runs it
    for path in [*(set(MODULES) - developers), *SCRIPTS]:
        others = {name for name in imported(path) if name.split(".")[0] in ("importlib", "pickle")}
        assert others <= {"importlib.metadata", "importlib.util.find_spec"}, names(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "__import__"), names(path)


@pytest.mark.parametrize("package", UNWANTED)
def test_what_the_house_does_without_is_neither_locked_nor_imported(package):
    assert package not in PINS
    for path in [*MODULES, *SCRIPTS]:
        assert package not in {name.split(".")[0] for name in imported(path)}, names(path)


def test_the_lock_fits_machines_without_a_gpu():
    assert not [name for name in PINS if name.startswith("nvidia")]


def test_every_line_of_the_lock_is_a_pin():
    lines = [line for line in LOCK.splitlines() if line and not line.startswith("#")]
    loose = [line for line in lines if not re.match(r"^[A-Za-z0-9_.\[\]-]+==[\w.+!]+", line)]
    assert loose == []


@pytest.mark.parametrize("file", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda f: f.stem)
def test_conda_files_pin_what_the_lock_pins(file):
    wanted = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    for entry in wanted:
        name, _, version = entry.partition("=")
        if name == "python":
            assert version == "3.11"
            continue
        locked = CONDA_NAMES.get(name, name).lower().replace("_", "-")
        assert PINS[locked].split("+")[0] == version, entry


def loaded_by(*modules: Path | str) -> str:
    """Import modules, one after the other, in a new process; return the heavy ones it then has."""
    lines = [
        "import sys, runpy",
        "heavy = ('torch', 'sklearn', 'galsim', 'matplotlib', 'astropy', 'pandas')",
    ]
    for module in modules:
        line = f"import {module}"
        if isinstance(module, Path):
            line = f"runpy.run_path({str(module)!r}, run_name='not_main')"
        lines.append(line)
    lines.append("print(*[name for name in heavy if name in sys.modules])")
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def test_parsing_the_workflow_loads_nothing_heavy():
    assert loaded_by("zladder.config.wiring") == ""


def test_starting_a_script_loads_nothing_heavy():
    assert loaded_by(*SCRIPTS) == ""


def test_the_command_starts_without_torch():
    heavy = loaded_by("zladder.cli.main").split()
    assert not {"torch", "sklearn", "galsim", "matplotlib"} & set(heavy)


def test_the_parts_of_the_core_can_be_imported():
    for name in ("snakemake", "torch", "galsim", "speclite", "safetensors", "pooch"):
        assert name in PINS
    heavy = loaded_by("torch", "galsim", "speclite", "sklearn", "astropy_healpix", "pooch")
    assert {"torch", "galsim"} <= set(heavy.split())


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=names)
def test_everything_public_is_annotated_and_described(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in _SELF]
            assert not bare, f"{node.name}: {bare}"
            assert node.returns is not None, node.name
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


_SELF = ("self", "cls")


def test_no_file_is_long():
    for path in [*MODULES, *SCRIPTS, *(ROOT / "workflow" / "rules").glob("*.smk")]:
        limit = 400 if path.suffix == ".py" else 500
        assert len(path.read_text(encoding="utf-8").splitlines()) <= limit, names(path)
