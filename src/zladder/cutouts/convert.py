"""The stage's story for published images: read from front to back, kept as stamps."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.allowed import Judged, require_few_losses
from zladder.cutouts.dust import with_dust
from zladder.cutouts.field import empty_stamps
from zladder.cutouts.losses import PUBLISHED_LOSS_KINDS, Loss, count_losses, losses_table
from zladder.cutouts.published import (
    NO_GALAXY,
    middle_offsets,
    open_published,
    read_imaged,
    told_of,
)
from zladder.cutouts.ring import ring_noise, without_pixels
from zladder.cutouts.shard import write_stamps
from zladder.cutouts.unfit import holdable
from zladder.provenance.errors import BadInput
from zladder.tables.hdf5_cutouts import layout_rows
from zladder.tables.stamp_files import flag_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.cutouts.published import Published

    Stamps = dict[str, np.ndarray]

_NO_FIELD = ()  # no frame is named by a key
_SECONDS_BETWEEN_LINES = 5.0

log = logging.getLogger("zladder")


def convert_images(
    sample: Path,
    files: Sequence[Path],
    shard: int,
    settings: Mapping[str, Any],
    stamps: Path,
    losses: Path,
    listed: Path | None = None,
) -> dict[str, Any]:
    """Write the images of a sample's galaxies in one stretch of each file; return the counts.

    Memory holds a block of images at a time, of files in chunks of many images half a GB of them,
    and the lists of identifiers.

    Parameters
    ----------
    sample
        Table with `object_id, ra, dec`.
    files
        Published images, all of one layout. A galaxy has one image in all of them.
    shard
        Which shard, from 0. A galaxy without image is listed by one of them.
    settings
        `bands, stamp_pixels, pixel_scale_arcsec, n_shards, max_lost_fraction`, what
        `pixel_attributes` reads, and of the survey: `layout, zero_point_mag, extinction_per_ebv,
        dust`.
    stamps, losses
        Files to write: HDF5 and CSV.
    listed
        File for the losses where they are too many, which is found before all is read; an earlier
        one is removed.

    Returns
    -------
    dict
        `n_in`, `n_out`, `n_lost` (by kind), `n_images` read.

    Raises
    ------
    BadInput
        As `read_imaged`, `open_published`, and if more than the allowed fraction has no stamp.
    """
    if listed:
        listed.unlink(missing_ok=True)
    galaxies = read_imaged(sample, settings["bands"])
    parts = open_published(files, galaxies, shard, settings)
    mine = [part.galaxy[part.rows] for part in parts]
    n_most = sum(int((rows != NO_GALAXY).sum()) for rows in mine)
    missing = _without_image(galaxies, parts)
    lost = [_no_image(one, files[0]) for one in missing[shard :: settings["n_shards"]]]
    first = _no_image(missing[0], files[0]) if missing else None
    judged = Judged(len(galaxies), len(missing), n_most, len(lost), first)
    require = partial(require_few_losses, lost, judged, settings["max_lost_fraction"], listed)
    require()
    blocks = _blocks(galaxies, parts, settings, lost, stamps.parent, require)
    n_out = write_stamps(stamps, blocks, n_most, settings)
    losses_table(lost, ()).to_csv(losses, index=False, lineterminator="\n")
    return {
        "n_in": judged.n_own + judged.n_dealt,
        "n_out": n_out,
        "n_lost": count_losses(lost, PUBLISHED_LOSS_KINDS),
        "n_images": sum(len(rows) for rows in mine),
    }


def _blocks(
    galaxies: pd.DataFrame, parts: Sequence[Published], settings: Mapping[str, Any],
    lost: list[Loss], folder: Path, require: Callable[[], None],
) -> Iterator[Stamps]:  # fmt: skip
    """Yield the stamps of each block of images; add what is lost to the list, and `require`.

    What does not fit in memory waits in the folder, in a file without a name.
    """
    for part in parts:
        path, row = part.images.path, part.rows.start
        dusty = with_dust(galaxies, part, settings)
        told, layout, side = told_of(settings), settings["layout"], settings["stamp_pixels"]
        started = told_at = time.monotonic()
        for flux in layout_rows(path, layout, told, side, part.rows, folder):
            places = part.galaxy[row : row + len(flux)]
            wanted = np.flatnonzero(places != NO_GALAXY)
            kept = flux if len(wanted) == len(flux) else flux[wanted]
            yield _stamps(dusty.iloc[places[wanted]], kept, row + wanted, part, settings, lost)
            require()
            row += len(flux)
            now = time.monotonic()
            if now - told_at > _SECONDS_BETWEEN_LINES or row == part.rows.stop:
                told_at, n = now, row - part.rows.start
                rate = n / max(now - started, 1e-9)
                log.info("%s: %d of %d images, %d lost, %.0f images/s", path, n,
                         part.rows.stop - part.rows.start, len(lost), rate)  # fmt: skip


def _stamps(
    galaxies: pd.DataFrame, flux: np.ndarray, rows: np.ndarray, part: Published,
    settings: Mapping[str, Any], lost: list[Loss],
) -> Stamps:  # fmt: skip
    """Return the datasets of a block of stamps (n, B, S, S), the lost ones left out.

    The galaxy is taken to lie in the middle of its image: where between pixels is not told. The
    noise is that of the border. Pixels of exactly 0 at the border were filled in: their band is
    flagged.
    """
    stamps = empty_stamps(galaxies, {"bands": settings["bands"], "stamp_pixels": 0})
    with np.errstate(invalid="ignore"):  # of +inf and -inf
        sums = flux.sum(axis=(2, 3))
    known = np.isfinite(stamps["extinction_mag"])
    faults = {"not_finite": ~np.isfinite(sums), "empty": without_pixels(flux, sums),
              "no_dust": ~known}  # fmt: skip
    stays = np.ones(len(flux), bool)
    for kind, wrong in faults.items():
        for at in np.flatnonzero(wrong.any(axis=1) & stays):
            band = settings["bands"][int(np.argmax(wrong[at]))]
            place = f"row {rows[at]} (from 0), band {band}"
            error = BadInput(part.images.path, place, "an image with noise and known dust",
                             PUBLISHED_LOSS_KINDS[kind], "take it out of the sample")  # fmt: skip
            lost.append(Loss(int(stamps["object_id"][at]), _NO_FIELD, band, kind, error))
        stays &= ~wrong.any(axis=1)
    if not stays.all():
        flux, stamps = flux[stays], {name: values[stays] for name, values in stamps.items()}
    sigma, filled = ring_noise(flux)
    flags = np.where(filled, flag_value("masked"), np.uint32(0))
    stamps["offset_pixels"][:] = middle_offsets(part.images.sides, settings["stamp_pixels"])
    stamps |= {"flux": flux, "sky_sigma_nmgy": sigma, "flags": flags}
    stamps, unfit = holdable(stamps, settings, _NO_FIELD, lambda _band: part.images.path)
    lost += unfit
    return stamps


def _without_image(galaxies: pd.DataFrame, parts: Sequence[Published]) -> list[int]:
    """Return the identifiers of galaxies without image, sorted: by rank they are dealt out."""
    imaged = np.zeros(len(galaxies), bool)
    for part in parts:
        imaged[part.galaxy[part.galaxy != NO_GALAXY]] = True
    missing: list[int] = galaxies["object_id"].to_numpy(np.int64)[~imaged].tolist()
    return missing


def _no_image(galaxy: int, file: Path) -> Loss:
    found, hint = "no such identifier", "take it out of the sample, or add the file that has it"
    error = BadInput(file, f"object_id {galaxy}", "its image", found, hint)
    return Loss(galaxy, _NO_FIELD, "", "no_image", error)
