"""Stored pixels become nanomaggies, on the device they are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch

from zladder.config.encodings import ASINH
from zladder.tables.stamp_pixels import decoding_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zladder.tables.stamp_files import StampFile


@dataclass(frozen=True)
class Decoding:
    """What the codes of some shards stand for.

    Attributes
    ----------
    tables
        Nanomaggies, float32: one table of all codes after the other; None for floats. Shards and
        bands of one scale share a table, as all shards of a survey do.
    start
        Where the table of each shard and band begins, int64 (shards, B), of the bands wanted; None
        for floats.
    """

    tables: torch.Tensor | None
    start: torch.Tensor | None
    _moved: dict[torch.device, tuple[torch.Tensor, torch.Tensor]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def on(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return (tables, start) on a device; they go there once."""
        if self.tables is None or self.start is None:
            return None
        if device not in self._moved:
            self._moved[device] = self.tables.to(device), self.start.to(device)
        return self._moved[device]

    def decoded(self, stored: torch.Tensor, shard: torch.Tensor) -> torch.Tensor:
        """Return the fluxes, float32, of pixels (n, B, S, S) of the shards (n,).

        The same bits as of `decode_pixels`; float32 comes back as it is, not copied.
        """
        here = self.on(stored.device)
        if here is None:
            return stored.float()
        if stored.dtype == torch.int16:
            stored = stored.to(torch.int64) & 0xFFFF  # see `held`
        tables, start = here
        first = start[shard.to(stored.device)]
        return tables[stored.to(torch.int64) + first[:, :, None, None]]


@dataclass(frozen=True)
class Coded:
    """How the stored pixels of N galaxies become fluxes without Galactic extinction.

    Attributes
    ----------
    decoding
        Of their shards.
    shard
        Of each galaxy, int64 (N,).
    dereddening
        Factors, float32 (N, B).
    """

    decoding: Decoding
    shard: torch.Tensor
    dereddening: torch.Tensor

    def fluxes(self, stored: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return nanomaggies, float32, band-last, of pixels (n, S, S, B) of galaxies (n,)."""
        flux = self.decoding.decoded(stored.permute(0, 3, 1, 2), self.shard[rows])
        return flux.permute(0, 2, 3, 1).contiguous() * self.dereddening[rows][:, None, None]

    def to(self, device: torch.device) -> Coded:
        """Return it on a device."""
        return Coded(self.decoding, self.shard.to(device), self.dereddening.to(device))


def held(stored: torch.Tensor) -> torch.Tensor:
    """Return stored pixels in a type that can be looked up everywhere: the bits of uint16 stay.

    PyTorch indexes int16 on every device, uint16 not everywhere.
    """
    return stored.view(torch.int16) if stored.dtype == torch.uint16 else stored


def decoding_of(shards: Sequence[StampFile], columns: Sequence[int]) -> Decoding:
    """Return the decoding of shards of one encoding, of some of their bands."""
    if shards[0].encoding not in ASINH:
        return Decoding(None, None)
    places: dict[bytes, int] = {}
    start = np.empty((len(shards), len(columns)), np.int64)
    for number, stamps in enumerate(shards):
        with h5py.File(stamps.path, "r") as file:
            tables = decoding_table(file.attrs)[list(columns)]
        for at, table in enumerate(tables):
            start[number, at] = places.setdefault(table.tobytes(), len(places)) * len(table)
    flat = np.frombuffer(b"".join(places), np.float32).copy()
    return Decoding(torch.from_numpy(flat), torch.from_numpy(start))
