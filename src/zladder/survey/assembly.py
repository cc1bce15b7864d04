"""From what was seen to the rows of each catalogue, and to the truth about them.

Each function gives the rows in random order, and the identifiers in the order of what came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.config.imaging import RERUN
from zladder.config.names import BLENDED_SHARE
from zladder.survey.catalogues import (
    HSC_ID_RANGE,
    NO_ID,
    SDSS_MISSING,
    SDSS_SPECTRUM_ID_RANGE,
    hsc_table,
    sdss_table,
    shuffled,
    structure_columns,
)
from zladder.survey.geometry import displaced, distinct_ids, measured
from zladder.survey.manyband import passes_usual_cuts
from zladder.survey.observing import Seen
from zladder.survey.samples import Placed
from zladder.survey.sdss_flags import PHOTO_FLAGS
from zladder.survey.seeing import psf_moments_arcsec2
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument
from zladder.universe.noise import flux_njy, noise_njy
from zladder.universe.structure import Structure

SPECZ_NUMBER_RANGE = (10**8, 10**9)
NOT_LISTED = ("in_hsc", "in_all_bands", "kept", "usable", "other_lp_zPDF", "other_passes",
              "drawn_row", BLENDED_SHARE)  # fmt: skip

Ids = NDArray[np.int64]


def hsc_rows(
    seed: int, settings: Mapping[str, Any], hsc: Instrument, seen: Seen, flags: pd.DataFrame
) -> tuple[pd.DataFrame, Ids]:
    """Return the HSC-like catalogue of listed objects, with their flags as the last columns."""
    rng = generator(seed, "hsc rows")
    ids = distinct_ids(rng, len(seen.ra), *HSC_ID_RANGE)
    position = measured(rng, seen.ra, seen.dec, settings["hsc"]["position_error_arcsec"])
    extinction = seen.stored_ebv_mag[:, None] * hsc.extinction_per_ebv
    moments = psf_moments_arcsec2(settings["hsc_images"], hsc.bands)
    table = hsc_table(ids, position, hsc.bands, seen.observed(), extinction, moments)
    return shuffled(rng, pd.concat([table, flags], axis=1)), ids


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
    table = labels.drop(columns=list(NOT_LISTED))
    table.insert(0, "ID", ids)
    table.insert(1, "ALPHA_J2000", ra)
    table.insert(2, "DELTA_J2000", dec)
    return table.sort_values("ID", ignore_index=True), ids


def other_noise_rows(hsc: Instrument, seen: Seen, labels: pd.DataFrame, ids: Ids) -> pd.DataFrame:
    """Return the labels of the COSMOS-like catalogue under the other setting of shared noise.

    Returns
    -------
    rows
        ``ID``, ``lp_zPDF``, ``usable`` (listed in all HSC bands, passes the usual cuts),
        ``usable_listed``: the same of the catalogue's own label, and ``hsc_noise_{band}``: how
        far the HSC-like survey's flux is off, in standard deviations.
    """
    in_all_bands = labels["in_all_bands"]
    columns: dict[str, Any] = {
        "ID": ids,
        "lp_zPDF": labels["other_lp_zPDF"].to_numpy(),
        "usable": (labels["other_passes"] & in_all_bands).to_numpy(),
        "usable_listed": passes_usual_cuts(labels) & in_all_bands.to_numpy(),
    }
    true_flux = flux_njy(seen.recorded)
    off = (seen.flux - true_flux) / noise_njy(true_flux, hsc.depth)
    columns |= {f"hsc_noise_{band}": off[:, k] for k, band in enumerate(hsc.bands)}
    return pd.DataFrame(columns).sort_values("ID", ignore_index=True)


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


def selection_rows(deep: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """Return the area that each spectroscopic programme searched, as if all of it were wide.

    In the deep field a programme takes what it finds up to a number, of the same galaxies: that
    counts as so much more area of the wide field as it gives more galaxies.

    Parameters
    ----------
    deep, wide
        Labels of both fields: ``programme``, and of the wide one ``searched_deg2``.
    """
    area = wide.groupby("programme")["searched_deg2"].max()
    share = deep["programme"].value_counts() / wide["programme"].value_counts()
    searched = area * (1 + share.reindex(area.index).fillna(0.0))
    return pd.DataFrame({"programme": area.index.astype(str), "area_deg2": searched.to_numpy()})


def listed_rows(
    rng: np.random.Generator,
    block: Mapping[str, Any],
    sdss: Instrument,
    placed: Placed,
    numbers: pd.DataFrame,
    structure: Structure,
    has_redshift: bool,
) -> tuple[pd.DataFrame, Ids]:
    """Return an SDSS-like catalogue, here and there without one band.

    Parameters
    ----------
    rng
        Source of identifiers, order and errors of position.
    block
        The settings of the SDSS-like survey.
    sdss
        Its bands.
    placed, numbers
        The galaxies, and the run, camcol and field of each.
    structure
        Their measured shapes.
    has_redshift
        Whether the catalogue is joined with the spectroscopic one.
    """
    seen, n = placed.seen, len(numbers)
    ids = object_ids(rng, numbers)
    identity = numbers.assign(objID=ids, rerun=RERUN)
    names = ["objID", "run", "rerun", "camcol", "field", *PHOTO_FLAGS]
    flags = list(PHOTO_FLAGS)
    redshift = None
    if has_redshift:
        identity["specObjID"] = distinct_ids(rng, n, *SDSS_SPECTRUM_ID_RANGE).astype(np.uint64)
        names.insert(1, "specObjID")
        names.append("class")
        flags.append("class")
        z_error = block["redshift_scatter"] * np.exp(0.3 * rng.normal(size=n))
        redshift = placed.labels["z"].to_numpy(), z_error
    identity[flags] = placed.labels[flags]
    position = measured(rng, seen.ra, seen.dec, block["position_error_arcsec"])
    magnitude, error = seen.observed()
    lost = placed.labels["lost_band"].to_numpy()
    rows = np.flatnonzero(lost >= 0)
    magnitude[rows, lost[rows]] = error[rows, lost[rows]] = SDSS_MISSING
    extinction = seen.stored_ebv_mag[:, None] * sdss.extinction_per_ebv
    photometry = (magnitude, error), extinction
    table = sdss_table(identity[names], position, sdss.bands, *photometry, redshift)
    if has_redshift:
        table["zWarning"] = placed.labels["zWarning"].to_numpy()
    table = table.assign(**structure_columns(structure))
    return shuffled(rng, table), ids


def object_ids(rng: np.random.Generator, numbers: pd.DataFrame) -> Ids:
    """Return SDSS's object identifiers: run, camcol, field and a number within it, as bits.

    Sky version 2 in bits 59-62, rerun in 48-58, run in 32-47, camcol in 29-31, field in 16-27,
    and in the lowest 16 the object's number, given in random order.
    """
    order = rng.permutation(len(numbers))
    counted = numbers.iloc[order].groupby(["run", "camcol", "field"]).cumcount()
    within = counted.sort_index().to_numpy() + 1
    run, camcol, field = (numbers[name].to_numpy() for name in ("run", "camcol", "field"))
    return (2 << 59) | (RERUN << 48) | (run << 32) | (camcol << 29) | (field << 16) | within


def truth_rows(seen: Seen, survey: str, bands: Sequence[str]) -> pd.DataFrame:
    """Return what is true of each object: magnitudes without Milky-Way dust, NaN for stars.

    ``contaminant`` is empty for galaxies as they should be. ``blended_with`` is the row of this
    table with the galaxy whose light is in the listed flux, ``duplicate_of`` the identifier
    under which the galaxy is listed first; -1 where there is none. The identifiers say "in no
    catalogue" (-1, or an empty name) and the numbers of the field "in none" (-1) until they are
    filled in, as is `BLENDED_SHARE`: NaN where the many-band survey measured nothing.
    """
    galaxies = seen.galaxies
    columns: dict[str, Any] = {
        "ra": seen.ra,
        "dec": seen.dec,
        "is_star": np.isnan(galaxies.z),
        "contaminant": np.where(np.isnan(galaxies.z), "star", ""),
        "blended_with": NO_ID,
        "duplicate_of": NO_ID,
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
    columns |= {"cfhtls_id": NO_ID, BLENDED_SHARE: np.nan}
    columns |= {"run": NO_ID, "camcol": NO_ID, "field": NO_ID}
    columns |= {f"mag_{survey}_{band}": seen.magnitude[:, k] for k, band in enumerate(bands)}
    return pd.DataFrame(columns)


def join_truth(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return several truths as one, in order; ``blended_with`` counts its rows."""
    first = np.cumsum([0, *(len(part) for part in parts[:-1])])
    moved = [
        part.assign(
            blended_with=part["blended_with"].where(
                part["blended_with"] < 0, row + part["blended_with"]
            )
        )
        for row, part in zip(first, parts, strict=True)
    ]
    return pd.concat(moved, ignore_index=True)
