"""A universe of normal distributions, in which the oracle's density is known exactly.

z ~ N(0.5, 0.15); a galaxy is seen as x = z + e, e ~ N(0, sigma), with its own known sigma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from zladder.pdf.pdf_file import ClassPdfs, write_pdfs
from zladder.tables.split_notes import dataset_metadata, notes_of
from zladder.tables.standard import write_standard

if TYPE_CHECKING:
    from pathlib import Path

EDGES = np.linspace(-0.3, 1.3, 321)
MEAN, SPREAD = 0.5, 0.15
LEVEL = 1e-4  # what one of about a hundred comparisons may cost of a family's 1 %
FIRST_ID = 10**16
SHARES = {"validation": 0.25, "calibration": 0.25, "test": 0.5}


@dataclass(frozen=True)
class Galaxies:
    """`z`, and what is seen of it (`x`, `sigma`); all float64 (n,)."""

    z: np.ndarray
    x: np.ndarray
    sigma: np.ndarray

    @property
    def width(self) -> np.ndarray:
        """The oracle's standard deviation."""
        return 1 / np.sqrt(SPREAD**-2 + self.sigma**-2)

    @property
    def best(self) -> np.ndarray:
        """The oracle's mean."""
        return self.width**2 * (MEAN * SPREAD**-2 + self.x * self.sigma**-2)

    def odds(self) -> np.ndarray:
        """The oracle's odds of the classes."""
        return normal_odds(self.best, self.width)


def galaxies(rng: np.random.Generator, n: int) -> Galaxies:
    """Draw galaxies; none lies off the grid."""
    z = np.clip(rng.normal(MEAN, SPREAD, n), EDGES[0], EDGES[-1] - 1e-9)
    sigma = 0.03 * np.exp(0.5 * rng.normal(size=n))
    return Galaxies(z, z + sigma * rng.normal(size=n), sigma)


def normal_odds(mean: np.ndarray, width: np.ndarray, edges: np.ndarray = EDGES) -> np.ndarray:
    """Return the odds of the classes of normal densities, normalised on the grid."""
    odds = np.diff(norm.cdf((edges - mean[:, None]) / width[:, None]), axis=1)
    return odds / odds.sum(axis=1, keepdims=True)


def leaked(rng: np.random.Generator, sky: Galaxies) -> np.ndarray:
    """Return the best estimate from x and a leaked column: z with an error of 0.8 sigma."""
    weights = np.stack([np.full_like(sky.z, SPREAD**-2), sky.sigma**-2, (0.8 * sky.sigma) ** -2])
    column = sky.z + 0.8 * sky.sigma * rng.normal(size=len(sky.z))
    told = np.stack([np.full_like(sky.z, MEAN), sky.x, column])
    return (weights * told).sum(axis=0) / weights.sum(axis=0)


@dataclass(frozen=True)
class ToyResults:
    """Files of one study of the toy universe, as the rules lay them out below `folder`.

    `seen` are its galaxies, one row each in every file.
    """

    folder: Path
    seen: Galaxies

    def predictions(self, *methods: str) -> list[Path]:
        """The predictions of some methods."""
        return [self.folder / f"predictions/toy.{method}-s0.parquet" for method in methods]

    @property
    def dataset(self) -> Path:
        """The dataset that they are of."""
        return self.folder / "datasets/toy.parquet"

    def pdfs(self, method: str) -> Path:
        """The densities of a method."""
        return self.folder / f"predictions/toy.{method}-s0.pdf.h5"

    @property
    def truth(self) -> Path:
        """The truth of the sky."""
        return self.folder / "survey/truth.parquet"


def write_toy_results(folder: Path, n: int = 1600, seed: int = 5) -> ToyResults:
    """Write truth, oracle and the predictions of `same`, `leaky`, `worse` and `classes`.

    `same` is the oracle's mean, `leaky` knows a leaked column, `worse` has twice the noise;
    `classes` gives the oracle's densities on classes of its own. A fiftieth of the labels is wrong.
    """
    rng = np.random.default_rng(seed)
    seen = galaxies(rng, n)
    ids = FIRST_ID + rng.permutation(n)
    label = np.where(rng.random(n) < 0.02, rng.permutation(seen.z), seen.z)
    split = rng.choice(list(SHARES), size=n, p=list(SHARES.values()))
    frame = pd.DataFrame({"dataset": "toy", "split": split, "object_id": ids})
    frame["z_true"] = label.astype(np.float32)
    results = ToyResults(folder, seen)
    for name in ("predictions", "survey", "datasets"):
        (folder / name).mkdir(parents=True)
    write_standard(frame[["object_id", "split"]], results.dataset, dataset_metadata(frame))
    splits = notes_of([results.dataset])
    order = rng.permutation(n)
    truth = pd.DataFrame({"object_id": ids, "objID": -1, "cfhtls_id": -1, "z_true": seen.z})
    truth = truth.iloc[order]
    stars = pd.DataFrame({"object_id": [-1, 5, -1], "objID": [7, -1, -1], "cfhtls_id": [-1, -1, 2],
                          "z_true": [0.1, np.nan, 0.3]})  # fmt: skip
    pd.concat([truth, stars]).to_parquet(results.truth)
    answers = {
        "oracle": seen.best,
        "same": seen.best,
        "leaky": leaked(rng, seen),
        "worse": seen.x + 2 * seen.sigma * rng.normal(size=n),
        "classes": seen.best,
    }
    for method, z_phot in answers.items():
        table = frame.assign(z_phot=z_phot.astype(np.float32))
        said = {"run": f"toy.{method}-s0", "splits": splits}
        write_standard(table, results.predictions(method)[0], metadata=said)
    write_pdfs(results.pdfs("oracle"), ClassPdfs(ids, EDGES, seen.odds()), "toy.oracle-s0")
    edges = np.linspace(-0.5, 1.5, 301)
    odds = normal_odds(seen.best, seen.width, edges)
    write_pdfs(results.pdfs("classes"), ClassPdfs(ids, edges, odds), "toy.classes-s0")
    return results
