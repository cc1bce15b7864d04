"""Stored pixels become nanomaggies, on the device they are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h5py
import torch

from zladder.tables.stamp_pixels import ASINH, decoding_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zladder.tables.stamp_files import StampFile


@dataclass(frozen=True)
class Decoding:
    """What the codes of some shards stand for.

    Attributes
    ----------
    tables
        Nanomaggies, float32 (shards, B, codes), of the bands wanted; None for floats.
    """

    tables: torch.Tensor | None
    _moved: dict[torch.device, torch.Tensor] = field(
        default_factory=dict, repr=False, compare=False
    )

    def tables_on(self, device: torch.device) -> torch.Tensor | None:
        """Return the tables on a device; they go there once."""
        if self.tables is None:
            return None
        if device not in self._moved:
            self._moved[device] = self.tables.to(device)
        return self._moved[device]

    def decoded(self, stored: torch.Tensor, shard: torch.Tensor) -> torch.Tensor:
        """Return the fluxes, float32, of pixels (n, B, S, S) of the shards (n,).

        The same bits as of `decode_pixels`; float32 comes back as it is, not copied.
        """
        tables = self.tables_on(stored.device)
        if tables is None:
            return stored.float()
        n_bands, n_codes = tables.shape[1:]
        first = shard.to(stored.device)[:, None] * n_bands + torch.arange(n_bands).to(stored.device)
        where = stored.to(torch.int64) + (first * n_codes)[:, :, None, None]
        return tables.flatten()[where]


def decoding_of(shards: Sequence[StampFile], columns: Sequence[int]) -> Decoding:
    """Return the decoding of shards of one encoding, of some of their bands."""
    if shards[0].encoding not in ASINH:
        return Decoding(None)
    tables = []
    for stamps in shards:
        with h5py.File(stamps.path, "r") as file:
            tables.append(torch.from_numpy(decoding_table(file.attrs)[list(columns)]))
    return Decoding(torch.stack(tables))
