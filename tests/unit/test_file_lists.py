"""Lists of files in a command: bash itself tells what it makes of them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zladder.config.file_lists import folded
from zladder.config.wiring import option


def expanded(words: str) -> list[str]:
    """Return what a program gets from bash, which is started as Snakemake starts it."""
    command = f"set -euo pipefail; printf '%s\\0' {words}"
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


NAMES = st.text(alphabet="ab019 .,{}$'\"`\\*?~!#&()[]-=é", min_size=1, max_size=6)
NUMBERED = st.tuples(NAMES, st.integers(0, 1100), st.integers(1, 12), NAMES).map(
    lambda name: [f"{name[0]}/{number}{name[3]}" for number in range(name[1], name[1] + name[2])]
)
SHARED = st.tuples(NAMES, st.lists(NAMES, min_size=1, max_size=5), NAMES).map(
    lambda name: [f"{name[0]}/{middle}/{name[2]}" for middle in name[1]]
)
LISTS = st.lists(st.one_of(NUMBERED, SHARED, NAMES.map(lambda name: [name])), min_size=1)


@given(LISTS)
@settings(max_examples=100, deadline=None)
def test_bash_reads_the_very_files_in_their_order(lists):
    paths = [f"results/{path}" for paths in lists for path in paths]
    assert expanded(folded(paths)) == paths


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ([f"r/main/{n}.h5" for n in range(256)], "r/main/{0..255}.h5"),
        ([f"r/{s}/{n}.h5" for s in ("main", "deep") for n in range(8, 12)],
         "r/main/{8..11}.h5 r/deep/{8..11}.h5"),
        ([f"runs/study.{run}-s0/card.json" for run in ("first", "second")],
         "runs/study.{first,second}-s0/card.json"),
        ([f"runs/{run}-s{seed}/card.json" for run in ("f1", "f20") for seed in range(12)],
         "runs/f{1-s{0..11},20-s{0..11}}/card.json"),
        ([f"r/it's {{0..1}},/{n}.h5" for n in range(100)], "'r/it'\"'\"'s {0..1},/'{0..99}.h5"),
        (["r/007.h5", "r/008.h5", "r/009.h5"], "r/{007,008,009}.h5"),
        (["a", "a"], "a a"),
        (["a"], "a"),
        ([], ""),
    ],
)  # fmt: skip
def test_numbers_and_shared_folders_stand_once(paths, words):
    assert folded(paths) == words
    assert expanded(words) == paths or not paths


def test_an_option_of_many_files_is_short():
    shards = [f"/scratch/{'long_' * 20}/{n}.h5" for n in range(10_000)]
    assert len(option("--stamps", shards)) < 200
    assert expanded(option("--stamps", shards)) == ["--stamps", *shards]
