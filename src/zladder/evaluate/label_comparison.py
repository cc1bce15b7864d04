"""How good many-band labels are against the true redshift, with and without shared noise.

Labels whose photometry contains the exposures that a network sees have errors that go with its
inputs: a network can learn them. The table shows both cases of one sky.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.config.names import BLENDED_SHARE, INDEPENDENT, SHARED
from zladder.metrics.counts import counts
from zladder.metrics.point import point_metrics
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

METRICS = ("sigma_nmad", "bias_mean", "bias_median", "fout_15")
CASES = {True: SHARED, False: INDEPENDENT}
NOISE_PREFIX = "hsc_noise_"
BIN_ROWS = 200  # galaxies of like redshift, whose labels err alike with a band
MAX_BINS = 20
BLENDEDNESS_MAX = 0.42  # of a galaxy with light of its own, as the samples are cut
OUTLIER_DZ = 0.15  # beyond it an error has other reasons than the noise of one band

Array = NDArray[np.float64]


def compare_labels(
    catalogue: Path, photometry: Path, other_noise: Path, truth: Path, shares_hsc_noise: bool
) -> pd.DataFrame:
    """Return one row a case: ``shared`` and ``independent``.

    Parameters
    ----------
    catalogue
        The many-band catalogue, FITS: ``ID``, ``lp_zPDF``.
    photometry
        The HSC-like catalogue, CSV: ``object_id`` and its flags.
    other_noise
        Parquet: ``ID``, ``lp_zPDF``, ``usable`` and ``usable_listed`` (of the catalogue's own
        labels), and how far the inputs' fluxes are off in standard deviations.
    truth
        Parquet: ``cosmos_id``, ``object_id``, ``z_true``, NaN for stars, and `BLENDED_SHARE`.
    shares_hsc_noise
        Which case the catalogue is.

    Returns
    -------
    table
        ``case``, ``in_catalogue``, ``n`` (usable labels of galaxies that no flag of the photometry
        takes from a sample, `unflagged`), ``n_stars`` beside them, which have no redshift and count
        in no metric, the `METRICS`, what blends have to do with them (`of_blends`), and
        ``error_correlation`` (`error_correlation`).

    Raises
    ------
    BadInput
        If the files do not list the same objects.
    """
    labels = read_table(catalogue, "fits", ["ID", "lp_zPDF"])
    other = pd.read_parquet(other_noise)
    known = ["cosmos_id", "object_id", "z_true", BLENDED_SHARE]
    objects = pd.read_parquet(truth, columns=known)
    objects = objects[objects["cosmos_id"] > 0].rename(columns={"cosmos_id": "ID"})
    table = labels.merge(other, on="ID", suffixes=("", "_other")).merge(objects, on="ID")
    if not len(table) == len(labels) == len(other) == len(objects):
        expected = f"the {len(labels)} objects of {catalogue}"
        found = f"{len(table)} of them"
        raise BadInput(other_noise, "ID", expected, found, "run simulate_sky again")
    listed = read_table(photometry, "csv")
    whole = table["object_id"].isin(listed.loc[unflagged(listed), "object_id"])
    table = table[whole & (table["object_id"] >= 0)]
    rows = [
        _row(table, shares_hsc_noise, "lp_zPDF", "usable_listed", in_catalogue=True),
        _row(table, not shares_hsc_noise, "lp_zPDF_other", "usable", in_catalogue=False),
    ]
    return pd.DataFrame(sorted(rows, key=lambda row: row["case"], reverse=True))


def unflagged(photometry: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which objects of the HSC-like catalogue its flags leave in a sample, (n,).

    As `config/stages/catalogs.yaml` cuts: extended, with light of their own, apart from bright
    stars, and not the second listing of a galaxy.
    """
    masked = photometry.filter(regex="_pixelflags_").astype(bool).any(axis=1)
    whole = (photometry["i_extendedness_value"] == 1) & (
        photometry["i_blendedness_abs"] < BLENDEDNESS_MAX
    )
    return (whole & ~masked & photometry["isprimary"].astype(bool)).to_numpy()


def _row(
    table: pd.DataFrame, shared: bool, label: str, usable: str, *, in_catalogue: bool
) -> Mapping[str, Any]:
    used = table[table[usable]]
    galaxies = used[used["z_true"].notna()]
    z_label, z_true = (galaxies[name].to_numpy(np.float64) for name in (label, "z_true"))
    metrics = point_metrics(z_label, z_true)
    noise = galaxies.filter(regex=f"^{NOISE_PREFIX}").to_numpy(np.float64)
    return {
        "case": CASES[shared],
        "in_catalogue": in_catalogue,
        "n": counts(z_label, z_true)["n_used"],
        "n_stars": len(used) - len(galaxies),
        **{name: metrics[name] for name in METRICS},
        **of_blends(z_label, z_true, galaxies[BLENDED_SHARE].to_numpy(np.float64) > 0),
        "error_correlation": error_correlation(z_label, z_true, noise),
    }


def of_blends(z_label: Array, z_true: Array, blended: NDArray[np.bool_]) -> dict[str, float]:
    """Return how many outliers have a neighbour's light in the aperture.

    Parameters
    ----------
    z_label, z_true
        Shape (n,).
    blended
        Shape (n,): whether there is such light.

    Returns
    -------
    numbers
        ``blended``, the share of the galaxies that are blended; ``fout_15_unblended``, of the
        others; ``outliers_blended``, the share of the outliers that are blended. NaN without any.
    """
    outlier = np.abs(z_label - z_true) / (1 + z_true) > OUTLIER_DZ
    return {
        "blended": _share(blended),
        "fout_15_unblended": _share(outlier[~blended]),
        "outliers_blended": _share(blended[outlier]),
    }


def _share(told: NDArray[np.bool_]) -> float:
    return float(told.mean()) if len(told) else float("nan")


def error_correlation(z_label: Array, z_true: Array, noise: Array) -> float:
    """Return the multiple correlation of the labels' errors with the inputs' errors.

    Within bins of true redshift (which way a band pulls depends on it) the errors dz are fitted
    linearly in the bands' errors; the share of their variance that this explains, corrected for
    the freedom of the fit (adjusted R squared) and averaged over the bins, is R squared. Outliers
    are left out.

    Parameters
    ----------
    z_label, z_true
        Shape (n,).
    noise
        Shape (n, B): what each input is off, in standard deviations.

    Returns
    -------
    R
        From -1 to 1: 0 for independent errors, up to sampling (the sign is that of R squared);
        NaN for fewer galaxies than a bin holds.
    """
    dz = (z_label - z_true) / (1 + z_true)
    near = np.abs(dz) < OUTLIER_DZ
    shares, weights = [], []
    for rows in _bins(z_true[near]):
        share = _explained(dz[near][rows], noise[near][rows])
        shares.append(share)
        weights.append(len(rows))
    if not shares:
        return float("nan")
    explained = float(np.average(shares, weights=weights))
    return float(np.sign(explained) * np.sqrt(abs(explained)))


def _bins(z: Array) -> Iterator[NDArray[np.int64]]:
    n_bins = min(len(z) // BIN_ROWS, MAX_BINS)
    if n_bins:
        yield from np.array_split(np.argsort(z, kind="stable"), n_bins)


def _explained(dz: Array, noise: Array) -> float:
    """Return adjusted R squared of a linear fit with a constant."""
    n, n_terms = noise.shape
    design = np.column_stack([np.ones(n), noise])
    coefficients, *_ = np.linalg.lstsq(design, dz, rcond=None)
    left = np.var(dz - design @ coefficients) * n / (n - n_terms - 1)
    return float(1 - left / (np.var(dz) * n / (n - 1)))
