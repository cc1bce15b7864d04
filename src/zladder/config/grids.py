"""The scale of stamps: of the grids that they are resampled to, and of what networks see."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from zladder.config.cards import dataset_samples, dataset_scale_arcsec
from zladder.config.image_references import image_datasets
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# How many pixels of the frame beyond a stamp it is made of: Lanczos-3 reaches three.
REACH_FRAME_PIXELS = {"frame": 0, "sky": 3}
# Ours: how far off the row may be that a catalogue lists, in a band where the galaxy is faint, with
# the half pixel by which stamps of whole pixels are off.
_ROW_UNSURE = 2.0
# Up to here SWarp looks each pixel up once, as we do; from here on it averages over several.
_COARSEST = 1.5
_RESAMPLED = "cutouts.grid_scale_arcsec resamples frames; published images stay as they are"


def require_grid(settings: Mapping[str, Any], datasets: Iterable[str]) -> None:
    """Refuse a scale that nothing is resampled to, or too coarse for the frames of some dataset.

    Raises
    ------
    BadInput
        With the key at fault.
    """
    scale, file = settings["cutouts"]["grid_scale_arcsec"], "config/stages/cutouts.yaml"
    if scale is None:
        return
    if settings["cutouts"]["grid"] != "sky":
        raise BadInput(file, "grid_scale_arcsec", "null with grid: frame, whose pixels stay",
                       f"{scale}", "set grid: sky")  # fmt: skip
    imaged = [name for name in datasets if "images" in settings["datasets"]["datasets"][name]]
    for sample in (one for name in imaged for one in dataset_samples(settings, name)):
        own = _frame_scale_arcsec(settings, sample)
        if own is not None and scale >= _COARSEST * own:
            expected = f"less than {_COARSEST * own:.4g} arcsec, for the frames of {sample}"
            raise BadInput(file, "grid_scale_arcsec", expected, f"{scale}",
                           "a finer grid: between coarse pixels light would be lost")  # fmt: skip


def require_scales(
    settings: Mapping[str, Any],
    cards: Mapping[str, Mapping[str, Any]],
    tests: Mapping[str, Iterable[str]],
) -> None:
    """Refuse networks that would look at stamps of another pixel scale than they learned from.

    Parameters
    ----------
    settings
        The settings tree.
    cards
        {run: card}.
    tests
        {run: datasets that it is evaluated on}.

    Raises
    ------
    BadInput
        With the study, the run and the dataset.
    """
    known = image_datasets(settings)
    scales = {run: card["inputs"].get("pixel_scale_arcsec") for run, card in cards.items()}
    for run, card in cards.items():
        seen = scales[run] or scales.get(card["inputs"].get("features_of"))
        study = run.split(".")[0]
        names = [card["data"]["dataset"], *tests.get(run, ())]
        if card["task"] == "pretrain":
            names.append(settings["study_files"][study]["embed_on"])
        for name in (one for one in names if seen and one in known):
            scale = dataset_scale_arcsec(settings, name)
            if scale != seen:
                expected = f"stamps of {seen:g} arcsec a pixel, as what {run} learns from"
                raise BadInput(f"config/studies/{study}.yaml", f"dataset {name}", expected,
                               f"{scale:g} arcsec", _RESAMPLED)  # fmt: skip


def kernel_pixels(settings: Mapping[str, Any], dataset: str) -> int:
    """Return how many of its own pixels beyond a stamp lie the frame's that it is made of."""
    reach = REACH_FRAME_PIXELS[settings["cutouts"]["grid"]]
    scale = settings["cutouts"]["grid_scale_arcsec"]
    if scale is None:
        return reach
    found = (_frame_scale_arcsec(settings, one) for one in dataset_samples(settings, dataset))
    return max((ceil(reach * (own / scale)) for own in found if own is not None), default=0)


def reach_rows(stage: Mapping[str, Any], frames: Mapping[str, Any]) -> float | None:
    """Return how many rows of its frame from a galaxy a stamp has pixels, at most.

    None where no neighbouring frame is looked at. A grid on the sky may be turned by any angle.

    Parameters
    ----------
    stage
        `stamp_pixels`, `grid`, `grid_scale_arcsec`, `edge` (config/stages/cutouts.yaml).
    frames
        `pixel_scale_arcsec` of a survey's frames.
    """
    if stage["edge"] == "lose":
        return None
    own = frames["pixel_scale_arcsec"]
    half = 0.5 * stage["stamp_pixels"] * (stage["grid_scale_arcsec"] or own) / own
    turned = sqrt(2.0) if stage["grid"] == "sky" else 1.0
    return float(round(half * turned + REACH_FRAME_PIXELS[stage["grid"]] + _ROW_UNSURE, 3))


def _frame_scale_arcsec(settings: Mapping[str, Any], sample: str) -> float | None:
    """Return the width of a pixel of the frames of a sample; None without frames."""
    survey = settings["survey_files"][settings["catalogs"]["samples"][sample]["photometry"]]
    return survey["frames"]["pixel_scale_arcsec"] if "frames" in survey else None
