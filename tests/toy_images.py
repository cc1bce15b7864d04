"""A small sky of stamps: round galaxies whose colours follow their redshift, on noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch

from zladder.config.merge import overlay
from zladder.learning.augment import Views
from zladder.learning.images import Images
from zladder.learning.loaders import ResidentLoader
from zladder.learning.window_size import BLOCK_ROWS, WHOLE_ROWS
from zladder.learning.windows import Windows

BANDS = ["g", "r", "i"]
EXTINCTION_PER_EBV = {"g": 3.303, "r": 2.285, "i": 1.698}
SKY_SIGMA_NMGY = np.array([0.02, 0.03, 0.05], dtype=np.float32)
STAMP_PIXELS = 16
SHARDS = ["0", "1"]

PRETRAIN_CARD: dict[str, Any] = {
    "task": "pretrain",
    "run": "toy.moco-s0",
    "seed": 11,
    "data": {"dataset": "unlabelled"},
    "inputs": {
        "bands": BANDS,
        "dereddened": True,
        "extinction_per_ebv": EXTINCTION_PER_EBV,
        "pixel_scale_arcsec": 0.396,
        "crop_pixels": 12,
        "stretch": "sqrt",
    },
    "model": {"kind": "resnet", "width": 4, "blocks": [1, 1], "stem_stride": 2},
    "objective": {
        "contrastive_weight": 1.0,
        "colour_weight": 0.0,
        "queue_size": 64,
        "momentum": 0.9,
        "temperature": 0.1,
        "projection_units": 8,
    },
    "augmentation": {
        "geometry": "dihedral",
        "jitter_pixels": 2,
        "noise_sigmas_max": 1.0,
        "ebv_mag_max": 0.2,
    },
    "optimizer": {"learning_rate": 5e-3, "weight_decay": 1e-4},
    "schedule": {"steps": 12, "batch_size": 24, "checks": 3, "decay": "cosine"},
    "parent": None,
    "precision": "float32",
}
IMAGE_CARD: dict[str, Any] = {
    **{key: value for key, value in PRETRAIN_CARD.items() if key != "objective"},
    "task": "image",
    "run": "toy.scratch-s0",
    "data": {"dataset": "labelled", "label_fraction": 1.0},
    "output": {"kind": "regression"},
    "loss": {"name": "huber", "delta": 0.02},
    "augmentation": {
        "geometry": "dihedral",
        "jitter_pixels": 1,
        "noise_sigmas_max": 0.5,
        "ebv_mag_max": 0.0,
    },
    "optimizer": {"learning_rate": 1e-2, "weight_decay": 1e-4, "trunk_factor": 1.0},
    "label_range_z": [0.0, 0.5],
}
CLASSES = {
    "output": {"kind": "classes", "bins": 20, "range_z": [0.0, 0.4]},
    "loss": {"name": "cross_entropy"},
}


def pretrain_card(**changes: Any) -> dict[str, Any]:
    """Return the card of a pretraining with changes laid over it."""
    return overlay(PRETRAIN_CARD, changes)


def image_card(**changes: Any) -> dict[str, Any]:
    """Return the card of an image network with changes laid over it."""
    card = overlay(IMAGE_CARD, {key: value for key, value in changes.items() if key != "output"})
    return {**card, "output": changes.get("output", IMAGE_CARD["output"])}


def galaxies(n: int, seed: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return (dataset of n galaxies, their stamps): 60 % train, 20 % validation, 20 % test."""
    draw = np.random.default_rng(seed)
    z_true = draw.uniform(0.05, 0.35, n)
    slopes = np.array([9.0, 5.0, 3.0])
    magnitudes = 17.0 + slopes * (z_true[:, None] - 0.2) + draw.normal(0, 0.02, (n, len(BANDS)))
    extinction = np.outer(draw.uniform(0, 0.1, n), list(EXTINCTION_PER_EBV.values()))
    index = np.arange(n)
    frame = pd.DataFrame(
        {
            "object_id": 1000 * (seed + 1) + index,
            "z_true": z_true,
            **{f"mag_{band}": magnitudes[:, place] for place, band in enumerate(BANDS)},
            "split": np.array(["train"] * 3 + ["validation", "test"])[index % 5],
            "fraction_rank": draw.permutation(n) / n,
            "shard": [f"toy{seed}/{SHARDS[place % 2]}" for place in index],
            "row": index // 2,
            "stamp_flags": np.zeros(n, dtype=np.uint32),
        }
    )
    flux_nmgy = 10 ** (0.4 * (22.5 - magnitudes - extinction))
    y, x = np.mgrid[:STAMP_PIXELS, :STAMP_PIXELS] - STAMP_PIXELS // 2
    profile = np.exp(-0.5 * (x**2 + y**2) / 2.0**2) / (2 * np.pi * 2.0**2)
    noise = draw.normal(0, 1, (n, len(BANDS), STAMP_PIXELS, STAMP_PIXELS))
    pixels = flux_nmgy[:, :, None, None] * profile + noise * SKY_SIGMA_NMGY[:, None, None]
    stamps = {
        "flux": pixels.astype(np.float32),
        "object_id": frame["object_id"].to_numpy(),
        "ra": draw.uniform(10, 20, n),
        "dec": draw.uniform(-5, 5, n),
        "flags": np.zeros((n, len(BANDS)), dtype=np.uint32),
        "extinction_mag": extinction.astype(np.float32),
        "ebv_mag": (extinction[:, 0] / EXTINCTION_PER_EBV[BANDS[0]]).astype(np.float32),
        "offset_pixels": np.zeros((n, len(BANDS), 2), dtype=np.float32),
        "sky_sigma_nmgy": np.tile(SKY_SIGMA_NMGY, (n, 1)),
        "psf_fwhm_arcsec": np.full((n, len(BANDS)), 1.3, dtype=np.float32),
    }
    return frame, stamps


def write_sky(
    folder: Path, name: str, n: int, seed: int, **columns: Any
) -> tuple[Path, list[Path]]:
    """Write a dataset (with columns changed) and its two shards; return their paths."""
    frame, stamps = galaxies(n, seed)
    paths = []
    for place, shard in enumerate(SHARDS):
        path = folder / f"cutouts/toy{seed}/{shard}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            for key, values in stamps.items():
                file.create_dataset(key, data=values[place::2])
            file.attrs["schema"], file.attrs["unit"] = "zladder stamps 2", "nmgy"
            file.attrs["bands"], file.attrs["pixel_scale_arcsec"] = BANDS, 0.396
        paths.append(path)
    dataset = folder / f"{name}.parquet"
    frame.assign(**columns).to_parquet(dataset)
    return dataset, paths


def random_images(n: int, side: int, seed: int = 0) -> Images:
    """Return images of positive pixels, none like another."""
    generator = torch.Generator().manual_seed(seed)
    flux = 1.0 + torch.rand(n, side, side, len(BANDS), generator=generator)
    return Images(flux, torch.from_numpy(SKY_SIGMA_NMGY).expand(n, -1).clone())


def views(images: Images, **inputs: Any) -> Views:
    """Return views of images with softening 1."""
    return Views(images, {**PRETRAIN_CARD["inputs"], **inputs}, torch.ones(len(BANDS)))


def bits(tensors: dict[str, torch.Tensor]) -> dict[str, bytes]:
    """Return the bytes of each tensor."""
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in tensors.items()}


def loader(images: Images, card: dict[str, Any]) -> ResidentLoader:
    """Return the loader of images in memory, with softening 1."""
    windows = Windows(card["seed"], torch.arange(len(images)), BLOCK_ROWS, WHOLE_ROWS)
    return ResidentLoader(views(images), windows, card["schedule"]["batch_size"])
