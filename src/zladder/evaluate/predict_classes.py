"""Predictions of classifiers: the odds of redshift classes, and the point estimates from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.evaluate.asked import asked_galaxies, whole_table
from zladder.evaluate.predict_features import head_odds, redshift_table
from zladder.evaluate.trained import read_card
from zladder.learning.extended import extended_edges
from zladder.pdf.estimates import class_mean, z_mode
from zladder.pdf.grid import class_cdf, class_centres, quantile
from zladder.pdf.pdf_file import ClassPdfs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.evaluate.asked import Asked

POINT = "mode"  # Lin et al. 2022; a card may name another in `output.point`


def predict_classes(
    datasets: Sequence[Path],
    trained_on: Sequence[Path],
    card_file: Path,
    odds_of: Callable[[Asked], np.ndarray],
) -> tuple[pd.DataFrame, ClassPdfs, dict[str, dict[str, int]]]:
    """Return (predictions, their densities row by row, counts) of a classifier.

    Parameters
    ----------
    datasets, trained_on
        What is asked for, and what the run and its parents have seen.
    card_file
        Card file of the run.
    odds_of
        Gives the probability of each class, float (n, classes), for what is asked; a row of NaN
        where there is no answer.

    Raises
    ------
    BadInput
        For a test galaxy that was seen, an unusable card, and what `odds_of` raises.
    """
    card, reference = read_card(card_file)
    edges = extended_edges(card["output"])
    asked = asked_galaxies(datasets, trained_on)
    odds = [odds_of(part) for part in asked]
    tables = []
    for part, probabilities in zip(asked, odds, strict=True):
        z_phot, estimates = point_estimates(edges, probabilities, card["output"])
        tables.append(redshift_table(part.frame, z_phot, card, reference, estimates))
    table, counts = whole_table(asked, tables)
    pmf = np.concatenate(odds).astype(np.float32)
    return table, ClassPdfs(table["object_id"].to_numpy(), edges, pmf), counts


def class_odds(
    model: Path,
    features: Path | None,
    stamps: Sequence[Path],
    threads: int,
    device: str,
    part: Asked,
) -> np.ndarray:
    """Return a classifier's odds for what is asked, float (n, classes).

    A head answers from cached features; without them it is a network on images, which takes so
    many threads and is on `device` (`answering_device`).

    Raises
    ------
    BadInput
        As `head_odds` and `zladder.evaluate.predict_images.image_odds` do.
    """
    if features:
        return head_odds(model, features, part.frame["object_id"].to_numpy())
    # Heads do without torch, and there are more of them.
    from zladder.evaluate.predict_images import image_odds

    return image_odds(model, stamps, threads, device, part)


def answering_device(features: Path | None) -> str:
    """Return where a classifier answers: one on features on the CPU, a network on the best."""
    if features:
        return "cpu"
    from zladder.learning.device import best_device  # torch, as above

    return str(best_device())


def point_estimates(
    edges: np.ndarray, pmf: np.ndarray, output: Mapping[str, Any]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return (z_phot, {z_mode, z_mean, z_median}), float64 (n,); NaN for a row of NaN.

    z_phot is the one that the card's `output.point` names. Classes stand for their centres, the
    median is linear within a class.

    Parameters
    ----------
    edges
        Shape (classes + 1,).
    pmf
        Shape (n, classes), rows sum to 1 or are NaN.
    output
        `output` of the run card.
    """
    answered = np.isfinite(pmf).all(axis=1)
    given = pmf[answered].astype(np.float64)
    values = {
        "z_mode": z_mode(class_centres(edges), given),
        "z_mean": class_mean(edges, given),
        "z_median": quantile(edges, class_cdf(given), 0.5),
    }
    whole = {name: np.full(len(pmf), np.nan) for name in values}
    for name, column in values.items():
        whole[name][answered] = column
    return whole[f"z_{output.get('point', POINT)}"], whole
