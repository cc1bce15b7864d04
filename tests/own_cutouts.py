"""What tests of ``zladder predict`` on cutouts share: runs on pixels, and files of every layout.

Files hold the galaxies of `tests.toy_images` with further bands around theirs, as the public files
have them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from tests import toy_images
from tests.toy_images import BANDS, CLASSES, EXTINCTION_PER_EBV, image_card
from zladder.learning.controls import save_control
from zladder.learning.image_bundle import drawn_encoder, new_head, save_images_run
from zladder.learning.pixels import softening_nmgy
from zladder.learning.reference import write_card
from zladder.networks.heads import ImageNetwork
from zladder.provenance.digests import value_digest

REFERENCE = {"n_train": 60, "z_min": 0.05, "z_max": 0.35}
N_GALAXIES = 60
N_FEATURES = 8
DR12 = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}


def write_results(results: Path) -> Path:
    """Write stamps, their dataset and four runs with drawn weights; return the results' sky."""
    sky = results / "mock-test"
    (sky / "datasets").mkdir(parents=True)
    toy_images.write_sky(sky, "datasets/labelled", N_GALAXIES, seed=0)
    parent = write_network(sky, image_card(run="toy.scratch-s0"))
    write_network(sky, image_card(run="toy.classes-s0", **CLASSES))
    link = {"run": parent["run"], "card": value_digest(parent)}
    common = {"inputs": {"features_of": parent["run"]}, "parent": link, "seed": 3,
              "data": parent["data"], "label_range_z": [0.0, 0.5]}  # fmt: skip
    write_linear(sky, {**common, "task": "probe", "run": "toy.probe-s0"}, 1)
    output = {**CLASSES["output"], "extension_bins": 5}
    write_linear(sky, {**common, "task": "head", "run": "toy.head-s0", "output": output}, 30)
    return sky


def write_network(sky: Path, card: dict[str, Any]) -> dict[str, Any]:
    """Write a network with drawn weights as a run; return its card."""
    folder = sky / "runs" / card["run"]
    folder.mkdir(parents=True, exist_ok=True)
    encoder = drawn_encoder(card)
    assert encoder.features == N_FEATURES
    sigma = torch.from_numpy(toy_images.SKY_SIGMA_NMGY)[None]
    encoder.softening_nmgy.copy_(softening_nmgy(sigma))
    head = new_head(card, encoder.features, torch.Generator().manual_seed(3))
    network = ImageNetwork(encoder, head)
    save_images_run(folder / "weights.safetensors", network.state_dict(), card)
    write_card(folder / "card.json", card, REFERENCE)
    return card


def write_linear(sky: Path, card: dict[str, Any], n_answers: int) -> None:
    """Write a probe or head with drawn weights as a run."""
    folder = sky / "runs" / card["run"]
    folder.mkdir()
    draw = np.random.default_rng(n_answers)
    arrays = {"weight": draw.normal(size=(n_answers, N_FEATURES)),
              "bias": draw.normal(size=n_answers), "mean": draw.normal(size=N_FEATURES),
              "scale": draw.uniform(0.5, 2.0, N_FEATURES)}  # fmt: skip
    save_control(folder / "weights.safetensors", arrays, card)
    write_card(folder / "card.json", card, REFERENCE)


def galaxies() -> dict[str, np.ndarray]:
    """Return the datasets of all stamps, and their `ebv_mag` and `z_true`, in one order."""
    frame, stamps = toy_images.galaxies(N_GALAXIES, 0)
    ebv_mag = stamps["extinction_mag"][:, 0].astype(float) / EXTINCTION_PER_EBV["g"]
    return {**stamps, "ebv_mag": ebv_mag, "z_true": frame["z_true"].to_numpy()}


def planes(bands: str, flux: np.ndarray) -> np.ndarray:
    """Return images (N, B, S, S) in other bands; those that the toy has not are strange."""
    other = [np.full(flux[:, 0].shape, 1e4, np.float32)] * len(bands)
    found = [flux[:, BANDS.index(b)] if b in BANDS else other[k] for k, b in enumerate(bands)]
    return np.stack(found, axis=1)


def framed(flux: np.ndarray, side: int) -> np.ndarray:
    """Return stamps (N, B, S, S) inside larger ones of strange pixels; centre stays S // 2."""
    size = flux.shape[-1]
    start = side // 2 - size // 2
    larger = np.full((*flux.shape[:2], side, side), -77.0, dtype=np.float32)
    larger[:, :, start : start + size, start : start + size] = flux
    return larger


def write_zladder(path: Path, **changed: Any) -> Path:
    """Write our own layout, contiguous, with attributes and datasets changed (None: left out)."""
    made = galaxies()
    datasets = {name: made[name] for name in ("flux", "object_id", "extinction_mag", "ra", "dec")}
    attributes = {"schema": "zladder stamps 2", "unit": "nmgy", "bands": BANDS,
                  "pixel_scale_arcsec": 0.396}  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, values in {**datasets, **changed}.items():
            if values is not None and name not in attributes:
                file[name] = values
        for name, value in attributes.items():
            if changed.get(name, value) is not None:
                file.attrs[name] = changed.get(name, value)
    return path


def write_sdss(path: Path, side: int = 107, **changed: Any) -> Path:
    """Write the layout of the self-supervised release (Hayat et al. 2021), gzip in chunks."""
    made = galaxies()
    e_bv = np.outer(made["ebv_mag"], list(DR12.values()))
    datasets = {
        "images": framed(planes("ugriz", made["flux"]), side),
        "e_bv": e_bv.astype(np.float32),
        "ObjID": made["object_id"],
        "specObjID": made["object_id"].astype(np.uint64) + np.uint64(2**63),
        "ra": made["ra"],
        "dec": made["dec"],
        "specz_redshift": made["z_true"],
        "specz_redshift_err": np.full(N_GALAXIES, 1e-4),
    }
    return _write_chunked(path, "images", {**datasets, **changed})


def write_galaxiesml(path: Path, side: int = 64, **changed: Any) -> Path:
    """Write the layout of GalaxiesML (Do et al. 2024), gzip in chunks, HSC's counts."""
    made = galaxies()
    counts = planes("grizy", made["flux"]) * np.float32(10 ** (0.4 * (27.0 - 22.5)))
    column = {f"{band}_cmodel_mag": np.full((N_GALAXIES, 1), 20.0) for band in "grizy"}
    datasets = {
        "image": framed(counts, side),
        "object_id": made["object_id"][:, None],
        "specz_redshift": made["z_true"][:, None],
        "specz_name": np.array([[b"a spectrum"]] * N_GALAXIES),
        "ra": made["ra"],
        "dec": made["dec"],
        **column,
    }
    return _write_chunked(path, "image", {**datasets, **changed})


def _write_chunked(path: Path, images: str, datasets: dict[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            if name == images:
                shape = (7, 1, *(min(size, 40) for size in values.shape[2:]))
                file.create_dataset(name, data=values, chunks=shape, compression="gzip",
                                    maxshape=(None, *values.shape[1:]))  # fmt: skip
            elif values is not None:
                file[name] = values
    return path
