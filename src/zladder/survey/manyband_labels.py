"""Labels of the many-band catalogue: photometry, with and without shared noise, and its fits.

Nothing that is true of an object enters but through its observed fluxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.config.names import BLENDED_SHARE
from zladder.survey.manyband import (
    FAILED,
    fit_columns,
    passes_usual_cuts,
    photometry_columns,
)
from zladder.survey.manyband_camera import LIMIT_BAND, ManyBandCamera, with_shared_noise
from zladder.survey.observing import Seen
from zladder.survey.template_fit import RedshiftFit, fit_templates
from zladder.universe.noise import flux_njy, noise_njy, to_magnitudes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Photometry:
    """Observed fluxes and errors of N objects in B bands, nanojansky; NaN where masked."""

    flux: Array
    flux_error: Array

    def part(self, rows: NDArray[np.int64]) -> Photometry:
        """Return some rows."""
        return Photometry(self.flux[rows], self.flux_error[rows])


def observe_both(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    camera: ManyBandCamera,
    hsc: Seen,
    many: Seen,
) -> tuple[dict[bool, Photometry], Array]:
    """Return the photometry by whether its HSC bands share the wide survey's noise, and blends.

    Parameters
    ----------
    rng
        Source of the noise of further exposures, and of blends.
    settings
        Block ``manyband``: ``blend_share``.
    camera
        The many-band survey.
    hsc, many
        The same N objects as the wide and the many-band survey see them.

    Returns
    -------
    photometry
        {shares the noise: fluxes and errors}.
    blended
        Shape (N,): as of `blended_share`.
    """
    shared = many.flux.copy()
    shared[:, [band.column for band in camera.shared]] = with_shared_noise(rng, camera, hsc)
    added = blended_light(rng, settings, many)
    cases = {
        True: _calibrated(camera, shared + added),
        False: _calibrated(camera, many.flux + added),
    }
    return cases, blended_share(camera, many, added)


def blended_light(rng: np.random.Generator, settings: Mapping[str, Any], many: Seen) -> Array:
    """Return what unrelated neighbours add to the apertures, nanojansky, shape (N, B).

    The neighbour is another of the objects, of which any share of the light falls in. The wide
    survey's images, fitted with models, are taken as deblended.
    """
    n = len(many.ra)
    is_blend = rng.random(n) < settings["blend_share"]
    inside = rng.random(n) * is_blend
    return inside[:, None] * flux_njy(many.recorded[rng.permutation(n)])


def blended_share(camera: ManyBandCamera, many: Seen, added_njy: Array) -> Array:
    """Return the share of the aperture's light in `LIMIT_BAND` that is a neighbour's, shape (N,).

    Of the light that arrives, without noise: from 0 to 1.

    Parameters
    ----------
    camera
        The many-band survey.
    many
        N objects as it sees them.
    added_njy
        Shape (N, B): what `blended_light` returned.
    """
    column = camera.instrument.bands.index(LIMIT_BAND)
    added = added_njy[:, column]
    total = flux_njy(many.recorded[:, column]) + added
    return np.divide(added, total, out=np.zeros(len(total)), where=total > 0)


def _calibrated(camera: ManyBandCamera, flux: Array) -> Photometry:
    """Give fluxes their errors (from what was observed) and the errors of the zero points."""
    factor = 10 ** (-0.4 * camera.zero_point_error_mag)
    return Photometry(flux * factor, noise_njy(flux, camera.instrument.depth) * factor)


def masked_bands(
    rng: np.random.Generator, settings: Mapping[str, Any], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Tell which bands are lost near bright stars, shape (N, B)."""
    near_star = rng.random(shape[0]) < settings["masked_share"]
    return near_star[:, None] & (rng.random(shape) < settings["masked_band_share"])


def manyband_labels(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    camera: ManyBandCamera,
    hsc: Seen,
    many: Seen,
) -> pd.DataFrame:
    """Return the catalogue's columns, ``kept``, and the labels of the other noise; N rows.

    Parameters
    ----------
    rng
        Source of noise and masks.
    settings
        Block ``manyband``.
    camera, hsc, many
        As in `observe_both`.

    Returns
    -------
    labels
        Native columns; ``kept``: brighter than the limit (fainter ones are not fitted and have
        empty columns); ``other_lp_zPDF`` and ``other_passes``: the fit under the other setting
        of ``shares_hsc_noise``, and whether it passes the usual cuts; `BLENDED_SHARE`, for the
        truth alone.
    """
    cases, blended = observe_both(rng, settings, camera, hsc, many)
    masked = masked_bands(rng, settings, many.flux.shape)
    is_xray = rng.random(len(many.ra)) < settings["xray_share"]
    chosen, other = cases[settings["shares_hsc_noise"]], cases[not settings["shares_hsc_noise"]]
    limit_njy = flux_njy(np.array(settings["limit_i_mag"]))
    kept = chosen.flux[:, camera.instrument.bands.index(LIMIT_BAND)] > limit_njy
    rows = np.flatnonzero(kept)
    chosen, other = (
        Photometry(np.where(masked[rows], np.nan, part.flux), part.flux_error)
        for part in (chosen.part(rows), other.part(rows))
    )
    stored_ebv = many.stored_ebv_mag[rows]
    fits = [_fit(camera, part, stored_ebv, settings) for part in (chosen, other)]
    columns = [fit_columns(fit, is_xray[rows]) for fit in fits]
    bands = camera.instrument.bands
    magnitude = to_magnitudes(chosen.flux, chosen.flux_error)
    fluxes = (chosen.flux, chosen.flux_error)
    others = {
        "other_lp_zPDF": columns[1]["lp_zPDF"],
        "other_passes": passes_usual_cuts(columns[1]),
        BLENDED_SHARE: blended[rows],
    }
    parts = [photometry_columns(bands, fluxes, magnitude, stored_ebv), columns[0]]
    table = pd.concat([*parts, pd.DataFrame(others)], axis=1)
    return _for_all(table, rows, kept)


def _fit(
    camera: ManyBandCamera, observed: Photometry, stored_ebv: Array, settings: Mapping[str, Any]
) -> RedshiftFit:
    """Fit fluxes corrected for the listed Milky-Way dust."""
    bright = 10 ** (0.4 * stored_ebv[:, None] * camera.instrument.extinction_per_ebv)
    return fit_templates(
        camera.grid, observed.flux * bright, observed.flux_error * bright, settings
    )


def _for_all(table: pd.DataFrame, rows: NDArray[np.int64], kept: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the table of some rows with empty ones between: NaN, no flag, a failed fit."""
    whole: dict[str, NDArray] = {}
    for name in table:
        values = table[name].to_numpy()
        empty = np.nan if values.dtype.kind == "f" else FAILED if name == "lp_type" else 0
        whole[name] = np.full(len(kept), empty, dtype=values.dtype)
        whole[name][rows] = values
    return pd.DataFrame({**whole, "kept": kept})
