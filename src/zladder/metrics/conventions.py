"""Whose definition of bias, scatter and outlier a table prints first."""

from __future__ import annotations

from collections.abc import Iterable

from zladder.metrics.point import POINT_METRICS
from zladder.provenance.errors import BadInput, nearest_hint

CONVENTIONS: dict[str, tuple[str, ...]] = {
    # Schmidt, Malz et al. 2020 (PZDC1), RAIL, qp
    "dc1": ("bias_median", "sigma_iqr", "fout_dc1"),
    # Tanaka et al. 2018 and the UCLA group: biweight and "conventional" side by side
    "hsc": (
        "bias_biweight",
        "bias_median",
        "sigma_biweight",
        "sigma_nmad",
        "fout_bw2",
        "fout_15",
        "fcat_1",
        "loss_tanaka",
    ),
    # Pasquet et al. 2019, Hayat et al. 2021, Lin et al. 2022: 0.05 for SDSS, 0.15 for CFHTLS
    "sdss_cnn": ("bias_mean", "sigma_nmad", "fout_05", "fout_15"),
    "pita": ("bias_mean", "sigma_nmad", "fout_15"),
    # DMTN-049 has the opposite sign of dz and divides its scatter by 1 + z_phot: ids nearest to it
    "dmtn049": ("bias_mean", "std_dz", "fout_3sig", "fout_dc1", "fcat_1"),
    # LPM-17 names no estimator: rms and robust scatter are both shown
    "lsst": ("bias_mean", "bias_median", "rms_dz", "sigma_iqr", "fout_3sig", "fout_dc1"),
    "euclid": ("bias_mean", "std_dz", "fout_15"),
}
"""Convention to the ids of its family, in the order in which they are printed."""


def ordered_ids(convention: str, available: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the available ids, those of the convention's family first, the others after.

    Without ``available``: the ids of `POINT_METRICS`. Ids of the family that are not available
    (`fout_3sig` without uncertainties) are left out.

    Raises
    ------
    BadInput
        For a convention that does not exist.
    """
    if convention not in CONVENTIONS:
        raise BadInput(
            file="metrics",
            place="convention",
            expected=f"one of {', '.join(CONVENTIONS)}",
            found=repr(convention),
            hint=nearest_hint(convention, CONVENTIONS, "choose one of these"),
        )
    ids = tuple(POINT_METRICS if available is None else available)
    family = tuple(i for i in CONVENTIONS[convention] if i in ids)
    return family + tuple(i for i in ids if i not in family)
