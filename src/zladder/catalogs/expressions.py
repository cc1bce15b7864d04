"""Conditions over the columns of a table, as ``0 < mag_r < 20 and `u-g` < 2``."""

from __future__ import annotations

import ast
import operator
import re
from functools import reduce
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Where = tuple[str, str, Path | str]  # the condition, its place and its file

FUNCTIONS = ("abs", "sqrt", "exp", "log", "log10")
_BACKTICKED = re.compile(r"`([^`]*)`")
# A condition is arithmetic, comparison and logic over columns; nothing else can be reached.
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name,
    ast.Constant, ast.List, ast.Tuple, ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def columns_of(expression: str, place: str, file: Path | str) -> list[str]:
    """Return the columns that a condition names, each once.

    Raises
    ------
    BadInput
        A syntax error, an unknown function, or anything that is not arithmetic or logic.
    """
    tree, quoted = _parsed(expression, place, file)
    called = set()
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            _refuse(expression, place, file, f"{type(node).__name__} in it")
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name not in FUNCTIONS:
                _refuse(expression, place, file, f"the function '{name}'")
            called.add(id(node.func))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return list(dict.fromkeys(quoted.get(n.id, n.id) for n in names if id(n) not in called))


def evaluate(frame: pd.DataFrame, expression: str, place: str, file: Path | str) -> np.ndarray:
    """Return the truth of a condition in each row: shape (N,), bool.

    Raises
    ------
    BadInput
        The condition cannot be evaluated (text compared with a number), or is none.
    """
    tree, quoted = _parsed(expression, place, file)
    result = _value(tree.body, frame, quoted, (expression, place, file))
    if not isinstance(result, pd.Series) or not pd.api.types.is_bool_dtype(result):
        kind = result.dtype if isinstance(result, pd.Series) else type(result).__name__
        raise BadInput(
            file, place, "a condition, true or false in each row", f"{kind} from '{expression}'",
            "compare it, as in x == 1 or (flags & 4) == 0",
        )  # fmt: skip
    return result.fillna(value=False).to_numpy(dtype=bool)


def undefined(frame: pd.DataFrame, expression: str, place: str, file: Path | str) -> np.ndarray:
    """Return the rows in which something compared is NaN, as inf - inf: shape (N,), bool."""
    tree, quoted = _parsed(expression, place, file)
    rows = np.zeros(len(frame), dtype=bool)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.BinOp | ast.UnaryOp | ast.Call):
                    values = _value(side, frame, quoted, (expression, place, file))
                    rows |= np.asarray(pd.isna(values))
    return rows


def _value(node: ast.expr, frame: pd.DataFrame, quoted: Mapping[str, str], where: Where) -> Any:
    """Return the value of a part of a condition, with Python's own precedence of operators."""
    try:
        with np.errstate(all="ignore"):  # inf - inf and the like are NaN, and counted as such
            return _computed(node, lambda name: frame[quoted.get(name, name)])
    except (TypeError, ValueError, NotImplementedError, AttributeError, KeyError) as error:
        _refuse(*where, _said(error, node))


def _computed(node: ast.expr, column: Callable[[str], pd.Series]) -> Any:
    """Return the value of a node; parts that are no columns are plain numbers and texts."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return column(node.id)
        case ast.List() | ast.Tuple():
            return [_computed(each, column) for each in node.elts]
        case ast.Call(func=ast.Name(id=name)):
            [value] = [_computed(each, column) for each in node.args]
            return getattr(np, name)(value)
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_computed(node.operand, column))
        case ast.BinOp():
            left, right = _computed(node.left, column), _computed(node.right, column)
            return _BINARY[type(node.op)](left, right)
        case ast.BoolOp():
            parts = [_condition(_computed(each, column)) for each in node.values]
            return reduce(operator.and_ if isinstance(node.op, ast.And) else operator.or_, parts)
        case ast.Compare():
            sides = [_computed(each, column) for each in (node.left, *node.comparators)]
            steps = zip(node.ops, sides, sides[1:], strict=False)
            return reduce(operator.and_, [_COMPARE[type(op)](a, b) for op, a, b in steps])
    raise TypeError(f"{type(node).__name__} in it")


def _condition(value: Any) -> Any:
    """Return what stands beside `and`, `or` and `not`: true or false, never a number."""
    if not isinstance(value, bool) and not pd.api.types.is_bool_dtype(value):
        raise TypeError("a number or text beside and, or, not: compare it, as in x == 1")
    return value


def _negated(value: Any) -> Any:
    return not value if isinstance(_condition(value), bool) else ~value


def _among(value: pd.Series, listed: Any) -> pd.Series:
    return value.isin(listed)


_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.In: _among,
    ast.NotIn: lambda value, listed: ~_among(value, listed),
}  # fmt: skip
# & and | are of bits, as in (flags & 4) == 0, or of conditions in brackets.
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert, ast.Not: _negated,
}  # fmt: skip


def _said(error: Exception, node: ast.expr) -> str:
    words = str(error).splitlines()[0]
    if any(isinstance(part, ast.BitAnd | ast.BitOr) for part in ast.walk(node)):
        return f"{words} (& and | bind closer than < and ==: write `and`, `or`, or put brackets)"
    return words


def _parsed(expression: str, place: str, file: Path | str) -> tuple[ast.Expression, dict[str, str]]:
    """Return the syntax tree, and the columns that stand in it under another name."""
    quoted: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        name = f"_column_{len(quoted)}_"
        quoted[name] = match[1]
        return name

    plain = _BACKTICKED.sub(stand_in, expression)
    try:
        return ast.parse(plain.strip(), mode="eval"), quoted
    except SyntaxError as error:
        _refuse(expression, place, file, f"{error.msg}")


def _refuse(expression: str, place: str, file: Path | str, found: str) -> NoReturn:
    raise BadInput(
        file, place, "a condition over columns", f"'{expression}': {found}",
        f"write it as in '0 < mag_r < 20 and `u-g` < 2'; functions: {', '.join(FUNCTIONS)}",
    )  # fmt: skip
