"""An oracle of a toy universe, exact by Bayes' theorem, in the files that the report reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zladder.pdf.pdf_file import ClassPdfs, write_pdfs

if TYPE_CHECKING:
    from pathlib import Path

EDGES = np.linspace(0.0, 3.0, 301)
NOISE = 0.05  # of what is seen, which is z plus a Gaussian error
LABEL_ERROR = 0.03
FIRST_ID = 10**17


def toy_oracle(n: int = 1200, seed: int = 4, *, narrower: float = 1.0) -> tuple[
    pd.DataFrame, ClassPdfs, pd.DataFrame
]:  # fmt: skip
    """Return predictions, densities and truth of two datasets, n test galaxies each.

    Labels of ``specz`` are true, those of ``photoz`` have an error. The densities are as narrow
    as if the noise were `narrower` times what it is: 1 is an honest oracle.
    """
    rng = np.random.default_rng(seed)
    prior = np.exp(-0.5 * ((EDGES[:-1] - 0.8) / 0.4) ** 2) * EDGES[:-1]
    prior /= prior.sum()
    cells = rng.choice(len(prior), 2 * n, p=prior)
    z = EDGES[cells] + np.diff(EDGES)[0] * rng.random(2 * n)
    seen = z + NOISE * rng.normal(size=2 * n)
    centres = 0.5 * (EDGES[1:] + EDGES[:-1])
    apart = (seen[:, None] - centres) / (NOISE * narrower)
    pmf = prior * np.exp(-0.5 * apart**2)
    pmf /= pmf.sum(axis=1, keepdims=True)
    ids = FIRST_ID + rng.permutation(2 * n)
    dataset = np.repeat(["specz", "photoz"], n)
    label = np.where(dataset == "photoz", z + LABEL_ERROR * (1 + z) * rng.normal(size=2 * n), z)
    predictions = pd.DataFrame({
        "object_id": ids, "dataset": dataset, "split": "test", "z_true": label,
        "z_phot": pmf @ centres,
    })  # fmt: skip
    truth = pd.DataFrame({"object_id": ids, "objID": -1, "z_true": z})
    shuffled = rng.permutation(2 * n)
    pdfs = ClassPdfs(ids[shuffled], EDGES, pmf[shuffled].astype(np.float32))
    return predictions, pdfs, truth.iloc[rng.permutation(2 * n)]


def write_oracle(folder: Path, n: int = 1200) -> tuple[Path, Path, Path]:
    """Write the three files; return predictions, densities, truth."""
    predictions, pdfs, truth = toy_oracle(n)
    paths = tuple(folder / f"toy.oracle-s0.{end}" for end in ("parquet", "pdf.h5", "truth.parquet"))
    predictions.to_parquet(paths[0], index=False)
    write_pdfs(paths[1], pdfs, "toy.oracle-s0")
    truth.to_parquet(paths[2], index=False)
    return paths  # type: ignore[return-value]
