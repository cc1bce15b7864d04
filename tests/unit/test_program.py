"""The frame of a script: its exit codes, messages, whole outputs and sidecar."""

from __future__ import annotations

import argparse
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from zladder.provenance import digests
from zladder.provenance.code import code_digest
from zladder.provenance.digests import file_digest
from zladder.provenance.errors import BadInput, Unfinished
from zladder.provenance.program import ProgramParser, run_program
from zladder.provenance.sidecar import read_sidecar


def make_parser() -> ProgramParser:
    parser = ProgramParser(__doc__)
    parser.add_input("--numbers")
    parser.add_input("--more-numbers", several=True, required=False)
    parser.add_settings("--settings", "JSON")
    parser.add_output("--doubled")
    parser.add_output("--copies", several=True)
    return parser


def read_a_part(options: argparse.Namespace) -> dict[str, Any]:
    """Write nothing of a large file."""
    options.out.write_text("done")
    return {}


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Double a number; what the settings name goes wrong with the outputs half written."""
    text = options.numbers.read_text()
    options.doubled.write_text("half")
    for copy in options.copies:
        copy.write_text(text)
    mishap = options.settings.get("mishap")
    if mishap == "bad":
        raise BadInput(options.numbers, "line 1", "a number", f"'{text}'", "write one")
    if mishap == "later":
        message = "saved in step 3"
        raise Unfinished(message)
    if mishap == "defect":
        message = "no such thing"
        raise LookupError(message)
    if mishap:
        os.kill(os.getpid(), getattr(signal, mishap))
    options.doubled.write_text(str(2 * int(text)))
    return {"counts": {"n_in": 1}}


class Program:
    """The program above in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, folder / "numbers.txt"
        self.numbers.write_text("21")
        self.outputs = [folder / "out/doubled.txt", folder / "out/a.txt", folder / "out/b.txt"]
        self.log, self.sidecar = folder / "logs/rule.log", folder / "out/sidecar.json"

    def arguments(self, *extra: str, **settings: str) -> list[str]:
        doubled, *copies = map(str, self.outputs)
        return ["--numbers", str(self.numbers), "--settings", json.dumps(settings),
                "--doubled", doubled, "--copies", *copies, "--log", str(self.log),
                "--sidecar", str(self.sidecar), *extra]  # fmt: skip

    def run(self, *extra: str, **settings: str) -> int:
        return run_program(make_parser(), work, self.arguments(*extra, **settings))

    def written(self) -> list[str]:
        """All files that are neither the input nor the log nor a stamp."""
        files = (path for path in (self.folder / "out").rglob("*") if path.is_file())
        return sorted(path.name for path in files)


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


def test_success_is_0_with_outputs_and_sidecar(program, capsys):
    assert program.run() == 0
    assert program.outputs[0].read_text() == "42"
    assert program.written() == ["a.txt", "b.txt", "doubled.txt", "sidecar.json"]
    assert capsys.readouterr().err == ""


def test_the_sidecar_says_how_it_was_made(program):
    program.run()
    content = read_sidecar(program.sidecar)
    assert content["arguments"] == program.arguments()
    assert content["code_digest"] == code_digest(Path(__file__))
    assert content["inputs"] == {str(program.numbers): file_digest(program.numbers)}
    assert content["counts"] == {"n_in": 1}
    assert content["script"] == "test_program.py"
    assert content["seconds"] >= 0
    assert {"python", "zladder"} <= set(content["versions"])
    assert content["host"]


@pytest.mark.parametrize(
    ("mishap", "code", "parts"),
    [
        ("bad", 2, ["numbers.txt: line 1", "expected: a number", "found:    '21'", "write one"]),
        ("later", 3, ["unfinished: saved in step 3; run me again"]),
        ("SIGINT", 3, ["unfinished: interrupted; run me again"]),
        ("SIGTERM", 3, ["unfinished: interrupted; run me again"]),
    ],
)
def test_early_endings_have_their_code_and_leave_nothing(program, capsys, mishap, code, parts):
    assert program.run(mishap=mishap) == code
    assert program.written() == []
    told = capsys.readouterr().err
    for part in parts:
        assert part in program.log.read_text()
        assert told.count(part) == 1


def test_a_defect_keeps_its_traceback_and_leaves_nothing(program):
    with pytest.raises(LookupError):
        program.run(mishap="defect")
    assert program.written() == []
    assert "Traceback" in program.log.read_text()


def test_a_retry_of_a_bad_input_ends_at_once(program, capsys):
    assert program.run(mishap="bad") == 2
    program.log.unlink()  # as Snakemake does
    assert program.run(mishap="bad") == 2
    told = capsys.readouterr().err
    assert told.count("expected: a number") == 2
    assert told.count("not tried again") == 1
    assert program.run() == 0  # other settings: another command


def test_a_missing_input_is_bad_until_it_is_there(program, capsys):
    program.numbers.unlink()
    assert program.run() == 2
    told = capsys.readouterr().err
    assert f"{program.numbers}: the file" in told
    assert "nothing" in told
    program.numbers.write_text("1")
    assert program.run() == 0


def test_other_code_than_the_workflow_saw_is_3(program, capsys):
    assert program.run("--code-digest", "0123456789abcdef") == 3
    told = capsys.readouterr().err
    assert "the code changed while the workflow ran" in told
    assert "0123456789abcdef" in told
    assert program.written() == []
    assert program.run("--code-digest", code_digest(Path(__file__))) == 0


def test_tidying_waits_until_outputs_and_sidecar_stand(program):
    seen = []

    def tidy(_options: argparse.Namespace) -> None:
        seen.append(program.written())

    assert run_program(make_parser(), work, program.arguments(mishap="later"), tidy) == 3
    assert run_program(make_parser(), work, program.arguments(), tidy) == 0
    assert seen == [["a.txt", "b.txt", "doubled.txt", "sidecar.json"]]


@pytest.mark.parametrize("settings", ["{", "nonsense"])
def test_a_broken_command_line_is_2(program, capsys, settings):
    arguments = program.arguments()
    arguments[arguments.index("--settings") + 1] = settings
    with pytest.raises(SystemExit) as ended:
        run_program(make_parser(), work, arguments)
    assert ended.value.code == 2
    assert "--settings" in capsys.readouterr().err


def test_a_large_input_is_not_read_through_for_the_sidecar(tmp_path, monkeypatch):
    """Each of many jobs reads its stretch of such a file."""
    monkeypatch.setattr(digests, "QUICK_LIMIT_BYTES", 3)
    for name in ("small", "large"):
        (tmp_path / name).write_text("12345")
    parser = ProgramParser(__doc__)
    parser.add_input("--small")
    parser.add_input("--large", large=True)
    parser.add_output("--out")
    names = ("small", "large", "out", "sidecar")
    run_program(parser, read_a_part, [f"--{name}={tmp_path / name}" for name in names])
    inputs = read_sidecar(tmp_path / "sidecar")["inputs"]
    assert inputs[str(tmp_path / "small")] == file_digest(tmp_path / "small")
    assert inputs[str(tmp_path / "large")].startswith("stat-5-")
