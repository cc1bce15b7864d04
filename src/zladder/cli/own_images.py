"""Cutouts of one's own through a trained run: what ``zladder predict`` does with pixels."""

from __future__ import annotations

import math
import sys
import time
from typing import TYPE_CHECKING

from zladder.provenance.errors import BadInput
from zladder.tables.cutouts import Told

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from zladder.pdf.pdf_file import ClassPdfs
    from zladder.tables.cutouts import Cutouts

OPTIONS = ("bands", "pixel_scale", "zero_point", "ebv")  # of cutouts, in the namespace
SECONDS_BETWEEN_LINES = 5.0


def add_options(parser: ArgumentParser) -> None:
    """Add what cutouts may need to be told; an option goes before what their files say."""
    group = parser.add_argument_group("cutouts", "what an option says goes before the files")
    group.add_argument("--bands", nargs="+", metavar="BAND", help="bands of the planes, in order")
    group.add_argument("--pixel-scale", type=float, metavar="ARCSEC", help="width of a pixel")
    group.add_argument("--zero-point", type=float, metavar="MAG",
                       help="AB magnitude of a pixel value of 1; 22.5: nanomaggies")  # fmt: skip
    group.add_argument("--ebv", metavar="NAME|MAG", help="E(B-V) of the SFD map: a dataset of the "
                       "HDF5 file, a keyword of the FITS headers, or one number; 0 where the "
                       "pixels are corrected already")  # fmt: skip


def predict_own_images(args: Namespace, folder: Path) -> tuple[pd.DataFrame, ClassPdfs | None, str]:
    """Return (predictions, densities of a classifier or None, what to say of them).

    Raises
    ------
    BadInput
        For files or options that do not fit the run.
    """
    # The other commands, and catalogues, do without torch.
    from zladder.evaluate.predict_cutouts import predict_cutouts, require_scale
    from zladder.evaluate.trained_pixels import load_pixel_run

    run = load_pixel_run(folder)
    cutouts = open_cutouts(args)
    require_scale(cutouts, run.inputs["pixel_scale_arcsec"])
    table, pdfs = predict_cutouts(cutouts, run, _progress())
    return table, pdfs, _account(table)


def open_cutouts(args: Namespace) -> Cutouts:
    """Return the cutouts of a folder or an HDF5 file.

    Raises
    ------
    BadInput
        Another kind of file, options that are none, and what the readers refuse.
    """
    path: Path = args.input
    told = _told(args)
    if path.is_dir():
        from zladder.tables.fits_cutouts import open_folder

        return open_folder(path, told)
    if not path.is_file():
        raise BadInput(path, "file", "a file or a folder", "no such file", "check the path")
    if path.suffix.lower() not in (".h5", ".hdf5") and not _is_fetched_hdf5(path):
        expected = "an HDF5 file (.h5, .hdf5) or a folder of FITS files: the run sees images"
        hint = "a table needs a run that was trained on magnitudes: `zladder runs`"
        raise BadInput(path, "suffix", expected, f"'{path.suffix}'", hint)
    from zladder.tables.hdf5_cutouts import open_hdf5

    return open_hdf5(path, told)


def _is_fetched_hdf5(path: Path) -> bool:
    """Return whether a file without a suffix, as fetched ones are, is HDF5 by its content."""
    from h5py import is_hdf5

    return not path.suffix and bool(is_hdf5(path))


def _told(args: Namespace) -> Told:
    """Return what the options say, checked."""
    scale, zero_point = args.pixel_scale, args.zero_point
    if scale is not None and not 0.0 < scale < math.inf:
        hint = "SDSS 0.396, HSC 0.168"
        raise BadInput("command line", "--pixel-scale", "arcsec, above 0", f"{scale:g}", hint)
    if zero_point is not None and not math.isfinite(zero_point):
        hint = "22.5 where pixels are nanomaggies"
        raise BadInput("command line", "--zero-point", "an AB magnitude", f"{zero_point:g}", hint)
    bands = tuple(args.bands) if args.bands else None
    return Told(bands, scale, zero_point, args.ebv)


def _progress() -> Callable[[int, int], None]:
    """Return what tells, every few seconds, how many galaxies are done."""
    start = last = time.monotonic()

    def tell(done: int, n: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < n and now - last >= SECONDS_BETWEEN_LINES:
            last = now
            left = (now - start) / done * (n - done)
            sys.stderr.write(f"{done:,} of {n:,} cutouts, about {left:.0f} s left\n")

    return tell


def _account(table: pd.DataFrame) -> str:
    """Return the line that accounts for every cutout."""
    without, flagged = int(table["z_phot"].isna().sum()), int((table["flags"] != 0).sum())
    return (
        f"{len(table)} cutouts in, {len(table)} out, {without} without an answer (pixels or "
        f"extinctions that are not finite, or a band of zeros), {flagged} with flags\n"
    )
