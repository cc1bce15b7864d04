"""A throw-away checkout in which files may be edited, and what Snakemake would then run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "src", "requirements.lock")
TARGETS = ("all", "hayat2021", "lin2022", "soriano2024")
JOBS = ROOT / "tests" / "dag" / "snakemake_jobs.py"


class Checkout:
    """A copy of this checkout at `folder`."""

    def __init__(self, folder: Path, *, copied: bool = False) -> None:
        self.folder = folder
        for part in () if copied else PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, folder / part, ignore=ignored)
            else:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / part)

    @classmethod
    def of(cls, folder: Path) -> Checkout:
        """Return the checkout that already lies in a folder."""
        return cls(folder, copied=True)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return an environment without the outer one's data and paths."""
        dropped = ("ZLADDER_DATA", "PYTHONPATH", "SNAKEMAKE_PROFILE")
        kept = {key: value for key, value in os.environ.items() if key not in dropped}
        return {**kept, **extra}

    def jobs(
        self,
        mode: str = "dryrun",
        config: dict[str, Any] | None = None,
        targets: Sequence[str] = (),
        **environment: str,
    ) -> list[dict[str, Any]]:
        """Return the jobs that would run (or, touching, that were pretended to run)."""
        config = {"scale": "test", **(config or {})}
        pairs = [f"{key}={json.dumps(value)}" for key, value in config.items()]
        done = subprocess.run(
            [sys.executable, str(JOBS), mode, "--config", *pairs, "--target", *targets],
            cwd=self.folder, env=self.environment(**environment),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def snakemake(
        self, *arguments: str, timeout_seconds: float = 1200, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the real Snakemake to its end."""
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment(**environment),
            capture_output=True, text=True, check=False, timeout=timeout_seconds,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the real Snakemake as a terminal would: in a process group of its own."""
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Return the command line of Snakemake."""
        return [sys.executable, "-m", "snakemake", *arguments]

    def pretend(self) -> list[dict[str, Any]]:
        """Make every output (empty) with Snakemake's record that it is up to date."""
        planned = self.jobs()
        for job in planned:
            for output in job["output"]:
                path = self.folder / output
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        self.jobs("touch")
        return planned

    def rules(self, **options: Any) -> Counter[str]:
        """Return how many jobs of each rule would run, the target rules left out."""
        jobs = self.jobs(**options)
        return Counter(job["rule"] for job in jobs if job["rule"] not in TARGETS)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the only occurrence of a text in a file."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")
