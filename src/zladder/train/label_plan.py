"""Which galaxies a head of classes learns from, and what the label of each is.

Widths and shifts of the labels (Lin et al. 2022, Step 3) follow from how the estimates of a Step 2
run scatter. They are taken from its predictions of the validation split: on the galaxies that it
was trained on they would scatter too little.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zladder.learning.classes import class_edges, class_index
from zladder.metrics.normal import NMAD_FACTOR
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table
from zladder.train.balance import Cells, balanced_rows, kept_shares
from zladder.train.class_labels import (
    centres_of_mass,
    fit_blur_bins,
    shifted_means,
    variance_bins,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

log = logging.getLogger("zladder")

# A wider blur than this many times the scatter of the estimates is an accident of a small sample,
# and over-corrects (measured on a mock sky: a fit 1.8 times the scatter turned the slope round).
BLUR_LIMIT_SCATTERS = 1.5


@dataclass(frozen=True)
class LabelPlan:
    """The labels of the galaxies that a head learns from.

    Attributes
    ----------
    kept
        bool (N,): which of the training galaxies these are, n of them.
    means_bins
        float64 (n,): centre of each one's label, as an index of the classes before extension.
    width_bins
        Gaussian width of all labels; 0 for hard ones.
    found
        What was found on the way, for the sidecar.
    """

    kept: NDArray[np.bool_]
    means_bins: NDArray[np.float64]
    width_bins: float
    found: dict[str, Any]


def plan_labels(
    card: Mapping[str, Any],
    train: pd.DataFrame,
    validation: pd.DataFrame,
    dataset: Path,
    labels_from: Path | None,
) -> LabelPlan:
    """Return the galaxies and the labels of a head's run card.

    Parameters
    ----------
    card
        `output`, `labels` (cell_limit, softened, shifted), `data`.
    train, validation
        Rows of the two splits: `object_id`, `z_true`, `mag_r` and `fraction_rank`.
    dataset
        Their file, named in messages.
    labels_from
        Predictions of a Step 2 run; needed for labels that are softened or shifted.

    Raises
    ------
    BadInput
        As `Cells.of` does; for predictions of other galaxies.
    """
    wanted, n_classes = card["labels"], card["output"]["bins"]
    cells = Cells.of(train, card["output"], dataset)
    rank = train["fraction_rank"].to_numpy(dtype=np.float64)
    kept = balanced_rows(cells.z_class, cells.r_bin, rank, wanted["cell_limit"])
    found: dict[str, Any] = {"n_kept": int(kept.sum()), "n_left_out": int((~kept).sum())}
    means = cells.z_class[kept].astype(np.float64)
    if not (wanted["softened"] or wanted["shifted"]):
        return LabelPlan(kept, means, 0.0, found)
    if labels_from is None:
        message = "softened or shifted labels need the predictions of a Step 2 run"
        raise ValueError(message)
    balanced = cells.counts(n_classes, kept)
    shares = kept_shares(cells.counts(n_classes, np.ones_like(kept)), balanced)
    estimates, found["n_without_estimate"] = _estimates(card, validation, labels_from)
    held_out = Cells.of(validation[estimates >= 0], card["output"], dataset)
    estimates = estimates[estimates >= 0]
    weights = shares[held_out.r_bin, held_out.z_class]
    blur, fit = _blur(estimates, held_out.z_class, weights, card["output"])
    variance = variance_bins(held_out.z_class, estimates, blur, n_classes)
    if wanted["shifted"]:
        centres = centres_of_mass(balanced, np.sqrt(variance + blur**2))
        means = shifted_means(centres)[cells.r_bin, cells.z_class][kept]
    return LabelPlan(kept, means, blur if wanted["softened"] else 0.0, found | fit)


def _blur(
    estimates: NDArray[np.int64],
    true: NDArray[np.int64],
    weights: NDArray[np.float64],
    output: Mapping[str, Any],
) -> tuple[float, dict[str, float]]:
    """Return (width s in bins, how it came about) from classes of validation galaxies, (n,).

    The weights make the sample as balanced as the one that the Step 2 run learned from: its
    estimates are collapsed with respect to that one. s is held below a limit.
    """
    n_classes = output["bins"]
    collapsed, truth = (
        np.bincount(classes, weights, minlength=n_classes).astype(np.float64)
        for classes in (estimates, true)
    )
    fitted = fit_blur_bins(collapsed, truth)
    offset = estimates - true
    limit = BLUR_LIMIT_SCATTERS * NMAD_FACTOR * np.median(np.abs(offset - np.median(offset)))
    blur = min(fitted, float(limit))
    width_z = (output["range_z"][1] - output["range_z"][0]) / n_classes
    log.info("labels blurred by %.2f bins (%.4f in redshift)", blur, blur * width_z)
    if fitted > limit:
        log.info(
            "the fit asked for %.2f bins, more than %g scatters of the estimates: too few galaxies"
            " (%d on validation)", fitted, BLUR_LIMIT_SCATTERS, len(true),
        )  # fmt: skip
    return blur, {"blur_bins": blur, "blur_fitted_bins": fitted, "blur_limit_bins": float(limit)}


def _estimates(
    card: Mapping[str, Any], validation: pd.DataFrame, labels_from: Path
) -> tuple[NDArray[np.int64], int]:
    """Return (class of each validation galaxy's mode, -1 without one; number of these)."""
    name = card["data"]["dataset"]
    frame = read_table(labels_from, columns=["dataset", "split", "object_id", "z_mode"])
    frame = frame[(frame["dataset"] == name) & (frame["split"] == "validation")]
    if not frame["object_id"].is_unique or set(frame["object_id"]) != set(validation["object_id"]):
        expected = f"the {len(validation)} validation galaxies of the dataset '{name}'"
        found = f"{len(frame)} rows, others or not all of them"
        hint = "predict the Step 2 run again, on the dataset that this run trains on"
        raise BadInput(labels_from, "column 'object_id'", expected, found, hint)
    modes = frame.set_index("object_id")["z_mode"].loc[validation["object_id"]]
    edges = class_edges(card["output"])
    classes, inside = class_index(modes.to_numpy(dtype=np.float64), edges)
    outside = ~inside & modes.notna().to_numpy()
    if outside.any():
        expected = f"modes in [{edges[0]:g}, {edges[-1]:g})"
        found = f"{int(outside.sum())} outside, the first is {modes.to_numpy()[outside][0]:g}"
        hint = "take labels_from a run with the same classes and no extension"
        raise BadInput(labels_from, "column 'z_mode'", expected, found, hint)
    if not inside.any():
        hint = "the Step 2 run answers for no galaxy: look at its predictions"
        raise BadInput(labels_from, "column 'z_mode'", "an estimate of a galaxy", "none", hint)
    return classes, int((classes < 0).sum())
