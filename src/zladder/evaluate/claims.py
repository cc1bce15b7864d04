"""Hold published claims beside our numbers, with an interval and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.evaluate.ratios import (
    COLLAPSE_METRICS,
    DRIFT_METRIC,
    FEWEST_GALAXIES,
    VANISHING,
    drift_ratio,
    drifts_by_seed,
    ratio_interval,
)
from zladder.evaluate.rungs import NotApplicable, method_named
from zladder.evaluate.slope import FEWEST_FITTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zladder.evaluate.study import Answers

SAID = ("text", "source", "dataset", "metric", "definition", "worse", "better")
ONE_TRAINING = "; one training a method"  # the interval then knows nothing of training noise
NUMBERS = ("ratio", "lo95", "hi95", "n_used")
COLUMNS = ("claim", *SAID, "published_ratio", "at_least", *NUMBERS, "verdict", "reason")


@dataclass(frozen=True)
class _Evidence:
    """What claims are held against: estimates, modes (of classifiers), drifts of encoders."""

    answers: Answers
    modes: Answers
    drifts: pd.DataFrame

    def answers_to(self, metric: str) -> Answers:
        """Return the estimates that a metric is about."""
        return self.modes if metric in COLLAPSE_METRICS else self.answers

    def methods(self, metric: str) -> set[str]:
        """Return the methods that have results."""
        if metric == DRIFT_METRIC:
            return set(self.drifts["method"])
        return set(self.answers_to(metric).z_phot)

    def n_seeds(self, metric: str, method: str) -> int:
        """Return how many trainings of a method there are."""
        if metric == DRIFT_METRIC:
            return drifts_by_seed(self.drifts, method).shape[1]
        return len(self.answers_to(metric).z_phot[method])


def judge_claims(
    answers: Answers,
    settings: Mapping[str, Any],
    modes: Answers | None = None,
    drifts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row a claim: text, source, published and our ratio, interval, verdict, reason.

    Intervals hold the noise of training where methods have several seeds; where both have one, the
    reason says so. Where the ratio has only a lower bound, `ratio` is NaN, `lo95` the bound and
    `hi95` infinite.

    Parameters
    ----------
    answers
        All methods of the study.
    settings
        ``claims``, ``n_bootstraps``, ``seed``, ``simulated``; ``ladder`` ({method: base, fraction})
        for names like ``NAME_at_fewest``; ``collapse`` for the metrics that need bins.
    modes
        The same methods in the estimate that a collapse is judged by (`collapse.ESTIMATE`).
    drifts
        The drift of every galaxy in every encoder and seed (`measure_drift`).
    """
    none = pd.DataFrame({"method": [], "object_id": [], "drift": []})
    evidence = _Evidence(answers, modes or answers, none if drifts is None else drifts)
    rows = [
        {"claim": name, **_judged(claim, settings, evidence)}
        for name, claim in settings["claims"].items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _judged(
    claim: Mapping[str, Any], settings: Mapping[str, Any], evidence: _Evidence
) -> dict[str, Any]:
    """Return a claim's row but for its name."""
    row = {key: claim[key] for key in SAID}
    row |= {"published_ratio": claim.get("published_ratio", np.nan)}
    row |= {"at_least": claim.get("at_least", 1.0)}
    row |= dict(zip(NUMBERS, (np.nan, np.nan, np.nan, 0), strict=True))
    try:
        known, ladder = evidence.methods(claim["metric"]), settings.get("ladder", {})
        row |= {side: method_named(claim[side], ladder, known) for side in ("worse", "better")}
        row |= dict(zip(NUMBERS, _ratio(claim, row, settings, evidence), strict=True))
        _require_a_sample(claim, row, settings)
    except NotApplicable as refusal:
        return {**row, "verdict": "not applicable", "reason": str(refusal)}
    verdict, reason = judge_ratio(
        row["ratio"], row["lo95"], row["hi95"], claim.get("published_ratio"),
        claim.get("tolerance"), simulated=settings["simulated"], better=row["better"],
        by_construction=claim.get("by_construction"), at_least=row["at_least"],
        quantity=VANISHING.get(claim["metric"], claim["metric"]),
    )  # fmt: skip
    seeds = [evidence.n_seeds(claim["metric"], row[side]) for side in ("worse", "better")]
    if max(seeds) == 1 and verdict != "by construction":  # that reason rests on no training
        reason += ONE_TRAINING
    return {**row, "verdict": verdict, "reason": reason}


def _ratio(
    claim: Mapping[str, Any],
    row: Mapping[str, Any],
    settings: Mapping[str, Any],
    evidence: _Evidence,
) -> tuple[float, float, float, int]:
    """Return the ratio of a claim's two methods, its interval and the galaxies used."""
    metric, drawn = claim["metric"], (settings["n_bootstraps"], settings["seed"])
    if metric == DRIFT_METRIC:
        return drift_ratio(evidence.drifts, row["worse"], row["better"], *drawn)
    if metric in COLLAPSE_METRICS and not settings.get("collapse"):
        message = "the study does not say by which bins its distributions are compared"
        raise NotApplicable(message)
    part = evidence.answers_to(metric).part(claim["dataset"], "test")
    low_z, high_z = claim.get("range_z", (-np.inf, np.inf))
    inside = (part.z_true > low_z) & (part.z_true <= high_z)
    worse, better = (part.z_phot[row[side]][:, inside] for side in ("worse", "better"))
    return ratio_interval(
        worse, better, part.z_true[inside], metric, *drawn, settings.get("collapse")
    )


def _require_a_sample(
    claim: Mapping[str, Any], row: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """Refuse a ratio that too few galaxies stand behind.

    Raises
    ------
    NotApplicable
        Fewer than two galaxies; a slope of fewer than thirty.
    """
    if row["n_used"] < FEWEST_GALAXIES:
        message = f"{row['n_used']} galaxies with an answer in this range"
        raise NotApplicable(message)
    if claim["metric"] == "abs_slope_zs" and np.isnan(row["ratio"]) and np.isnan(row["lo95"]):
        above = settings["collapse"]["slope_above_z"]
        message = f"fewer than {FEWEST_FITTED} galaxies above z = {above:g}"
        raise NotApplicable(message)


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
    at_least: float = 1.0,
    quantity: str = "bias",
) -> tuple[str, str]:
    """Return (verdict, reason) for a claimed ratio worse/better above `at_least`.

    On the mock sky only the ordering can be confirmed. On real data the number is reproduced if
    ours lies within the tolerance of the published one and the interval keeps the ordering. A
    ratio with a lower bound only (`ratio` NaN, `hi95` infinite; `quantity` names what is
    compatible with 0) confirms an ordering at most. What was put into the mock sky tests nothing:
    it is `by construction`, unless the opposite came out.
    """
    interval = "the 95 % interval of the ratio"
    if hi95 < at_least:
        return "not reproduced", f"{interval} lies below {at_least:g}"
    if simulated and by_construction:
        return "by construction", by_construction
    if np.isnan(lo95):
        return "undecided", "the metric is zero for both methods in too many resamples"
    above = lo95 > at_least
    if np.isnan(ratio):
        bound = f"the {quantity} of {better} is compatible with 0: the ratio has only a lower bound"
        verdict = "ordering reproduced" if above else "undecided"
        return verdict, f"{bound}, which lies {'above' if above else 'not above'} {at_least:g}"
    if not above:
        return "undecided", f"{interval} contains {at_least:g}"
    ordering = f"{interval} lies above {at_least:g}"
    if simulated:
        return "ordering reproduced", f"{ordering}; on the mock sky only orderings can be confirmed"
    if published is None or tolerance is None:
        return "reproduced", f"{ordering}, which is all that was claimed"
    if abs(ratio - published) <= tolerance * published:
        return "reproduced", f"{ordering} and ours is within {tolerance:.0%} of the published one"
    return "ordering reproduced", f"{ordering}, but ours differs by more than {tolerance:.0%}"
