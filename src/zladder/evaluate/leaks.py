"""The leak alarm: no model that sees photometry may know more of the redshift than the oracle.

On the mock sky the oracle gives p(z | what the model sees). It bounds proper scores (NLL, CRPS)
against the true redshift; point metrics are no bound. Both are taken on the oracle's classes of
redshift, so that nothing depends on the shape of a density within one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.config.names import LEAK, NOT_COMPARED, QUIET, method_of
from zladder.evaluate.dressed import dressed_pmf, fit_dressing
from zladder.evaluate.e_values import loss_log_e, nll_log_e, p_value
from zladder.evaluate.study import read_answers
from zladder.evaluate.truth import true_redshifts
from zladder.pdf.grid import class_cdf
from zladder.pdf.pdf_file import read_pdfs
from zladder.pdf.scores import NLL_FLOOR
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from zladder.evaluate.study import Answers
    from zladder.pdf.grid import Floats

FIT_SPLITS = ("validation", "calibration")
FIT_MIN = 20  # galaxies: with fewer a dressing is none
BLOCK_ROWS = 2048
PDF_ENDING = ".pdf.h5"


@dataclass(frozen=True)
class Odds:
    """The oracle's odds for all galaxies of a study.

    Attributes
    ----------
    edges
        Shape (n_classes + 1,).
    pmf
        float32 (N, n_classes), NaN without an answer.
    """

    edges: Floats
    pmf: np.ndarray


def check_leaks(
    files: Sequence[Path],
    oracle: tuple[Path, Path],
    truth: Path,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Return one row a method, dataset and score (nll, crps): how it stands against the oracle.

    Parameters
    ----------
    files
        Predictions of the runs that see photometry (RUN.parquet), and the densities of those that
        have their own (RUN.pdf.h5); the others are dressed with their errors.
    oracle
        Its predictions and its densities, of the same galaxies in the same order.
    truth
        The truth of the mock sky.
    settings
        ``level``: of one comparison; ``images``: methods that see more than the oracle.

    Returns
    -------
    pandas.DataFrame
        `method dataset sees score n n_off_grid mean_model mean_oracle difference se p_value level
        verdict`. The p-value is that of a test by betting (`zladder.evaluate.e_values`).

    Raises
    ------
    BadInput
        Tables or densities of other galaxies, an unknown truth.
    """
    pdfs = [path for path in files if path.name.endswith(PDF_ENDING)]
    answers = read_answers([oracle[0], *(path for path in files if path not in pdfs)])
    odds = _odds_of(oracle[1], answers)
    own: dict[str, list[Path]] = {}
    for path in pdfs:
        own.setdefault(method_of(path.name.removesuffix(PDF_ENDING)), []).append(path)
    z_true = true_redshifts(truth, answers.galaxies["object_id"].to_numpy())
    rows: list[dict[str, Any]] = []
    for method in list(answers.z_phot)[1:]:  # the first is the oracle
        densities = [_rebinned(_odds_of(path, answers), odds.edges) for path in own.get(method, [])]
        for dataset in answers.datasets:
            there = (answers.galaxies["dataset"] == dataset).to_numpy()
            fit, test = _fit_and_test(answers.galaxies, there)
            seeds = densities or _dressed(answers.z_phot[method], z_true, fit, test, odds.edges)
            model = [pmf[test] for pmf in seeds] if densities else seeds
            found = _compare(model, odds.pmf[test], z_true[test], odds.edges)
            where = {"method": method, "dataset": dataset, "sees": "photometry"}
            rows += [{**where, **row, **_verdict(row, settings["level"])} for row in found]
    rows += [_left_out(method, dataset, score) for method in settings["images"]
             for dataset in answers.datasets for score in ("nll", "crps")]  # fmt: skip
    return pd.DataFrame(rows)


def _fit_and_test(galaxies: pd.DataFrame, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a dataset that a dressing is fitted on, and those that are compared.

    No galaxy is in both, though a paper's validation galaxies may be its test galaxies: a dressing
    that saw their redshifts would look like a leak of the model's.
    """
    split, ids = galaxies["split"].to_numpy(), galaxies["object_id"].to_numpy()
    test = there & (split == "test")
    fit = there & np.isin(split, FIT_SPLITS) & ~np.isin(ids, ids[test])
    return fit, test


def _verdict(row: Mapping[str, Any], level: float) -> dict[str, Any]:
    if row["n"] == 0:
        return {"level": level, "verdict": NOT_COMPARED}
    return {"level": level, "verdict": LEAK if row["p_value"] <= level else QUIET}


def _left_out(method: str, dataset: str, score: str) -> dict[str, Any]:
    """Return the row of a method that sees more than the oracle."""
    numbers = dict.fromkeys(("mean_model", "mean_oracle", "difference", "se", "p_value", "level"),
                            np.nan)  # fmt: skip
    where = {"method": method, "dataset": dataset, "sees": "images", "score": score}
    return {**where, "n": 0, "n_off_grid": 0, **numbers, "verdict": NOT_COMPARED}


def _odds_of(path: Path, answers: Answers) -> Odds:
    """Return the densities of a file, which must be those of the study's galaxies."""
    pdfs = read_pdfs(path)
    if not np.array_equal(pdfs.object_id, answers.galaxies["object_id"].to_numpy()):
        expected, found = "the galaxies of the predictions, row by row", f"{len(pdfs.pmf)} others"
        raise BadInput(path, "dataset 'object_id'", expected, found, "predict the run again")
    return Odds(pdfs.edges, pdfs.pmf)


def _rebinned(odds: Odds, edges: Floats) -> np.ndarray:
    """Return odds on other classes, float32 (N, n), even within a class; NaN rows stay."""
    if np.array_equal(odds.edges, edges):
        return odds.pmf
    found = np.empty((len(odds.pmf), len(edges) - 1), dtype=np.float32)
    for rows in _blocks(len(found)):
        found[rows] = _block_rebinned(odds.pmf[rows], odds.edges, edges)
    return found


def _blocks(n: int) -> list[slice]:
    """Return the slices of n rows by `BLOCK_ROWS`, which bound the memory that float64 takes."""
    return [slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS)]


def _block_rebinned(given: np.ndarray, own_edges: Floats, edges: Floats) -> Floats:
    place = np.interp(edges, own_edges, np.arange(len(own_edges), dtype=np.float64))
    node = np.minimum(place.astype(int), len(own_edges) - 2)
    cdf = class_cdf(given.astype(np.float64))
    at_edges = cdf[:, node] + (place - node) * (cdf[:, node + 1] - cdf[:, node])
    pmf = np.diff(at_edges, axis=1)
    total = pmf.sum(axis=1, keepdims=True)
    return np.divide(pmf, total, out=np.full_like(pmf, np.nan), where=total > 0)


def _dressed(
    z_phot: np.ndarray, z_true: Floats, fit: np.ndarray, test: np.ndarray, edges: Floats
) -> list[np.ndarray]:
    """Return the test galaxies' odds, float32, for each seed of a method of points alone."""
    found = []
    for seed in z_phot:
        known = fit & np.isfinite(seed) & np.isfinite(z_true)
        pmf = np.full((int(test.sum()), len(edges) - 1), np.nan, dtype=np.float32)
        answered = np.flatnonzero(np.isfinite(seed[test]))
        if known.sum() >= FIT_MIN:
            dressing = fit_dressing(seed[known], z_true[known])
            for block in _blocks(len(answered)):
                rows = answered[block]
                pmf[rows] = dressed_pmf(dressing, seed[test][rows], edges)
        found.append(pmf)
    return found


def _compare(
    seeds: Sequence[np.ndarray], oracle: np.ndarray, z_true: Floats, edges: Floats
) -> list[dict[str, Any]]:
    """Return the rows of both scores; scores are averaged over seeds, galaxy by galaxy."""
    answered = np.isfinite(oracle[:, 0]) & np.isfinite(z_true)
    for pmf in seeds:
        answered &= np.isfinite(pmf[:, 0])
    inside = (z_true >= edges[0]) & (z_true < edges[-1])
    used = np.flatnonzero(answered & inside)
    scores = [np.empty((5, 0))]
    scores += list(_scored(seeds, oracle, z_true, edges, used))
    nll_model, nll_oracle, crps_model, crps_oracle, worst = np.concatenate(scores, axis=1)
    counts = {"n": len(used), "n_off_grid": int((answered & ~inside).sum())}
    return [
        {"score": "nll", **counts, **_means(nll_model, nll_oracle),
         "p_value": p_value(nll_log_e(nll_oracle - nll_model))},
        {"score": "crps", **counts, **_means(crps_model, crps_oracle),
         "p_value": p_value(loss_log_e(crps_model - crps_oracle, worst))},
    ]  # fmt: skip


def _means(model: Floats, oracle: Floats) -> dict[str, float]:
    """Return the two means, their difference and its standard error."""
    n, difference = len(model), model - oracle
    if n < 2:
        names = ("mean_model", "mean_oracle", "difference", "se")
        return dict.fromkeys(names, float("nan"))
    return {
        "mean_model": float(model.mean()),
        "mean_oracle": float(oracle.mean()),
        "difference": float(difference.mean()),
        "se": float(difference.std(ddof=1) / np.sqrt(n)),
    }


def _scored(
    seeds: Sequence[np.ndarray],
    oracle: np.ndarray,
    z_true: Floats,
    edges: Floats,
    used: np.ndarray,
) -> Iterator[Floats]:
    """Yield `class_scores` of blocks of the galaxies used (their rows)."""
    for block in _blocks(len(used)):
        rows = used[block]
        place = np.searchsorted(edges, z_true[rows], side="right") - 1
        yield class_scores([pmf[rows] for pmf in seeds], oracle[rows], place, edges)


def class_scores(
    seeds: Sequence[np.ndarray], oracle: np.ndarray, place: np.ndarray, edges: Floats
) -> Floats:
    """Return NLL of model and oracle, CRPS of both, and the worst loss of CRPS, shape (5, n).

    The CRPS is the sum over the inner edges of (F - [z below it])^2 times the mean width of the
    classes beside it: proper for the class, and the integral's value where classes are narrow.

    Parameters
    ----------
    seeds
        Of each seed of a model its odds, (n, n_classes); the scores are means over seeds.
    oracle
        Shape (n, n_classes).
    place
        Shape (n,): the class that holds the true redshift.
    edges
        Shape (n_classes + 1,).
    """
    row, width = np.arange(len(place)), np.diff(edges)
    weight = 0.5 * (edges[2:] - edges[:-2])  # of the inner edges

    def nll(pmf: np.ndarray) -> Floats:
        density = pmf[row, place] / width[place]
        return np.asarray(-np.log(np.maximum(density, NLL_FLOOR)))

    cdf_oracle = class_cdf(oracle.astype(np.float64))[:, 1:-1]
    squares = np.zeros(len(place))
    linear = np.zeros(cdf_oracle.shape)
    for pmf in seeds:
        cdf = class_cdf(pmf.astype(np.float64))[:, 1:-1]
        squares += (cdf**2) @ weight / len(seeds)
        linear += cdf / len(seeds)
    # With T_k the sum of F over the edges above class k: CRPS = sum F^2 + sum_above (1 - 2 F)
    lead = squares - (cdf_oracle**2) @ weight
    above = _sum_above((linear - cdf_oracle) * weight)  # (n, n_classes)
    room = _sum_above(weight[None, :])[0]
    crps_oracle = (cdf_oracle**2) @ weight + room[place]
    crps_oracle -= 2 * _sum_above(cdf_oracle * weight)[row, place]
    loss = lead - 2 * above[row, place]
    worst = np.maximum(lead - 2 * above.min(axis=1), 0.0)
    model = np.mean([nll(pmf) for pmf in seeds], axis=0)
    return np.stack([model, nll(oracle), crps_oracle + loss, crps_oracle, worst])


def _sum_above(values: Floats) -> Floats:
    """Return for each class the sum over the inner edges above it, (n, n_inner + 1)."""
    total = np.zeros((len(values), values.shape[1] + 1))
    total[:, :-1] = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
    return total
