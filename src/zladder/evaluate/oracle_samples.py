"""The oracle of each kind of sample of the mock sky: its pool, its bands, its selection."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zladder.evaluate.oracle import Oracle, Selection, Shares, anywhere, posterior, posterior_pair
from zladder.evaluate.oracle_grid import make_nodes
from zladder.evaluate.oracle_likelihood import Observed, make_columns
from zladder.evaluate.oracle_prior import make_prior
from zladder.evaluate.oracle_structure import make_structure_laws
from zladder.evaluate.oracle_tables import observed_of, structure_of
from zladder.evaluate.oracle_usable import UsableLabel
from zladder.universe.instruments import Instrument, make_instrument
from zladder.universe.noise import to_magnitudes
from zladder.universe.population import Z_MIN, make_pool
from zladder.universe.programmes import (
    SPECZ_RANGE,
    faintest_target_mag,
    photoz_share,
    success_share,
    window_share,
)
from zladder.universe.spectra import load_spectra

CLASS_WIDTH_Z, DEEP_CLASS_WIDTH_Z = 0.001, 0.004
PHOTOZ_MIN = 0.005  # of the grid; labels begin at 0.02
SMALLEST = 1e-300

Array = NDArray[np.float64]


def answers_for(
    settings: Mapping[str, Any], told: pd.DataFrame, galaxies: pd.DataFrame
) -> tuple[Oracle, Shares, Shares | None]:
    """Return the oracle of a sample, its answers, and those with structure (or None).

    Parameters
    ----------
    settings
        ``kind`` of the sample, ``listed`` (`observed_of`), and the sky's blocks.
    told
        What the sky wrote of the selection; empty for the main sample.
    galaxies
        Standard columns, and where the blocks hold ``morphology`` those of `structure_of`.
    """
    if settings["kind"] == "main":
        oracle = main_oracle(settings)
    elif settings["kind"] == "spectroscopic":
        oracle = spectroscopic_oracle(settings, searched_areas(told))
    else:
        oracle = photometric_oracle(settings, told)
    seen = observed_of(galaxies, settings["listed"])
    if "morphology" not in settings:
        return oracle, posterior(oracle, seen), None
    laws = make_structure_laws(settings, oracle.nodes)
    return oracle, *posterior_pair(oracle, laws, seen, structure_of(galaxies))


def searched_areas(told: pd.DataFrame) -> dict[str, float]:
    """Return {programme: area in square degrees} of the table `selection`."""
    return dict(zip(told["programme"], told["area_deg2"].astype(float), strict=True))


def main_oracle(settings: Mapping[str, Any]) -> Oracle:
    """Return the oracle of the SDSS-like main sample.

    Its galaxies are chosen by what is observed, the corrected r magnitude and a flux above zero in
    every band, and by z < ``z_limit``.

    Parameters
    ----------
    settings
        Blocks ``sdss``, ``population``, ``sed`` and ``dust`` of the sky's settings.
    """
    block = settings["sdss"]
    sdss = make_instrument(load_spectra(), settings, "sdss")
    pool = make_pool(sdss.table, settings["population"], "r", block["limit_r_mag"])
    nodes = make_nodes(sdss.table, settings["sed"]["mode_rms"], Z_MIN, block["z_limit"])
    n_classes = round(block["z_limit"] / CLASS_WIDTH_Z)
    return Oracle(
        nodes=nodes,
        columns=make_columns(nodes, sdss.depth.zero_point_scatter_mag),
        prior=make_prior(pool, nodes),
        depth=sdss.depth,
        stored_relative_error=settings["dust"]["stored_relative_error"],
        anchor=sdss.bands.index("r"),
        selection=anywhere,
        edges=np.linspace(0.0, block["z_limit"], n_classes + 1),
    )


def spectroscopic_oracle(settings: Mapping[str, Any], areas_deg2: Mapping[str, float]) -> Oracle:
    """Return the oracle of the spectroscopic set, a mixture of programmes.

    A programme contributes in proportion to the area that it searched; within its window of what
    is observed, by the chance that its earlier photometric redshift fell into its window, and that
    the spectrum gave a redshift. Detection and the cuts are by what is observed alone.

    Parameters
    ----------
    settings
        Blocks ``hsc``, ``population``, ``sed``, ``dust`` and ``spectroscopy`` of the sky's
        settings.
    areas_deg2
        {programme: area}.
    """
    block = settings["spectroscopy"]
    faintest = max(faintest_target_mag(block, entry) for entry in block["programmes"].values())
    hsc = make_instrument(load_spectra(), settings, "hsc")
    bands = hsc.bands.index("i"), hsc.bands.index("g")
    selection = partial(_programmes, block, areas_deg2, bands)
    return _deep_oracle(settings, hsc, faintest, SPECZ_RANGE, selection)


def photometric_oracle(settings: Mapping[str, Any], drawn: pd.DataFrame) -> Oracle:
    """Return the oracle of the many-band set, whose selection is estimated (`oracle_usable`).

    Parameters
    ----------
    settings
        Blocks ``hsc``, ``population``, ``sed``, ``dust`` and ``manyband`` of the sky's settings.
    drawn
        As the sky writes it (`selection_photoz`).
    """
    hsc = make_instrument(load_spectra(), settings, "hsc")
    selection = UsableLabel(drawn, hsc.bands, hsc.depth)
    faintest = settings["manyband"]["limit_i_mag"]
    return _deep_oracle(
        settings, hsc, faintest, (PHOTOZ_MIN, settings["hsc"]["z_max"]), selection, 2
    )


def _deep_oracle(
    settings: Mapping[str, Any],
    hsc: Instrument,
    faintest_i_mag: float,
    z_range: tuple[float, float],
    selection: Selection,
    coarse: int = 1,
) -> Oracle:
    """Return an oracle on the HSC-like photometry; all of them answer in the same classes."""
    z_max = settings["hsc"]["z_max"]
    pool = make_pool(hsc.table, settings["population"], "i", faintest_i_mag)
    nodes = make_nodes(hsc.table, settings["sed"]["mode_rms"], *z_range, coarse)
    return Oracle(
        nodes=nodes,
        columns=make_columns(nodes, hsc.depth.zero_point_scatter_mag),
        prior=make_prior(pool, nodes),
        depth=hsc.depth,
        stored_relative_error=settings["dust"]["stored_relative_error"],
        anchor=hsc.bands.index("i"),
        selection=selection,
        edges=np.linspace(0.0, z_max, round(z_max / DEEP_CLASS_WIDTH_Z) + 1),
    )


def _programmes(
    spectroscopy: Mapping[str, Any],
    areas_deg2: Mapping[str, float],
    bands: tuple[int, int],
    seen: Observed,
    z: Array,
) -> Array:
    """Return ln of the rate of spectra with a redshift, shape (N, Z)."""
    magnitude, _ = to_magnitudes(seen.flux, seen.flux)
    i_mag, g_mag = magnitude[:, bands[0]], magnitude[:, bands[1]]
    targets = np.zeros((len(i_mag), len(z)))
    for name, programme in spectroscopy["programmes"].items():
        inside = window_share(programme, spectroscopy["target_scatter_mag"], i_mag, g_mag)
        targets += areas_deg2.get(name, 0.0) * inside[:, None] * photoz_share(programme, z)
    success = success_share(spectroscopy, z[None, :], i_mag[:, None])
    return np.log(np.maximum(targets * success, SMALLEST))
