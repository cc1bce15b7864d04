"""Measure one shard of the frames, field by field, and put what was measured into a catalogue."""

from __future__ import annotations

import bz2
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from zladder.config.imaging import FieldNumber
from zladder.provenance.errors import BadInput
from zladder.survey.conditions import draw_conditions
from zladder.survey.imaging import HEIGHT_PIXELS, WIDTH_PIXELS, lay_fields
from zladder.survey.measuring import measure_field
from zladder.tables.read import read_table

WHERE = ["objID", "ra", "dec", "run", "camcol", "field"]
REPLACED = ("modelMag_", "modelMagErr_")
_AGAIN = "paint the frames again: snakemake --forcerun render_frames"


def measure_shard(
    settings: Mapping[str, Any], index_file: Path, catalogue_files: Sequence[Path]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Measure what the catalogues list in the frames of one shard.

    Parameters
    ----------
    settings
        What `config.imaging.rendering_settings` returns, ``seed``, and ``measured`` of the survey
        that is made.
    index_file
        The shard's index of frames, beside which they lie.
    catalogue_files
        SDSS-like catalogues, CSV.

    Returns
    -------
    measured, counts
        ``objID`` and the columns of `measuring.measure_field`, one row for each object listed in
        these fields; and how many objects and fields there were.

    Raises
    ------
    BadInput
        If a frame is missing or damaged, or the index knows fields that the settings do not.
    """
    _check_ring(settings["measured"])
    index = read_table(index_file, "parquet")
    tables = [read_table(path, "csv", WHERE) for path in catalogue_files]
    listed = pd.concat(tables, ignore_index=True)
    grouped = dict(tuple(listed.groupby(["run", "camcol", "field"])))
    fields = {field.number: field for field in lay_fields(settings, settings["seed"])}
    parts = []
    for key, frames in index.groupby(["run", "camcol", "field"], sort=True):
        number = FieldNumber(*(int(part) for part in key))
        if number not in fields:
            raise BadInput(index_file, "columns run, camcol, field", "the fields of the settings",
                           f"field {tuple(number)}", _AGAIN)  # fmt: skip
        objects = grouped.get(key, listed.iloc[:0])
        conditions = draw_conditions(settings, settings["seed"], number)
        paths = frames.set_index("band")["path"]
        images = np.stack(
            [read_image(index_file.parent / paths[band]) for band in conditions.bands]
        )
        places = fields[number].to_pixels(objects["ra"].to_numpy(), objects["dec"].to_numpy())
        measured = measure_field(images, np.stack(places, axis=1), conditions, settings["measured"])
        parts.append(measured.assign(objID=objects["objID"].to_numpy()))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"objID": []})
    columns = ["objID", *(name for name in table if name != "objID")]
    counts = {"objects_in": len(listed), "fields": len(parts), "objects_measured": len(table)}
    return table[columns].astype({"objID": np.int64}), counts


def _check_ring(settings: Mapping[str, Any]) -> None:
    inner, outer = settings["sky_annulus_arcsec"]
    if not 0 < settings["fiber_radius_arcsec"] <= inner < outer:
        raise BadInput("config", "surveys/mock_sdss_measured/measured",
                       "0 < fiber_radius_arcsec <= inner < outer radius of sky_annulus_arcsec",
                       f"{settings['fiber_radius_arcsec']} and {inner}, {outer}",
                       "the sky is measured outside the object")  # fmt: skip


def read_image(path: Path) -> NDArray[np.float32]:
    """Return the pixels of a frame, shape (1489, 2048), nanomaggies.

    Raises
    ------
    BadInput
        If the file is missing, damaged or of another size.
    """
    try:
        packed = path.read_bytes()
        content = io.BytesIO(bz2.decompress(packed) if path.suffix == ".bz2" else packed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)  # what is cut off fails below
            with fits.open(content, memmap=False) as file:
                image = file[0].data
    except (OSError, EOFError, TypeError, ValueError) as error:
        raise BadInput(path, "file", "a whole FITS frame", str(error).splitlines()[0],
                       _AGAIN) from error  # fmt: skip
    shape = getattr(image, "shape", None)
    if shape != (HEIGHT_PIXELS, WIDTH_PIXELS):
        expected = f"an image of shape {(HEIGHT_PIXELS, WIDTH_PIXELS)}"
        raise BadInput(path, "HDU 0", expected, f"shape {shape}", _AGAIN)
    return np.asarray(image, dtype=np.float32)


def merge_measured(catalogue_file: Path, measured_files: Sequence[Path]) -> pd.DataFrame:
    """Return a catalogue with measured magnitudes in place of the analytic ones.

    Parameters
    ----------
    catalogue_file
        An SDSS-like catalogue, CSV.
    measured_files
        What was measured, shard by shard; objects of other catalogues may be there.

    Raises
    ------
    BadInput
        If an object was not measured, or twice.
    """
    catalogue = read_table(catalogue_file, "csv")
    measured = pd.concat([read_table(path, "parquet") for path in measured_files])
    measured = measured[measured["objID"].isin(catalogue["objID"])].set_index("objID")
    hint = "measure all shards of the frames that this catalogue was painted with"
    missing = ~catalogue["objID"].isin(measured.index)
    for bad, found in ((missing.to_numpy(), "none"),
                       (catalogue["objID"].isin(measured.index[measured.index.duplicated()])
                        .to_numpy(), "two")):  # fmt: skip
        if bad.any():
            row = int(np.argmax(bad))
            raise BadInput(catalogue_file, f"row {row + 1}", "one measurement of each object",
                           f"{found} of objID {catalogue['objID'].iloc[row]}", hint)  # fmt: skip
    kept = [name for name in catalogue if not name.startswith(REPLACED)]
    rows = measured.loc[catalogue["objID"]].reset_index(drop=True)
    return pd.concat([catalogue[kept], rows], axis=1)
