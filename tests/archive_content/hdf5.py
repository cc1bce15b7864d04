"""Parts of a training set, each published as a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py


def split(whole: Path, parts: Mapping[Path, slice]) -> None:
    """Write some rows of every dataset into each part, chunked where the whole is."""
    with h5py.File(whole, "r") as file:
        for path, rows in parts.items():
            with h5py.File(path, "w") as part:
                for name, dataset in file.items():
                    values = dataset[rows]
                    chunks = (1, *dataset.shape[1:]) if dataset.chunks else None
                    shape = (None, *dataset.shape[1:]) if chunks else None
                    part.create_dataset(name, data=values, chunks=chunks, maxshape=shape)
