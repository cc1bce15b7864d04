"""The tables of photometry of all instruments that the mock sky is seen by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zladder.universe.photometry_file import write_tables
from zladder.universe.spectra import load_spectra


def tabulate_photometry(path: Path, instruments: Mapping[str, Any]) -> dict[str, int]:
    """Write the tables of the instruments; return how many bands each has.

    Parameters
    ----------
    path
        The HDF5 file to write (`universe.photometry_file`).
    instruments
        Name -> ``filters`` and ``z_max``, as `config.instruments.tabulated_settings` gives them.

    Raises
    ------
    BadInput
        If there is no such filter, or GalSim's spectra are missing.
    """
    return write_tables(path, load_spectra(), instruments)
