"""One table in every format that zladder reads, and what refuses a file."""

from __future__ import annotations

import gzip

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


def text_rows(blank):
    rows = [
        f"{i}{blank}{c}{blank}{m}{blank}{n}"
        for i, c, m, n in zip(IDS, COLOUR, MAG, NAMES, strict=True)
    ]
    return "\n".join(rows) + "\n"


def write_csv(path):
    path.write_text("object_id,u-g,mag,name\n" + text_rows(","))


def write_whitespace(path):
    path.write_text("#object_id  u-g\tmag name \n" + text_rows("  "))


def write_gz(path):
    path.write_bytes(gzip.compress(("# object_id u-g mag name\n" + text_rows(" ")).encode()))


def astropy_table():
    return Table({"object_id": IDS, "u-g": COLOUR, "mag": MAG, "name": NAMES})


def write_fits(path):
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


def write_parquet(path):
    pq.write_table(
        pa.table({"object_id": IDS, "u-g": COLOUR, "mag": MAG, "name": NAMES, "list": [[1]] * 3}),
        path,
    )


def write_votable(path):
    from_table(astropy_table()).to_xml(str(path))


def fill_hdf5(group):
    group["object_id"] = IDS
    group["u-g"] = COLOUR.astype(">f8")
    group["mag"] = MAG[:, None]
    group["name"] = np.array(NAMES, dtype="S2")
    group["image"] = np.zeros((3, 5, 4, 4))


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        fill_hdf5(file)


def write_hdf5_group(path):
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


def failure(call, *args, **kwargs):
    with pytest.raises(BadInput) as caught:
        call(*args, **kwargs)
    return caught.value
