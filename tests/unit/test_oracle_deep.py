"""The oracle of the spectroscopic set: a mixture of programmes, and what selection is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mock_sky import settings, spectra
from oracle_world import FALSE_ALARMS, N_SKIES, flatness, nll, observed

from zladder.evaluate.oracle import posterior
from zladder.evaluate.oracle_likelihood import Observed
from zladder.evaluate.oracle_samples import searched_areas, spectroscopic_oracle
from zladder.evaluate.oracle_usable import UsableLabel
from zladder.survey.areas import deep_and_wide
from zladder.survey.assembly import selection_rows
from zladder.survey.collecting import Sky
from zladder.survey.fields import spectroscopic_field
from zladder.survey.observing import join_seen, make_dust
from zladder.universe.instruments import make_instrument

SEED = 4711  # not one that the grid was chosen with
N_SPECTRA = 360


@pytest.fixture(scope="module")
def world():
    """Spectra of one programme whose photometry is so shallow that the selection counts."""
    sky = settings(n_specz=N_SPECTRA // N_SKIES, n_photoz=10)
    block = sky["spectroscopy"]
    block["programmes"] = {"faint": block["programmes"]["faint"]}
    sky["hsc"]["z_max"] = 1.6  # beyond, this world has no galaxies: fewer nodes
    depth = sky["hsc"]["depth_5sigma_mag"]
    sky["hsc"]["depth_5sigma_mag"] = {band: mag - 3.0 for band, mag in depth.items()}
    hsc = make_instrument(spectra(), sky, "hsc")
    parts, labels = [], []
    for seed in range(SEED, SEED + N_SKIES):
        one = Sky(sky["sed"], make_dust(sky["dust"], seed), seed)
        fields = deep_and_wide(sky)
        seen, found = spectroscopic_field(one, sky, hsc, fields, N_SPECTRA // N_SKIES)
        usable = np.flatnonzero(found["usable"])
        parts.append(seen.part(usable))
        labels.append(found.iloc[usable])
    told = selection_rows(labels[0].iloc[:0], labels[0])
    oracle = spectroscopic_oracle(sky, searched_areas(told))
    seen = join_seen(parts)
    return oracle, seen, posterior(oracle, observed(seen))


def test_pit_is_flat_with_the_selection_and_not_without(world):
    oracle, seen, pmf = world
    z = seen.galaxies.z
    assert len(z) == N_SPECTRA
    assert flatness(oracle, pmf, z) > FALSE_ALARMS
    centres = 0.5 * (oracle.edges[1:] + oracle.edges[:-1])
    anyhow = pmf / np.exp(oracle.selection(observed(seen), centres))
    anyhow /= anyhow.sum(axis=1, keepdims=True)
    assert flatness(oracle, anyhow, z) < FALSE_ALARMS
    worse = nll(oracle, anyhow, z) - nll(oracle, pmf, z)
    assert worse.mean() > 4 * worse.std() / np.sqrt(len(z))


def test_programmes_count_by_the_area_that_they_searched():
    wide = pd.DataFrame({"programme": ["a", "a", "b"], "searched_deg2": [0.5, 2.0, 7.0]})
    deep = pd.DataFrame({"programme": ["a"]})
    assert searched_areas(selection_rows(deep, wide)) == {"a": 3.0, "b": 7.0}


def test_the_chance_to_be_usable_is_learned():
    """Galaxies are usable by a known law of flux and redshift."""
    rng = np.random.default_rng(6)
    sky = settings()
    hsc = make_instrument(spectra(), sky, "hsc")
    n = 20_000
    flux = np.exp(rng.uniform(np.log(200), np.log(20_000), (n, 1))) * np.ones(5)
    z = rng.uniform(0.1, 3.0, n)

    def law(i_flux, redshift):
        return 0.9 / (1 + (1500 / i_flux) ** 2) * np.where(redshift < 1.5, 1.0, 0.4)

    drawn = pd.DataFrame({"object_id": rng.permutation(n), "z_true": z, "stored_ebv_mag": 0.03})
    drawn[[f"flux_{band}_njy" for band in hsc.bands]] = flux
    drawn["usable"] = rng.random(n) < law(flux[:, 2], z)
    usable = UsableLabel(drawn, hsc.bands, hsc.depth)
    asked = np.array([[600.0], [3000.0], [12_000.0]]) * np.ones(5)
    at = np.array([0.3, 0.8, 1.3, 1.8, 2.5])
    told = usable(Observed(asked, np.full(3, 0.03), np.arange(3)), at)
    expected = law(asked[:, 2][:, None], at)
    np.testing.assert_allclose(np.exp(told), expected, atol=0.1)


def test_nobodys_own_fate_is_in_the_answer():
    """Of few galaxies: a model that had seen one of them would answer otherwise."""
    rng = np.random.default_rng(8)
    hsc = make_instrument(spectra(), settings(), "hsc")
    n = 600
    drawn = pd.DataFrame({
        "object_id": np.where(rng.random(n) < 0.7, 10**12 + rng.permutation(n), -1),
        "z_true": rng.uniform(0.1, 3.0, n), "stored_ebv_mag": 0.03,
    })  # fmt: skip
    names = [f"flux_{band}_njy" for band in hsc.bands]
    drawn[names] = np.exp(rng.uniform(5, 10, (n, 1)) + 0.1 * rng.normal(size=(n, 5)))
    drawn["usable"] = rng.random(n) < 0.5
    listed = np.flatnonzero(drawn["object_id"] >= 0)
    rows = listed[:: len(listed) // 20]
    mine = Observed(
        drawn[names].to_numpy()[rows], np.full(len(rows), 0.03), drawn["object_id"].to_numpy()[rows]
    )
    z = np.linspace(0.1, 3.0, 50)
    before = UsableLabel(drawn, hsc.bands, hsc.depth)(mine, z)
    moved = 0
    for place, row in enumerate(rows[:4]):
        changed = drawn.copy()
        changed.loc[row, "usable"] = not drawn.loc[row, "usable"]
        changed.loc[row, "z_true"] = 3.0 - drawn.loc[row, "z_true"]
        after = UsableLabel(changed, hsc.bands, hsc.depth)(mine, z)
        np.testing.assert_array_equal(after[place], before[place])
        moved += (after != before).any()
    assert moved == 4  # the others' answers do change
