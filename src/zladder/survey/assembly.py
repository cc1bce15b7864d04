"""From what was seen to the rows of each catalogue, and to the truth about them.

Each function gives the rows in random order, and the identifiers in the order of what came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.survey.catalogues import (
    HSC_ID_RANGE,
    NO_ID,
    SDSS_MISSING,
    SDSS_OBJECT_ID_RANGE,
    SDSS_SPECTRUM_ID_RANGE,
    hsc_table,
    sdss_table,
    shuffled,
)
from zladder.survey.geometry import displaced, distinct_ids, measured
from zladder.survey.observing import Instrument, Seen
from zladder.survey.streams import generator

SPECZ_NUMBER_RANGE = (10**8, 10**9)
NOT_LP_COLUMNS = ("in_hsc", "in_all_bands", "kept", "usable")

Ids = NDArray[np.int64]


def hsc_rows(
    seed: int, settings: Mapping[str, Any], hsc: Instrument, seen: Seen
) -> tuple[pd.DataFrame, Ids]:
    """Return the HSC-like catalogue of listed objects."""
    rng = generator(seed, "hsc rows")
    ids = distinct_ids(rng, len(seen.ra), *HSC_ID_RANGE)
    position = measured(rng, seen.ra, seen.dec, settings["hsc"]["position_error_arcsec"])
    extinction = seen.stored_ebv_mag[:, None] * hsc.extinction_per_ebv
    table = hsc_table(ids, position, hsc.bands, seen.observed(), extinction)
    return shuffled(rng, table), ids


def cosmos_rows(
    seed: int, settings: Mapping[str, Any], seen: Seen, labels: pd.DataFrame
) -> tuple[pd.DataFrame, Ids]:
    """Return the COSMOS-like catalogue, numbered in its (random) order from 1."""
    rng = generator(seed, "cosmos rows")
    block = settings["manyband"]
    east, north = block["position_offset_arcsec"]
    moved = displaced(seen.ra, seen.dec, east, north)
    ra, dec = measured(rng, *moved, block["position_error_arcsec"])
    ids = (1 + rng.permutation(len(seen.ra))).astype(np.int64)
    table = labels.drop(columns=list(NOT_LP_COLUMNS))
    table.insert(0, "ID", ids)
    table.insert(1, "ALPHA_J2000", ra)
    table.insert(2, "DELTA_J2000", dec)
    return table.sort_values("ID", ignore_index=True), ids


def specz_rows(
    seed: int, settings: Mapping[str, Any], seen: Seen, labels: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Return the list of spectroscopic redshifts; names do not tell the programme."""
    rng = generator(seed, "specz rows")
    error_arcsec = settings["spectroscopy"]["position_error_arcsec"]
    ra, dec = measured(rng, seen.ra, seen.dec, error_arcsec)
    names = [f"SPEC-{number}" for number in distinct_ids(rng, len(seen.ra), *SPECZ_NUMBER_RANGE)]
    columns = ["specz_redshift", "specz_redshift_err", "specz_flag_homogeneous"]
    table = pd.DataFrame({"specz_name": names, "specz_ra": ra, "specz_dec": dec})
    table[columns] = labels[columns].to_numpy()
    table = table.astype({"specz_redshift": float, "specz_redshift_err": float, columns[2]: bool})
    return shuffled(rng, table), names


def main_rows(
    seed: int, settings: Mapping[str, Any], sdss: Instrument, seen: Seen, labels: pd.DataFrame
) -> tuple[pd.DataFrame, Ids]:
    """Return the SDSS-like main sample, here and there without one band."""
    rng = generator(seed, "main rows")
    block, n = settings["sdss"], len(seen.ra)
    ids = distinct_ids(rng, n, *SDSS_OBJECT_ID_RANGE)
    spectrum_ids = distinct_ids(rng, n, *SDSS_SPECTRUM_ID_RANGE)
    position = measured(rng, seen.ra, seen.dec, block["position_error_arcsec"])
    magnitude, error = seen.observed()
    lost = labels["lost_band"].to_numpy()
    rows = np.flatnonzero(lost >= 0)
    magnitude[rows, lost[rows]] = error[rows, lost[rows]] = SDSS_MISSING
    z_error = block["redshift_scatter"] * np.exp(0.3 * rng.normal(size=n))
    extinction = seen.stored_ebv_mag[:, None] * sdss.extinction_per_ebv
    redshift = labels["z"].to_numpy(), z_error
    table = sdss_table(
        (ids, spectrum_ids), position, sdss.bands, (magnitude, error), extinction, redshift
    )
    return shuffled(rng, table), ids


def truth_rows(seen: Seen, survey: str, bands: Sequence[str]) -> pd.DataFrame:
    """Return what is true of each object: magnitudes without Milky-Way dust, NaN for stars.

    The identifiers say "in no catalogue" (-1, or an empty name) until they are filled in.
    """
    galaxies = seen.galaxies
    columns: dict[str, Any] = {
        "ra": seen.ra,
        "dec": seen.dec,
        "is_star": np.isnan(galaxies.z),
        "z_true": galaxies.z,
        "abs_mag_r": galaxies.abs_mag_r,
        "is_early": galaxies.is_early,
        "sed_type": galaxies.sed_type,
        "ebv_internal_mag": galaxies.ebv_internal_mag,
        "structure": galaxies.structure,
        "cos_inclination": galaxies.cos_inclination,
        "ebv_mag": seen.ebv_mag,
    }
    columns |= {f"sed_mode_{k + 1}": galaxies.sed_modes[:, k] for k in range(3)}
    columns |= {"object_id": NO_ID, "cosmos_id": NO_ID, "objID": NO_ID, "specz_name": ""}
    columns |= {f"mag_{survey}_{band}": seen.magnitude[:, k] for k, band in enumerate(bands)}
    return pd.DataFrame(columns)
