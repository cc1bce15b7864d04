"""Rule files as text: contracts, docstrings and keywords, read without starting Snakemake.

The files are laid out by snakefmt, so that indentation alone says what belongs where.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = re.compile(r"( *)rule(?: (\w+))?:$")
_KEYWORD = re.compile(r"(\w+):(.*)$")
_STAGE = re.compile(r"Stage (\d+), (\w+): ")


@dataclass(frozen=True)
class Rule:
    """One rule: its name (empty if a loop makes it), docstring, and keyword: text, in order."""

    name: str
    docstring: str
    keywords: dict[str, str]

    def arguments(self, keyword: str) -> dict[str, ast.expr]:
        """Return {name: expression} of a keyword's block; positional ones by their number."""
        text = self.keywords.get(keyword, "")
        call = ast.parse(f"_(\n{text}\n)", mode="eval").body
        assert isinstance(call, ast.Call)
        numbered = {str(number): argument for number, argument in enumerate(call.args)}
        return numbered | {str(word.arg): word.value for word in call.keywords}

    def outputs(self) -> dict[str, str]:
        """Return {name: path with wildcards} of the outputs, those of the report too."""
        return {name: first_text(value) for name, value in self.arguments("output").items()}


@dataclass(frozen=True)
class RuleFile:
    """The rules of one stage, with the contract that opens its file."""

    path: Path
    number: int
    stage: str
    contract: str
    rules: list[Rule]


def read_rule_files(folder: Path) -> list[RuleFile]:
    """Return the rule files of a folder in the order of their stages."""
    files = [read_rule_file(path) for path in folder.glob("*.smk")]
    return sorted(files, key=lambda file: (file.number, file.path.name))


def read_rule_file(path: Path) -> RuleFile:
    """Return one rule file; number 0 and no stage where it has no contract."""
    text = path.read_text(encoding="utf-8")
    opened = re.match(r'"""(.*?)"""', text, re.DOTALL)
    contract = opened[1].strip() if opened else ""
    stage = _STAGE.match(contract)
    number, name = (int(stage[1]), stage[2]) if stage else (0, "")
    return RuleFile(path, number, name, contract, read_rules(text))


def read_rules(text: str) -> list[Rule]:
    """Return the rules of a text in their order."""
    lines = text.splitlines()
    heads = [(i, head) for i, line in enumerate(lines) if (head := _HEAD.match(line))]
    return [_rule(head[2] or "", _body(lines[i + 1 :], len(head[1]))) for i, head in heads]


def first_text(value: ast.expr) -> str:
    """Return a text, or the first argument of report("path", ...) or collect("path", ...).

    Of a list with one of these for each name it is the path with the name in braces.
    """
    if isinstance(value, ast.ListComp):
        value = value.elt
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.args:
        value = value.args[0]
    if isinstance(value, ast.JoinedStr):
        return "".join(
            f"{{{ast.unparse(part.value)}}}" if isinstance(part, ast.FormattedValue)
            else str(ast.literal_eval(part))
            for part in value.values
        )  # fmt: skip
    return str(value.value) if isinstance(value, ast.Constant) else ""


def _body(lines: list[str], indent: int) -> list[str]:
    """Return the lines of a block, its own indentation taken away."""
    body = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        body.append(line[indent + 4 :])
    return body


def _rule(name: str, body: list[str]) -> Rule:
    text = "\n".join(body)
    said = re.match(r'\s*"""(.*?)"""', text, re.DOTALL)
    rest = text[said.end() :] if said else text
    keywords: dict[str, str] = {}
    for line in rest.splitlines():
        found = _KEYWORD.match(line)
        if found:
            last = found[1]
            keywords[last] = found[2].strip()
        elif keywords:
            keywords[last] += "\n" + line
    docstring = " ".join(said[1].split()) if said else ""
    return Rule(name, docstring, {key: value.strip() for key, value in keywords.items()})
