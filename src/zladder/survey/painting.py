"""Paint the objects of a scene into images, without noise."""

from __future__ import annotations

from typing import Protocol

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


class View(Protocol):
    """What the painter must know of images in B bands, as `Conditions` and `Coadd` have it."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Their letters."""

    @property
    def pixel_arcsec(self) -> float:
        """The side of a pixel."""

    @property
    def moffat_beta(self) -> float:
        """Of the seeing, in all bands."""

    @property
    def seeing_fwhm_arcsec(self) -> Array:
        """Full width of a star before it falls on pixels, shape (B,)."""

    @property
    def sky_sigma_nmgy(self) -> Array:
        """Standard deviation of a pixel without an object, shape (B,)."""


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
    angle = field.angle_rad(scene["position_angle_deg"].to_numpy())
    shape = (1, HEIGHT_PIXELS, WIDTH_PIXELS)
    return paint(scene, angle, conditions, shape, device=device)[0]


def paint(
    scene: pd.DataFrame,
    angle_rad: Array,
    view: View,
    shape: tuple[int, int, int],
    image: NDArray[np.int64] | None = None,
    device: str = "cpu",
) -> NDArray[np.float32]:
    """Return the light of objects in nanomaggies, in one or more images of the same size.

    Parameters
    ----------
    scene
        N objects: ``x_pixel``, ``y_pixel`` (from 0), shapes and fluxes.
    angle_rad
        Shape (N,): of their major axes from +x towards +y.
    view
        The images' bands, pixels, seeing and noise; it decides how far out an object is painted.
    shape
        How many images (M), height and width.
    image
        Shape (N,): in which image each object stands; None where there is one.
    device
        Of torch.

    Returns
    -------
    NDArray
        Shape (M, B, height, width).
    """
    count, height, width = shape
    images = np.zeros((count, len(view.bands), height, width), dtype=np.float32)
    where = np.zeros(len(scene), dtype=np.int64) if image is None else image
    seeing = make_seeing(view.seeing_fwhm_arcsec / view.pixel_arcsec, view.moffat_beta)
    sizes = stamp_sizes(scene, view)
    pixel = np.round(scene[["x_pixel", "y_pixel"]].to_numpy()).astype(int)
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        for chunk in np.array_split(rows, -(-len(rows) // MAX_CHUNK)):
            light = light_at(
                scene.iloc[chunk], angle_rad[chunk], view.bands, view.pixel_arcsec, device
            )
            stamps = render(light, seeing, int(size)).cpu().numpy()
            for row, stamp in zip(chunk, stamps, strict=True):
                _add(images[where[row]], stamp, int(pixel[row, 0]), int(pixel[row, 1]))
    return images


def light_of(
    field: ImagingField, scene: pd.DataFrame, bands: tuple[str, ...], device: str = "cpu"
) -> Light:
    """Return rows of a field's scene as what the renderer takes: `light_at`."""
    angle = field.angle_rad(scene["position_angle_deg"].to_numpy())
    return light_at(scene, angle, bands, PIXEL_ARCSEC, device)


def light_at(
    scene: pd.DataFrame, angle_rad: Array, bands: tuple[str, ...], pixel_arcsec: float,
    device: str = "cpu",
) -> Light:  # fmt: skip
    """Return rows of a scene as what the renderer takes, about the nearest pixels' centres."""

    def tensor(values: Array) -> torch.Tensor:
        return torch.tensor(np.asarray(values), dtype=torch.float32, device=device)

    pixel = scene[["x_pixel", "y_pixel"]].to_numpy()
    disc, bulge = _fluxes(scene, bands)
    return Light(
        disc_flux=tensor(disc),
        bulge_flux=tensor(bulge),
        disc_radius=tensor(scene["disc_radius_arcsec"].to_numpy() / pixel_arcsec),
        bulge_radius=tensor(scene["bulge_radius_arcsec"].to_numpy() / pixel_arcsec),
        disc_ratio=tensor(scene["disc_axis_ratio"].to_numpy()),
        bulge_ratio=tensor(scene["bulge_axis_ratio"].to_numpy()),
        angle=tensor(angle_rad),
        offset=tensor(pixel - np.round(pixel)),
    )


def _fluxes(scene: pd.DataFrame, bands: tuple[str, ...]) -> tuple[Array, Array]:
    """Return the fluxes of discs and bulges in nanomaggies, shape (N, B) each."""
    disc = scene[[f"disc_flux_{band}_nmgy" for band in bands]].to_numpy()
    return disc, scene[[f"bulge_flux_{band}_nmgy" for band in bands]].to_numpy()


def stamp_sizes(scene: pd.DataFrame, view: View) -> NDArray[np.int64]:
    """Return the stamp in which each object fits, shape (N,), one of `STAMP_SIZES`.

    Where the surface brightness along the major axis, that of the star-like core included, falls
    below `EDGE_SHARE` of the noise in every band. The last size is for all that are larger.
    """
    sizes = np.full(len(scene), STAMP_SIZES[-1], dtype=np.int64)
    noise = EDGE_SHARE * view.sky_sigma_nmgy
    disc, bulge = (np.max(flux / noise, axis=1) for flux in _fluxes(scene, view.bands))
    widest = float(view.seeing_fwhm_arcsec.max()) / view.pixel_arcsec
    disc_radius, bulge_radius = (
        np.maximum(scene[f"{part}_radius_arcsec"].to_numpy() / view.pixel_arcsec, 0.1)
        for part in ("disc", "bulge")
    )
    for size in reversed(STAMP_SIZES[:-1]):
        radius = size / 2
        light = disc * _disc_surface(radius, disc_radius) / scene["disc_axis_ratio"].to_numpy()
        light += bulge * _bulge_surface(radius, bulge_radius) / scene["bulge_axis_ratio"].to_numpy()
        light += (disc + bulge) * _star_surface(radius, widest, view.moffat_beta)
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


def _add(images: NDArray[np.float32], stamp: NDArray[np.float32], x: int, y: int) -> None:
    """Add a stamp whose pixel (S/2, S/2) falls on pixel (x, y); what lies outside is lost."""
    height, width = images.shape[1:]
    half = stamp.shape[-1] // 2
    left, low = x - half, y - half
    x_0, y_0 = max(left, 0), max(low, 0)
    x_1, y_1 = min(x + half, width), min(y + half, height)
    if x_0 < x_1 and y_0 < y_1:
        part = stamp[:, y_0 - low : y_1 - low, x_0 - left : x_1 - left]
        images[:, y_0:y_1, x_0:x_1] += part
