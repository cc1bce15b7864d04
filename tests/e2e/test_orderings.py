"""What a first look on the mock sky must show: orderings that a change of the code must not lose.

Built at scale `demo`, one seed, so the limits are loose; docs/choices.md says where they come from.
Whether MoCo alone beats a network trained from scratch is reported, not asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord

from tests.checkout import Checkout

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

STAMP_PIXELS, PIXEL_SCALE_ARCSEC = 40, 0.396
FEWEST = "f2"  # per cent of the labels, the smallest fraction of the scale `demo`


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of both papers on pixels at scale `demo`."""
    checkout = Checkout(tmp_path_factory.mktemp("orderings") / "ladder")
    done = checkout.snakemake(
        "--cores", "1", "hayat2021", "lin2022", "--config", "scale=demo", timeout_seconds=1700
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return checkout.folder / "results" / "mock-demo"


def sigma_nmad(results: Path, method: str) -> float:
    scores = pd.read_parquet(results / "metrics" / "label_efficiency" / "scores.parquet")
    chosen = scores[(scores["method"] == method) & (scores["metric"] == "sigma_nmad")]
    return float(chosen.loc[chosen["split"] == "test", "value"].item())


def test_moco_learns_what_a_drawn_encoder_does_not_see(results: Path) -> None:
    for fraction in (FEWEST, "f100"):
        trained = sigma_nmad(results, f"probe_moco_{fraction}")
        assert trained < 0.9 * sigma_nmad(results, f"probe_untrained_{fraction}"), fraction


def test_the_joint_objective_beats_a_start_from_scratch_at_the_fewest_labels(
    results: Path,
) -> None:
    joint = sigma_nmad(results, f"joint_finetuned_{FEWEST}")
    assert joint < sigma_nmad(results, f"supervised_{FEWEST}")


def test_the_dust_augmentation_steadies_the_embedding(results: Path) -> None:
    drift = pd.read_parquet(results / "metrics" / "label_efficiency" / "drift.parquet")
    value = drift.set_index("method")["value"]
    # Five times is the gate `hayat-gate-dust`, which the report judges. Single trainings gave 4.3
    # to 5.3 times on this sky, from sky to sky and from recipe to recipe: it is missed as often as
    # it is met (docs/choices.md). What is asked here is that the effect is not lost.
    assert value["moco_undusted"] > 4 * value["moco"]


def test_softened_and_shifted_labels_halve_the_excess_of_the_collapse(results: Path) -> None:
    found = pd.read_parquet(results / "metrics" / "class_residuals" / "collapse.parquet")
    excess = found[found["quantity"] == "tv_excess"].set_index("method")["value"]
    assert excess["baseline"] > 2 * excess["step3"]


def test_every_claim_has_a_verdict_and_none_is_called_reproduced(results: Path) -> None:
    for study in ("label_efficiency", "class_residuals"):
        claims = pd.read_parquet(results / "studies" / study / "claims.parquet")
        assert len(claims) > 3
        assert not (claims["verdict"] == "reproduced").any()
        assert (claims["reason"].str.len() > 0).all()


def test_no_unlabelled_galaxy_is_tested_and_no_stamp_shows_a_tested_pixel(results: Path) -> None:
    deep = pd.read_parquet(results / "datasets" / "deep_images.parquet")
    main = pd.read_parquet(results / "datasets" / "main_images.parquet")
    assert set(deep["split"]) == {"train"}
    assert not set(deep["object_id"]) & set(main["object_id"])
    held_out = positions(main[main["split"] != "train"])
    shown = positions(pd.concat([deep, main[main["split"] == "train"]]))
    _, apart, _ = held_out.match_to_catalog_sky(shown)
    corner_to_corner_arcsec = np.sqrt(2) * STAMP_PIXELS * PIXEL_SCALE_ARCSEC
    assert apart.arcsec.min() >= corner_to_corner_arcsec


def positions(galaxies: pd.DataFrame) -> SkyCoord:
    return SkyCoord(galaxies["ra"].to_numpy(), galaxies["dec"].to_numpy(), unit="deg")
