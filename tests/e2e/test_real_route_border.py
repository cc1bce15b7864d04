"""Stamps at the border of two fields of SDSS, on the papers' real routes.

Frames of the loopback archive overlap as the real ones do: both fields are cut out of one strip
(`tests.archive_content.strips`), which tells what stamps at their border must be.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.archive_content.strips import BANDS
from tests.real_routes import BESIDE, SAMPLES, Route, Routes
from tests.strip_truth import (
    LOST,
    MOSAICKED,
    NEIGHBOUR,
    Cutting,
    compare,
    number_of,
    rows_in_frames,
    unpack,
)
from zladder.config.data import fetched_frames
from zladder.config.imaging import FieldNumber
from zladder.cutouts.cut import cut_stamps

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]


@pytest.mark.parametrize("paper", ["hayat2021", "lin2022"])
def test_stamps_at_the_border_of_two_fields_are_whole(routes: Routes, paper: str) -> None:
    """The field beside, which holds no listed galaxy, was fetched for them."""
    route = routes.of(paper)
    for sample, survey in SAMPLES[paper].items():
        listed = route.table(f"catalogs/{survey}.parquet")
        frames = route.checkout.folder / fetched_frames(survey)
        rows = listed[[f"rowc_{band}" for band in BANDS]].to_numpy()
        np.testing.assert_allclose(rows, rows_in_frames(listed, frames), atol=1e-2)
        fetched = [route.counts(f"survey/fetched/{survey}/{k}.json") for k in (0, 1)]
        numbers = [(one["fields"], one["fields_beside"], one["fetched"]) for one in fetched]
        assert numbers == [(0, 1, 5), (1, 0, 5)]  # of even fields, and of odd ones
        file = route.results / f"cutouts/{sample}/1.h5"
        with h5py.File(file) as shard:
            cutting = Cutting("sky", shard["flux"].shape[-1])
        galaxies, strips = route.table(f"samples/{sample}.parquet"), routes.places.strips
        flags = compare(file, galaxies, cutting, strips, frames, beside(galaxies, survey))
        counts = route.counts(f"cutouts/{sample}/1.json")["n_flagged"]
        assert counts["neighbour"] == (flags == NEIGHBOUR).sum() > 2
        assert (flags == 0).sum() == len(flags) - counts["neighbour"]  # 40 pixels: none mosaicked
        in_datasets = stamps_in_datasets(route, f"{sample}/1")
        told = in_datasets["stamp_flags"] & (NEIGHBOUR | MOSAICKED)
        assert told.tolist() == flags[in_datasets["object_id"]].tolist()
        assert told.any()


def stamps_in_datasets(route: Route, shard: str) -> pd.DataFrame:
    """Return the rows of a shard's stamps in all datasets."""
    tables = [pd.read_parquet(path) for path in (route.results / "datasets").glob("*.parquet")]
    rows = pd.concat([table for table in tables if "shard" in table], ignore_index=True)
    return rows[rows["shard"] == shard]


def beside(galaxies: pd.DataFrame, survey: str) -> FieldNumber:
    """Return the field beside that of all galaxies."""
    return number_of(galaxies)._replace(field=BESIDE[survey])


def test_stamps_wider_than_what_two_fields_share_are_whole(routes: Routes, tmp_path: Path) -> None:
    """Out of the frames that were fetched. Turned, those of the papers' size are as wide."""
    route = routes.of("hayat2021")
    sample, survey = "sdss_dr12_main", "sdss_dr12"
    frames = route.checkout.folder / fetched_frames(survey)
    unpack(frames, tmp_path)
    table = route.results / f"samples/{sample}.parquet"
    galaxies, strips = pd.read_parquet(table), routes.places.strips
    other = beside(galaxies, survey)
    indexes = [route.results / f"survey/fetched/{survey}/{k}.parquet" for k in (1, 0)]
    file, losses = tmp_path / "1.h5", tmp_path / "losses.csv"
    for cutting in (Cutting("frame", 160), Cutting("sky", 112)):
        settings = {**cutting.settings, "edge": "mosaic", "n_shards": 2, "max_lost_fraction": 0.2}
        counts = cut_stamps(table, tmp_path, 1, settings, file, losses, indexes)
        flags = compare(file, galaxies, cutting, strips, frames, other)
        assert (flags & NEIGHBOUR > 0).sum() > 2
        assert (flags & MOSAICKED > 0).any()
        lost = pd.read_csv(losses)["object_id"]  # at the sides, where no frame is joined
        assert set(lost) == set(flags.index[flags & LOST > 0])
        assert counts["n_out"] + len(lost) == counts["n_in"] == len(flags)
