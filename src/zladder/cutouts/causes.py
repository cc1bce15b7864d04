"""Which files losses are due to: while these stay as they are, cutting again loses the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.cutouts.layouts import LAYOUTS
from zladder.cutouts.tile_names import tile_paths, weights_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zladder.cutouts.losses import Loss


def causes_of(losses: Sequence[Loss], root: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Return the files of lost galaxies, there or not, sorted.

    A frame, or those that it may be where a band has several names, those of the neighbouring
    fields, which may hold what leaves it, and its weights. Of a galaxy that lies in no tile the
    folder of all tiles.

    Parameters
    ----------
    losses
        Of galaxies that were cut out of frames.
    root
        The folder of the frames.
    settings
        `layout`, and what it reads.
    """
    layout = LAYOUTS[settings["layout"]]
    found: set[Path] = set()
    for loss in losses:
        file = Path(loss.error.file)
        found.add(file)
        if "band_files" in settings and file != root:
            found |= set(tile_paths(root, loss.key[0], loss.band, settings))
        if "weights" in settings and file != root:
            tile = layout.path(root, loss.key, loss.band, settings)
            found.add(weights_path(tile, settings))
        if layout.neighbour:
            beside = [layout.neighbour(loss.key, step) for step in (-1, 1)]
            found |= {layout.path(root, key, loss.band, settings) for key in beside}
    return sorted(found)
