"""Paint the objects of a field into its frames, without noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import gamma

from zladder.survey.conditions import Conditions
from zladder.survey.imaging import (
    HEIGHT_PIXELS,
    PIXEL_ARCSEC,
    WIDTH_PIXELS,
    ImagingField,
)
from zladder.survey.renderer import Light, make_seeing, render
from zladder.universe.hankel import BULGE_B, DISC_B, moffat_scale

STAMP_SIZES = (48, 64, 96, 128, 192, 256, 384, 512)
# an object is cut off where its surface brightness is this share of the sky's noise in a pixel
EDGE_SHARE = 0.1
MAX_CHUNK = 256  # stamps held at a time

Array = NDArray[np.float64]


def paint_field(
    field: ImagingField, scene: pd.DataFrame, conditions: Conditions, device: str = "cpu"
) -> NDArray[np.float32]:
    """Return the light of a field's objects in nanomaggies, shape (B, 1489, 2048).

    Parameters
    ----------
    field
        Where it lies.
    scene
        The rows of this field.
    conditions
        Seeing and noise; the noise decides how far out an object is painted.
    device
        Of torch.
    """
    frames = np.zeros((len(conditions.bands), HEIGHT_PIXELS, WIDTH_PIXELS), dtype=np.float32)
    seeing = make_seeing(conditions.seeing_fwhm_arcsec / PIXEL_ARCSEC, conditions.moffat_beta)
    sizes = stamp_sizes(scene, conditions)
    pixel = scene[["x_pixel", "y_pixel"]].to_numpy()
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        for chunk in np.array_split(rows, -(-len(rows) // MAX_CHUNK)):
            light = light_of(field, scene.iloc[chunk], conditions.bands, device)
            stamps = render(light, seeing, int(size)).cpu().numpy()
            for stamp, (x, y) in zip(stamps, np.round(pixel[chunk]).astype(int), strict=True):
                _add(frames, stamp, int(x), int(y))
    return frames


def light_of(
    field: ImagingField, scene: pd.DataFrame, bands: tuple[str, ...], device: str = "cpu"
) -> Light:
    """Return rows of the scene as what the renderer takes, about the nearest pixels' centres."""

    def tensor(values: Array) -> torch.Tensor:
        return torch.tensor(np.asarray(values), dtype=torch.float32, device=device)

    pixel = scene[["x_pixel", "y_pixel"]].to_numpy()
    disc, bulge = _fluxes(scene, bands)
    return Light(
        disc_flux=tensor(disc),
        bulge_flux=tensor(bulge),
        disc_radius=tensor(scene["disc_radius_arcsec"].to_numpy() / PIXEL_ARCSEC),
        bulge_radius=tensor(scene["bulge_radius_arcsec"].to_numpy() / PIXEL_ARCSEC),
        disc_ratio=tensor(scene["disc_axis_ratio"].to_numpy()),
        bulge_ratio=tensor(scene["bulge_axis_ratio"].to_numpy()),
        angle=tensor(field.angle_rad(scene["position_angle_deg"].to_numpy())),
        offset=tensor(pixel - np.round(pixel)),
    )


def _fluxes(scene: pd.DataFrame, bands: tuple[str, ...]) -> tuple[Array, Array]:
    """Return the fluxes of discs and bulges in nanomaggies, shape (N, B) each."""
    disc = scene[[f"disc_flux_{band}_nmgy" for band in bands]].to_numpy()
    return disc, scene[[f"bulge_flux_{band}_nmgy" for band in bands]].to_numpy()


def stamp_sizes(scene: pd.DataFrame, conditions: Conditions) -> NDArray[np.int64]:
    """Return the stamp in which each object fits, shape (N,), one of `STAMP_SIZES`.

    Where the surface brightness along the major axis, that of the star-like core included, falls
    below `EDGE_SHARE` of the noise in every band. The last size is for all that are larger.
    """
    sizes = np.full(len(scene), STAMP_SIZES[-1], dtype=np.int64)
    noise = EDGE_SHARE * conditions.sky_sigma_nmgy
    disc, bulge = (np.max(flux / noise, axis=1) for flux in _fluxes(scene, conditions.bands))
    widest = float(conditions.seeing_fwhm_arcsec.max()) / PIXEL_ARCSEC
    disc_radius, bulge_radius = (
        np.maximum(scene[f"{part}_radius_arcsec"].to_numpy() / PIXEL_ARCSEC, 0.1)
        for part in ("disc", "bulge")
    )
    for size in reversed(STAMP_SIZES[:-1]):
        radius = size / 2
        light = disc * _disc_surface(radius, disc_radius) / scene["disc_axis_ratio"].to_numpy()
        light += bulge * _bulge_surface(radius, bulge_radius) / scene["bulge_axis_ratio"].to_numpy()
        light += (disc + bulge) * _star_surface(radius, widest, conditions.moffat_beta)
        sizes[light < 1.0] = size
    return sizes


def _disc_surface(radius: float, half_light_radius: Array) -> Array:
    """Return the surface brightness of a round disc of flux 1."""
    scale = half_light_radius / DISC_B
    return np.exp(-radius / scale) / (2 * np.pi * scale**2)


def _bulge_surface(radius: float, half_light_radius: Array) -> Array:
    """Return the surface brightness of a round bulge of flux 1."""
    fall = np.exp(-BULGE_B * (radius / half_light_radius) ** 0.25)
    return fall * BULGE_B**8 / (8 * np.pi * gamma(8) * half_light_radius**2)


def _star_surface(radius: float, fwhm: float, beta: float) -> float:
    """Return the surface brightness of a Moffat profile of flux 1."""
    scale = moffat_scale(fwhm, beta)
    return float((beta - 1) / (np.pi * scale**2) * (1 + (radius / scale) ** 2) ** -beta)


def _add(frames: NDArray[np.float32], stamp: NDArray[np.float32], x: int, y: int) -> None:
    """Add a stamp whose pixel (S/2, S/2) falls on pixel (x, y); what lies outside is lost."""
    half = stamp.shape[-1] // 2
    left, low = x - half, y - half
    x_0, y_0 = max(left, 0), max(low, 0)
    x_1, y_1 = min(x + half, WIDTH_PIXELS), min(y + half, HEIGHT_PIXELS)
    if x_0 < x_1 and y_0 < y_1:
        part = stamp[:, y_0 - low : y_1 - low, x_0 - left : x_1 - left]
        frames[:, y_0:y_1, x_0:x_1] += part
