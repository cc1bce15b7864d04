"""One table in every format that zladder reads, and what refuses a file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import Table

from zladder.provenance.errors import BadInput

BIG = 2**60 + 1  # a float64 would make it 2**60
IDS = np.array([BIG, BIG + 1, 17], dtype=np.int64)
COLOUR = np.array([1.5, -0.25, np.nan])
MAG = np.array([17.25, 18.5, 19.0], dtype=np.float32)
NAMES = ["a", "bb", "c"]


def text_rows(blank: str) -> str:
    """Return the three rows, values separated by `blank`."""
    rows = [
        f"{i}{blank}{c}{blank}{m}{blank}{n}"
        for i, c, m, n in zip(IDS, COLOUR, MAG, NAMES, strict=True)
    ]
    return "\n".join(rows) + "\n"


def write_csv(path: Path) -> None:
    """Write the table as CSV."""
    path.write_text("object_id,u-g,mag,name\n" + text_rows(","))


def write_whitespace(path: Path) -> None:
    """Write the table as text with blanks and a tab between values."""
    path.write_text("#object_id  u-g\tmag name \n" + text_rows("  "))


def write_gz(path: Path) -> None:
    """Write the table as compressed text with its header in a comment."""
    path.write_bytes(gzip.compress(("# object_id u-g mag name\n" + text_rows(" ")).encode()))


def astropy_table() -> Table:
    """Return the table as astropy holds it."""
    return Table({"object_id": IDS, "u-g": COLOUR, "mag": MAG, "name": NAMES})


def write_fits(path: Path) -> None:
    """Write the table as the second extension of a FITS file, with a column of vectors."""
    # An unknown unit makes astropy warn; that is no fault of the values.
    table = astropy_table()
    columns = fits.ColDefs(
        [
            fits.Column("object_id", "K", array=table["object_id"]),
            fits.Column("u-g", "D", array=table["u-g"], unit="magnitudes of sorts"),
            fits.Column("mag", "E", array=table["mag"]),
            fits.Column("name", "2A", array=NAMES),
            fits.Column("apertures", "3E", array=np.zeros((3, 3))),
        ]
    )
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(np.zeros((4, 4))),
        fits.BinTableHDU.from_columns(columns),
    ]
    fits.HDUList(hdus).writeto(path)


def write_parquet(path: Path) -> None:
    """Write the table as Parquet, with a column of lists."""
    pq.write_table(
        pa.table({"object_id": IDS, "u-g": COLOUR, "mag": MAG, "name": NAMES, "list": [[1]] * 3}),
        path,
    )


def write_votable(path: Path) -> None:
    """Write the table as a VOTable."""
    from_table(astropy_table()).to_xml(str(path))


def fill_hdf5(group: h5py.Group) -> None:
    """Make a dataset of each column, one of other byte order, one (N, 1), and one of images."""
    group["object_id"] = IDS
    group["u-g"] = COLOUR.astype(">f8")
    group["mag"] = MAG[:, None]
    group["name"] = np.array(NAMES, dtype="S2")
    group["image"] = np.zeros((3, 5, 4, 4))


def write_hdf5(path: Path) -> None:
    """Write the table as datasets in the root of an HDF5 file."""
    with h5py.File(path, "w") as file:
        fill_hdf5(file)


def write_hdf5_group(path: Path) -> None:
    """Write the table as datasets in the only group of an HDF5 file."""
    with h5py.File(path, "w") as file:
        fill_hdf5(file.create_group("photometry"))


WRITERS = {
    "t.csv": write_csv,
    "t.txt": write_whitespace,
    "t.train": write_whitespace,
    "t.dat.gz": write_gz,
    "t.fits": write_fits,
    "t.fits.gz": write_fits,
    "t.parquet": write_parquet,
    "t.vot": write_votable,
    "t.h5": write_hdf5,
    "t.hdf5": write_hdf5_group,
}


def failure(call: Callable[..., object], *args: Any, **kwargs: Any) -> BadInput:
    """Return what the call refuses its input with."""
    with pytest.raises(BadInput) as caught:
        call(*args, **kwargs)
    return caught.value
