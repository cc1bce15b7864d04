"""Score all methods of a study on the same galaxies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.config.names import method_of
from zladder.metrics.binned import fit_line, residual_against_z_phot, residual_against_z_true
from zladder.metrics.bootstrap import bootstrap_metrics, paired_differences
from zladder.metrics.counts import counts
from zladder.provenance.errors import BadInput
from zladder.tables.read import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SELECTION_METRIC = "sigma_nmad"
DIFFERENCE_METRICS = ("sigma_nmad", "sigma_iqr", "rms_dz", "fout_05", "fout_15", "loss_tanaka")
GALAXY_COLUMNS = ["dataset", "split", "object_id", "z_true"]


@dataclass(frozen=True)
class Answers:
    """The predictions of all methods of a study for the same galaxies, row by row.

    Attributes
    ----------
    galaxies
        `dataset`, `split`, `object_id`, `z_true`; N rows.
    z_phot
        {method: float64 (n_seeds, N)}, NaN where a method gave no answer.
    """

    galaxies: pd.DataFrame
    z_phot: dict[str, np.ndarray]

    def part(self, dataset: str, split: str) -> Answers:
        """Return the answers for one split of one dataset."""
        rows = (self.galaxies["dataset"] == dataset) & (self.galaxies["split"] == split)
        chosen = rows.to_numpy()
        z_phot = {method: values[:, chosen] for method, values in self.z_phot.items()}
        return Answers(self.galaxies[chosen], z_phot)

    @property
    def datasets(self) -> list[str]:
        """The datasets, in the order of the study."""
        return list(dict.fromkeys(self.galaxies["dataset"]))

    @property
    def z_true(self) -> np.ndarray:
        """The labels, float64 (N,)."""
        return self.galaxies["z_true"].to_numpy(dtype=np.float64)


def read_answers(files: Sequence[Path], estimate: str = "z_phot") -> Answers:
    """Return the answers of the prediction files of a study, seeds of a method stacked.

    `estimate` is the column to take; a file without it gives its `z_phot`.

    Raises
    ------
    BadInput
        If two files do not hold the same galaxies in the same order with the same labels.
    """
    galaxies: pd.DataFrame | None = None
    by_method: dict[str, list[np.ndarray]] = {}
    for path in files:
        frame = _answered(path, estimate)
        if galaxies is None:
            galaxies = frame[GALAXY_COLUMNS]
        elif not frame[GALAXY_COLUMNS].equals(galaxies):
            expected, found = f"the galaxies of {files[0]}", f"{len(frame)} other rows"
            hint = "predict all runs of the study again from the same datasets"
            raise BadInput(path, "its rows", expected, found, hint)
        z_phot = frame["z_phot"].to_numpy(dtype=np.float64)
        by_method.setdefault(method_of(path.stem), []).append(z_phot)
    if galaxies is None:
        message = "a study has at least one run"
        raise ValueError(message)
    return Answers(galaxies, {method: np.stack(rows) for method, rows in by_method.items()})


def _answered(path: Path, estimate: str) -> pd.DataFrame:
    """Return the galaxies of a prediction file and one of its estimates, as `z_phot`."""
    if estimate == "z_phot":
        return read_table(path, columns=[*GALAXY_COLUMNS, "z_phot"])
    frame = read_table(path)
    chosen = estimate if estimate in frame.columns else "z_phot"
    return frame[[*GALAXY_COLUMNS, chosen]].rename(columns={chosen: "z_phot"})


def score_methods(
    answers: Answers, label_range_z: Sequence[float], n_bootstraps: int, seed: int
) -> pd.DataFrame:
    """Return one row a method, dataset, split (validation, test) and metric.

    Columns: the interval (`value se lo68 hi68 lo95 hi95 seed_std`), `n_seeds` and the counts. All
    methods of one dataset and split share the same resamples.
    """
    rows: list[dict[str, Any]] = []
    for dataset in answers.datasets:
        for split in ("validation", "test"):
            part = answers.part(dataset, split)
            for method in part.z_phot:
                where = {"method": method, "dataset": dataset, "split": split}
                rows += score_rows(where, part, label_range_z, n_bootstraps, seed)
    return pd.DataFrame(rows)


def score_rows(
    where: Mapping[str, str],
    part: Answers,
    label_range_z: Sequence[float],
    n_bootstraps: int,
    seed: int,
    ids: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of one method (``where["method"]``), one a metric; by default all metrics."""
    z_phot, (low, high) = part.z_phot[where["method"]], label_range_z
    numbers = counts(z_phot, part.z_true, grid_max=high, grid_min=low)
    found = bootstrap_metrics(z_phot, part.z_true, ids, n_boot=n_bootstraps, seed=seed)
    return [
        {**where, "metric": name, **asdict(interval), "n_seeds": len(z_phot), **numbers}
        for name, interval in found.items()
    ]


def best_on_validation(scores: pd.DataFrame, dataset: str, methods: Sequence[str]) -> str:
    """Return the method with the smallest sigma_nmad on validation; ties go to the first.

    A constant answer has a scatter that says nothing of its worth, and collapses to 0 at worst:
    methods whose RMS is not below that of `mean_z` are not considered, if there are others.
    """
    chosen = scores[(scores["dataset"] == dataset) & (scores["split"] == "validation")]
    scatter = chosen[chosen["metric"] == SELECTION_METRIC].set_index("method")["value"]
    rms = chosen[chosen["metric"] == "rms_dz"].set_index("method")["value"]
    limit = rms.get("mean_z", np.inf)
    able = [method for method in methods if rms[method] < limit] or list(methods)
    return str(scatter[able].idxmin())


def compare_with_peer(
    answers: Answers, scores: pd.DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Return each network minus the ordinary tool that was best on validation, test split.

    One row a dataset, network and metric; the differences are paired galaxy by galaxy. `chosen`
    marks the network that was best on validation: the one to look at, picked without the test.
    """
    networks = settings["networks"]
    peers = [method for method in answers.z_phot if method not in networks]
    rows: list[dict[str, Any]] = []
    for dataset in answers.datasets:
        part = answers.part(dataset, "test")
        peer = best_on_validation(scores, dataset, peers)
        best = best_on_validation(scores, dataset, networks)
        for method in networks:
            found = paired_differences(
                part.z_phot[method], part.z_phot[peer], part.z_true, DIFFERENCE_METRICS,
                settings["n_bootstraps"], settings["seed"],
            )  # fmt: skip
            for metric, paired in found.items():
                row = {"dataset": dataset, "method": method, "chosen": method == best}
                row |= {"peer": peer, "metric": metric, "n_used": paired.n_used}
                row |= _named(asdict(paired.difference), "difference")
                rows.append(row | _named(asdict(paired.relative), "relative"))
    return pd.DataFrame(rows)


def _named(interval: Mapping[str, float], name: str) -> dict[str, float]:
    ends = {key: interval[key] for key in ("lo68", "hi68", "lo95", "hi95")}
    return {name: interval["value"], **{f"{name}_{key}": value for key, value in ends.items()}}


def residual_curves(answers: Answers, bin_width_z: float) -> pd.DataFrame:
    """Return mean residuals in bins (a, b] of z_true and of z_phot, test split, first seed.

    One row a dataset, method, abscissa and bin, with the slope of the line through the bins.
    """
    tables = []
    for dataset in answers.datasets:
        part = answers.part(dataset, "test")
        top = np.ceil(np.nanmax(part.z_true) / bin_width_z) * bin_width_z
        edges = np.arange(0.0, top + 0.5 * bin_width_z, bin_width_z)
        for method, z_phot in part.z_phot.items():
            used = np.isfinite(z_phot[0]) & np.isfinite(part.z_true)
            pair = z_phot[0][used], part.z_true[used]
            curves = {
                "z_true": residual_against_z_true(*pair, edges),
                "z_phot": residual_against_z_phot(*pair, edges),
            }
            for against, curve in curves.items():
                line = fit_line(curve)
                where = {"dataset": dataset, "method": method, "against": against}
                fit = {"slope": line.slope, "slope_err": line.slope_err}
                tables.append(pd.DataFrame({**where, **asdict(curve), **fit}))
    return pd.concat(tables, ignore_index=True)
