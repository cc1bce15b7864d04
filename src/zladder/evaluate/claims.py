"""Hold published claims beside our numbers, with an interval and a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.metrics.bootstrap import resample_chunks
from zladder.metrics.point import evaluate, finite_rows
from zladder.metrics.residuals import Residuals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.evaluate.study import Answers

FEWEST_GALAXIES = 2  # no metric is defined below
VERDICTS = (
    "reproduced",
    "ordering reproduced",
    "not reproduced",
    "undecided",
    "by construction",
    "not applicable",
)


def judge_claims(answers: Answers, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a claim: text, source, published and our ratio, interval, verdict, reason."""
    rows = [
        {"claim": name, **_judged(answers, claim, settings)}
        for name, claim in settings["claims"].items()
    ]
    columns = ["claim", "text", "source", "dataset", "metric", "worse", "better", "published_ratio",
               "ratio", "lo95", "hi95", "n_used", "verdict", "reason"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _judged(
    answers: Answers, claim: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    part = answers.part(claim["dataset"], "test")
    low_z, high_z = claim.get("range_z", (-np.inf, np.inf))
    inside = (part.z_true > low_z) & (part.z_true <= high_z)
    worse, better = (part.z_phot[claim[side]][:, inside] for side in ("worse", "better"))
    ratio, lo95, hi95, n_used = ratio_interval(
        worse, better, part.z_true[inside], claim["metric"],
        settings["n_bootstraps"], settings["seed"],
    )  # fmt: skip
    verdict, reason = judge_ratio(
        ratio, lo95, hi95, claim.get("published_ratio"), claim.get("tolerance"),
        simulated=settings["simulated"],
    )  # fmt: skip
    if n_used < FEWEST_GALAXIES:
        verdict, reason = "not applicable", f"{n_used} galaxies with an answer in this range"
    said = {key: claim[key] for key in ("text", "source", "dataset", "metric", "worse", "better")}
    ours = {"ratio": ratio, "lo95": lo95, "hi95": hi95, "n_used": n_used}
    published = claim.get("published_ratio", np.nan)
    return {**said, "published_ratio": published, **ours, "verdict": verdict, "reason": reason}


def ratio_interval(
    worse: np.ndarray, better: np.ndarray, z_true: np.ndarray, metric: str, n_boot: int, seed: int
) -> tuple[float, float, float, int]:
    """Return abs(metric(worse)) / abs(metric(better)), its 95 % interval and the galaxies used.

    Parameters
    ----------
    worse, better
        Redshifts, shape (n_seeds, N); the absolute metric is averaged over seeds.
    z_true
        Shape (N,).
    metric, n_boot, seed
        Both methods see the same resamples.
    """
    used = finite_rows(np.concatenate([worse, better]), z_true)
    if used.sum() < FEWEST_GALAXIES:
        return np.nan, np.nan, np.nan, int(used.sum())
    truth = z_true[used]
    sides = [Residuals.of(side[:, used], truth) for side in (worse, better)]
    full = [_absolute(side, metric) for side in sides]
    draws: list[list[np.ndarray]] = [[], []]
    for rows in resample_chunks(len(truth), n_boot, seed):
        for side, kept in zip(sides, draws, strict=True):
            taken = Residuals(side.dz[:, rows], side.delta_z[:, rows])
            kept.append(_absolute(taken, metric))
    drawn = [np.concatenate(kept) for kept in draws]
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 has no ratio
        ratios = drawn[0] / drawn[1]
        ratio = float(full[0] / full[1])
    finite = ratios[~np.isnan(ratios)]
    if np.isnan(ratio) or len(finite) < 0.95 * len(ratios):
        return ratio, np.nan, np.nan, int(used.sum())
    lo95, hi95 = np.quantile(finite, (0.025, 0.975), method="inverted_cdf")
    return ratio, float(lo95), float(hi95), int(used.sum())


def _absolute(residuals: Residuals, metric: str) -> np.ndarray:
    """Return the absolute metric averaged over seeds (the first axis)."""
    return np.abs(evaluate(residuals, [metric])[metric]).mean(axis=0)


def judge_ratio(
    ratio: float,
    lo95: float,
    hi95: float,
    published: float | None,
    tolerance: float | None,
    *,
    simulated: bool,
) -> tuple[str, str]:
    """Return (verdict, reason) for a claimed ratio worse/better above 1.

    On the mock sky only the ordering can be confirmed. On real data the number is reproduced if
    ours lies within the tolerance of the published one and the interval keeps the ordering.
    """
    if np.isnan(ratio) or np.isnan(lo95):
        return "undecided", "the metric is zero for both methods in too many resamples"
    if hi95 < 1:
        return "not reproduced", "the 95 % interval of the ratio lies below 1"
    if lo95 <= 1:
        return "undecided", "the 95 % interval of the ratio contains 1"
    ordering = "the 95 % interval of the ratio lies above 1"
    if simulated:
        return "ordering reproduced", f"{ordering}; on the mock sky only orderings can be confirmed"
    if published is None or tolerance is None:
        return "reproduced", f"{ordering}, which is all that was claimed"
    if abs(ratio - published) <= tolerance * published:
        return "reproduced", f"{ordering} and ours is within {tolerance:.0%} of the published one"
    return "ordering reproduced", f"{ordering}, but ours differs by more than {tolerance:.0%}"
