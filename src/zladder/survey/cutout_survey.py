"""The HSC-like cutouts, batch by batch: painted, noised, written in both published layouts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.provenance.digests import file_digest
from zladder.provenance.outputs import whole_or_nothing
from zladder.survey.coadd import Coadd, coadd_noise, hsc_coadd
from zladder.survey.cutout_files import cutout_bytes, cutout_path, place_of
from zladder.survey.cutout_sets import create_set, fill_images, set_columns
from zladder.survey.painting import paint
from zladder.survey.streams import generator
from zladder.survey.tracts import tract_of

BATCH = 64  # galaxies painted at a time
NOISE_BLOCK = 64  # pixels of a tract whose noise is drawn together
SETS = ("specz", "photoz")
STAMP_INDEX_COLUMNS = {
    "object_id": "int64",
    "band": "str",
    "path": "str",
    "digest": "str",
    "sky_sigma_nmgy": "float64",
    "psf_fwhm_arcsec": "float64",
    "saturation_nmgy": "float64",
    "n_objects": "int64",
}


def write_cutouts(
    settings: Mapping[str, Any], seed: int, targets: pd.DataFrame, scene: pd.DataFrame,
    folder: Path, sets: Mapping[str, Path],
) -> pd.DataFrame:  # fmt: skip
    """Write a FITS file a galaxy and band, and the HDF5 file of each label set.

    Parameters
    ----------
    settings
        What `config.imaging.stamp_settings` returns.
    seed
        The sky's: the noise of a pixel depends on it, its place in the tract and the band alone.
    targets, scene
        As `deep_images` gives them (``stamps_hsc``, ``scene_hsc``).
    folder
        Above ``{band}/{object_id}.fits``; the index's paths are relative to it.
    sets
        The HDF5 file of each of `SETS`; callers who need whole files or none give temporary names.

    Returns
    -------
    index
        A row a galaxy and band, with `STAMP_INDEX_COLUMNS`.
    """
    coadd = hsc_coadd(settings)
    targets = targets.sort_values("object_id", ignore_index=True)
    members = {name: np.flatnonzero(targets[f"is_{name}"]) for name in SETS}
    side = settings["hsc_images"]["stamp_pixels"]
    for name in SETS:
        columns = set_columns(targets.iloc[members[name]], coadd.bands, name)
        create_set(sets[name], columns, len(coadd.bands), side)
    rows: list[dict[str, Any]] = []
    for start in range(0, len(targets), BATCH):
        batch = targets.iloc[start : start + BATCH].reset_index(drop=True)
        light, counts = _paint_batch(batch, scene, coadd, side)
        images = np.stack([
            _noisy(seed, target, light[position], coadd)
            for position, target in enumerate(batch.to_dict("records"))
        ])  # fmt: skip
        for position, target in enumerate(batch.to_dict("records")):
            rows += _write_target(folder, target, images[position], coadd, counts[position])
        for name in SETS:
            mine = members[name]
            in_batch = (mine >= start) & (mine < start + len(batch))
            scaled = images[mine[in_batch] - start] * np.float32(coadd.counts_per_nmgy)
            fill_images(sets[name], np.flatnonzero(in_batch), scaled)
    return pd.DataFrame(rows, columns=list(STAMP_INDEX_COLUMNS)).astype(STAMP_INDEX_COLUMNS)


def _paint_batch(
    batch: pd.DataFrame, scene: pd.DataFrame, coadd: Coadd, side: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the light of each stamp (n, B, S, S), and how many objects are near it."""
    number = pd.Index(batch["object_id"]).get_indexer(scene["object_id"])
    objects, stamp = scene[number >= 0], number[number >= 0]
    angle = np.empty(len(objects))
    for position, target in enumerate(batch.to_dict("records")):
        mine = stamp == position
        plane = tract_of(target["ra"], target["dec"]).plane
        pixel = objects.loc[mine, ["x_pixel", "y_pixel"]].to_numpy().T
        corner = np.array([[target["x_corner"]], [target["y_corner"]]])
        where = plane.to_sky(*(pixel + corner))
        turn = objects.loc[mine, "position_angle_deg"].to_numpy()
        angle[mine] = plane.angle_at_rad(turn, *where)
    light = paint(objects, angle, coadd, (len(batch), side, side), stamp)
    return light, np.bincount(stamp, minlength=len(batch))


def _noisy(
    seed: int, target: Mapping[str, Any], light: NDArray[np.float32], coadd: Coadd
) -> NDArray[np.float32]:
    """Return one galaxy's bands (B, S, S) with noise: that of the pixels of its tract."""
    tract = tract_of(target["ra"], target["dec"]).number
    corner = int(target["x_corner"]), int(target["y_corner"])
    side = light.shape[-1]
    return np.stack(
        [
            coadd_noise(tract_noise(seed, tract, corner, side, index), band, coadd, index)
            for index, band in enumerate(light)
        ]
    )


def tract_noise(
    seed: int, tract: int, corner: tuple[int, int], side: int, index: int
) -> NDArray[np.float32]:
    """Return standard normal numbers (side, side) of a tract's pixels: stamps may overlap."""
    columns, rows = (range(one // NOISE_BLOCK, (one + side - 1) // NOISE_BLOCK + 1)
                     for one in corner)  # fmt: skip
    blocks = [[_noise_block(seed, tract, y, x, index) for x in columns] for y in rows]
    x, y = corner[0] % NOISE_BLOCK, corner[1] % NOISE_BLOCK
    return np.block(blocks)[y : y + side, x : x + side]


def _noise_block(seed: int, tract: int, y: int, x: int, index: int) -> NDArray[np.float32]:
    rng = generator(seed, "cutouts", tract, y, x, index)
    return rng.standard_normal((NOISE_BLOCK, NOISE_BLOCK), dtype=np.float32)


def _write_target(
    folder: Path, target: Mapping[str, Any], image: NDArray[np.float32], coadd: Coadd,
    n_objects: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Write the files of one galaxy, all or none; return their rows of the index."""
    place = place_of(target, tract_of(target["ra"], target["dec"]))
    paths = [cutout_path(folder, target["object_id"], band) for band in coadd.bands]
    with whole_or_nothing(paths) as partial:
        for index, path in enumerate(partial):
            path.write_bytes(cutout_bytes(image[index], place, coadd, index))
        digests = [file_digest(path) for path in partial]
    return [
        {
            "object_id": target["object_id"],
            "band": band,
            "path": str(paths[index].relative_to(folder)),
            "digest": digests[index],
            "sky_sigma_nmgy": coadd.sky_sigma_nmgy[index],
            "psf_fwhm_arcsec": coadd.seeing_fwhm_arcsec[index],
            "saturation_nmgy": coadd.saturation_nmgy[index],
            "n_objects": n_objects,
        }
        for index, band in enumerate(coadd.bands)
    ]
