"""Predictions of probes and heads: linear models on cached features. No more than numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.evaluate.asked import asked_galaxies, whole_table
from zladder.evaluate.flags import image_flags
from zladder.evaluate.output_table import in_schema, known_bands
from zladder.evaluate.trained import read_card
from zladder.learning.features import read_features
from zladder.learning.linear import linear_answer, load_linear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.learning.linear import Arrays


def predict_probe(
    datasets: Sequence[Path], trained_on: Sequence[Path], features: Path, run: tuple[Path, Path]
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Return (predictions, counts) of a linear probe for all galaxies outside training splits.

    Parameters
    ----------
    datasets, trained_on
        What is asked for, and what the run and its parents have seen.
    features
        The features of the datasets' images by the probe's encoder.
    run
        Model file and card file of the probe.

    Raises
    ------
    BadInput
        For a test galaxy that was seen, galaxies without features, an unusable run.
    """
    arrays, _card = load_linear(run[0])
    card, reference = read_card(run[1])
    asked = asked_galaxies(datasets, trained_on)
    tables = []
    for part in asked:
        answers = feature_answers(arrays, features, part.frame["object_id"].to_numpy())
        tables.append(redshift_table(part.frame, answers[:, 0], card, reference))
    return whole_table(asked, tables)


def head_odds(model: Path, features: Path, object_id: np.ndarray) -> np.ndarray:
    """Return what a head of classes says of galaxies (n,): float64 (n, classes), rows sum to 1.

    A row is NaN where the features are not finite.

    Raises
    ------
    BadInput
        For galaxies without features, and an unusable model.
    """
    arrays, _card = load_linear(model)
    logits = feature_answers(arrays, features, object_id)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def feature_answers(arrays: Arrays, features: Path, object_id: np.ndarray) -> np.ndarray:
    """Return a linear model's answers for galaxies (n,), float64 (n, K); NaN without features.

    Raises
    ------
    BadInput
        For galaxies that the file of features does not hold.
    """
    values = read_features(features, object_id)
    finite = np.isfinite(values).all(axis=1)
    answers = np.full((len(values), len(arrays["bias"])), np.nan)
    answers[finite] = linear_answer(arrays, values[finite])
    return answers


def redshift_table(
    frame: pd.DataFrame,
    z_phot: np.ndarray,
    card: Mapping[str, Any],
    reference: Mapping[str, Any],
    others: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return the schema's columns for the answers of a run that sees no magnitudes.

    Parameters
    ----------
    frame
        The galaxies, N rows of standard columns.
    z_phot
        Shape (N,), NaN where there is no answer; `flags` then say so.
    card, reference
        Of the run.
    others
        Further columns that the model gives (`z_mode`, ...), each (N,).
    """
    bands = known_bands(frame)
    flags = image_flags(frame, z_phot, bands, card, reference)
    redshifts = {"z_phot": z_phot, **(others or {})}
    found = {name: values.astype(np.float32) for name, values in redshifts.items()}
    return in_schema(frame, bands, {**found, "flags": flags})
