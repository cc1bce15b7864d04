"""Names of tiles: which files of a folder follow a template, and what the others are called.

A tile is named by the template with everything filled in but the band, for that alone differs
between its files. A band may have several names there (`band_files`: MegaCam's newer i filter is
called y in CFHTLS's last release): the first whose file is there is the band's.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

from zladder.cutouts.layers import LAYER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_BANDS = ("band", "BAND")


class Tile(NamedTuple):
    """A tile: its name, the bands of which it has a file, and `{layer}` of the template, or ""."""

    name: str
    bands: frozenset[str]
    layer: str = ""


def tiles_in(root: Path, settings: Mapping[str, Any]) -> list[Tile]:
    """Return the tiles of which a folder has a file in some band, sorted by name.

    Parameters
    ----------
    root
        The folder.
    settings
        `path`: the template; `bands`, and `band_files` where there are other names.
    """
    template = settings["path"]
    bands = {name: band for band in settings["bands"] for name in names_of(band, settings)}
    capitals = {name.upper(): band for name, band in bands.items()}
    pattern = re.compile(_pattern(template, bands))
    glob = "".join(text + ("*" if field is not None else "") for text, field in _parts(template))
    found: dict[tuple[str, str], set[str]] = {}
    for path in root.glob(glob):
        match = pattern.fullmatch(path.relative_to(root).as_posix())
        if match:
            fields = match.groupdict()
            band = bands.get(fields.get("band", "")) or capitals[fields["BAND"]]
            tile = _filled(template, fields), fields.get(LAYER, "")
            found.setdefault(tile, set()).add(band)
    return [Tile(name, frozenset(has), layer) for (name, layer), has in sorted(found.items())]


def names_of(band: str, settings: Mapping[str, Any]) -> list[str]:
    """Return what a band is called in names of files, in the order of precedence."""
    names: list[str] = settings.get("band_files", {}).get(band, [band])
    return names


def tile_paths(root: Path, tile: str, band: str, settings: Mapping[str, Any]) -> list[Path]:
    """Return where a tile's file in a band may lie, by each of the band's names."""
    names = names_of(band, settings)
    return [root / tile.format(band=name, BAND=name.upper()) for name in names]


def tile_path(root: Path, tile: str, band: str, settings: Mapping[str, Any]) -> Path:
    """Return where a tile's file in a band lies; by the band's first name if there is none."""
    paths = tile_paths(root, tile, band, settings)
    return next((path for path in paths if path.is_file()), paths[0])


def weights_path(path: Path, settings: Mapping[str, Any]) -> Path:
    """Return the file of weights beside a tile's file.

    Parameters
    ----------
    path
        The tile's file in a band.
    settings
        `bands`, `band_files` where there are other names; `path` and `weights`: the templates.
    """
    template = settings["path"].rpartition("/")[2]
    names = [name for band in settings["bands"] for name in names_of(band, settings)]
    match = re.fullmatch(_pattern(template, names), path.name)
    fields = match.groupdict() if match else {}
    band = fields.get("band", "") or fields.get("BAND", "").lower()
    known = {"band": band, "BAND": band.upper(), **fields}
    return path.with_name(settings["weights"].format(**known))


def _parts(template: str) -> list[tuple[str, str | None]]:
    return [(text, field) for text, field, _, _ in Formatter().parse(template)]


def _pattern(template: str, bands: Iterable[str]) -> str:
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
