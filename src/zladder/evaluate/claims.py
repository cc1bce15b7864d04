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
    from zladder.metrics.residuals import Floats

FEWEST_GALAXIES = 2  # no metric is defined below
SIGNED_PREFIX = "bias_"  # of the metrics that can be zero by their sign alone
VERDICTS = (
    "reproduced",
    "ordering reproduced",
    "not reproduced",
    "undecided",
    "by construction",
    "not applicable",
)
SAID = ("text", "source", "dataset", "metric", "definition", "worse", "better")


def judge_claims(answers: Answers, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a claim: text, source, published and our ratio, interval, verdict, reason.

    Where the ratio has only a lower bound, `ratio` is NaN, `lo95` the bound and `hi95` infinite.
    """
    rows = [
        {"claim": name, **_judged(answers, claim, settings)}
        for name, claim in settings["claims"].items()
    ]
    columns = ["claim", *SAID, "published_ratio", "ratio", "lo95", "hi95", "n_used", "verdict",
               "reason"]  # fmt: skip
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
        simulated=settings["simulated"], better=claim["better"],
        by_construction=claim.get("by_construction"),
    )  # fmt: skip
    if n_used < FEWEST_GALAXIES:
        verdict, reason = "not applicable", f"{n_used} galaxies with an answer in this range"
    said = {key: claim[key] for key in SAID}
    ours = {"ratio": ratio, "lo95": lo95, "hi95": hi95, "n_used": n_used}
    published = claim.get("published_ratio", np.nan)
    return {**said, "published_ratio": published, **ours, "verdict": verdict, "reason": reason}


def ratio_interval(
    worse: np.ndarray, better: np.ndarray, z_true: np.ndarray, metric: str, n_boot: int, seed: int
) -> tuple[float, float, float, int]:
    """Return abs(metric(worse)) / abs(metric(better)), its 95 % interval and the galaxies used.

    A bias of `better` that is compatible with 0 can be divided by, but the quotient is no number:
    the ratio is then NaN, its lower end a bound (97.5 % of the resamples lie above), its upper end
    infinite.

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
    n_used = int(used.sum())
    if n_used < FEWEST_GALAXIES:
        return np.nan, np.nan, np.nan, n_used
    sides = [Residuals.of(side[:, used], z_true[used]) for side in (worse, better)]
    full = [_over_seeds(evaluate(side, [metric])[metric]) for side in sides]
    drawn = [_resampled(side, metric, n_boot, seed) for side in sides]
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 has no ratio
        ratio = float(full[0] / full[1])
        ratios = _over_seeds(drawn[0]) / _over_seeds(drawn[1])
    defined = ratios[~np.isnan(ratios)]
    if np.isnan(ratio) or len(defined) < 0.95 * len(ratios):
        return ratio, np.nan, np.nan, n_used
    lo95, hi95 = (float(end) for end in _ends95(defined))
    if metric.startswith(SIGNED_PREFIX) and _compatible_with_zero(drawn[1]):
        return np.nan, lo95, np.inf, n_used
    return ratio, lo95, hi95, n_used


def _resampled(residuals: Residuals, metric: str, n_boot: int, seed: int) -> Floats:
    """Return the signed metric of every seed on every resample, shape (n_seeds, n_boot)."""
    n = residuals.dz.shape[-1]
    taken = (
        Residuals(residuals.dz[:, rows], residuals.delta_z[:, rows])
        for rows in resample_chunks(n, n_boot, seed)
    )
    return np.concatenate([evaluate(part, [metric])[metric] for part in taken], axis=-1)


def _over_seeds(metric: Floats) -> Floats:
    """Return the absolute metric averaged over seeds (the first axis)."""
    return np.abs(metric).mean(axis=0)


def _ends95(drawn: Floats) -> Floats:
    """Return the two ends of the 95 % interval over the last axis."""
    return np.quantile(drawn, (0.025, 0.975), axis=-1, method="inverted_cdf")


def _compatible_with_zero(drawn: Floats) -> bool:
    """Return whether the 95 % interval contains 0 for every seed.

    One seed that is clearly biased keeps the average of the absolute values away from 0.
    """
    lo95, hi95 = _ends95(drawn)
    return bool(((lo95 <= 0) & (hi95 >= 0)).all())


def judge_ratio(
    ratio: float,
    lo95: float,
    hi95: float,
    published: float | None,
    tolerance: float | None,
    *,
    simulated: bool,
    better: str,
    by_construction: str | None = None,
) -> tuple[str, str]:
    """Return (verdict, reason) for a claimed ratio worse/better above 1.

    On the mock sky only the ordering can be confirmed. On real data the number is reproduced if
    ours lies within the tolerance of the published one and the interval keeps the ordering. A
    ratio with a lower bound only (`ratio` NaN, `hi95` infinite) confirms an ordering at most. What
    was put into the mock sky tests nothing: it is `by construction`, unless the opposite came out.
    """
    if hi95 < 1:
        return "not reproduced", "the 95 % interval of the ratio lies below 1"
    if simulated and by_construction:
        return "by construction", by_construction
    if np.isnan(lo95):
        return "undecided", "the metric is zero for both methods in too many resamples"
    if np.isnan(ratio):
        bound = f"the bias of {better} is compatible with 0: the ratio has only a lower bound"
        verdict = "ordering reproduced" if lo95 > 1 else "undecided"
        return verdict, f"{bound}, which lies {'above' if lo95 > 1 else 'not above'} 1"
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
