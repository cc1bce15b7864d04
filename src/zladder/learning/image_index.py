"""From the rows of an image dataset to images: all at once, or in blocks."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.learning.images import gathered, resident
from zladder.learning.stamps import find_stamps, stamp_blocks
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.learning.images import Images
    from zladder.learning.stamps import StampRows

BLOCK_ROWS = 2048  # bounds the memory of what is only looked through
_SCALE_TOLERANCE = 1e-6  # both are the configured number


def shard_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return {``SAMPLE/SHARD``: path} as the column `shard` of an image dataset names them."""
    return {f"{path.parent.name}/{path.stem}": path for path in paths}


def find_images(
    index: pd.DataFrame, files: Mapping[str, Path], inputs: Mapping[str, Any], path: Path
) -> StampRows:
    """Return where the images of galaxies lie, in their order; no pixel is read.

    Parameters
    ----------
    index
        Rows of an image dataset: `shard`, `row`.
    files
        The stamp files by their names in `shard`.
    inputs
        `inputs` of a run card: `bands`, `pixel_scale_arcsec`.
    path
        The dataset, named in messages.

    Raises
    ------
    BadInput
        As `find_stamps` does, for a dataset without images, and for stamps whose pixels are not as
        wide as the card says.
    """
    missing = [name for name in ("shard", "row") if name not in index.columns]
    if missing:
        expected = "an image dataset: columns shard, row"
        hint = "give the dataset `images: true` in config/stages/datasets.yaml"
        raise BadInput(path, f"column '{missing[0]}'", expected, "no such column", hint)
    rows = find_stamps(files, index, inputs["bands"])
    seen, found = inputs["pixel_scale_arcsec"], rows.shards[0].pixel_scale_arcsec
    if not isclose(seen, found, rel_tol=_SCALE_TOLERANCE):
        hint = "cut the stamps at that scale (cutouts.grid_scale_arcsec), or take another run"
        raise BadInput(rows.shards[0].path, "pixel_scale_arcsec", f"{seen:g}, as the run card says",
                       f"{found:g}", hint)  # fmt: skip
    return rows


def load_images(
    index: pd.DataFrame,
    files: Mapping[str, Path],
    inputs: Mapping[str, Any],
    side_pixels: int,
    path: Path,
) -> Images:
    """Return the images of galaxies, resident, in their order; their sky is not measured.

    Parameters
    ----------
    index, files, inputs, path
        As of `find_images`.
    side_pixels
        How much of each stamp is wanted (`room_pixels`).

    Raises
    ------
    BadInput
        As `find_images`, `stamp_blocks` and `resident` do.
    """
    rows = find_images(index, files, inputs, path)
    blocks = (
        (places, resident(stamps, side_pixels, path, with_sky=False))
        for places, stamps in stamp_blocks(rows)
    )
    return gathered(blocks, len(rows))


def image_blocks(
    index: pd.DataFrame, files: Mapping[str, Path], inputs: Mapping[str, Any], path: Path
) -> Iterator[tuple[np.ndarray, Images]]:
    """Give (places in the index, their images) block by block, every galaxy once.

    Blocks follow the shards, not the index, so that each shard is read from front to back.
    """
    order = np.lexsort((index["row"].to_numpy(), index["shard"].to_numpy().astype(str)))
    for start in range(0, len(order), BLOCK_ROWS):
        places = order[start : start + BLOCK_ROWS]
        block = index.iloc[places]
        yield places, load_images(block, files, inputs, inputs["crop_pixels"], path)
