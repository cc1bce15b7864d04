"""All stamps of one field at once: every galaxy, band after band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.frames import frame_path, read_frame
from zladder.cutouts.losses import Loss
from zladder.cutouts.resample import areas, noise_share, resample, sky_grids
from zladder.cutouts.windows import cut_windows, first_pixels, lie_inside, offsets
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import LOSING, flag_value, stamp_datasets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from zladder.cutouts.frames import Frame

    Stamps = dict[str, np.ndarray]  # the datasets of a shard (`stamp_datasets`), N rows each
    Key = tuple[int, int, int]  # run, camcol, field
    # x, y in pixels (N, 2); which stamps are whole (N,); the frame's brightest pixel in each (N,)
    Cut = tuple[np.ndarray, np.ndarray, np.ndarray]


def cut_field(
    galaxies: pd.DataFrame, key: Key, root: Path, settings: Mapping[str, Any]
) -> tuple[Stamps, list[Loss]]:
    """Return (stamps of the galaxies that have one, losses).

    Parameters
    ----------
    galaxies
        `object_id, ra, dec` (deg) and `extinction_{band}` (mag) of one field.
    key
        Its run, camcol and field.
    root
        The folder of the frames.
    settings
        `bands`, `stamp_pixels`, `pixel_scale_arcsec`, `grid`, `extinction_per_ebv`.

    Returns
    -------
    tuple
        Each band is cut about its own pixel position (grid "frame"), or resampled onto one grid on
        the sky (grid "sky"): the world coordinates of a field's frames differ, and the bands of a
        stamp must show the same galaxy. A frame that cannot be used
        loses all galaxies of its field.
    """
    bands = settings["bands"]
    stamps = empty_stamps(galaxies, settings)
    ids = stamps["object_id"].tolist()
    lost: dict[int, Loss] = {}
    shape: tuple[int, ...] | None = None
    for index, band in enumerate(bands):
        expected = {**settings, "key": key, "shape": shape}
        try:
            frame = read_frame(frame_path(root, key, band), band, expected)
        except BadInput as error:
            everyone = [Loss(object_id, key, band, "frame", error) for object_id in ids]
            return _kept(stamps, np.zeros(len(ids), dtype=bool)), everyone
        shape = frame.image.shape
        xy = cut_band(frame, index, stamps, settings)
        for row, kind in _faulty(stamps["flags"][:, index], frame, xy).items():
            fault = _fault(frame, ids[row], xy[row], kind, settings["stamp_pixels"])
            lost.setdefault(row, Loss(ids[row], key, band, kind, fault))
    stays = np.ones(len(ids), dtype=bool)
    stays[list(lost)] = False
    return _kept(stamps, stays), [lost[row] for row in sorted(lost)]


def cut_band(frame: Frame, index: int, stamps: Stamps, settings: Mapping[str, Any]) -> np.ndarray:
    """Fill one band of the stamps of N galaxies, and its flags; return x, y in pixels, (N, 2)."""
    cut = _cut_pixels if settings["grid"] == "frame" else _cut_sky
    xy, inside, brightest = cut(frame, index, stamps, settings)
    # A sum is finite where all its terms are: one pass, no array of the size of the pixels.
    finite = np.isfinite(stamps["flux"][:, index].sum(axis=(1, 2)))
    flags = stamps["flags"][:, index]
    flags[~inside] |= flag_value("edge")
    flags[~finite] |= flag_value("not_finite")
    flags[brightest >= frame.saturation_nmgy] |= flag_value("saturated")
    widths = stamps["psf_fwhm_arcsec"][:, index]
    widths[np.isnan(widths)] = frame.psf_fwhm_arcsec
    return xy


def _cut_pixels(frame: Frame, index: int, stamps: Stamps, settings: Mapping[str, Any]) -> Cut:
    """Cut whole pixels of the frame; the galaxy lies within half a pixel of the middle."""
    flux, side = stamps["flux"][:, index], settings["stamp_pixels"]
    xy = frame.wcs.wcs_world2pix(np.stack([stamps["ra"], stamps["dec"]], axis=1), 0)
    first = first_pixels(xy, side)
    cut_windows(frame.image, first, flux)
    stamps["offset_pixels"][:, index] = offsets(xy, first, side)
    stamps["sky_sigma_nmgy"][:, index] = frame.sky_sigma_nmgy
    return xy, lie_inside(first, side, frame.image.shape), flux.max(axis=(1, 2))


def _cut_sky(frame: Frame, index: int, stamps: Stamps, settings: Mapping[str, Any]) -> Cut:
    """Resample the frame onto a grid about the galaxy, the same one in every band."""
    flux, side = stamps["flux"][:, index], settings["stamp_pixels"]
    scale = settings["pixel_scale_arcsec"]
    grids = sky_grids(frame.wcs, stamps["ra"], stamps["dec"], scale, side)
    inside, brightest = resample(frame.image, grids, flux)
    area = areas(grids)
    flux *= area[:, None, None]
    stamps["sky_sigma_nmgy"][:, index] = frame.sky_sigma_nmgy * area * noise_share()
    return grids[:, :, 2], inside, brightest


def empty_stamps(galaxies: pd.DataFrame, settings: Mapping[str, Any]) -> Stamps:
    """Return the datasets of the galaxies with everything that the frames do not tell.

    Widths of the point-spread function are NaN where the catalogue does not tell them.
    """
    bands = settings["bands"]
    described = stamp_datasets(len(bands), settings["stamp_pixels"])
    n = len(galaxies)
    stamps = {name: np.zeros((n, *entry), dtype) for name, (dtype, entry) in described.items()}
    for name in ("object_id", "ra", "dec"):
        stamps[name][:] = galaxies[name]
    stamps["extinction_mag"][:] = galaxies[[f"extinction_{band}" for band in bands]]
    stamps["ebv_mag"][:] = ebv_mag(galaxies, bands, settings.get("extinction_per_ebv", {}))
    for index, band in enumerate(bands):
        stamps["psf_fwhm_arcsec"][:, index] = galaxies.get(f"psf_fwhm_arcsec_{band}", np.nan)
    return stamps


def ebv_mag(galaxies: pd.DataFrame, bands: list[str], per_ebv: Mapping[str, float]) -> np.ndarray:
    """Return E(B-V) of N galaxies, float64 (N,), NaN where it is not known.

    The column `ebv_mag` where it tells; else the E(B-V) whose extinctions R_b E(B-V) lie nearest
    to those of the catalogue by least squares, where R_b is known in every band. Samples have
    extinctions on the scale of `extinction_per_ebv` (stage catalogs).
    """
    told = np.full(len(galaxies), np.nan)
    told[:] = galaxies.get("ebv_mag", np.nan)
    if any(band not in per_ebv for band in bands):
        return told
    scale = np.array([per_ebv[band] for band in bands])
    extinction = galaxies[[f"extinction_{band}" for band in bands]].to_numpy(dtype=np.float64)
    return np.where(np.isnan(told), extinction @ scale / (scale @ scale), told)


def _kept(stamps: Stamps, stays: np.ndarray) -> Stamps:
    return stamps if stays.all() else {name: values[stays] for name, values in stamps.items()}


def _faulty(flags: np.ndarray, frame: Frame, xy: np.ndarray) -> dict[int, str]:
    """Return {row: kind of its loss} of the galaxies that have no whole stamp in this band."""
    losing = np.uint32(sum(int(flag_value(name)) for name in LOSING))
    found = {}
    for row in np.flatnonzero(flags & losing).tolist():
        name = next(name for name in LOSING if flags[row] & flag_value(name))
        found[row] = name if _holds(frame, xy[row]) else "outside"
    return found


def _holds(frame: Frame, xy: np.ndarray) -> bool:
    rows, columns = frame.image.shape
    return bool(-0.5 <= xy[0] <= columns - 0.5 and -0.5 <= xy[1] <= rows - 0.5)


def _fault(frame: Frame, object_id: int, xy: np.ndarray, kind: str, side: int) -> BadInput:
    """Return what would be said of one lost galaxy alone."""
    place = f"object_id {object_id}"
    rows, columns = frame.image.shape
    where = f"its centre at x = {xy[0]:.1f}, y = {xy[1]:.1f} of {columns} x {rows} pixels"
    if kind == "not_finite":
        expected = f"{side} x {side} finite pixels"
        hint = "take galaxies beside faulty pixels out of the sample"
        return BadInput(frame.path, place, expected, f"NaN or infinite pixels; {where}", hint)
    expected = "a galaxy inside the frame"
    if kind == "edge":
        expected = f"{side} x {side} pixels inside the frame"
    hint = "check run, camcol and field of the sample, or drop galaxies near the edges"
    return BadInput(frame.path, place, expected, where, hint)
