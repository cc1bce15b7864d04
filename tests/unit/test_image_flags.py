"""The flags of runs that see no magnitudes: each bit by a row made for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.flags import BITS, LOW_SIGNAL_ERR_MAG, image_flags

REFERENCE = {"n_train": 10, "z_min": 0.05, "z_max": 0.35}
CARD = {"label_range_z": [0.0, 0.4]}


def flagged(z_phot: float = 0.2, **columns) -> set[str]:
    frame = pd.DataFrame([{"object_id": 1, "mag_r": 17.0, **columns}])
    flags = image_flags(frame, np.array([z_phot]), ["r"], CARD, REFERENCE)
    assert flags.dtype == np.uint32
    names = {name for name, bit in BITS.items() if int(flags[0]) & (1 << bit)}
    assert int(flags[0]) == sum(1 << BITS[name] for name in names)
    return names


def test_a_typical_galaxy_has_none():
    assert flagged(z_true=0.2, z_true_kind="spec", mag_err_r=0.02) == set()


@pytest.mark.parametrize(
    ("z_phot", "columns", "name"),
    [
        (np.nan, {}, "not_observed"),
        (-0.02, {}, "edge_of_range"),
        (0.35, {}, "edge_of_range"),
        (0.2, {"z_true": 0.41}, "truth_off_grid"),
        (0.2, {"z_true_kind": "photo"}, "label_is_photo_z"),
        (0.2, {"mag_err_r": 1.01 * LOW_SIGNAL_ERR_MAG}, "low_signal_to_noise"),
    ],
)
def test_each_bit_has_its_reason(z_phot, columns, name):
    assert flagged(z_phot, **columns) == {name}


def test_a_magnitude_that_is_missing_says_nothing_of_the_image():
    assert flagged(mag_r=np.nan) == set()
