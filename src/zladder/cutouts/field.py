"""All stamps of one field at once: every galaxy, band after band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.band import cut_band, fill_widths
from zladder.cutouts.beside import empty_stamps, some
from zladder.cutouts.edges import mend_edges
from zladder.cutouts.layouts import LAYOUTS
from zladder.cutouts.losses import Loss
from zladder.cutouts.star_width import known_width
from zladder.cutouts.unfit import holdable
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import LOSING, flag_value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import pandas as pd

    from zladder.cutouts.beside import Stamps
    from zladder.cutouts.frames import Frame
    from zladder.cutouts.layouts import Key


def cut_field(
    galaxies: pd.DataFrame,
    key: Key,
    root: Path,
    settings: Mapping[str, Any],
    fields: Collection[Key] | None = None,
    pixels: np.ndarray | None = None,
    widths: dict[str, float] | None = None,
) -> tuple[Stamps, list[Loss]]:
    """Return (stamps of the galaxies that have one, losses).

    Parameters
    ----------
    galaxies
        `object_id, ra, dec` (deg) and `extinction_{band}` (mag) of one field.
    key
        Of its frames (`layouts.Layout.key`).
    root
        The folder of the frames.
    settings
        `bands`, `stamp_pixels`, `pixel_scale_arcsec`, `grid`, `edge`, `extinction_per_ebv`,
        `layout` and what the layout reads, and what `pixel_attributes` reads.
    fields
        The keys whose frames there are, of which a neighbour may be one; None: look for files.
    pixels
        Memory that the stamps may lie in, as for `empty_stamps`.
    widths
        Of the point-spread function, measured on frames that were opened before (`known_width`);
        what is measured here is added.

    Returns
    -------
    tuple
        Each band is cut about its own pixel position (grid "frame"), or resampled onto one grid on
        the sky (grid "sky"): the world coordinates of a field's frames differ, and the bands of a
        stamp must show the same galaxy. What leaves the frame is mended by `mend_edges`. A frame
        that cannot be used loses all galaxies of its field.
    """
    stamps = empty_stamps(galaxies, settings, pixels)
    ids = stamps["object_id"].tolist()
    lost: dict[int, Loss] = {}
    shape: tuple[int, ...] | None = None
    for index, band in enumerate(settings["bands"]):
        expected = {**settings, "key": key, "shape": shape}
        try:
            frame = _whole_frame(root, band, expected)
            if LAYOUTS[settings["layout"]].has_stars:
                frame = _with_width(frame, stamps["psf_fwhm_arcsec"][:, index], widths)
        except BadInput as error:
            everyone = [Loss(object_id, key, band, "frame", error) for object_id in ids]
            return some(stamps, np.zeros(len(ids), dtype=bool)), everyone
        shape = frame.image.shape
        xy = cut_band(frame, index, stamps, settings)

        def neighbour(step: int, band: str = band) -> Frame | str:
            return _neighbour(root, key, step, band, settings, fields)

        notes = mend_edges(frame, index, stamps, xy, settings, neighbour)
        fill_widths(stamps, index, frame.psf_fwhm_arcsec)
        for row, kind in _faulty(stamps, index, frame, xy).items():
            fault = _fault(frame, ids[row], xy[row], kind, settings)
            lost.setdefault(row, Loss(ids[row], key, band, kind, fault, notes.get(row, "")))
    stays = np.ones(len(ids), dtype=bool)
    stays[list(lost)] = False
    kept = stamps if stays.all() else some(stamps, stays)

    def image_of(band: str) -> Path:
        return LAYOUTS[settings["layout"]].path(root, key, band, settings)

    held, unfit = holdable(kept, settings, key, image_of)
    return held, [*(lost[row] for row in sorted(lost)), *unfit]


def _whole_frame(root: Path, band: str, expected: Mapping[str, Any]) -> Frame:
    """Return a frame with pixels in it."""
    layout = LAYOUTS[expected["layout"]]
    frame = layout.read(layout.path(root, expected["key"], band, expected), band, expected)
    if not np.isfinite(frame.sky_sigma_nmgy):
        raise BadInput(frame.path, "pixels", "numbers",
                       "NaN or infinity in all that were looked at",
                       "an empty frame: fetch it again")  # fmt: skip
    return frame


def _with_width(frame: Frame, told: np.ndarray, widths: dict[str, float] | None) -> Frame:
    """Return the frame with its own width where that of some galaxy (N,) is not told."""
    if np.isfinite(frame.psf_fwhm_arcsec) or not np.isnan(told).any():
        return frame
    return replace(frame, psf_fwhm_arcsec=known_width(frame, {} if widths is None else widths))


def _neighbour(
    root: Path,
    key: Key,
    step: int,
    band: str,
    settings: Mapping[str, Any],
    fields: Collection[Key] | None,
) -> Frame | str:
    """Return the frame of the field before or behind one, or the words why there is none."""
    layout = LAYOUTS[settings["layout"]]
    if layout.neighbour is None:
        return "such images have no neighbours"
    other = layout.neighbour(key, step)
    path = layout.path(root, other, band, settings)
    if not path.is_file() or (fields is not None and other not in fields):
        told = "; one is fetched where the archive has it and rowc_BAND asks for it"
        why = "" if fields is None else told
        return f"the neighbouring field {other[-1]} has no frame here{why}"
    try:
        return _whole_frame(root, band, {**settings, "key": other, "shape": None})
    except BadInput as error:
        return f"{path}: {error.place}: expected {error.expected}, found {error.found}"


def _faulty(stamps: Stamps, index: int, frame: Frame, xy: np.ndarray) -> dict[int, str]:
    """Return {row: kind of its loss} of the galaxies that have no whole stamp in this band."""
    flags = stamps["flags"][:, index]
    losing = np.uint32(sum(int(flag_value(name)) for name in LOSING))
    found = {}
    for row in np.flatnonzero(flags & losing).tolist():
        name = next(name for name in LOSING if flags[row] & flag_value(name))
        found[row] = name if name != "edge" or _holds(frame, xy[row]) else "outside"
    empty = _without_data(stamps["flux"][:, index]) | _uncovered(frame, flags, xy)
    return dict.fromkeys(np.flatnonzero(empty).tolist(), "empty") | found


def _without_data(flux: np.ndarray) -> np.ndarray:
    """Return which stamps (N, S, S) are 0 throughout, bool (N,); few are looked at whole."""
    middle = flux.shape[-1] // 2
    empty = np.asarray(flux[:, middle, middle] == 0)
    for row in np.flatnonzero(empty):
        empty[row] = not flux[row].any()
    return empty


def _uncovered(frame: Frame, flags: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Return which galaxies lie in a pixel of the frame that is missing, bool (N,)."""
    found = np.zeros(len(flags), dtype=bool)
    missing = flag_value("missing")
    if frame.mask is None:
        return found
    for row in np.flatnonzero(flags & missing):
        x, y = np.floor(np.nan_to_num(xy[row], nan=-1.0) + 0.5).astype(np.int64).tolist()
        if x >= 0 and y >= 0:
            found[row] = (frame.mask[y : y + 1, x : x + 1] & missing).any()
    return found


def _holds(frame: Frame, xy: np.ndarray) -> bool:
    rows, columns = frame.image.shape
    return bool(-0.5 <= xy[0] <= columns - 0.5 and -0.5 <= xy[1] <= rows - 0.5)


def _fault(
    frame: Frame, object_id: int, xy: np.ndarray, kind: str, settings: Mapping[str, Any]
) -> BadInput:
    """Return what would be said of one lost galaxy alone."""
    place, side = f"object_id {object_id}", settings["stamp_pixels"]
    rows, columns = frame.image.shape
    where = f"its centre at x = {xy[0]:.1f}, y = {xy[1]:.1f} of {columns} x {rows} pixels"
    if kind == "not_finite":
        expected = f"{side} x {side} finite pixels"
        hint = "take galaxies beside faulty pixels out of the sample"
        return BadInput(frame.path, place, expected, f"NaN or infinite pixels; {where}", hint)
    if kind == "empty":
        hint = "take galaxies that no exposure covers out of the sample"
        return BadInput(frame.path, place, "pixels with data", f"none there; {where}", hint)
    expected = "a galaxy inside the frame"
    if kind == "edge":
        expected = f"{side} x {side} pixels inside the frame"
    return BadInput(frame.path, place, expected, where, LAYOUTS[settings["layout"]].off_frame)
