"""The native tables: the columns, units and types of the real catalogues, and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray

from zladder.survey.manyband import PHOTOMETRY_UNITS
from zladder.universe.structure import Structure

HSC_ID_RANGE = (10**16, 10**17)  # 17 digits
SDSS_SPECTRUM_ID_RANGE = (3 * 10**17, 9 * 10**18)
SDSS_MISSING = -9999.0
NO_ID = -1

# what is written as CSV has the digits a catalogue would have
DECIMALS = {"ra": 7, "dec": 7, "specz_ra": 7, "specz_dec": 7, "z": 6, "zErr": 6}
OTHER_DECIMALS = 6
CAT_DECIMALS = {"x": 3, "y": 3, "ra": 7, "dec": 7, "r2": 3}  # of others, magnitudes: 4
CAT_UNITS = "x, y, r2: pixel (from 1; r2 holds half of the light); ra, dec: deg (ICRS); others: mag"
FORMATS = {
    "hsc": "csv",
    "galaxiesml": "csv",
    "cosmos": "fits",
    "cfhtls": "cat",
    "sdss": "csv",
    "sdss_deep": "csv",
    "scene": "parquet",
    "scene_cfhtls": "parquet",
    "scene_hsc": "parquet",
    "stamps_hsc": "parquet",
    "selection": "csv",
    "truth": "parquet",
    "dust": "parquet",
    "selection_photoz": "parquet",
    "cosmos_other_noise": "parquet",
}
FITS_UNITS = {"ALPHA_J2000": "deg", "DELTA_J2000": "deg", "EBV_MW": "mag"}
FITS_UCDS = {
    "ID": "meta.id;meta.main",
    "ALPHA_J2000": "pos.eq.ra;meta.main",
    "DELTA_J2000": "pos.eq.dec;meta.main",
    "lp_zPDF": "src.redshift.phot",
}

Array = NDArray[np.float64]


def hsc_table(
    ids: NDArray[np.int64],
    position: tuple[Array, Array],
    bands: Sequence[str],
    magnitude: tuple[Array, Array],
    extinction_mag: Array,
    psf_moment_arcsec2: Sequence[float],
) -> pd.DataFrame:
    """Return the HSC-like catalogue; magnitude and error (N, B), NaN where not detected.

    `psf_moment_arcsec2` (B,) is I_xx and I_yy of the point-spread function, which is round.
    """
    columns: dict[str, NDArray] = {"object_id": ids, "ra": position[0], "dec": position[1]}
    for index, band in enumerate(bands):
        columns[f"{band}_cmodel_mag"] = magnitude[0][:, index]
        columns[f"{band}_cmodel_magsigma"] = magnitude[1][:, index]
    for index, band in enumerate(bands):
        columns[f"a_{band}"] = extinction_mag[:, index]
    for band, moment in zip(bands, psf_moment_arcsec2, strict=True):
        for which, value in (("11", moment), ("22", moment), ("12", 0.0)):
            columns[f"{band}_sdssshape_psf_shape{which}"] = np.full(len(ids), value)
    return pd.DataFrame(columns)


def sdss_table(
    identity: pd.DataFrame,
    position: tuple[Array, Array],
    bands: Sequence[str],
    magnitude: tuple[Array, Array],
    extinction_mag: Array,
    redshift: tuple[Array, Array] | None,
) -> pd.DataFrame:
    """Return rows of PhotoObjAll, joined with SpecObjAll if there are redshifts.

    Parameters
    ----------
    identity
        The identifiers and the numbers of the field, N rows.
    position
        Right ascension and declination in degrees, shape (N,).
    bands, magnitude
        Magnitude and error, shape (N, B); not finite where missing, which becomes -9999.
    extinction_mag
        Shape (N, B).
    redshift
        Redshift and error, shape (N,), or None.
    """
    columns: dict[str, NDArray] = {"ra": position[0], "dec": position[1]}
    if redshift is not None:
        columns |= {"z": redshift[0], "zErr": redshift[1]}
        columns["zWarning"] = np.zeros(len(identity), dtype=np.int64)
    for index, band in enumerate(bands):
        for name, values in (("modelMag", magnitude[0]), ("modelMagErr", magnitude[1])):
            column = values[:, index]
            columns[f"{name}_{band}"] = np.where(np.isfinite(column), column, SDSS_MISSING)
    for index, band in enumerate(bands):
        columns[f"extinction_{band}"] = extinction_mag[:, index]
    return pd.concat([identity.reset_index(drop=True), pd.DataFrame(columns)], axis=1)


def structure_columns(structure: Structure) -> dict[str, Array]:
    """Return measured shapes under the names of SDSS's model fits (arcsec; no unit; no unit)."""
    return {
        "expRad_r": structure.radius_arcsec,
        "expAB_r": structure.axis_ratio,
        "fracDeV_r": structure.bulge_share,
    }


def shuffled(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in random order: the order must say nothing."""
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def write_native(tables: Mapping[str, pd.DataFrame], paths: Mapping[str, Path]) -> None:
    """Write each table in the format of its survey (`FORMATS`) to the path of the same name.

    Parameters
    ----------
    tables
        As `simulate.simulate_sky` returns them.
    paths
        Table name -> file; only these tables are written. Existing files are replaced. Callers
        who need whole files or none give temporary names.
    """
    for name, path in paths.items():
        table = tables[name]
        if FORMATS[name] == "csv":
            write_csv(table, path)
        elif FORMATS[name] == "fits":
            _write_fits(table, path)
        elif FORMATS[name] == "cat":
            _write_cat(table, path)
        else:
            table.to_parquet(path, index=False)


def _fits_unit(column: str) -> str | None:
    """Return the unit of a column of the many-band catalogue; None where it has none."""
    ending = next((end for end in PHOTOMETRY_UNITS if column.endswith(end)), None)
    return PHOTOMETRY_UNITS[ending] if ending else FITS_UNITS.get(column)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as text with the digits that a catalogue would have."""
    digits = {
        column: DECIMALS.get(column, OTHER_DECIMALS) for column in table.select_dtypes("float")
    }
    table.round(digits).to_csv(path, index=False)


def _write_fits(table: pd.DataFrame, path: Path) -> None:
    native = Table({name: table[name].to_numpy() for name in table})
    for name in native.colnames:
        native[name].unit = _fits_unit(name)
    native.meta["EXTNAME"] = "CATALOGUE"
    for number, name in enumerate(native.colnames, start=1):
        if name in FITS_UCDS:
            native.meta[f"TUCD{number}"] = FITS_UCDS[name]
    native.write(path, format="fits", overwrite=True)


def _write_cat(table: pd.DataFrame, path: Path) -> None:
    """Write a catalogue as text between blanks, its header behind `#`."""
    floats = table.select_dtypes("float")
    rounded = table.assign(
        **{name: floats[name].map(f"{{:.{CAT_DECIMALS.get(name, 4)}f}}".format) for name in floats}
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(f"# {CAT_UNITS}\n# {' '.join(table.columns)}\n")
        rounded.to_csv(file, sep=" ", header=False, index=False)
