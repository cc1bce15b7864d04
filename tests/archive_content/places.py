"""Where the archive keeps what: every entry of config/archives.yaml at its own path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zladder.config.documents import read_yaml
from zladder.config.imaging import FieldNumber, frame_name

ROOT = Path(__file__).resolve().parents[2]
FRAMES = "sdss_dr12_frames"


def registry() -> dict[str, dict[str, Any]]:
    """Return the shipped entries of archives."""
    return read_yaml(ROOT / "config" / "archives.yaml")


@dataclass(frozen=True)
class Places:
    """Below `folder` lies what is served; below `lists` what stands behind services."""

    folder: Path
    lists: Path

    def file(self, archive: str) -> Path:
        """Return where the file of an entry lies, its folder made."""
        return self._made(urlsplit(registry()[archive]["url"]).path)

    def frame(self, row: Mapping[str, Any], rerun: int) -> Path:
        """Return where a frame lies; `row` is one of an index of frames."""
        numbers = {name: int(row[name]) for name in ("run", "camcol", "field")}
        url = str(registry()[FRAMES]["url"]).format(rerun=rerun, band=row["band"], **numbers)
        return self._made(urlsplit(url).path)

    def list_of(self, archive: str) -> Path:
        """Return the table behind the query of an entry."""
        self.lists.mkdir(parents=True, exist_ok=True)
        return self.lists / f"{archive}.csv"

    @property
    def strips(self) -> Path:
        """The folder of what the frames are cut out of, laid out as frames are."""
        return self.lists / "strips"

    def strip(self, number: FieldNumber, band: str) -> Path:
        """Return where one band of a strip lies; `number` is of the field that holds galaxies."""
        return _with_folder(self.strips / frame_name(number, band))

    def _made(self, path: str) -> Path:
        return _with_folder(self.folder / path.lstrip("/"))


def _with_folder(place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
