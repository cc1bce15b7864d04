"""Answers of two methods, and a claim about them that is judged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zladder.evaluate.claims import judge_claims
from zladder.evaluate.study import Answers

CLAIM = {
    "text": "b is less biased", "source": "a paper", "study": "toy", "dataset": "toy",
    "metric": "bias_mean", "definition": "not stated", "worse": "a", "better": "b",
}  # fmt: skip
SETTINGS = {"n_bootstraps": 200, "seed": 5, "simulated": False}


def answers(n: int = 100) -> Answers:
    draw = np.random.default_rng(3)
    z_true = draw.uniform(0.1, 1.0, 2 * n)
    split = np.repeat(["validation", "test"], n)
    galaxies = pd.DataFrame(
        {"dataset": "toy", "split": split, "object_id": np.arange(2 * n), "z_true": z_true}
    )
    spread = (1 + z_true) * np.where(split == "test", 1.0, 100.0)
    z_phot = {
        name: (z_true + spread * draw.normal(bias, 0.001, 2 * n))[None]
        for name, bias in {"a": 0.05, "b": -0.01}.items()
    }
    return Answers(galaxies, z_phot)


def judged(given: Answers | None = None, modes=None, drifts=None, settings=None, **changes):
    simulated = changes.pop("simulated", False)
    claim = CLAIM | {key: value for key, value in changes.items() if value is not None}
    asked = SETTINGS | {"claims": {"C1": claim}, "simulated": simulated} | (settings or {})
    table = judge_claims(given or answers(), asked, modes, drifts)
    assert len(table) == 1
    return table.iloc[0]
