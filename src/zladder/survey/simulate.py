"""A small mock sky: one universe, seen by six catalogues, with the truth beside them.

The HSC-like catalogue holds what is useful, not all of the sky: every labelled object, the other
objects of the deep field, and further unlabelled galaxies, by default 30 % of the number of labels;
a few of these stand beside labelled galaxies, as unrelated neighbours. The SDSS-like catalogues lie
in imaging fields that hold some hundred times as many galaxies as real ones do (`config.imaging`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from zladder.config.names import BLENDED_SHARE
from zladder.survey.areas import deep_and_wide
from zladder.survey.assembly import (
    cosmos_rows,
    hsc_rows,
    join_truth,
    other_noise_rows,
    selection_rows,
    specz_rows,
)
from zladder.survey.collecting import Sky
from zladder.survey.deep_images import deep_images
from zladder.survey.dust_sheet import dust_sheet
from zladder.survey.fields import (
    deep_field,
    spectra_in_deep_field,
    spectroscopic_field,
    unlabelled_field,
)
from zladder.survey.geometry import displaced
from zladder.survey.hsc_contaminants import contaminated, with_blends
from zladder.survey.imaging_survey import imaging_survey
from zladder.survey.manyband_camera import ManyBandCamera, make_manyband
from zladder.survey.observing import Seen, join_seen, make_dust
from zladder.survey.second_look import cfhtls_instruments
from zladder.survey.selection import MAX_ROWS, named_rows, searched_share
from zladder.survey.settings import check_settings
from zladder.survey.streams import generator
from zladder.universe.instruments import Instrument, make_instrument
from zladder.universe.photometry import PhotometryTable
from zladder.universe.spectra import load_spectra

Tables = dict[str, pd.DataFrame]


def simulate_sky(
    settings: Mapping[str, Any],
    seed: int,
    photometry: Mapping[str, PhotometryTable] | None = None,
) -> Tables:
    """Simulate the sky and its catalogues.

    Parameters
    ----------
    settings
        The mock sky's block of the configuration (`settings.check_settings` says what it holds).
    seed
        Not negative. The same seed gives the same sky, on any number of threads.
    photometry
        The instruments' tables (`universe.photometry_file`); None builds them.

    Returns
    -------
    tables
        ``hsc``, ``galaxiesml``, ``cosmos``, ``cfhtls``, ``sdss``, ``sdss_deep`` with native
        columns; ``scene``, ``scene_cfhtls``, ``scene_hsc`` and ``stamps_hsc``, which only the
        renderer reads; ``truth`` (one row an object, identifiers of the catalogues that list it,
        -1 or empty where none does), ``dust`` (maps of E(B-V)), ``selection`` (the area that each
        spectroscopic programme searched), ``selection_photoz`` (every
        galaxy drawn for the deep field) and ``cosmos_other_noise`` (the labels under the other
        setting of ``shares_hsc_noise``), which no stage may read that trains or predicts.

    Raises
    ------
    BadInput
        If the settings are impossible, or ask for more galaxies than the sky can give.
    """
    check_settings(settings, seed)
    spectra = load_spectra()
    sky = Sky(settings["sed"], make_dust(settings["dust"], seed), seed)
    tabulated = {} if photometry is None else photometry
    sdss = make_instrument(spectra, settings, "sdss", tabulated.get("sdss"))
    deep_instruments = {
        "hsc": make_instrument(spectra, settings, "hsc", tabulated.get("hsc")),
        **cfhtls_instruments(spectra, settings, tabulated.get("cfhtls")),
    }
    camera = make_manyband(spectra, settings, seed, tabulated.get("manyband"))
    tables = _labelled_sky(sky, settings, deep_instruments, camera)
    imaging = imaging_survey(sky, settings, sdss)
    truth = join_truth([tables["truth"], imaging["truth"]])
    return tables | imaging | {"truth": truth, "dust": dust_sheet(sky.dust, settings)}


def _labelled_sky(
    sky: Sky,
    settings: Mapping[str, Any],
    instruments: Mapping[str, Instrument],
    camera: ManyBandCamera,
) -> Tables:
    """Return the deep photometry, the two label sets, their images' scenes, and the truth."""
    hsc = instruments["hsc"]
    asked = with_blends(settings)
    fields = deep_and_wide(asked)
    deep, deep_labels, drawn = deep_field(sky, asked, hsc, camera, fields[0])
    both, both_labels = spectra_in_deep_field(sky, asked, hsc, (deep, deep_labels))
    n_wide = max(asked["n_specz"] - int(both_labels["usable"].sum()), 0)
    wide, wide_labels = spectroscopic_field(sky, asked, hsc, fields, n_wide)
    others = unlabelled_field(sky, settings, hsc, fields[1])
    others = _beside(generator(sky.seed, "unlabelled", 1), settings["hsc"], others, deep, wide)

    objects = join_seen([deep, wide, others])
    n_deep, n_wide = len(deep.ra), len(wide.ra)
    in_hsc = np.ones(len(objects.ra), dtype=bool)
    in_hsc[:n_deep] = deep_labels["in_hsc"]
    in_hsc[n_deep : n_deep + n_wide] = wide_labels["in_hsc"]
    spectra_rows = np.concatenate([both, n_deep + np.arange(n_wide)])
    spectra_labels = pd.concat([both_labels, wide_labels], ignore_index=True)

    only_photoz = np.setdiff1d(np.flatnonzero(deep_labels["usable"]), both)
    usable_wide = n_deep + np.flatnonzero(wide_labels["usable"])
    sets = (("n_photoz", only_photoz), ("n_specz", usable_wide))
    listed = contaminated(sky, settings, hsc, fields[1], objects, in_hsc, sets)

    truth = listed.truth
    tables: Tables = {}
    tables["hsc"], ids = hsc_rows(sky.seed, settings, hsc, listed.seen, listed.flags)
    truth.loc[listed.rows, "object_id"] = ids
    truth["duplicate_of"] = listed.original_ids(truth["object_id"].to_numpy())
    tables["cosmos"], ids = cosmos_rows(sky.seed, settings, deep, deep_labels)
    truth.loc[: n_deep - 1, "cosmos_id"] = ids
    truth.loc[: n_deep - 1, BLENDED_SHARE] = deep_labels[BLENDED_SHARE].to_numpy()
    tables["cosmos_other_noise"] = other_noise_rows(hsc, deep, deep_labels, ids)
    ids = truth["object_id"].to_numpy()[:n_deep]
    drawn = named_rows(drawn, deep_labels["drawn_row"].to_numpy(), ids)
    tables["selection_photoz"] = drawn.iloc[:MAX_ROWS]
    tables["galaxiesml"], names = specz_rows(
        sky.seed, settings, objects.part(spectra_rows), spectra_labels
    )
    truth.loc[spectra_rows, "specz_name"] = names
    tables["selection"] = selection_rows(both_labels, wide_labels)
    # blends' companions have rows after these, then artefacts and duplicates, which images do not
    # show, then comes what only images show
    n = len(objects.ra) + len(listed.companions.ra)
    tables["truth"], contaminants = truth.iloc[:n], truth.iloc[n:]
    parts = [deep, wide, others, listed.companions]
    share = searched_share(asked, hsc, fields[0], drawn)
    tables |= deep_images(sky, settings, instruments, parts, share, tables)
    rows = [tables["truth"].iloc[:n], contaminants, tables["truth"].iloc[n:]]
    return tables | {"truth": pd.concat(rows, ignore_index=True)}


def _beside(
    rng: np.random.Generator, block: Mapping[str, Any], others: Seen, deep: Seen, wide: Seen
) -> Seen:
    """Move the first few unlabelled galaxies next to labelled ones, as chance neighbours."""
    labelled_ra = np.concatenate([deep.ra, wide.ra])
    labelled_dec = np.concatenate([deep.dec, wide.dec])
    n = min(round(block["neighbour_share"] * len(labelled_ra)), len(others.ra))
    hosts = rng.permutation(len(labelled_ra))[:n]
    nearest, farthest = block["neighbour_distance_arcsec"]
    distance = rng.uniform(nearest, farthest, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    east, north = distance * np.cos(angle), distance * np.sin(angle)
    ra, dec = others.ra.copy(), others.dec.copy()
    ra[:n], dec[:n] = displaced(labelled_ra[hosts], labelled_dec[hosts], east, north)
    return replace(others, ra=ra, dec=dec)
