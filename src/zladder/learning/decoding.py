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
        if stored.dtype == torch.int16:
            stored = stored.to(torch.int64) & 0xFFFF  # see `held`
        n_bands, n_codes = tables.shape[1:]
        first = shard.to(stored.device)[:, None] * n_bands + torch.arange(n_bands).to(stored.device)
        where = stored.to(torch.int64) + (first * n_codes)[:, :, None, None]
        return tables.flatten()[where]


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
        return Decoding(None)
    tables = []
    for stamps in shards:
        with h5py.File(stamps.path, "r") as file:
            tables.append(torch.from_numpy(decoding_table(file.attrs)[list(columns)]))
    return Decoding(torch.stack(tables))
