"""Synthetic pixels and image results for the tests of the report: stamps, ladder, features."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd

from zladder.tables.stamp_files import STAMP_SCHEMA, STAMP_UNIT, stamp_datasets

if TYPE_CHECKING:
    from pathlib import Path

BANDS = ("u", "g", "r", "i", "z")
PIXEL_SCALE_ARCSEC = 0.396
SKY_SIGMA_NMGY = np.array([0.09, 0.025, 0.035, 0.05, 0.17], dtype=np.float32)
METRICS = {"sigma_nmad": 0.0115, "fout_05": 0.006, "bias_mean": 0.0004, "rms_dz": 0.016}
# {base: (its error with all labels, growth with fewer)}, relative
BASES = {"supervised": (1.0, 0.21), "finetuned": (1.03, 0.18), "joint_finetuned": (0.98, 0.10),
         "probe_untrained": (2.6, 0.1), "probe_moco": (1.7, 0.12), "probe_joint": (1.15, 0.07),
         "probe_colour": (1.2, 0.08), "catalogue": (1.12, 0.09)}  # fmt: skip
LADDER = {
    f"{base}_f{int(100 * fraction)}": {"base": base, "fraction": fraction}
    for base in BASES
    for fraction in (0.02, 0.1, 1.0)
}
STEPS = {"baseline": (0.30, -0.045), "step2": (0.31, -0.041), "step3": (0.09, 0.004),
         "step3a": (0.34, 0.006), "step3b": (0.07, -0.048), "boosting": (0.12, -0.03)}  # fmt: skip


def draw_galaxies(n: int, n_unlabelled: int, seed: int = 5) -> pd.DataFrame:
    """Return an image dataset: labelled galaxies, then unlabelled ones, without their stamps."""
    rng = np.random.default_rng(seed)
    total = n + n_unlabelled
    z = 0.02 + 0.055 * rng.gamma(2.2, 0.75, total)
    mag_r = 17.6 - rng.exponential(0.75, total)
    mag_r[n:] += 1.4
    early = rng.random(total) < 0.45
    g_r = np.where(early, 0.72 + 2.2 * z, 0.42 + 1.5 * z) + 0.04 * rng.normal(size=total)
    frame = pd.DataFrame({"object_id": np.arange(1000, 1000 + total), "z_true": z, "early": early})
    frame.loc[n:, "z_true"] = np.nan
    offsets = {"u": g_r + 1.5, "g": g_r, "r": 0.0, "i": -0.4 * g_r, "z": -0.65 * g_r}
    for band in BANDS:
        frame[f"mag_{band}"] = mag_r + offsets[band]
    splits = rng.choice(
        ["train", "validation", "calibration", "test"], total, p=[0.6, 0.1, 0.1, 0.2]
    )
    frame["split"] = np.where(np.arange(total) < n, splits, "unlabelled")
    frame["fraction_rank"] = rng.random(total)
    return frame.assign(stamp_flags=np.zeros(total, dtype=np.uint32), z_drawn=z)


def write_pixels(folder: Path, frame: pd.DataFrame, size: int = 32) -> tuple[Path, list[Path]]:
    """Write stamp shards of two samples and their image dataset; return it and the shards."""
    frame = frame.copy()
    sample = np.where(frame["z_true"].notna(), "mock_main", "mock_deep")
    shard = np.arange(len(frame)) % 2
    frame["shard"] = [f"{name}/{number:03d}" for name, number in zip(sample, shard, strict=True)]
    frame["row"] = frame.groupby("shard").cumcount()
    files = []
    for name, rows in frame.groupby("shard"):
        path = folder / "cutouts" / f"{name}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_shard(path, rows, size)
        files.append(path)
    dataset = folder / "datasets" / "images.parquet"
    dataset.parent.mkdir(parents=True, exist_ok=True)
    frame.drop(columns=["early", "z_drawn"]).to_parquet(dataset)
    return dataset, files


def _write_shard(path: Path, rows: pd.DataFrame, size: int) -> None:
    """Write one shard as the stage cutouts does: contiguous, bands and scale as attributes."""
    n, n_bands = len(rows), len(BANDS)
    values = {
        "flux": np.stack([draw_stamp(row, size) for _, row in rows.iterrows()]),
        "object_id": rows["object_id"].to_numpy(),
        "sky_sigma_nmgy": np.tile(SKY_SIGMA_NMGY, (n, 1)),
    }
    with h5py.File(path, "w") as file:
        for name, (dtype, entry) in stamp_datasets(n_bands, size).items():
            file[name] = values.get(name, np.zeros((n, *entry))).astype(dtype)
        file.attrs["schema"], file.attrs["unit"] = STAMP_SCHEMA, STAMP_UNIT
        file.attrs["bands"] = list(BANDS)
        file.attrs["pixel_scale_arcsec"] = PIXEL_SCALE_ARCSEC


def draw_stamp(row: pd.Series, size: int) -> np.ndarray:
    """Return a galaxy in nanomaggies, float32 (bands, size, size): disc, bulge, noise."""
    rng = np.random.default_rng(int(row["object_id"]))
    y, x = np.mgrid[:size, :size] - (size - 1) / 2 + rng.uniform(-0.5, 0.5, (2, 1, 1))
    angle, flat = (
        rng.uniform(0, np.pi),
        rng.uniform(0.7, 1) if row["early"] else rng.uniform(0.25, 1),
    )
    along = x * np.cos(angle) + y * np.sin(angle)
    across = (y * np.cos(angle) - x * np.sin(angle)) / flat
    disc = np.exp(-np.hypot(along, across) / (1.1 + 0.28 / (row["z_drawn"] + 0.03)))
    bulge = np.exp(-np.hypot(along, across / max(flat, 0.7)) / 1.5)
    planes = []
    for place, band in enumerate(BANDS):
        share = (0.75 if row["early"] else 0.2) * (0.75 + 0.12 * place)
        light = share * bulge / bulge.sum() + (1 - min(share, 0.95)) * disc / disc.sum()
        flux = 10 ** (0.4 * (22.5 - row[f"mag_{band}"]))
        noise = rng.normal(size=(size, size)) * SKY_SIGMA_NMGY[place]
        planes.append(flux * light / light.sum() + noise)
    return np.stack(planes).astype(np.float32)


def write_features(path: Path, frame: pd.DataFrame, strength: float, seed: int = 3) -> Path:
    """Write the features of an encoder that knows the redshift more or less."""
    rng = np.random.default_rng(seed)
    z = np.nan_to_num(frame["z_drawn"].to_numpy(), nan=0.1)
    hidden = np.column_stack([np.log(z + 0.02) * strength, frame["mag_r"], frame["early"] * 1.0])
    hidden = (hidden - hidden.mean(0)) * [1.0, 0.5, 0.8]
    features = np.tanh(hidden @ rng.normal(size=(3, 24))) + 0.15 * rng.normal(size=(len(frame), 24))
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["features"] = features.astype(np.float32)
        file["object_id"] = frame["object_id"].to_numpy()
    return path


def ladder_scores(n_test: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and differences of a study whose networks climb a ladder of labels."""
    methods = {"knn": 1.25, "boosting": 1.13, "forest": 1.2, "mean_z": 5.0}
    for method, rung in LADDER.items():
        level, growth = BASES[rung["base"]]
        methods[method] = level * (1 - growth * np.log10(rung["fraction"]))
    rows = []
    for split, method, (metric, value) in itertools.product(
        ("validation", "test"), methods, METRICS.items()
    ):
        found = value * methods[method] ** (1.6 if metric == "fout_05" else 1.0)
        half = found * (0.09 if metric == "fout_05" else 0.03)
        row = {"dataset": "images", "split": split, "method": method, "metric": metric}
        row |= {"value": found, "n_total": n_test, "n_used": n_test}
        for level, times in (("68", 1), ("95", 2)):
            row |= {f"lo{level}": found - times * half, f"hi{level}": found + times * half}
        rows.append(row)
    differences = pd.DataFrame({"dataset": "images", "method": list(LADDER), "peer": "boosting",
                                "metric": "sigma_nmad", "chosen": False})  # fmt: skip
    differences.loc[differences["method"] == "joint_finetuned_f100", "chosen"] = True
    return pd.DataFrame(rows), differences


def collapse_table() -> pd.DataFrame:
    """Return total variation and slope of the steps, with intervals."""
    rows = []
    for method, (tv, slope) in STEPS.items():
        for quantity, value, half in (("tv", tv, 0.02), ("tv_floor", 0.05, 0.008),
                                      ("tv_excess", tv - 0.05, 0.02), ("slope_zs", slope, 0.012),
                                      ("w1_nz", 0.01 * tv, 0.001)):  # fmt: skip
            row = {"dataset": "images", "method": method, "quantity": quantity, "value": value}
            rows.append(row | {"lo95": value - half, "hi95": value + half})
    return pd.DataFrame(rows)


def write_steps(folder: Path, n_test: int = 2500) -> list[Path]:
    """Write predictions whose z_phot clump onto a few values where the labels are hard."""
    rng = np.random.default_rng(9)
    z_true = (0.02 + 0.055 * rng.gamma(2.2, 0.75, n_test)).astype(np.float32)
    files = []
    for method, (tv, slope) in STEPS.items():
        z_phot = z_true + slope * (z_true - 0.11) + 0.012 * rng.normal(size=n_test)
        grid = np.round(z_phot / 0.0133) * 0.0133
        z_phot = np.where(
            rng.random(n_test) < 2 * tv, grid + 0.001 * rng.normal(size=n_test), z_phot
        )
        frame = pd.DataFrame({"dataset": "images", "split": "test", "object_id": np.arange(n_test),
                              "z_true": z_true, "z_phot": z_phot.clip(0.001)})  # fmt: skip
        files.append(folder / "predictions" / f"class_residuals.{method}-s0.parquet")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(files[-1])
    return files
