"""A small synthetic result tree for the tests of the report, made with the library itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zladder.evaluate.claims import judge_claims
from zladder.evaluate.study import (
    Answers,
    compare_with_peer,
    read_answers,
    residual_curves,
    score_methods,
)

if TYPE_CHECKING:
    from pathlib import Path

N_BOOTSTRAPS = 60
# dz of each method: (offset, width, share of outliers); controls as ordinary tools would do.
TRANSFER = {
    "base": (0.012, 0.035, 0.05),
    "spec_only": (-0.001, 0.031, 0.06),
    "transfer": (0.002, 0.028, 0.04),
    "combined": (0.001, 0.027, 0.03),
}
MAIN = {"ensemble": (0.0, 0.013, 0.003), "single": (0.0004, 0.0142, 0.004)}
CONTROLS = {"knn": (0.0, 1.18, 1.5), "boosting": (0.0, 1.04, 1.1), "forest": (0.0, 1.07, 1.2)}


@dataclass(frozen=True)
class Study:
    """A study of the synthetic tree."""

    name: str
    title: str
    convention: str
    networks: dict[str, tuple[float, float, float]]
    datasets: dict[str, int]
    scale_z: float
    n_seeds: int = 1


STUDIES = {
    "transfer": Study("transfer", "Two kinds of ground truth", "hsc", TRANSFER,
                      {"specz": 900, "photoz": 900, "combined": 1700}, 0.55, 2),
    "main_sample": Study("main_sample", "A <main> sample & five bands", "sdss_cnn", MAIN,
                         {"main": 1400}, 0.06),
}  # fmt: skip


def draw_truth(n: int, scale_z: float, rng: np.random.Generator) -> np.ndarray:
    """Return redshifts with a long tail, float32 (n,)."""
    return np.minimum(scale_z * rng.gamma(2.6, 0.62, n) + 0.01, 5.5 * scale_z).astype(np.float32)


def guess(
    z_true: np.ndarray, how: tuple[float, float, float], scale_z: float, rng: np.random.Generator
) -> np.ndarray:
    """Return z_phot of a method, float32: attenuated, scattered, with outliers and a few NaN."""
    offset, width, outliers = how
    dz = offset + width * rng.standard_t(5, len(z_true)) * 0.8
    dz -= 0.25 * width * (z_true / scale_z - 1.2)
    far = rng.random(len(z_true)) < outliers
    z_phot = np.where(far, draw_truth(len(z_true), scale_z, rng), z_true + dz * (1 + z_true))
    return np.clip(z_phot, 0.001, None).astype(np.float32)


def write_predictions(study: Study, results: Path, rng: np.random.Generator) -> list[Path]:
    """Write one prediction file a run; return them in the order of the study."""
    tables = []
    for dataset, n in study.datasets.items():
        for split, size in (("validation", n // 2), ("calibration", n // 2), ("test", n)):
            frame = pd.DataFrame({"dataset": dataset, "split": split, "object_id": np.arange(size)})
            tables.append(frame.assign(z_true=draw_truth(size, study.scale_z, rng)))
    galaxies = pd.concat(tables, ignore_index=True)
    z_true = galaxies["z_true"].to_numpy()
    files = []
    width = next(iter(study.networks.values()))[1]
    runs = [(m, how, s) for s in range(study.n_seeds) for m, how in study.networks.items()]
    runs += [(m, (o, width * w, 0.03 * f), 0) for m, (o, w, f) in CONTROLS.items()]
    for method, how, seed in runs:
        z_phot = guess(z_true, how, study.scale_z, rng)
        z_phot[rng.integers(0, len(z_phot), 4)] = np.nan
        files.append(_write_run(results, study.name, method, seed, galaxies.assign(z_phot=z_phot)))
    constants = {"trainz": np.median(z_true), "mean_z": z_true.mean()}
    for method, value in constants.items():
        table = galaxies.assign(z_phot=np.full(len(galaxies), value, dtype=np.float32))
        files.append(_write_run(results, study.name, method, 0, table))
    return files


def _write_run(results: Path, study: str, method: str, seed: int, table: pd.DataFrame) -> Path:
    run = f"{study}.{method}-s{seed}"
    path = results / "predictions" / f"{run}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path)
    controls = [*CONTROLS, "trainz", "mean_z"]
    card = {"run": run, "data": {"dataset": "combined"}, "seed": 17, "note": "a <b>card</b> & more"}
    write_json(results / "runs" / run / "card.json", {"card": card, "reference": {}})
    found = {"card": card, "n_train": 3500, "device": "cpu"}
    if method not in controls:
        found |= {"epochs": 37, "best_epoch": 27, "training_seconds": 12.3}
    script = "train_control.py" if method in controls else "train_network.py"
    write_sidecar(results / "runs" / run / "sidecar.json", script, 13.1, **found)
    write_sidecar(results / "predictions" / f"{run}.json", "predict_run.py", 1.1, run=run)
    return path


def write_json(path: Path, content: Any) -> Path:
    """Write a JSON file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_sidecar(path: Path, script: str, seconds: float, **more: Any) -> Path:
    """Write a sidecar as the programs' frame does."""
    return write_json(path, {
        "script": script, "arguments": ["--x", "a file.parquet"], "code_digest": "0123456789abcdef",
        "inputs": {"a file.parquet": "ab" * 16}, "seconds": seconds, "host": "node<1>",
        "versions": {"python": "3.11.9", "zladder": "0.1.0", "numpy": "2.4.0"}, **more,
    })  # fmt: skip


def write_study(study: Study, results: Path, claims: dict[str, Any]) -> None:
    """Write predictions, scores, differences, curves and claims of one study."""
    rng = np.random.default_rng(7)
    answers = read_answers(write_predictions(study, results, rng))
    settings = {"networks": list(study.networks), "n_bootstraps": N_BOOTSTRAPS, "seed": 3}
    scores = score_methods(answers, (0.0, 4.0), N_BOOTSTRAPS, 3)
    folder = results / "metrics" / study.name
    folder.mkdir(parents=True, exist_ok=True)
    scores.to_parquet(folder / "scores.parquet")
    compare_with_peer(answers, scores, settings).to_parquet(folder / "differences.parquet")
    bin_width_z = 0.2 if study.scale_z > 0.2 else 0.03
    residual_curves(answers, bin_width_z).to_parquet(folder / "curves.parquet")
    write_sidecar(folder / "scores.json", "score_study.py", 21.0)
    write_claims(study, answers, results, claims)


def write_claims(study: Study, answers: Answers, results: Path, claims: dict[str, Any]) -> None:
    """Judge the claims of a study and write the table (without rows if there are none)."""
    own = {name: claim for name, claim in claims.items() if claim["study"] == study.name}
    settings = {"claims": own, "n_bootstraps": N_BOOTSTRAPS, "seed": 3, "simulated": True}
    path = results / "studies" / study.name / "claims.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    judge_claims(answers, settings).to_parquet(path)
    write_sidecar(path.with_suffix(".json"), "judge_claims.py", 2.0)
