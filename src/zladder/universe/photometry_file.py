"""Tables of magnitudes in a file: made once, read by all that needs the same filters.

HDF5: a group for each instrument, with a dataset for each array of `PhotometryTable` and the
attributes ``bands``, ``filters`` (both JSON) and ``z_max``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from zladder.provenance.errors import BadInput
from zladder.universe.filters import load_bands
from zladder.universe.photometry import PhotometryTable, build_table
from zladder.universe.spectra import Spectra

ARRAYS = tuple(
    field.name for field in fields(PhotometryTable) if field.name not in ("bands", "z_max")
)
HINT = "cut off, damaged or made from other settings: make it again with tabulate_photometry"


def write_tables(path: Path, spectra: Spectra, instruments: Mapping[str, Any]) -> dict[str, int]:
    """Integrate the spectra through every instrument's bands and write the tables.

    Parameters
    ----------
    path
        The file to write.
    spectra
        The shapes.
    instruments
        Name -> ``filters`` (band -> speclite's name) and ``z_max``.

    Returns
    -------
    bands
        Instrument -> number of its bands.

    Raises
    ------
    BadInput
        If there is no such filter.
    """
    with h5py.File(path, "w") as file:
        for name, block in instruments.items():
            bands = load_bands(block["filters"], f"survey/{name}/filters")
            table = build_table(spectra, bands, block["z_max"])
            group = file.create_group(name)
            for array in ARRAYS:
                group.create_dataset(array, data=getattr(table, array))
            group.attrs["bands"] = json.dumps(table.bands)
            group.attrs["filters"] = json.dumps(dict(block["filters"]))
            group.attrs["z_max"] = table.z_max
    return {name: len(block["filters"]) for name, block in instruments.items()}


def read_tables(path: Path, instruments: Mapping[str, Any]) -> dict[str, PhotometryTable]:
    """Return the tables of some instruments, exactly as they were built.

    Parameters
    ----------
    path
        A file of `write_tables`.
    instruments
        Name -> ``filters`` and ``z_max``, which must be those that the file was made from.

    Raises
    ------
    BadInput
        If the file is damaged, lacks an instrument, or was made from other filters.
    """
    try:
        with h5py.File(path, "r") as file:
            return {name: _read(path, file, name, block) for name, block in instruments.items()}
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        found = str(error).strip("'\"")
        raise BadInput(path, "file", "tables of photometry", found, HINT) from error


def _read(path: Path, file: h5py.File, name: str, block: Mapping[str, Any]) -> PhotometryTable:
    if name not in file:
        raise BadInput(path, name, "a group of this name", f"{', '.join(file)}", HINT)
    group = file[name]
    filters, z_max = json.loads(group.attrs["filters"]), float(group.attrs["z_max"])
    if filters != dict(block["filters"]) or list(filters) != list(block["filters"]):
        raise BadInput(path, f"{name}/filters", f"{dict(block['filters'])}", f"{filters}", HINT)
    if z_max < block["z_max"]:
        raise BadInput(path, f"{name}/z_max", f"at least {block['z_max']:g}", f"{z_max:g}", HINT)
    arrays = {array: np.asarray(group[array], dtype=np.float64) for array in ARRAYS}
    for array, values in arrays.items():
        if not np.isfinite(values).all():
            raise BadInput(path, f"{name}/{array}", "finite numbers", "others", HINT)
    return PhotometryTable(bands=tuple(json.loads(group.attrs["bands"])), z_max=z_max, **arrays)
