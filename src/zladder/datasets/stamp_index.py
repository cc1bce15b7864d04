"""Where each galaxy's stamp lies: shard and row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import describe_stamps, stamp_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.tables.stamp_files import StampFile


def shard_name(path: Path) -> str:
    """Return what datasets call a stamp file: SAMPLE/SHARD, its folder and its stem."""
    return f"{path.parent.name}/{path.stem}"


def read_shards(paths: Sequence[Path]) -> tuple[pd.DataFrame, StampFile]:
    """Return (one row a stamp, what all shards have in common as the first one says it).

    Returns
    -------
    tuple
        `sample`, `object_id`, `shard` (SAMPLE/SHARD), `row` (int64, from 0), `stamp_flags`
        (uint32, what is flagged in any band).

    Raises
    ------
    BadInput
        A file that is no stamp shard, shards of different bands, sizes or pixel scales, or a
        galaxy with two stamps in one sample.
    """
    described = [describe_stamps(path) for path in paths]
    first = described[0]
    for other in described[1:]:
        _require_alike(first, other)
    index = pd.concat([_rows_of(path) for path in paths], ignore_index=True)
    doubled = index.duplicated(["sample", "object_id"]).to_numpy()
    if doubled.any():
        row = index.iloc[int(np.argmax(doubled))]
        raise BadInput(_path_of(paths, row["shard"]), f"object_id, row {row['row']}",
                       "one stamp a galaxy", f"{row['object_id']} a second time",
                       "cut all shards of a sample with the same n_shards")  # fmt: skip
    return index, first


def with_stamps(
    samples: Mapping[str, pd.DataFrame], index: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return of each sample the galaxies that have a stamp in it."""
    found = {}
    for name, sample in samples.items():
        ids = index.loc[index["sample"] == name, "object_id"].to_numpy()
        found[name] = sample[np.isin(sample["object_id"].to_numpy(), ids)]
    return found


def join_stamps(galaxies: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Return the galaxies, which have a stamp in their sample, with `shard, row, stamp_flags`."""
    return galaxies.merge(index, on=["sample", "object_id"], how="inner", validate="1:1")


def require_known_galaxies(
    samples: Mapping[str, pd.DataFrame], index: pd.DataFrame, paths: Sequence[Path]
) -> None:
    """Refuse stamps of galaxies that their sample does not hold: another sample was cut.

    Raises
    ------
    BadInput
        With the shard and the row of the first such stamp.
    """
    for sample, stamps in index.groupby("sample", sort=False):
        table = samples.get(str(sample))
        ids = table["object_id"].to_numpy() if table is not None else np.empty(0, dtype=np.int64)
        strange = ~np.isin(stamps["object_id"].to_numpy(), ids)
        if strange.any():
            row = stamps.iloc[int(np.argmax(strange))]
            raise BadInput(_path_of(paths, row["shard"]), f"object_id, row {row['row']}",
                           f"a galaxy of the sample {sample}", f"{row['object_id']}",
                           "cut the stamps of this very sample again")  # fmt: skip


def _rows_of(path: Path) -> pd.DataFrame:
    ids = stamp_column(path, "object_id").astype(np.int64)
    return pd.DataFrame(
        {
            "sample": pd.array([path.parent.name] * len(ids), dtype="str"),
            "object_id": ids,
            "shard": pd.array([shard_name(path)] * len(ids), dtype="str"),
            "row": np.arange(len(ids), dtype=np.int64),
            "stamp_flags": np.bitwise_or.reduce(stamp_column(path, "flags"), axis=1),
        }
    )


def _require_alike(first: StampFile, other: StampFile) -> None:
    for name in ("bands", "stamp_pixels", "pixel_scale_arcsec"):
        wanted, found = getattr(first, name), getattr(other, name)
        if wanted != found:
            raise BadInput(other.path, name, f"{wanted}, as in {first.path}", f"{found}",
                           "cut all samples of a dataset alike")  # fmt: skip


def _path_of(paths: Sequence[Path], shard: str) -> Path:
    return next(path for path in paths if shard_name(path) == shard)
