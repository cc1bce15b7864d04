"""All stamps of an index in memory, in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from zladder.learning.stamps import Stamps, find_stamps, stamp_blocks


def load_stamps(files: Mapping[str, Path], index: pd.DataFrame, bands: Sequence[str]) -> Stamps:
    """Return the stamps of an index, in its order."""
    blocks = list(stamp_blocks(find_stamps(files, index, bands)))
    back = np.argsort(np.concatenate([places for places, _ in blocks]))
    flux = torch.cat([stamps.flux for _, stamps in blocks])[back]
    return Stamps(flux, torch.cat([stamps.dereddening for _, stamps in blocks])[back])
