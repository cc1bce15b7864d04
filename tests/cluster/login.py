"""A login node: a folder with a workflow, and an environment in which sbatch is recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.checkout import ROOT, Checkout
from tests.cluster.slurm import Slurm

QUICK = ("--slurm-init-seconds-before-status-checks", "2")  # 40 by default
SITE = {"ZLADDER_ACCOUNT": "proj", "ZLADDER_GPU_ACCOUNT": "proj_g"}
# Of an sbatch call: the words that differ from run to run, and whose values are looked at apart.
PASSING = ("--job-name", "--output", "-D", "--wrap", "--comment")
RECORDER = """\
#!{python}
import json, os, sys
with open({record!r}, "a", encoding="utf-8") as stream:
    stream.write(json.dumps(sys.argv[1:]) + "\\n")
if {refuse}:
    sys.exit("sbatch: refused by the test")
os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""


@dataclass
class Submitted:
    """One call of sbatch: the rule or group that it was for, and what it asked for."""

    comment: str
    arguments: list[str]
    job_name: str
    words: list[str] = field(repr=False)

    @classmethod
    def of(cls, words: list[str]) -> Submitted:
        """Read the words of a call."""
        found, asked, rest = {}, [], iter(words)
        for word in rest:
            name = word.split("=", 1)[0]
            if name in PASSING:
                found[name] = word.split("=", 1)[1] if "=" in word else next(rest)
            elif name in {"-A", "-C", "-t", "--mem", "-p"}:
                asked.append(f"{name} {next(rest)}")
            else:
                asked.append(word)
        return cls(found["--comment"], sorted(asked), found["--job-name"], words)

    def asks_for_gpus(self) -> bool:
        """Return whether any argument names a GPU."""
        return any("gpu" in argument for argument in self.arguments)


class Login:
    """A workflow's folder on a cluster."""

    def __init__(self, folder: Path, slurm: Slurm, *, refuse: bool = False) -> None:
        self.folder = folder
        self.slurm = slurm
        self.bin = folder.parent / f"{folder.name}-bin"
        self.record = self.bin / "submitted.jsonl"
        self.bin.mkdir()
        self._write_recorder(refuse=refuse)

    def refuse(self) -> None:
        """Let sbatch refuse all jobs from now on."""
        self._write_recorder(refuse=True)

    def _write_recorder(self, *, refuse: bool) -> None:
        recorder = self.bin / "sbatch"
        recorder.write_text(
            RECORDER.format(
                python=sys.executable, record=str(self.record), refuse=refuse,
                real=str(self.slurm.bin / "sbatch"),
            ),
            encoding="utf-8",
        )  # fmt: skip
        recorder.chmod(0o755)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment of a user who has set what the profile asks for."""
        kept = Checkout.of(self.folder).environment()
        kept = {k: v for k, v in kept.items() if not k.startswith(("ZLADDER_", "SLURM_"))}
        activated = str(Path(sys.executable).parent)
        path = os.pathsep.join([str(self.bin), str(self.slurm.bin), activated, kept["PATH"]])
        return {**kept, **SITE, "PATH": path, **extra}

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start Snakemake as a terminal would: in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments], cwd=self.folder,
            env=self.environment(**extra), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *command: str, seconds: float = 600, **extra: str) -> tuple[int, str]:
        """Run a command to its end; return its code and what it says."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(**extra), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
        )  # fmt: skip
        return done.returncode, done.stdout

    def snakemake(self, *arguments: str, seconds: float = 600, **extra: str) -> tuple[int, str]:
        """Run Snakemake to its end; return its code and what it says."""
        command = (sys.executable, "-m", "snakemake", *arguments)
        return self.run(*command, seconds=seconds, **extra)

    def submitted(self) -> list[Submitted]:
        """Return the calls of sbatch so far."""
        if not self.record.is_file():
            return []
        lines = self.record.read_text(encoding="utf-8").splitlines()
        return [Submitted.of(json.loads(line)) for line in lines]


def lay_out(folder: Path, snakefile: Path) -> Path:
    """Make a workflow of the tests' own with the profiles that we ship."""
    folder.mkdir(parents=True)
    shutil.copy(snakefile, folder / "Snakefile")
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    (folder / "slurm").symlink_to("profiles/slurm")
    return folder


def fresh_clone(folder: Path) -> Path:
    """Make a checkout of ours in which nothing was built, as `git clone` would."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, done.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return folder
