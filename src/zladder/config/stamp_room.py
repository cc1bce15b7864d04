"""What is cut out of images must fit into them: those published, and those the mock sky paints."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from zladder.config.cards import dataset_samples
from zladder.config.data import image_survey
from zladder.config.frame_layouts import CUTOUTS, SDSS
from zladder.config.grids import REACH_FRAME_PIXELS
from zladder.config.image_references import image_datasets
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def require_sides(settings: Mapping[str, Any], datasets: Iterable[str]) -> None:
    """Refuse stamps that are larger than the images they are taken from.

    Parameters
    ----------
    settings
        The settings tree.
    datasets
        Those that are built; others may be for images of another size.

    Raises
    ------
    BadInput
        With the survey's published images, or the mock sky's HSC-like cutouts, and the sides.
    """
    side, known = settings["cutouts"]["stamp_pixels"], image_datasets(settings)
    for sample in (s for d in datasets if d in known for s in dataset_samples(settings, d)):
        name = image_survey(settings, sample)
        survey = settings["survey_files"][name]
        published = survey.get("images", {}).get("side_pixels", side)
        if side > published:
            raise BadInput("config/stages/cutouts.yaml", "stamp_pixels",
                           f"at most {published}, the side of the images of survey {name}",
                           f"{side}", "lower stamp_pixels, and crop or jitter with it")  # fmt: skip
        frames = survey.get("frames", {})
        if frames.get("layout") == CUTOUTS and "simulated" in frames:
            _require_cutouts(settings, frames["pixel_scale_arcsec"])
        if frames.get("layout") == SDSS and "simulated" in frames:
            _require_edge(settings, frames["pixel_scale_arcsec"])


def _require_edge(settings: Mapping[str, Any], pixel_arcsec: float) -> None:
    """Refuse stamps that reach out of the mock sky's SDSS-like frames, none of which may be lost.

    On the sky's grid the frame lies under them at any angle. A pixel more is for the listed place,
    which is not the true one.
    """
    stage, edge = settings["cutouts"], settings["survey"]["imaging"]["edge_pixels"]
    if stage["max_lost_fraction"] > 0:
        return
    ratio = (stage["grid_scale_arcsec"] or pixel_arcsec) / pixel_arcsec
    turned = sqrt(2.0) if stage["grid"] == "sky" else 1.0
    reach = turned * stage["stamp_pixels"] / 2 * ratio + REACH_FRAME_PIXELS[stage["grid"]]
    if edge < reach + 1:
        expected = f"at least {ceil(reach + 1)}, for stamps of {stage['stamp_pixels']} pixels"
        hint = "raise it, cut smaller stamps, or raise cutouts.max_lost_fraction"
        raise BadInput(
            "config/stages/survey.yaml", "imaging.edge_pixels", expected, f"{edge}", hint
        )


def _require_cutouts(settings: Mapping[str, Any], pixel_arcsec: float) -> None:
    """Refuse HSC-like cutouts of the mock sky that a stamp may reach out of.

    The galaxy lies up to half a pixel beside their middle, and a stamp begins at a whole pixel.
    """
    stage, painted = settings["cutouts"], settings["survey"]["hsc_images"]["stamp_pixels"]
    grid = stage["grid_scale_arcsec"] or pixel_arcsec
    side = ceil(stage["stamp_pixels"] * (grid / pixel_arcsec))
    needed = side + 1 + 2 * REACH_FRAME_PIXELS[stage["grid"]]
    if painted < needed:
        expected = f"at least {needed}, for stamps of {stage['stamp_pixels']}"
        raise BadInput("config/stages/survey.yaml", "hsc_images.stamp_pixels", expected,
                       f"{painted}", "paint larger cutouts, or cut smaller stamps")  # fmt: skip
