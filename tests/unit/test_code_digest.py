"""The code digest changes with the statements that a script runs, and with nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from zladder.provenance.code import code_digest, code_digests

FILES = {
    "requirements.lock": "numpy==2.4.6\nscikit-learn==1.9.1\ntorch==2.13.0\n",
    "workflow/scripts/plot.py": (
        '"""A program."""\n'
        "from typing import TYPE_CHECKING\n"
        "import numpy\n"
        "from zladder import alpha\n"
        "if TYPE_CHECKING:\n"
        "    from zladder.only_types import T\n"
        "def work():\n"
        '    """Work."""\n'
        "    from zladder.pack import beta\n"
        "    return alpha.ONE + beta.TWO\n"
    ),
    "src/zladder/__init__.py": '"""The package."""\n',
    "src/zladder/alpha.py": "from zladder.pack.gamma import THREE\nONE = THREE - 2\n",
    "src/zladder/pack/__init__.py": '"""A package."""\n',
    "src/zladder/pack/beta.py": "class Two:\n    '''Two.'''\n\nTWO = 2\n",
    "src/zladder/pack/gamma.py": "THREE = 3\n",
    "src/zladder/only_types.py": "T = int\n",
    "src/zladder/unused.py": "FOUR = 4\n",
}
SCRIPT = "workflow/scripts/plot.py"


class Fake:
    """A checkout of a few files."""

    def __init__(self, root: Path, **changed: str) -> None:
        self.root = root
        self.edits = 0
        for name, text in {**FILES, **changed}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def digest(self) -> str:
        return code_digest(self.root / SCRIPT, self.root / "src")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.touch(name)

    def touch(self, name: str) -> None:
        """Give the file a later time than any before: clocks of file systems are coarse."""
        self.edits += 1
        path = self.root / name
        later = path.stat().st_mtime_ns + self.edits * 10**9
        os.utime(path, ns=(later, later))


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path / "checkout")


def test_the_same_code_has_the_same_digest_anywhere(fake, tmp_path):
    assert len(fake.digest()) == 16
    assert Fake(tmp_path / "elsewhere").digest() == fake.digest()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (SCRIPT, '"""A program."""', '"""Another text."""'),
        (SCRIPT, '    """Work."""\n', "    # a comment instead of a docstring\n"),
        (SCRIPT, "import numpy\n", "\n\nimport numpy  # a comment\n\n"),
        ("src/zladder/pack/beta.py", "    '''Two.'''\n", "    pass\n"),
        ("src/zladder/pack/beta.py", "TWO = 2", "TWO = (\n    2\n)"),
        ("src/zladder/only_types.py", "int", "str"),
        ("src/zladder/unused.py", "4", "5"),
    ],
)
def test_what_is_not_run_does_not_change_it(fake, name, old, new):
    before = fake.digest()
    fake.edit(name, old, new)
    assert fake.digest() == before


def test_a_touch_does_not_change_it(fake):
    before = fake.digest()
    for name in FILES:
        fake.touch(name)
    assert fake.digest() == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (SCRIPT, "alpha.ONE +", "alpha.ONE -"),
        ("src/zladder/alpha.py", "THREE - 2", "THREE - 1"),
        ("src/zladder/pack/beta.py", "TWO = 2", "TWO = 3"),  # imported in a function, as a name
        ("src/zladder/pack/gamma.py", "3", "4"),  # imported by what the script imports
        ("src/zladder/pack/__init__.py", '"""A package."""', "VALUE = 1"),
        ("src/zladder/__init__.py", '"""The package."""', "VALUE = 1"),
    ],
)
def test_a_statement_that_is_run_changes_it(fake, name, old, new):
    before = fake.digest()
    fake.edit(name, old, new)
    assert fake.digest() != before


def test_the_else_of_type_checking_counts(tmp_path):
    text = FILES[SCRIPT].replace(
        "    from zladder.only_types import T\n",
        "    from zladder.only_types import T\nelse:\n    from zladder.unused import FOUR\n",
    )
    fake = Fake(tmp_path / "checkout", **{SCRIPT: text})
    before = fake.digest()
    fake.edit("src/zladder/unused.py", "4", "5")
    assert fake.digest() != before


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("numpy==2.4.6", "numpy==2.4.7", True),  # the script imports it
        ("torch==2.13.0", "torch==2.14.0", False),  # nothing of the script's does
    ],
)
def test_a_pin_counts_for_scripts_that_import_the_package(fake, tmp_path, old, new, counts):
    lock = {"requirements.lock": FILES["requirements.lock"].replace(old, new)}
    other = Fake(tmp_path / "other", **lock)
    assert (other.digest() != fake.digest()) is counts


def test_a_pin_under_another_name_than_the_import_counts(tmp_path):
    module = {"src/zladder/alpha.py": "from sklearn.base import clone\nONE = 1\n"}
    lock = {"requirements.lock": FILES["requirements.lock"].replace("1.9.1", "1.9.2")}
    before = Fake(tmp_path / "before", **module).digest()
    assert Fake(tmp_path / "after", **module, **lock).digest() != before


def test_relative_imports_are_refused(tmp_path):
    fake = Fake(tmp_path / "checkout", **{"src/zladder/alpha.py": "from .pack import gamma\n"})
    with pytest.raises(SyntaxError, match=r"line 1: relative imports are not followed"):
        fake.digest()


def test_every_shipped_script_has_a_digest_of_its_own():
    scripts = sorted((Path(__file__).parents[2] / "workflow" / "scripts").glob("*.py"))
    digests = {code_digest(script) for script in scripts}
    assert len(digests) == len(scripts) > 5


def test_scripts_that_are_looked_at_together_have_the_same_digests():
    scripts = sorted((Path(__file__).parents[2] / "workflow" / "scripts").glob("*.py"))[:3]
    assert code_digests(scripts) == {script: code_digest(script) for script in scripts}
