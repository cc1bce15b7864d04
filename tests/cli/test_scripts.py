"""Every workflow script works by hand: its help, its repeating command, its answer to signals."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
PROGRAM = """
import sys, time
from zladder.provenance.program import ProgramParser, run_program
def work(options):
    options.copy.write_text(options.text.read_text())
    if options.settings["wait"]:
        (options.text.parent / "started").touch()
        time.sleep(60)
    return {}
parser = ProgramParser("Copy a text, slowly.")
parser.add_input("--text")
parser.add_settings("--settings", "JSON")
parser.add_output("--copy")
sys.exit(run_program(parser, work))
"""


@pytest.fixture
def command(tmp_path):
    """A command that copies a text from a folder with a difficult name."""
    folder = tmp_path / "it's a folder"
    script = folder / "workflow" / "scripts" / "copy_text.py"
    script.parent.mkdir(parents=True)
    script.write_text(PROGRAM, encoding="utf-8")
    (folder / "text.txt").write_text("u-g > 0", encoding="utf-8")
    return [sys.executable, str(script), "--text", "text.txt", "--copy", "copy.txt",
            "--log", "copy.log", "--settings", '{"wait": 0}']  # fmt: skip


def folder_of(command):
    return Path(command[1]).parents[2]


def test_the_first_line_of_the_log_is_the_command_that_repeats_it(command):
    folder = folder_of(command)
    subprocess.run(command, cwd=folder, check=True)
    repeat = (folder / "copy.log").read_text(encoding="utf-8").splitlines()[0]
    assert shlex.split(repeat)[:2] == ["cd", str(folder)]
    (folder / "copy.txt").unlink()
    subprocess.run(repeat, shell=True, cwd="/", check=True)
    assert (folder / "copy.txt").read_text(encoding="utf-8") == "u-g > 0"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_answered_with_3_and_nothing_half_written(command, number):
    folder = folder_of(command)
    command[-1] = '{"wait": 1}'
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _out, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "unfinished: interrupted; run me again" in told
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["copy.log", "started", "text.txt", "workflow"]


def test_every_script_has_help_and_is_short():
    for script in SCRIPTS:
        lines = script.read_text(encoding="utf-8").splitlines()
        assert len(lines) < 60, script.name
    done = [
        subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True,
                       env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=False)
        for script in SCRIPTS
    ]  # fmt: skip
    for script, help_text in zip(SCRIPTS, done, strict=True):
        assert help_text.returncode == 0, script.name
        assert "--log" in help_text.stdout
        assert "--code-digest" in help_text.stdout
