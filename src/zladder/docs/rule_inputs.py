"""Which rule's outputs a rule reads: its inputs, resolved for the plan of the mock sky."""

from __future__ import annotations

import ast
import itertools
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from zladder.config.names import ORACLES
from zladder.config.wiring import Wiring, names_pattern
from zladder.docs.rule_files import first_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zladder.docs.rule_files import Rule

_WILDCARD = re.compile(r"\{(\w+)\}")


def input_patterns(rule: Rule, rules: Sequence[Rule], ladder: Wiring) -> dict[str, list[str]]:
    """Return {input: the outputs, with wildcards, that it is one of}."""
    outputs = list(dict.fromkeys(path for other in rules for path in other.outputs().values()))
    found = {}
    for name, value in rule.arguments("input").items():
        paths = _paths(rule, value, ladder)
        found[name] = [pattern for pattern in outputs if any(_fits(p, pattern) for p in paths)]
    return found


def edges(rules: Sequence[Rule], ladder: Wiring) -> list[tuple[str, str]]:
    """Return (rule that writes, rule that reads), each pair once, in the order of the rules.

    Sidecars and cards do not count: the report's last pages read those of every rule.
    """
    made = {rule.name: _made(rule, ladder) for rule in rules}
    pairs = []
    for reader in rules:
        inputs = reader.arguments("input").values()
        read = {path for value in inputs for path in _paths(reader, value, ladder)}
        asked = {path for path in read if not path.endswith(".json")}
        pairs += [(rule.name, reader.name) for rule in rules if asked & made[rule.name]]
    return pairs


def _made(rule: Rule, ladder: Wiring) -> set[str]:
    """Return the files that a rule makes, and their patterns."""
    patterns = list(rule.outputs().values())
    filled = [path for pattern in patterns for path in _filled(pattern, rule, ladder)]
    return {*patterns, *filled}


def _paths(rule: Rule, value: ast.expr, ladder: Wiring) -> list[str]:
    """Return the files of one input, for every value of the rule's wildcards."""
    text = first_text(value)
    if text:
        return _filled(text, rule, ladder)
    answer = _evaluated(value, ladder)
    if not callable(answer):
        return list(answer)
    answers = [answer(SimpleNamespace(**w)) for w in wildcard_values(rule, ladder)]
    return [path for a in answers for path in ([a] if isinstance(a, str) else a)]


def _filled(pattern: str, rule: Rule, ladder: Wiring) -> list[str]:
    """Return a pattern with every value of the rule's wildcards; as it is if it has others."""
    values = wildcard_values(rule, ladder)
    if not values or not set(_WILDCARD.findall(pattern)) <= values[0].keys():
        return [pattern]
    return [_WILDCARD.sub(lambda name, v=v: v[name[1]], pattern) for v in values]  # type: ignore[misc]


def wildcard_values(rule: Rule, ladder: Wiring) -> list[dict[str, str]]:
    """Return every combination of the values that the rule's wildcards have in the plan.

    They are those of its log: names that its outputs are collected over are none.
    """
    plan = ladder.plan
    known: dict[str, list[str]] = {
        "survey": plan.surveys,
        "sample": plan.samples,
        "dataset": plan.datasets,
        "study": plan.studies,
        "run": list(plan.cards),
        "paper": ladder.papers(),
        "oracle": list(ORACLES),
        "shard": [str(number) for number in ladder.shards()],
    }
    allowed = {n: _evaluated(v, ladder) for n, v in rule.arguments("wildcard_constraints").items()}
    names = list(dict.fromkeys(_WILDCARD.findall(rule.keywords.get("log", ""))))
    values = [
        [v for v in known.get(name, []) if re.fullmatch(allowed.get(name, ".*"), v)]
        for name in names
    ]
    return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*values)]


def _evaluated(value: ast.expr, ladder: Wiring) -> Any:
    """Return what an expression of a rule file stands for; it knows the wiring and no more."""
    known = {"LADDER": ladder, "names_pattern": names_pattern}
    return eval(ast.unparse(value), known)


def _fits(path: str, pattern: str) -> bool:
    parts = map(re.escape, _WILDCARD.split(pattern)[::2])
    return path == pattern or re.fullmatch("[^/]+".join(parts), path) is not None
