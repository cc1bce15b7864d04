"""The colour objective: an encoder's features must tell the catalogue's photometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from zladder.learning.inputs import input_matrix
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd


def photometry_targets(frame: pd.DataFrame, bands: Sequence[str], path: Path) -> torch.Tensor:
    """Return the r magnitude and the neighbouring colours of galaxies, standardised.

    Parameters
    ----------
    frame
        Rows of a dataset; their magnitudes are what the sample gives, so de-reddened ones if it
        says so.
    bands
        The B bands, blue to red; without an r the middle one stands for it.
    path
        The dataset, named in messages.

    Returns
    -------
    torch.Tensor
        float32, (N, B): mean 0 and variance 1 over the galaxies. NaN where a magnitude was not
        measured.

    Raises
    ------
    BadInput
        For a missing band, and for a magnitude or colour that no two galaxies have apart.
    """
    matrix = input_matrix(frame, {"bands": bands, "colours": True}, path).astype(np.float64)
    anchor = list(bands).index("r") if "r" in bands else len(bands) // 2
    columns = [anchor, *range(len(bands), 2 * len(bands) - 1)]
    values = np.where(np.isfinite(matrix), matrix, np.nan)[:, columns]
    for place, column in enumerate(values.T):
        if np.isfinite(column).sum() < 2 or np.nanstd(column) == 0:
            name = f"mag_{bands[anchor]}" if place == 0 else f"{bands[place - 1]}-{bands[place]}"
            hint = "take a recipe with colour_weight 0, or another sample"
            raise BadInput(path, name, "values that differ", "too few or none", hint)
    standard = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    return torch.from_numpy(standard.astype(np.float32))


def colour_loss(predicted: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return Huber's loss (delta one standard deviation) averaged over what was measured.

    The square alone would be ruled by the faint u magnitudes.
    """
    measured = torch.isfinite(targets)
    known = torch.where(measured, targets, predicted.detach())
    losses = torch.nn.functional.huber_loss(predicted, known, reduction="none")
    return losses.sum() / measured.sum().clamp(min=1)
