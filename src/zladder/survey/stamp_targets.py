"""Which galaxies get HSC-like cutouts, and what stands in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from zladder.provenance.errors import BadInput
from zladder.survey.background import Shaped
from zladder.survey.coadd import HSC_PIXEL_ARCSEC
from zladder.survey.geometry import ARCSEC_PER_DEG, Field, unit_vectors
from zladder.survey.hsc_contaminants import BAND_FLAGS, BLENDEDNESS_LIMIT
from zladder.survey.manyband import passes_usual_cuts
from zladder.survey.scene import mixed_scene
from zladder.survey.scene_columns import stamp_scene_columns
from zladder.survey.streams import generator
from zladder.survey.tiles import MARGIN_ARCSEC
from zladder.survey.tracts import patch_of, tract_of
from zladder.universe.instruments import Instrument
from zladder.universe.programmes import SPECZ_RANGE

Array = NDArray[np.float64]


def choose_targets(
    seed: int, settings: Mapping[str, Any], deep: Field, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the galaxies that get cutouts: with usable spectra, and with usable photo-z.

    The first are taken in random order, the second from the middle of the deep field outwards,
    where the CFHTLS-like deep tile is.

    Parameters
    ----------
    seed, settings
        The sky's.
    deep
        The deep field.
    tables
        ``hsc``, ``galaxiesml``, ``cosmos`` and ``truth``, whose identifiers join them.

    Returns
    -------
    targets
        A row each, the spectra first, with the columns of all three catalogues (missing: NaN) and
        ``row`` (in the truth), ``is_specz``, ``is_photoz`` (in which sets it is); index from 0.

    Raises
    ------
    BadInput
        If more are wanted than there are.
    """
    joined = _joined(tables)
    magnitudes = joined.filter(regex="_cmodel_mag$")
    complete = np.isfinite(magnitudes).all(axis=1)
    inside = joined["specz_redshift"].between(*SPECZ_RANGE, inclusive="neither")
    good = complete & _single_galaxy(joined)
    spectra = good & inside & joined["specz_flag_homogeneous"].eq(True)
    fits = good & passes_usual_cuts(joined)
    block = settings["hsc_images"]
    rng = generator(seed, "stamps")
    chosen_specz = _first(rng.permutation(np.flatnonzero(spectra)), block, "n_specz_stamps")
    distance = np.hypot(joined["ra"] - deep.ra_deg, joined["dec"] - deep.dec_deg).to_numpy()
    rows = np.flatnonzero(fits)
    chosen_photoz = _first(rows[np.argsort(distance[rows])], block, "n_photoz_stamps")
    rows = np.concatenate([chosen_specz, np.setdiff1d(chosen_photoz, chosen_specz)])
    return (
        joined.iloc[rows]
        .assign(is_specz=np.isin(rows, chosen_specz), is_photoz=np.isin(rows, chosen_photoz))
        .reset_index(drop=True)
    )


def _single_galaxy(joined: pd.DataFrame) -> pd.Series:
    """Tell what the survey's own flags take for one galaxy, as the shipped samples ask for."""
    galaxy = joined["isprimary"].eq(True) & joined["i_extendedness_value"].eq(1)
    flags = joined[[name for name in joined if str(name).endswith(BAND_FLAGS)]]
    return galaxy & (joined["i_blendedness_abs"] < BLENDEDNESS_LIMIT) & ~flags.eq(True).any(axis=1)


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what the HSC-like catalogue lists, with the labels of the same galaxies."""
    truth = tables["truth"][["object_id", "cosmos_id", "specz_name"]]
    truth = truth.rename_axis("row").reset_index()
    table = truth[truth["object_id"] > 0].merge(tables["hsc"], on="object_id", how="left")
    table = table.merge(tables["galaxiesml"], on="specz_name", how="left")
    cosmos = tables["cosmos"].drop(columns=["ALPHA_J2000", "DELTA_J2000"])
    return table.merge(cosmos, left_on="cosmos_id", right_on="ID", how="left")


def _first(rows: NDArray[np.int64], block: Mapping[str, Any], key: str) -> NDArray[np.int64]:
    """Return as many of the first rows as a setting wants."""
    wanted = block[key]
    if wanted > len(rows):
        expected = f"no more than the {len(rows)} listed galaxies with such a label"
        hint = "ask for fewer cutouts, or for more galaxies"
        raise BadInput("config", f"survey/hsc_images/{key}", expected, str(wanted), hint)
    return rows[:wanted]


def stamp_places(targets: pd.DataFrame, stamp_pixels: int) -> pd.DataFrame:
    """Return where each target's stamp lies: its tract, and the pixel at its corner.

    Returns
    -------
    places
        ``tract``, ``patch_x``, ``patch_y``, ``x_coord``, ``y_coord`` (the listed position in the
        tract, pixels from 0), ``x_corner``, ``y_corner`` (the stamp's first pixel). The pixel
        nearest to the position is the stamp's (S/2, S/2), counted from 0.
    """
    rows = []
    for ra, dec in targets[["ra", "dec"]].itertuples(index=False):
        tract = tract_of(ra, dec)
        x, y = (float(one[0]) for one in tract.plane.to_pixels(np.array([ra]), np.array([dec])))
        corner = round(x) - stamp_pixels // 2, round(y) - stamp_pixels // 2
        rows.append((tract.number, *patch_of(x, y), x, y, *corner))
    names = ["tract", "patch_x", "patch_y", "x_coord", "y_coord", "x_corner", "y_corner"]
    places = pd.DataFrame(rows, columns=names)
    return places.astype({name: "int64" for name in names if not name.endswith("coord")})


def stamp_scene(
    hsc: Instrument, objects: Shaped, targets: pd.DataFrame, stamp_pixels: int
) -> pd.DataFrame:
    """Return everything that shines into the stamps; an object may stand in several of them.

    ``targets`` holds the columns of `choose_targets` and `stamp_places`.
    """
    reach_arcsec = np.sqrt(0.5) * stamp_pixels * HSC_PIXEL_ARCSEC + MARGIN_ARCSEC
    reach = 2 * np.sin(np.radians(reach_arcsec / ARCSEC_PER_DEG) / 2)
    tree = cKDTree(unit_vectors(objects.seen.ra, objects.seen.dec))
    around = tree.query_ball_point(
        unit_vectors(targets["ra"].to_numpy(), targets["dec"].to_numpy()), reach, return_sorted=True
    )
    counts = [len(rows) for rows in around]
    if not sum(counts):
        return pd.DataFrame(columns=stamp_scene_columns(hsc.bands))
    rows = np.concatenate([np.asarray(rows, dtype=np.int64) for rows in around])
    stamp = np.repeat(np.arange(len(targets)), counts)
    ends = np.cumsum(counts)
    there = objects.part(rows)
    pixel = np.empty((2, len(rows)))
    for number in range(len(targets)):
        mine = slice(ends[number] - counts[number], ends[number])
        target = targets.iloc[number]
        plane = tract_of(target["ra"], target["dec"]).plane
        x, y = plane.to_pixels(there.seen.ra[mine], there.seen.dec[mine])
        pixel[:, mine] = x - target["x_corner"], y - target["y_corner"]
    scene = mixed_scene(hsc, there.seen, there.shapes).assign(
        object_id=targets["object_id"].to_numpy()[stamp], x_pixel=pixel[0], y_pixel=pixel[1]
    )
    return scene[stamp_scene_columns(hsc.bands)]
