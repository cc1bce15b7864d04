"""Predictions for cutouts of one's own, block by block: no more pixels in memory than a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from zladder.evaluate.predict_classes import point_estimates
from zladder.evaluate.predict_features import redshift_table
from zladder.learning.images import resident
from zladder.learning.pixels import dereddening
from zladder.learning.stamps import Stamps
from zladder.pdf.pdf_file import ClassPdfs
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from zladder.evaluate.trained_pixels import PixelRun
    from zladder.tables.cutouts import Cutouts

_SCALE_TOLERANCE = 0.01  # as between the chips of a camera, and between two projections


def predict_cutouts(
    cutouts: Cutouts, run: PixelRun, tell: Callable[[int, int], None]
) -> tuple[pd.DataFrame, ClassPdfs | None]:
    """Return (predictions, densities of a classifier or None) for every cutout, none left out.

    The centre is cut out and de-reddened. A galaxy has no answer where a pixel of its centre or an
    extinction is not finite, or a band's centre is 0 everywhere (it was not observed).

    Parameters
    ----------
    cutouts
        Of N galaxies.
    run
        Its `inputs` say bands and crop.
    tell
        Called after every block with the number of galaxies done, and of all.

    Raises
    ------
    BadInput
        A band that is missing, cutouts smaller than the crop, extinctions that nobody knows.
    """
    require_fit(cutouts, run)
    crop, n = run.inputs["crop_pixels"], len(cutouts.objects)
    extinction = known_extinction(cutouts, run)
    answers: np.ndarray | None = None
    done = 0
    for flux in cutouts.blocks(run.inputs["bands"], crop):
        rows = slice(done, done + len(flux))
        found = _answers(flux, extinction[rows], run, cutouts.path)
        if answers is None:
            answers = np.full((n, *found.shape[1:]), np.nan, dtype=found.dtype)
        answers[rows] = found
        done += len(flux)
        tell(done, n)
    if answers is None:
        raise BadInput(cutouts.path, "cutouts", "at least one galaxy", "none", "add cutouts")
    return _tables(cutouts, run, answers)


def require_fit(cutouts: Cutouts, run: PixelRun) -> None:
    """Refuse cutouts that lack a band of the run, or are smaller than what it sees.

    Raises
    ------
    BadInput
        Naming what is missing.
    """
    bands, crop = run.inputs["bands"], run.inputs["crop_pixels"]
    missing = [band for band in bands if band not in cutouts.bands]
    if missing:
        found = f"{', '.join(cutouts.bands)} (no {', '.join(missing)})"
        hint = "take a run that was trained on these bands, or name the planes by --bands"
        raise BadInput(cutouts.path, "bands", f"the run's {', '.join(bands)}", found, hint)
    if min(cutouts.sides) < crop:
        found = f"{cutouts.sides[0]} x {cutouts.sides[1]} pixels"
        hint = "cut larger ones: a network knows the sky around a galaxy too"
        expected = f"at least {crop} x {crop} pixels, what the run sees"
        raise BadInput(cutouts.path, "size of the cutouts", expected, found, hint)


def require_scale(cutouts: Cutouts, trained_arcsec: float) -> None:
    """Refuse cutouts whose pixels are of another width than those that a run was trained on.

    Raises
    ------
    BadInput
        Also where the cutouts do not tell the width.
    """
    found = cutouts.pixel_scale_arcsec
    if found is None or abs(found / trained_arcsec - 1.0) > _SCALE_TOLERANCE:
        told = "nothing that tells it" if found is None else f"{found:.4g} arcsec"
        hint = "give --pixel-scale ARCSEC" if found is None else "resample the cutouts"
        expected = f"{trained_arcsec:g} arcsec, as the run was trained on"
        raise BadInput(cutouts.path, "width of a pixel", expected, told, hint)


def known_extinction(cutouts: Cutouts, run: PixelRun) -> np.ndarray:
    """Return the Galactic extinctions of the run's bands in mag, float32 (N, B).

    R_b E with the run's own R_b where E(B-V) is known (Hayat et al. 2021, ApJL 911, L33), else the
    cutouts' extinctions as they are.

    Raises
    ------
    BadInput
        If neither is known: networks see de-reddened pixels.
    """
    bands = run.inputs["bands"]
    if cutouts.ebv_mag is not None:
        per_ebv = np.array([run.inputs["extinction_per_ebv"][band] for band in bands])
        return np.asarray(cutouts.ebv_mag[:, None] * per_ebv, dtype=np.float32)
    if cutouts.extinction_mag is None:
        expected = "the Galactic extinction: the run was trained on dereddened pixels"
        hint = "give --ebv NAME (a column or keyword) or a number; 0 where they are corrected"
        raise BadInput(cutouts.path, "extinction", expected, "none", hint)
    places = [cutouts.bands.index(band) for band in bands]
    return cutouts.extinction_mag[:, places].astype(np.float32)


def _answers(flux: np.ndarray, extinction: np.ndarray, run: PixelRun, path: Path) -> np.ndarray:
    """Return redshifts (n,) or odds (n, classes) of a block (n, B, S, S); NaN without an answer."""
    pixels = flux.reshape(*flux.shape[:2], -1)
    usable = np.isfinite(pixels.sum(axis=2)) & np.isfinite(extinction) & pixels.any(axis=2)
    rows = np.flatnonzero(usable.all(axis=1))
    shape = () if run.edges is None else (len(run.edges) - 1,)
    if not len(rows):
        return np.full((len(flux), *shape), np.nan)
    stamps = Stamps(torch.from_numpy(flux[rows]), dereddening(torch.from_numpy(extinction[rows])))
    images = resident(stamps, flux.shape[-1], path, with_sky=False)
    found = run.answer(images)
    answers = np.full((len(flux), *shape), np.nan, dtype=found.dtype)
    answers[rows] = found
    return answers


def _tables(
    cutouts: Cutouts, run: PixelRun, answers: np.ndarray
) -> tuple[pd.DataFrame, ClassPdfs | None]:
    """Return (predictions, densities) from the answers (N,) or (N, classes) of all galaxies."""
    objects, pdfs, others = cutouts.objects, None, None
    z_phot = answers
    if run.edges is not None:
        z_phot, others = point_estimates(run.edges, answers, run.card["output"])
        pmf = answers.astype(np.float32)
        pdfs = ClassPdfs(objects["object_id"].to_numpy(), run.edges, pmf)
    table = redshift_table(objects, z_phot, run.card, run.reference, others)
    if "file" in objects:
        table.insert(1, "file", objects["file"].to_numpy())
    return table, pdfs
