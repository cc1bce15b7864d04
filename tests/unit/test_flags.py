"""Each flag bit, by a row made for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests import toys
from zladder.evaluate.flags import BITS, LOW_SIGNAL_ERR_MAG, prediction_flags
from zladder.learning.inputs import input_matrix
from zladder.learning.reference import fit_reference

TRAINING = toys.galaxies(2000)
REFERENCE = fit_reference(
    input_matrix(TRAINING, toys.CARD["inputs"], "t"), TRAINING["z_true"].to_numpy()
)
TYPICAL = {
    "z_true": 0.25, "z_true_kind": "spec", "z_phot": 0.25,
    **{f"mag_{band}": 18.0 + (6.0 - i) * 0.25 for i, band in enumerate(toys.BANDS)},
    **{f"mag_err_{band}": 0.02 for band in toys.BANDS},
}  # fmt: skip


def flagged(without: str = "", **changes) -> set[str]:
    """Return the names of the flags of the typical row with changes."""
    frame = pd.DataFrame([TYPICAL | changes]).drop(columns=without or [])
    inputs = input_matrix(frame, toys.CARD["inputs"], "t")
    z_phot = frame["z_phot"].to_numpy()
    flags = prediction_flags(frame, inputs, z_phot, toys.BANDS, toys.CARD, REFERENCE)
    assert flags.dtype == np.uint32
    assert flags.shape == (1,)
    left = int(flags[0])
    names = {name for name, bit in BITS.items() if left & (1 << bit)}
    assert left == sum(1 << BITS[name] for name in names)  # no other bit
    return names


def test_bits_are_those_of_the_documented_schema():
    assert BITS == {
        "out_of_distribution": 0, "extrapolated": 1, "edge_of_range": 3,
        "low_signal_to_noise": 4, "not_detected": 6, "not_observed": 7, "truth_off_grid": 11,
        "label_is_photo_z": 12,
    }  # fmt: skip


def test_a_typical_galaxy_has_none():
    assert flagged() == set()


FAINT = {f"mag_{band}": TYPICAL[f"mag_{band}"] + 8 for band in toys.BANDS}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (FAINT, {"out_of_distribution", "extrapolated"}),
        ({"mag_r": TYPICAL["mag_r"] + 0.4, "mag_i": TYPICAL["mag_i"] + 0.2},
         {"out_of_distribution", "extrapolated"}),  # colours that no training galaxy has
        ({"z_phot": REFERENCE["z_min"]}, {"edge_of_range"}),
        ({"z_phot": REFERENCE["z_max"]}, {"edge_of_range"}),
        ({"z_phot": -0.01}, {"edge_of_range"}),
        ({"mag_err_i": LOW_SIGNAL_ERR_MAG + 1e-6}, {"low_signal_to_noise"}),
        ({"mag_err_i": LOW_SIGNAL_ERR_MAG}, set()),
        ({"mag_err_i": np.nan}, set()),
        ({"mag_i": np.nan, "z_phot": np.nan}, {"not_observed"}),
        ({"mag_i": np.inf, "z_phot": np.nan}, {"not_detected", "extrapolated"}),
        ({"mag_i": np.inf, "mag_g": np.nan, "z_phot": np.nan},
         {"not_detected", "not_observed", "extrapolated"}),
        ({"z_true": 1.01}, {"truth_off_grid"}),
        ({"z_true": -0.01}, {"truth_off_grid"}),
        ({"z_true": 1.0}, set()),
        ({"z_true": np.nan}, set()),
        ({"z_true_kind": "photo"}, {"label_is_photo_z"}),
        ({"z_true_kind": "mock"}, set()),
    ],
)  # fmt: skip
def test_a_row_for_each_flag(changes, expected):
    assert flagged(**changes) == expected


@pytest.mark.parametrize("column", ["z_true", "z_true_kind", "mag_err_g"])
def test_columns_that_are_not_there_raise_no_flag(column):
    assert flagged(without=column) == set()


def test_low_signal_is_five_sigma():
    # d mag = 2.5 / ln 10 * d flux / flux
    assert pytest.approx(1.0857 / 5, abs=1e-4) == LOW_SIGNAL_ERR_MAG
