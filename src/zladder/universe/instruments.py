"""A survey's bands: what they see of galaxies, how deep, and the extinctions that are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zladder.universe.filters import load_bands
from zladder.universe.noise import Depth
from zladder.universe.photometry import PhotometryTable, build_table
from zladder.universe.spectra import Spectra

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Instrument:
    """A survey's bands with their photometry table, depth, and stored extinction per E(B-V)."""

    table: PhotometryTable
    depth: Depth
    effective_angstrom: Array
    extinction_per_ebv: Array

    @property
    def bands(self) -> tuple[str, ...]:
        """The band letters."""
        return self.table.bands


def make_instrument(
    spectra: Spectra,
    settings: Mapping[str, Any],
    name: str,
    table: PhotometryTable | None = None,
) -> Instrument:
    """Build a survey from its block of the settings; integrate its bands if no table is given."""
    block = settings[name]
    bands = load_bands(block["filters"], f"survey/{name}/filters")

    def column(key: str) -> Array:
        return np.array([block[key][band.name] for band in bands], dtype=np.float64)

    return Instrument(
        table=build_table(spectra, bands, block["z_max"]) if table is None else table,
        depth=Depth(
            column("depth_5sigma_mag"), column("electron_mag"), column("zero_point_scatter_mag")
        ),
        effective_angstrom=np.array([band.effective_angstrom for band in bands]),
        extinction_per_ebv=column("extinction_per_ebv"),
    )
