"""Whom a programme takes, and which spectra give a redshift."""

from __future__ import annotations

import numpy as np
import pytest
from mock_sky import settings

from zladder.universe.programmes import faintest_target_mag, success_share, window_share

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


def test_limits_of_a_programme_scatter_as_the_photometry_that_it_chose_on():
    programme = {"i_bright_mag": 17.0, "i_faint_mag": 20.0, "g_i_min_mag": 0.5, "g_i_max_mag": 2.0}
    i_mag = np.array([17.0, 18.5, 20.0, 20.3, 19.7, 18.5, 18.5, np.nan])
    colour = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 2.0, np.nan, 1.0])
    share = window_share(programme, 0.3, i_mag, i_mag + colour)
    # Phi(1) = 0.841345; the colour's window is closed below and open above
    np.testing.assert_allclose(share, [0.5, 1.0, 0.5, 0.158655, 0.841345, 0, 0, 0], atol=1e-6)


def test_earlier_photometry_and_a_sharp_limit_give_the_same_share():
    # 200,000 draws: a share's standard error is at most 0.0012, asserted at 4.5 of them
    rng = np.random.default_rng(5)
    i_mag = rng.uniform(16.0, 22.0, 200_000)
    programme = {"i_bright_mag": 17.0, "i_faint_mag": 20.0, "g_i_min_mag": -9, "g_i_max_mag": 9}
    earlier = i_mag + 0.3 * rng.normal(size=i_mag.size)
    taken = ((earlier >= 17.0) & (earlier < 20.0)).mean()
    share = window_share(programme, 0.3, i_mag, i_mag).mean()
    assert taken == pytest.approx(share, abs=4.5 * 0.0012)


@pytest.mark.parametrize("name", BLOCK["programmes"])
def test_beyond_the_faintest_target_there_is_next_to_nothing(name):
    programme = BLOCK["programmes"][name]
    beyond = np.array([faintest_target_mag(BLOCK, programme)])
    middle = np.array([programme["g_i_min_mag"] + programme["g_i_max_mag"]]) / 2
    assert window_share(programme, BLOCK["target_scatter_mag"], beyond, beyond + middle) < 0.0015
