"""Redshift classes with others beside them: the range of a head may reach below and above it.

A label moved away from the populated side may lie outside the range of the classes, and an
estimate that was moved back by the network lies inside again (Lin et al. 2022, Step 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


def extended_edges(output: Mapping[str, Any]) -> np.ndarray:
    """Return the edges of all classes of a card's `output`, float64 (bins + 2 extension + 1,).

    `extension_bins` of the same width lie on each side of `range_z`; redshifts below 0 are meant.
    The edges in between are those of `learning.classes.class_edges`, to the last bit.
    """
    low, high = output["range_z"]
    extension = output.get("extension_bins", 0)
    index = np.arange(-extension, output["bins"] + extension + 1)
    return np.asarray(low + (high - low) * index / output["bins"])
