"""Everything that the page of a dataset shows: figures and tables, made of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.report.dataset_columns import compared_columns, middle_band, read_shown_columns
from zladder.report.dataset_imaging import imaging_of_stamps
from zladder.report.dataset_light import draw_light
from zladder.report.dataset_pixels import as_seen, count_flags, pixel_quantiles, sample_pixels
from zladder.report.dataset_pixels_plot import draw_pixels
from zladder.report.dataset_sky import draw_sky
from zladder.report.dataset_splits import cells_of, compare_splits, describe_splits
from zladder.report.sky_area import covered_area
from zladder.tables.stamp_files import describe_stamps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from zladder.report.sky_area import Area


@dataclass(frozen=True)
class Shown:
    """What is shown of a dataset, by the names that the files have too.

    Attributes
    ----------
    figures
        ``light``, ``sky`` and, of images, ``pixels``.
    tables
        ``splits``, ``columns`` and, of images, ``pixel_values`` and ``flags``.
    area
        How much of the sky has galaxies; None where there are no positions, or too few.
    """

    figures: dict[str, Figure]
    tables: dict[str, pd.DataFrame]
    area: Area | None


def show_dataset(path: Path, stamps: Sequence[Path], about: Mapping[str, Any]) -> Shown:
    """Return what the page of a dataset shows.

    Parameters
    ----------
    path
        The dataset.
    stamps
        Stamp files, its own among them; not looked at unless it has images.
    about
        ``dataset``, ``bands``, ``sky_cell_order``, ``label_fractions``, ``images`` (whether it has
        any), ``stretch``, ``crop_pixels`` (of the networks on images).

    Raises
    ------
    BadInput
        As `read_shown_columns`, `imaging_of_stamps`, `sample_pixels` and `count_flags`.
    """
    dataset = read_shown_columns(path, about["bands"])
    cells = cells_of(dataset, about["sky_cell_order"])
    own = _own(stamps, dataset) if about["images"] else []
    if own:  # what the stamps say goes before the catalogue
        band = middle_band(dataset, about["bands"])
        dataset = dataset.assign(**imaging_of_stamps(own, dataset, band))
    columns = compared_columns(dataset, about["bands"])
    compared = compare_splits(columns, dataset["split"].to_numpy(), cells)
    described = describe_splits(dataset, cells, about["label_fractions"])
    shape = describe_stamps(own[0]) if own else None
    stamp_arcsec = shape.stamp_pixels * shape.pixel_scale_arcsec if shape else 0.0
    figures = {
        "light": draw_light(dataset, compared, about),
        "sky": draw_sky(dataset, cells, {**about, "stamp_arcsec": stamp_arcsec}),
    }
    tables = {"splits": described, "columns": compared}
    if own:
        pixels, flags = sample_pixels(own, dataset), count_flags(own, dataset)
        crop = min(about["crop_pixels"], pixels.flux_nmgy.shape[-1])
        seen = {f"as seen ({about['stretch']}, {crop} × {crop})":
                as_seen(pixels, crop, about["stretch"])}  # fmt: skip
        figures["pixels"] = draw_pixels(pixels, seen, flags, about)
        tables |= {"pixel_values": pixel_quantiles(pixels, seen), "flags": flags}
    return Shown(figures, tables, covered_area(dataset))


def _own(stamps: Sequence[Path], dataset: pd.DataFrame) -> list[Path]:
    """Return the stamp files of a dataset's samples; all of them if none is: that will be told."""
    samples = {str(shard).split("/")[0] for shard in dataset["shard"].unique()}
    return [path for path in stamps if path.parent.name in samples] or list(stamps)
