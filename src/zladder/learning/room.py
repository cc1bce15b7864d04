"""How large a stamp must be for what an augmentation does to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def room_pixels(crop_pixels: int, augmentation: Mapping[str, Any]) -> int:
    """Return the side of the smallest stamp that leaves no empty corner.

    Parameters
    ----------
    crop_pixels
        Side C of what the network sees.
    augmentation
        `geometry`, `jitter_pixels` J of a card. Dihedral: C + 2J. A rotation about the centre takes
        the outermost pixel centres of the crop to a radius of sqrt(2) ((C - 1)/2 + J), which must
        stay between pixel centres of the stamp, one pixel inside for the kernel of four
        (`learning.turning`): 112 for C = 64 and J = 7.
    """
    side = crop_pixels + 2 * augmentation["jitter_pixels"]
    if augmentation["geometry"] == "dihedral":
        return side
    return math.ceil(math.sqrt(2.0) * (side - 1)) + 3
