"""Conditions over the columns of a table, as ``0 < mag_r < 20 and `u-g` < 2``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

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
    try:
        result = _eval(frame, expression)
    except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
        _refuse(expression, place, file, str(error).splitlines()[0])
    if not isinstance(result, pd.Series) or not pd.api.types.is_bool_dtype(result):
        kind = result.dtype if isinstance(result, pd.Series) else type(result).__name__
        raise BadInput(file, place, "a condition, true or false in each row",
                       f"{kind} from '{expression}'", "compare it, as in x == 1")  # fmt: skip
    return result.fillna(value=False).to_numpy(dtype=bool)


def undefined(frame: pd.DataFrame, expression: str, place: str, file: Path | str) -> np.ndarray:
    """Return the rows in which something compared is NaN, as inf - inf: shape (N,), bool."""
    tree, quoted = _parsed(expression, place, file)
    rows = np.zeros(len(frame), dtype=bool)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.BinOp | ast.UnaryOp | ast.Call):
                    values = _eval(frame, _quoted_again(ast.unparse(side), quoted))
                    rows |= np.asarray(pd.isna(values))
    return rows


def _eval(frame: pd.DataFrame, expression: str) -> Any:
    with np.errstate(all="ignore"):  # inf - inf and the like are NaN, and counted as such
        return frame.eval(expression, engine="python")


def _quoted_again(text: str, quoted: dict[str, str]) -> str:
    for stand_in, name in quoted.items():
        text = text.replace(stand_in, f"`{name}`")
    return text


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
