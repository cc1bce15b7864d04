"""What the settings of the many-band survey may be, beyond ranges of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zladder.provenance.errors import BadInput, nearest_hint
from zladder.survey.manyband_camera import shared_bands
from zladder.survey.template_grid import NO_TEMPLATE_MISSING
from zladder.universe.spectra import SHAPES

PLACE = "survey/manyband"


def check_manyband(settings: Mapping[str, Any]) -> None:
    """Refuse a many-band survey that cannot be fitted, or that does not fit the wide one.

    Raises
    ------
    BadInput
        With the place and what it should be.
    """
    block = settings["manyband"]
    _check_words(block)
    n_bands, fewest = len(block["filters"]), block["fewest_filters"]
    if n_bands < fewest:
        expected = f"at least fewest_filters = {fewest} bands"
        hint = "name more filters, or let the fit do with fewer"
        raise BadInput("config", f"{PLACE}/filters", expected, f"{n_bands}", hint)
    if block["z_max"] < settings["hsc"]["z_max"]:
        expected = f"at least survey/hsc/z_max = {settings['hsc']['z_max']}"
        hint = "both surveys look at the same galaxies"
        raise BadInput("config", f"{PLACE}/z_max", expected, str(block["z_max"]), hint)
    _check_depths(settings)


def _check_words(block: Mapping[str, Any]) -> None:
    missing, known = block["missing_template"], [*SHAPES, NO_TEMPLATE_MISSING]
    if missing not in known:
        hint = nearest_hint(str(missing), known, "the fit lacks one template, or none")
        expected = f"one of {', '.join(known)}"
        raise BadInput("config", f"{PLACE}/missing_template", expected, repr(missing), hint)
    shares = block["shares_hsc_noise"]
    if not isinstance(shares, bool):
        hint = "the labels of both cases are made: this says which the catalogue has"
        raise BadInput("config", f"{PLACE}/shares_hsc_noise", "true or false", repr(shares), hint)


def _check_depths(settings: Mapping[str, Any]) -> None:
    """Refuse deep images that are shallower than the wide exposures they contain."""
    names = list(settings["manyband"]["filters"])
    for band in shared_bands(settings):
        if band.exposures < 1:
            name, letter = names[band.column], list(settings["hsc"]["filters"])[band.hsc_column]
            least = settings["hsc"]["depth_5sigma_mag"][letter]
            expected = f"at least survey/hsc/depth_5sigma_mag/{letter} = {least}"
            found = str(settings["manyband"]["depth_5sigma_mag"][name])
            hint = "the deep image contains the wide survey's exposures"
            raise BadInput("config", f"{PLACE}/depth_5sigma_mag/{name}", expected, found, hint)
