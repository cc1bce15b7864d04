"""Published image files as their pages describe them, small, and samples of their galaxies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

R_DR12 = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}
R = {"u": 4.239, "g": 3.303, "r": 2.285, "i": 1.698, "z": 1.263}
R_HSC = {"g": 3.24, "r": 2.276, "i": 1.633, "z": 1.263, "y": 1.075}
N = 30
FIRST_ID = 1237650000000000000  # as of SDSS: beyond what a float holds
SIGMA = np.array([0.05, 0.02, 0.03, 0.04, 0.2])
SDSS = {
    "bands": list("ugriz"), "layout": "sdss", "stamp_pixels": 12, "pixel_scale_arcsec": 0.396,
    "zero_point_mag": 22.5, "extinction_per_ebv": R, "n_shards": 1, "max_lost_fraction": 0.0,
    "encoding": "float32", "softening_nmgy": dict(zip("ugriz", SIGMA.tolist(), strict=True)),
    "lowest_softenings": -10_000, "highest_softenings": 1e6,
}  # fmt: skip
HSC = SDSS | {
    "bands": list("grizy"), "layout": "galaxiesml", "pixel_scale_arcsec": 0.168,
    "zero_point_mag": 27.0, "extinction_per_ebv": R_HSC, "dust": "unknown",
    "softening_nmgy": dict.fromkeys("grizy", 0.001),
}  # fmt: skip


def pixels(side: int, n: int = N, seed: int = 4) -> np.ndarray:
    """Return images (n, 5, side, side): noise of `SIGMA`, and a galaxy in the middle."""
    draw = np.random.default_rng(seed)
    images = draw.normal(size=(n, 5, side, side)) * SIGMA[:, None, None]
    images[:, :, side // 2, side // 2] += draw.uniform(1, 9, (n, 5))
    return images.astype(np.float32)


def ids(n: int = N) -> np.ndarray:
    """Return identifiers out of order."""
    return np.random.default_rng(1).permutation(n) + FIRST_ID


def sdss_columns(side: int = 15, n: int = N) -> dict[str, np.ndarray]:
    """Return the datasets of the self-supervised release (Hayat et al. 2021)."""
    ebv = np.linspace(0.01, 0.2, n)
    return {
        "images": pixels(side, n), "e_bv": np.outer(ebv, list(R_DR12.values())).astype(np.float32),
        "ObjID": ids(n), "specObjID": ids(n).astype(np.uint64) + np.uint64(2**63),
        "ra": np.linspace(10, 11, n), "dec": np.linspace(-1, 1, n),
        "specz_redshift": np.linspace(0.01, 0.3, n), "specz_redshift_err": np.full(n, 1e-4),
    }  # fmt: skip


def hsc_columns(side: int = 16, n: int = N) -> dict[str, np.ndarray]:
    """Return the datasets of GalaxiesML: some columns (N,), some (N, 1); pixels in counts."""
    return {
        "image": pixels(side, n), "object_id": ids(n)[:, None],
        "specz_redshift": np.linspace(0.01, 3, n)[:, None],
        "specz_name": np.array([[b"a spectrum"]] * n),
        "ra": np.linspace(150, 151, n), "dec": np.linspace(1, 3, n),
        **{f"{band}_cmodel_mag": np.full((n, 1), 20.0) for band in "grizy"},
    }  # fmt: skip


def write(path: Path, columns: dict[str, Any], chunk: tuple[int, ...] | None = None) -> Path:
    """Write a file; images in chunks of gzip where a chunk's shape is given."""
    packed = {"compression": "gzip", "chunks": chunk} if chunk else {}
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values, **(packed if np.ndim(values) == 4 else {}))
    return path


def sample_of(path: Path, object_ids: np.ndarray, **columns: np.ndarray) -> Path:
    """Write a sample of galaxies, in another order than the files have."""
    n = len(object_ids)
    table = {"object_id": object_ids, "ra": np.linspace(20, 21, n), "dec": np.linspace(5, 6, n)}
    frame = pd.DataFrame({**table, **columns})
    frame.sample(frac=1, random_state=2).to_parquet(path, index=False)
    return path
