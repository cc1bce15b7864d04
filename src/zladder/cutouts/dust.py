"""Galactic extinction of galaxies whose images were published: the file's, or the catalogue's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.cutouts.beside import ebv_mag
from zladder.cutouts.published import NO_GALAXY
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from zladder.cutouts.published import Published


def with_dust(galaxies: pd.DataFrame, part: Published, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return the galaxies with `extinction_{band}` and `ebv_mag`: the file's, else the sample's.

    Where neither tells it, and the survey says so, the pixels stay as they are: 0, and an E(B-V)
    that is not known.

    Raises
    ------
    BadInput
        Where nothing tells it, and the survey does not say that this is so.
    """
    bands, per_ebv, images = settings["bands"], settings["extinction_per_ebv"], part.images
    names = [f"extinction_{band}" for band in bands]
    own_ebv, own = images.ebv_mag, images.extinction_mag
    if own_ebv is not None or own is not None:
        there = part.galaxy != NO_GALAXY
        values = np.full((len(galaxies), len(names)), np.nan)
        if own is None and own_ebv is not None:
            own = own_ebv[:, None] * np.array([per_ebv[band] for band in bands])
        values[part.galaxy[there]] = np.asarray(own)[there]
        told = galaxies.drop(columns="ebv_mag", errors="ignore")
        told = told.assign(**dict(zip(names, values.T, strict=True)))
    elif set(names) <= set(galaxies.columns):
        told = galaxies
    elif settings.get("dust") == "unknown":
        unknown = galaxies.get("ebv_mag", np.nan)
        return galaxies.assign(**dict.fromkeys(names, 0.0), ebv_mag=unknown)
    else:
        expected = "extinctions: e_bv or a_BAND in the file, or in the catalogue"
        raise BadInput(images.path, "datasets", expected, "none of them",
                       "say `dust: unknown` of the survey's images to leave dust in")  # fmt: skip
    return told.assign(ebv_mag=ebv_mag(told, bands, per_ebv))
