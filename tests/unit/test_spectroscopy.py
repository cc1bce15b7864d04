"""Which spectra give a redshift: by the lines that are visible and by observed brightness."""

from __future__ import annotations

import numpy as np
import pytest
from mock_sky import settings

from zladder.universe.programmes import success_share

BLOCK = settings()["spectroscopy"]


def test_success_follows_the_lines_between_the_ends_of_the_spectrograph():
    # H alpha leaves at 9200 / 6564.6 - 1 = 0.401, [O II] at 1.467; Lyman alpha enters at 2.002
    z = np.array([0.1, 0.400, 0.402, 1.466, 1.469, 1.9, 2.001, 2.004, 3.5])
    many, one, none = (BLOCK[f"{name}success"] for name in ("", "one_line_", "no_line_"))
    expected = [many, many, one, one, none, none, none, one, one]
    np.testing.assert_allclose(success_share(BLOCK, z, np.full(9, 12.0)), expected)


def test_faint_spectra_fail_more_often_and_undetected_ones_always():
    i_mag = np.array([15.0, 22.0, BLOCK["half_i_mag"], 26.0, np.nan])
    share = success_share(BLOCK, np.full(5, 0.1), i_mag)
    assert (np.diff(share) < 0)[:3].all()
    assert share[0] == pytest.approx(BLOCK["success"], rel=1e-5)
    assert share[2] == pytest.approx(BLOCK["success"] / 2)
    assert share[4] == 0.0
