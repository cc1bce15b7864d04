"""Every message of the stage that cuts stamps has a row on the page of troubles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "src/zladder/cutouts").glob("*.py"),
           ROOT / "src/zladder/tables/zero_points.py"]  # fmt: skip
ERRORS = ("BadInput", "PassingBadInput")
EXPECTED, HINT = 2, 4  # arguments of an error
VARYING = r"…|'X'|\bX\b|\bN\b"
Scope = ast.Module | ast.FunctionDef


def messages(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Give (place in the code, what may be found on the page: `expected`, or how a hint begins)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in ERRORS:
                continue
            if isinstance(call.args[0], ast.Starred):
                continue  # says again what another error has said
            hints = [text.split(":")[0] for text in texts(call.args[HINT], (function, tree))]
            for text in texts(call.args[EXPECTED], (function, tree)):
                wordless = not re.search(r"[a-z]", text)
                yield f"{path.name}:{call.lineno}", [text, *hints] if wordless else [text]


def texts(node: ast.expr, scopes: tuple[Scope, ...]) -> list[str]:
    """Return what an argument may say, N for what varies."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "N"
                        for part in node.values)]  # fmt: skip
    if isinstance(node, ast.Name):
        return [text for scope in scopes for value in assigned(scope, node.id)
                for text in texts(value, scopes)]  # fmt: skip
    return ["N"]


def assigned(scope: Scope, name: str) -> Iterator[ast.expr]:
    """Give what a name is set to, in a function or at the top of a module."""
    found = ast.walk(scope) if isinstance(scope, ast.FunctionDef) else scope.body
    for node in found:
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = zip(target.elts, value.elts, strict=True) if isinstance(
            target, ast.Tuple) and isinstance(value, ast.Tuple) else [(target, value)]  # fmt: skip
        yield from (one for other, one in pairs if getattr(other, "id", "") == name)


def rows(text: str) -> list[re.Pattern[str]]:
    """Return what the messages of the page's tables may be; … and X and N for anything."""
    cells = re.findall(r"^\| (`.*?`(?:, `.*?`)*)[^|]* \|", text, re.M)
    spans = [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]
    words = [span.split("found:")[0].removeprefix("expected:").strip("… ") if "found:" in span
             else span for span in spans]  # fmt: skip
    patterns = [".+".join(map(re.escape, re.split(VARYING, one))) for one in words]
    return [re.compile(one) for one in patterns if re.search("[a-z]", one)]


@pytest.fixture(scope="module")
def page():
    return rows((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))


def test_the_messages_of_the_code_are_found():
    found = [text for path in SOURCES for _, says in messages(path) for text in says]
    assert len(found) > 45
    for text in ("a whole FITS file", "N x N pixels inside the frame", "N, or no such keyword",
                 "a zero point (N or N)", "a frame needs world coordinates", "a variance above 0",
                 "N, as the file's name says", "an image, N"):  # fmt: skip
        assert text in found
    assert "N" not in found  # an argument that this test does not understand


def test_a_row_is_for_its_message_alone():
    text = """| `a frame … found: no such file`, `N x N pixels` of X | y |
| `'X', as the file's name says` | z |
| text | `no row` |
"""
    (one, two, three) = rows(text)
    assert one.fullmatch("a frame")
    assert not one.fullmatch("a frame of g")
    assert two.fullmatch("N x N pixels")
    assert not two.fullmatch("N x N pixels inside the frame")
    assert three.fullmatch("N, as the file's name says")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_message_has_a_row(path, page):
    without = [(place, says) for place, says in messages(path)
               if not any(row.fullmatch(text) for row in page for text in says)]  # fmt: skip
    assert not without, "add rows to docs/troubleshooting.md"
