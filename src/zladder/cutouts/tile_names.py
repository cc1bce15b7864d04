"""Names of tiles: which files of a folder follow a template, and what the others are called.

A tile is named by the template with everything filled in but the band, for that alone differs
between its files.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_BANDS = ("band", "BAND")


def tiles_in(root: Path, template: str, bands: Sequence[str]) -> list[str]:
    """Return the tiles of which a folder has a file in some band, sorted by name."""
    pattern = re.compile(_pattern(template, bands))
    glob = "".join(text + ("*" if field is not None else "") for text, field in _parts(template))
    found = set()
    for path in root.glob(glob):
        match = pattern.fullmatch(path.relative_to(root).as_posix())
        if match:
            found.add(_filled(template, match.groupdict()))
    return sorted(found)


def tile_path(root: Path, tile: str, band: str) -> Path:
    """Return where a tile's file in a band lies."""
    return root / tile.format(band=band, BAND=band.upper())


def weights_path(path: Path, settings: Mapping[str, Any]) -> Path:
    """Return the file of weights beside a tile's file.

    Parameters
    ----------
    path
        The tile's file in a band.
    settings
        `bands`; `path` and `weights`: the templates.
    """
    template = settings["path"].rpartition("/")[2]
    match = re.fullmatch(_pattern(template, settings["bands"]), path.name)
    fields = match.groupdict() if match else {}
    band = fields.get("band", "") or fields.get("BAND", "").lower()
    known = {"band": band, "BAND": band.upper(), **fields}
    return path.with_name(settings["weights"].format(**known))


def _parts(template: str) -> list[tuple[str, str | None]]:
    return [(text, field) for text, field, _, _ in Formatter().parse(template)]


def _pattern(template: str, bands: Sequence[str]) -> str:
    """Return the regular expression of names that follow a template; a name may come twice."""
    seen: set[str] = set()
    words = []
    for text, field in _parts(template):
        words.append(re.escape(text))
        if field in seen:
            words.append(f"(?P={field})")
        elif field in _BANDS:
            known = [re.escape(band.upper() if field == "BAND" else band) for band in bands]
            words.append(f"(?P<{field}>{'|'.join(known)})")
        elif field is not None:
            words.append(f"(?P<{field}>[^/]+)")
        seen.add(field or "")
    return "".join(words)


def _filled(template: str, fields: Mapping[str, str]) -> str:
    kept = {name: f"{{{name}}}" for name in _BANDS}
    return template.format(**{**fields, **kept})
