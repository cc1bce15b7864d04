"""Tests by betting: does a density know more of a redshift than the oracle can?

An e-value is a number >= 0 that is at most 1 in the mean over skies without a leak. It exceeds
1/level in at most a share ``level`` of them (Markov), whatever the number of galaxies and however
heavy the tails: min(1, 1/e) is a p-value (Vovk & Wang 2021, Ann. Stat. 49, 1736). A t-test has no
such guarantee here: a model that denies what happens to one galaxy in a thousand looks better than
the oracle in most small samples.

This supposes that, given what the oracle sees, galaxies are independent and each redshift follows
the oracle's odds. On the mock sky neither is quite so. The dust map's error is shared over a field:
a model may learn it from training galaxies there, which the oracle does not look at. And for
many-band labels the chance that one is usable is estimated (`zladder.evaluate.oracle_usable`).
"""

from __future__ import annotations

import numpy as np

from zladder.pdf.grid import Floats

GAIN_LIMIT = 3.0  # nats that one galaxy may say: one that the oracle misses is no leak (ours)
BETS = 2.0 ** np.arange(-6, 4)  # in units of one over the usual worst loss (ours)
BET_LIMIT = 0.9  # of the stake: no galaxy may ruin it


def nll_log_e(gain: Floats) -> float:
    """Return the log of the e-value of a model's gains ln(p_model / p_oracle), shape (n,).

    E[p_model / p_oracle] = 1 under the oracle's odds, so that the likelihood ratio is an e-value
    (Shafer 2021, JRSS A 184, 407); it stays one where gains are cut at `GAIN_LIMIT`.
    """
    return float(np.minimum(gain, GAIN_LIMIT).sum())


def loss_log_e(loss: Floats, worst: Floats) -> float:
    """Return the log of the e-value of losses that are >= 0 in the mean without a leak.

    The mean over several bets b of prod(1 - b_i loss_i), where b_i is cut such that the worst loss
    cannot turn a factor negative (bets on a bounded mean: Waudby-Smith & Ramdas 2024, JRSS B 86, 1;
    with fixed bets in place of theirs, so that the order of the galaxies does not count).

    Parameters
    ----------
    loss
        Shape (n,): a model's score minus the oracle's.
    worst
        Shape (n,): the largest loss that any redshift of that galaxy would have brought, known
        without its redshift; 0 where model and oracle agree.
    """
    usual = np.median(worst[worst > 0]) if (worst > 0).any() else 0.0
    if usual == 0:
        return 0.0
    ceiling = np.full(len(worst), np.inf)
    np.divide(BET_LIMIT, worst, out=ceiling, where=worst > 0)
    bets = np.minimum(BETS[:, None] / usual, ceiling)  # (n_bets, n)
    wealth = np.log1p(-bets * loss).sum(axis=1)
    return float(np.logaddexp.reduce(wealth) - np.log(len(BETS)))


def p_value(log_e: float) -> float:
    """Return min(1, 1/e)."""
    return float(np.exp(-max(log_e, 0.0)))
