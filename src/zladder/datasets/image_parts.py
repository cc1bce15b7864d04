"""Which part of a survey a galaxy is of, where the file of its published image says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zladder.provenance.errors import BadInput
from zladder.tables.hdf5_cutouts import read_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd


def with_image_parts(
    placed: pd.DataFrame, told: Sequence[Mapping[str, str]], files: Sequence[Path]
) -> pd.DataFrame:
    """Return the galaxies with the part of their image as their `part`.

    Parameters
    ----------
    placed
        With `object_id` and `sample`; all of them have a stamp.
    told
        Of each file the `sample` whose galaxies it shows, its `part` and its `layout`. Galaxies of
        other samples keep their part.
    files
        Published images; no pixel is read.

    Raises
    ------
    BadInput
        As `read_ids`; a galaxy whose image is in none of its sample's files.
    """
    if not told:
        return placed
    ids, samples = placed["object_id"].to_numpy(), placed["sample"].to_numpy()
    parts = placed["part"].to_numpy(dtype=object, copy=True)
    without = np.isin(samples, [entry["sample"] for entry in told])
    for entry, file in zip(told, files, strict=True):
        here = (samples == entry["sample"]) & np.isin(ids, read_ids(file, entry["layout"]))
        parts[here], without[here] = entry["part"], False
    if without.any():
        galaxy = int(np.argmax(without))
        names = [entry["part"] for entry in told if entry["sample"] == samples[galaxy]]
        raise BadInput(
            files[0], f"object_id {ids[galaxy]}", f"its image in one of {', '.join(names)}",
            f"in none ({int(without.sum())} such galaxies of {samples[galaxy]})",
            "the files changed since their images were converted: convert them again",
        )  # fmt: skip
    return placed.assign(part=parts)
