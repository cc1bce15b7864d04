"""Files of an earlier sky beside those of the present one: whoever reads a folder finds both.

Only files that are called as this project's own are, in their own folder, are ever removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

Match = re.Match[str]


class Naming(NamedTuple):
    """How the files of one kind are called.

    Attributes
    ----------
    where
        Which paths to look at, a glob below the folder.
    pattern
        What the whole path below the folder must look like; between parts stands ``/``.
    """

    where: str
    pattern: re.Pattern[str]


# as `tiles.TILE_NAME`, `cutout_files.CUTOUT_NAME` and `config.imaging.frame_name` write them
TILES = Naming(
    "CFHTLS_*.fits", re.compile(r"CFHTLS_(W|D-85)_[^_/]+_\d{6}[+-]\d{6}_T0007_MEDIAN\.fits")
)
CUTOUTS = Naming("*/*.fits", re.compile(r"[^./]+/\d{17}\.fits"))
FRAMES = Naming(
    "*/*/frame-*",
    re.compile(
        r"(?P<run>\d+)/(?P<camcol>\d)/frame-[^-/]+-(?=\d{6})0*(?P=run)-(?P=camcol)-(?P<field>\d{4,})"
        r"\.fits(\.bz2)?"
    ),
)


def frames_of_shard(shard: int, n_shards: int) -> Callable[[Match], bool]:
    """Return what tells whether a frame is one of a shard's, as `fields_of_shard` deals them."""
    return lambda found: int(found["field"]) % n_shards == shard


def _is_plain(path: Path) -> bool:
    """Tell whether a path is a file, and no link to one that lies elsewhere."""
    return path.is_file() and not path.is_symlink()


def _all(_found: Match) -> bool:
    return True


def remove_leftovers(
    folder: Path, naming: Naming, named: Iterable[str], mine: Callable[[Match], bool] = _all
) -> int:
    """Remove files of one kind that a new index does not name; return how many.

    Parameters
    ----------
    folder
        Where the files lie.
    naming
        How they are called.
    named
        Paths below the folder that stay.
    mine
        Which of them the index is about; others stay.
    """
    kept, n_removed = set(named), 0
    for path in sorted(folder.glob(naming.where)):
        relative = path.relative_to(folder).as_posix()
        found = naming.pattern.fullmatch(relative)
        if found and mine(found) and relative not in kept and _is_plain(path):
            path.unlink()
            n_removed += 1
    return n_removed
