"""Which table format a file name's suffix stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = {
    "csv": (".csv", ".csv.gz"),
    "whitespace": (".txt", ".dat", ".train", ".test", ".txt.gz", ".dat.gz"),
    "fits": (".fits", ".fit", ".fits.gz"),
    "parquet": (".parquet", ".pq"),
    "votable": (".vot", ".votable", ".xml"),
    "hdf5": (".h5", ".hdf5"),
}


def format_of(path: Path) -> str:
    """Return the format that a file name's suffix stands for."""
    for kind, suffixes in SUFFIXES.items():
        if path.name.lower().endswith(suffixes):
            return kind
    known = ", ".join(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
    raise BadInput(path, "suffix", f"one of {known}", f"'{path.suffix}'",
                   f"declare the format: one of {', '.join(SUFFIXES)}")  # fmt: skip
