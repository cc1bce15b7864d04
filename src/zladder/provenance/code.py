"""A digest of the code that a script runs: its syntax tree and those of the modules it imports.

Snakemake does not see a change in an imported module. The digest is therefore a param of every
compute rule; comments, docstrings and layout do not enter, a changed statement does. A module
of someone else enters with its pinned version in ``requirements.lock``.
"""

from __future__ import annotations

import ast
import hashlib
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PACKAGE = "zladder"
SOURCE_ROOT = Path(__file__).resolve().parents[2]
# Import names that differ from the name of the distribution in the lock.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "pyyaml"}


def code_digest(script: Path, source_root: Path = SOURCE_ROOT) -> str:
    """Return 16 hexadecimal digits for the code that `script` runs, our modules below a folder.

    Covers the script, every module of zladder that it imports (directly or not, also inside
    functions, but not under ``if TYPE_CHECKING``) and the locked versions of the third-party
    packages that these import.
    """
    return code_digests([script], source_root)[script]


def code_digests(scripts: Iterable[Path], source_root: Path = SOURCE_ROOT) -> dict[Path, str]:
    """Return the digest of each of some scripts; what they share is looked up once."""
    files_of = cache(lambda module: _files_of(module, source_root))
    return {script: _digest(script.resolve(), source_root, files_of) for script in scripts}


def _digest(script: Path, source_root: Path, files_of: Callable[[str], list[Path]]) -> str:
    lock = _locked_versions(script.parents[2] / "requirements.lock")
    lines, third_party, waiting, seen = [], set(), [script], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        stat = path.stat()
        text, imports = _parsed(path, stat.st_mtime_ns, stat.st_size)
        name = path.name if path == script else path.relative_to(source_root).as_posix()
        lines.append(f"{name} {text}")
        for module in imports:
            files = files_of(module)
            waiting.extend(files)
            if not files:
                third_party.add(module.split(".")[0])
    lines.sort()
    lines += sorted(
        lock[key] for name in third_party if (key := DISTRIBUTIONS.get(name, name)) in lock
    )
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=1024)
def _parsed(path: Path, _mtime_ns: int, _size: int) -> tuple[str, tuple[str, ...]]:
    """Return (digest of the tree without docstrings, names of the imported modules)."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in _statements(tree):
        _drop_docstring(node)
    imports = tuple(sorted(set(_imports(tree))))
    text = hashlib.blake2b(ast.unparse(tree).encode(), digest_size=16).hexdigest()
    return text, imports


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and the statements in it, whatever the depth; expressions hold none."""
    yield node
    for child in _inner(node):
        yield from _statements(child)


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements right inside a node, with handlers and cases, which hold some."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        children = getattr(node, name, None)
        if isinstance(children, list):  # that of a lambda or of `a if b else c` is no list
            yield from children


def _drop_docstring(node: ast.AST) -> None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    first = node.body[0] if node.body else None
    constant = first.value if isinstance(first, ast.Expr) else None
    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _imports(node: ast.AST) -> list[str]:
    """Return the modules that a tree imports; ``from a import b`` gives ``a`` and ``a.b``."""
    if isinstance(node, ast.If) and _for_types_only(node.test):
        return [name for child in node.orelse for name in _imports(child)]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            message = f"line {node.lineno}: relative imports are not followed; write {PACKAGE}.…"
            raise SyntaxError(message)
        base = node.module or ""
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [name for child in _inner(node) for name in _imports(child)]


def _for_types_only(test: ast.expr) -> bool:
    words = (getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(test))
    return "TYPE_CHECKING" in words


def _files_of(module: str, source_root: Path) -> list[Path]:
    """Return the files that importing a module of ours runs; none for anybody else's."""
    parts = module.split(".")
    if parts[0] != PACKAGE:
        return []
    folders = [source_root.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    inits = [folder / "__init__.py" for folder in folders]
    file = folders[-1].with_suffix(".py")
    return [path for path in [*inits, file] if path.is_file()]


@lru_cache(maxsize=4)
def _locked_versions(lock: Path) -> dict[str, str]:
    """Return {import-like name: pinned line} of the lock file; empty if there is none."""
    if not lock.is_file():
        return {}
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if re.match(r"^[A-Za-z0-9_.-]+==", line)]
    return {re.sub(r"[-.]", "_", pin.split("==")[0].lower()): pin for pin in pins} | {
        pin.split("==")[0].lower(): pin for pin in pins
    }
