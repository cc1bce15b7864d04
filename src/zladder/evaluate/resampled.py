"""A quantity with its resamples, and the ratio of two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zladder.metrics.bootstrap import Interval, percentile_interval

if TYPE_CHECKING:
    from zladder.metrics.residuals import Floats

SEED_STREAM = 3  # beside the seed: which trainings are drawn has nothing to do with the galaxies


@dataclass(frozen=True)
class Resampled:
    """A quantity of one method on the galaxies and on resamples of them, for every seed.

    Attributes
    ----------
    value
        Shape (n_seeds,).
    draws
        Shape (n_seeds, n_boot); every resample holds the same galaxies in all seeds.
    """

    value: Floats
    draws: Floats

    def interval(self) -> Interval:
        """Return the mean over seeds with its percentile interval."""
        n_seeds = len(self.value)
        seed_std = float(np.std(self.value, ddof=1)) if n_seeds > 1 else float("nan")
        return percentile_interval(float(self.value.mean()), self.draws.mean(axis=0), seed_std)

    def not_negative(self) -> Resampled:
        """Return the same with negative values and draws set to 0."""
        return Resampled(np.maximum(self.value, 0.0), np.maximum(self.draws, 0.0))


def ratio_of(
    worse: Resampled, better: Resampled, seed: int, *, can_vanish: bool
) -> tuple[float, float, float]:
    """Return the ratio of the absolute values, averaged over seeds, with its 95 % interval.

    Every resample holds seeds drawn with replacement, as its galaxies are (`seed` draws them), so
    that the interval holds the noise of training; of n seeds it shows sqrt(1 - 1/n) of it, of one
    seed nothing. Two methods with as many seeds get the same ones: a child has the seed of its
    encoder.

    Where the denominator is compatible with 0 (`can_vanish`: a quantity that is zero by its sign,
    such as a bias), one can divide by it, but the quotient is no number: the ratio is then NaN,
    its lower end a bound (97.5 % of the resamples lie above), its upper end infinite. NaN without
    an interval: 0 / 0 on the galaxies, or in more than 5 % of the resamples.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # 0/0 has no ratio
        ratio = float(_over_seeds(worse.value) / _over_seeds(better.value))
        ratios = _redrawn(worse.draws, seed) / _redrawn(better.draws, seed)
    defined = ratios[~np.isnan(ratios)]
    if np.isnan(ratio) or len(defined) < 0.95 * len(ratios):
        return ratio, np.nan, np.nan
    lo95, hi95 = (float(end) for end in _ends95(defined))
    if can_vanish and _compatible_with_zero(better.draws):
        return np.nan, lo95, np.inf
    return ratio, lo95, hi95


def _over_seeds(quantity: Floats) -> Floats:
    """Return the absolute quantity averaged over seeds (the first axis)."""
    return np.abs(quantity).mean(axis=0)


def _redrawn(draws: Floats, seed: int) -> Floats:
    """Return `_over_seeds` of the draws, shape (n_boot,), with the seeds of each drawn anew."""
    generator = np.random.default_rng([seed, SEED_STREAM])
    drawn = generator.integers(0, len(draws), size=draws.shape)
    return _over_seeds(np.take_along_axis(draws, drawn, axis=0))


def _ends95(drawn: Floats) -> Floats:
    """Return the two ends of the 95 % interval over the last axis."""
    return np.quantile(drawn, (0.025, 0.975), axis=-1, method="inverted_cdf")


def _compatible_with_zero(drawn: Floats) -> bool:
    """Return whether the 95 % interval contains 0 for every seed.

    One seed that is clearly biased keeps the average of the absolute values away from 0.
    """
    lo95, hi95 = _ends95(drawn)
    return bool(((lo95 <= 0) & (hi95 >= 0)).all())
