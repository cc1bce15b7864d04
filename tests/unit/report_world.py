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

N_BOOTSTRAPS = 25
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
                      {"specz": 420, "photoz": 400, "combined": 500}, 0.55, 2),
    "main_sample": Study("main_sample", "A <main> sample & five bands", "sdss_cnn", MAIN,
                         {"main": 600}, 0.06),
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


@dataclass(frozen=True)
class World:
    """The synthetic result tree."""

    results: Path
    claims: dict[str, Any]

    def table(self, study: str, name: str) -> pd.DataFrame:
        """Return one of ``scores``, ``differences``, ``curves`` of a study."""
        return pd.read_parquet(self.results / "metrics" / study / f"{name}.parquet")

    def files(self, pattern: str) -> list[Path]:
        """Return the files of a pattern below the results, in alphabetical order."""
        return sorted(self.results.glob(pattern))

    @property
    def records(self) -> list[Path]:
        """All sidecars but those of the report."""
        found = [path for path in self.files("**/*.json") if path.name != "card.json"]
        return [path for path in found if path.parent.name != "report"]


def make_world(results: Path, claims: dict[str, Any]) -> World:
    """Write the whole tree below `results`."""
    for study in STUDIES.values():
        write_study(study, results, claims)
    write_data(results)
    return World(results, claims)


def write_data(results: Path) -> None:
    """Write a sample with its cut-flow, and the sidecars of catalogue, match and dataset."""
    (results / "samples").mkdir(parents=True, exist_ok=True)
    make_sample(2000).to_parquet(results / "samples" / "mock_specz.parquet")
    columns = ["cut", "description", "n_in", "n_out", "fraction", "n_lost", "n_lost_alone",
               "n_lost_nan"]  # fmt: skip
    shares = 2200 / 2311, 2000 / 2200
    flow = [
        ["redshift range", "z_true > 0.01 and z_true < 4", 2311, 2200, shares[0], 111, 111, 7],
        ["a <strange> cut & more", "finite: mag_g", 2200, 2000, shares[1], 200, 222, 200],
    ]
    cutflow = pd.DataFrame(flow, columns=columns)
    cutflow.to_csv(results / "samples" / "mock_specz.cutflow.csv", index=False)
    counts = {"n_in": 2311, "n_out": 2000}
    write_sidecar(results / "samples" / "mock_specz.json", "select_sample.py", 0.9, counts=counts)
    part = {"rows_in": 5000, "sentinels": {"g_cmodel_mag": {"-99": 41}}, "flux_not_positive": {},
            "ra_wrapped": 17, "warnings": ["columns 'a' & 'b' look <odd>"]}  # fmt: skip
    counts = {"rows_in": 5000, "duplicates": 12, "rows_out": 4988, "parts": {"all": part}}
    write_sidecar(results / "catalogs" / "mock_hsc.json", "read_catalog.py", 1.2, counts=counts)
    quality = {"n_small": 2500, "n_big": 4988, "radius_arcsec": 1.0, "n_matched": 2311,
               "n_unmatched": 180, "n_contested": 9, "n_ambiguous": 3, "n_chance": 5,
               "separation_quantiles_arcsec": {"0.5": 0.17, "0.95": 0.41}}  # fmt: skip
    match = results / "catalogs" / "match" / "mock_specz.json"
    write_sidecar(match, "cross_match.py", 0.8, counts=quality)
    splits = {"train": 1400, "validation": 150, "calibration": 150, "test": 300}
    counts = {"n_in": {"mock_specz": 2005}, "n_copies_dropped": 5, "n_copies_by_id": 3,
              "n_copies_by_place": 2, "n_out": 2000,
              "n_by_split": splits}  # fmt: skip
    write_sidecar(results / "datasets" / "specz.json", "build_dataset.py", 0.7, counts=counts)


def make_sample(n: int) -> pd.DataFrame:
    """Return a sample with five bands, of which a few rows were not detected in i."""
    rng = np.random.default_rng(11)
    z_true = draw_truth(n, 0.55, rng)
    mag_i = 24.3 - 2.5 * rng.exponential(0.6, n) + 0.3 * z_true
    colour = 0.4 + 0.8 * z_true / (1 + z_true**2) + 0.1 * rng.normal(size=n)
    frame = pd.DataFrame({"object_id": np.arange(n), "z_true": z_true, "z_true_kind": "spec"})
    offsets = {"g": colour + 0.5, "r": colour, "i": 0.0, "z": -0.2, "y": -0.3}
    for band, offset in offsets.items():
        frame[f"mag_{band}"] = mag_i + offset
    frame.loc[:9, "mag_i"] = np.inf
    return frame
