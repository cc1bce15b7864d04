"""Mode collapse: distances of distributions with their floor, and the slope of the residuals."""

from __future__ import annotations

import json

import measure_collapse as program
import numpy as np
import pandas as pd
import pytest

from zladder.evaluate.collapse import QUANTITIES, collapse_of, measure_collapse
from zladder.evaluate.distances import (
    FLOOR_DRAWS,
    distribution_edges,
    resampled_distances,
    tv_floor,
)
from zladder.evaluate.slope import resampled_slope
from zladder.evaluate.study import Answers, read_answers
from zladder.metrics.binned import slope_zs
from zladder.metrics.bootstrap import resamples
from zladder.metrics.residuals import Residuals
from zladder.metrics.variance import smoothed_variance
from zladder.provenance.errors import BadInput
from zladder.tables.split_notes import dataset_metadata, notes_of
from zladder.tables.standard import write_standard

EDGES = np.linspace(0.0, 0.4, 181)
SETTINGS = {"bins": 180, "range_z": [0.0, 0.4], "slope_above_z": 0.15, "n_bootstraps": 100,
            "seed": 3}  # fmt: skip
SIGMA = 0.012


def sky(n: int, seed: int) -> np.ndarray:
    """Return redshifts like those of a bright sample."""
    return np.clip(np.random.default_rng(seed).gamma(3.0, 0.035, n), 0.005, 0.39)


def blurred(z_true: np.ndarray, seed: int) -> np.ndarray:
    """Return estimates that scatter and do nothing worse, shape (1, n)."""
    noise = np.random.default_rng([seed, 1]).standard_normal(len(z_true))
    return (z_true + SIGMA * (1 + z_true) * noise)[None]


def combed(z_true: np.ndarray, seed: int) -> np.ndarray:
    """Return the same, but rounded to a comb: whole classes are empty."""
    return np.round(blurred(z_true, seed) / 0.012) * 0.012 + 1e-4


def distances_by_hand(phot: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return both distances of two samples, shape (n,), from sorted values and not from bins."""
    inner = [np.searchsorted(np.sort(values), EDGES, side="right") for values in (phot, truth)]
    cdf = np.stack([(c - c[0]) / len(truth) for c in inner])  # (a, b]: what is at most each edge
    outside = np.array([[c[0], len(truth) - c[-1]] for c in inner]) / len(truth)
    shares = np.concatenate([np.diff(cdf, axis=1), outside], axis=1)
    ahead = np.abs(np.diff(cdf + outside[:, :1], axis=0))[0, 1:]
    return {"tv": 0.5 * np.abs(shares[0] - shares[1]).sum(), "w1_nz": ahead @ np.diff(EDGES)}


def test_distances_are_those_by_hand_on_every_resample():
    z_true = sky(300, 1)
    z_phot = np.stack([combed(z_true, 2)[0], blurred(z_true, 3)[0]])
    found = resampled_distances(z_phot, z_true, EDGES, 20, 7)
    drawn = resamples(300, 20, 7)
    for seed, phot in enumerate(z_phot):
        values = distances_by_hand(phot, z_true)
        resampled = [distances_by_hand(phot[rows], z_true[rows]) for rows in drawn]
        for name, value in values.items():
            draws = np.array([each[name] for each in resampled])
            assert found[name].value[seed] == pytest.approx(value)
            moved = draws - draws.mean() + value
            np.testing.assert_allclose(found[name].draws[seed], moved, rtol=1e-9)


def test_estimates_without_collapse_lie_at_the_floor():
    """The mean excess of 60 samples is 0 within four standard errors: false alarm 6e-5."""
    excess = []
    for trial in range(60):
        z_true = sky(500, trial)
        z_phot = blurred(z_true, trial)
        tv = resampled_distances(z_phot, z_true, EDGES, 2, 1)["tv"].value
        excess.append(float((tv - tv_floor(z_phot, z_true, EDGES, 1).value)[0]))
    assert abs(np.mean(excess)) < 4 * np.std(excess, ddof=1) / np.sqrt(60)
    assert np.mean(excess) > -0.05  # and the sample is large enough to see a shift


def test_a_comb_stands_out_from_its_floor_even_with_few_galaxies_in_a_bin():
    z_true = sky(600, 4)
    found = collapse_of(combed(z_true, 5), z_true, SETTINGS)
    interval = found["tv_excess"].interval()
    assert interval.value > 0.2
    assert interval.lo95 > 0.15
    flat = collapse_of(blurred(z_true, 5), z_true, SETTINGS)["tv_excess"].interval()
    assert flat.lo95 < 0 < flat.hi95


def test_the_floor_rises_as_galaxies_get_fewer_and_estimates_worse():
    def floor(n: int, scale: float) -> float:
        z_true = sky(n, 6)
        z_phot = z_true + scale * (blurred(z_true, 7) - z_true)
        return float(tv_floor(z_phot, z_true, EDGES, 1).value[0])

    assert floor(300, 1.0) > 1.5 * floor(3000, 1.0) > 2.5 * floor(30000, 0.1)


def test_the_floor_is_the_mean_of_its_samples_and_a_band():
    z_true = sky(400, 8)
    floor = tv_floor(blurred(z_true, 9), z_true, EDGES, 1)
    assert floor.draws.shape == (1, FLOOR_DRAWS)
    assert floor.value[0] == pytest.approx(floor.draws.mean())
    assert floor.interval().lo95 < floor.value[0] < floor.interval().hi95
    again = tv_floor(blurred(z_true, 9), z_true, EDGES, 1)
    np.testing.assert_array_equal(floor.draws, again.draws)


def test_estimates_without_scatter_have_no_floor():
    z_true = sky(100, 8)
    assert tv_floor(z_true[None], z_true, EDGES, 1).value.tolist() == [0.0]


def test_excess_is_what_lies_above_the_floor():
    z_true = sky(300, 10)
    found = collapse_of(combed(z_true, 11), z_true, SETTINGS)
    assert tuple(found) == QUANTITIES
    value = found["tv"].value - found["tv_floor"].value
    np.testing.assert_allclose(found["tv_excess"].value, value)


def tilted(n: int, slope: float) -> tuple[np.ndarray, np.ndarray]:
    z_true = np.random.default_rng(12).uniform(0.02, 0.38, n)
    z_phot = blurred(z_true, 13) + (1 + z_true) * slope * np.maximum(z_true - 0.15, 0)
    return z_phot, z_true


def by_least_squares(z_phot: np.ndarray, z_true: np.ndarray, weight: np.ndarray) -> float:
    dz = Residuals.of(z_phot, z_true).dz
    return float(np.polyfit(z_true, dz, 1, w=np.sqrt(weight))[0])


def test_the_slope_is_a_weighted_fit_on_every_resample():
    z_phot, z_true = tilted(400, -0.2)
    found = resampled_slope(z_phot, z_true, (0.15, 0.4), 5, 2)
    used = z_true > 0.15
    weight = np.zeros(400)
    variance = smoothed_variance(z_phot[0, used], z_true[used], (0.15, 0.4))
    weight[used] = (1 + z_true[used]) ** 2 / variance
    full = by_least_squares(z_phot[0, used], z_true[used], weight[used])
    assert found.value[0] == pytest.approx(full)
    for draw, rows in zip(found.draws[0], resamples(400, 5, 2), strict=True):
        kept = rows[used[rows]]
        wanted = by_least_squares(z_phot[0, kept], z_true[kept], weight[kept])
        assert draw == pytest.approx(wanted)


def test_an_injected_slope_comes_out_with_its_error():
    """The truth lies within four standard errors: false alarm 6e-5."""
    z_phot, z_true = tilted(20_000, -0.05)
    found = resampled_slope(z_phot, z_true, (0.15, 0.4), 200, 2).interval()
    assert abs(found.value + 0.05) < 4 * found.se
    assert found.se == pytest.approx(SIGMA / np.sqrt(12_800) / 0.0664, rel=0.25)
    assert found.lo95 < found.value < found.hi95 < 0


def test_the_slope_is_that_of_narrow_bins():
    z_phot, z_true = tilted(20_000, -0.05)
    used = z_true > 0.15
    edges = np.linspace(0.15, 0.4, 51)
    binned = slope_zs(z_phot[0, used], z_true[used], edges).slope
    found = resampled_slope(z_phot, z_true, (0.15, 0.4), 2, 1).value[0]
    assert found == pytest.approx(binned, rel=0.02)


def test_galaxies_outside_the_range_do_not_move_the_slope():
    z_phot, z_true = tilted(500, -0.05)
    wild = np.where((z_true > 0.15) & (z_true <= 0.3), z_phot, 9.0)
    found = [resampled_slope(p, z_true, (0.15, 0.3), 2, 1).value[0] for p in (z_phot, wild)]
    assert found[0] == found[1]


def test_few_galaxies_have_no_slope():
    z_true = np.concatenate([np.full(100, 0.1), np.linspace(0.16, 0.3, 29)])
    found = resampled_slope(z_true[None], z_true, (0.15, 0.4), 3, 1)
    assert np.isnan(found.value).all()
    assert np.isnan(found.draws).all()
    assert found.draws.shape == (1, 3)


def answers(n: int = 400) -> Answers:
    z_true = sky(2 * n, 14)
    galaxies = pd.DataFrame({"dataset": "toy", "split": np.repeat(["validation", "test"], n),
                             "object_id": np.arange(2 * n), "z_true": z_true})  # fmt: skip
    lame = blurred(z_true, 16)
    lame[:, -10:] = np.nan
    lame[:, :100] = np.nan  # of the validation split: does not count
    two = np.concatenate([combed(z_true, 15), combed(z_true, 17)])
    return Answers(galaxies, {"comb": two, "lame": lame})


def test_the_table_has_a_row_a_method_and_quantity_with_its_counts():
    table = measure_collapse(answers(), SETTINGS)
    assert list(table["method"]) == ["comb"] * 5 + ["lame"] * 5
    assert list(table["quantity"]) == list(QUANTITIES) * 2
    assert set(table["dataset"]) == {"toy"}
    rows = table.set_index(["method", "quantity"])
    assert rows.loc[("lame", "tv"), ["n_total", "n_used", "n_nonfinite"]].tolist() == [400, 390, 10]
    assert rows.loc[("comb", "tv"), ["n_used", "n_seeds", "n_bins"]].tolist() == [400, 2, 180]
    part = answers().part("toy", "test")
    above = int((part.z_true[:-10] > 0.15).sum())
    assert rows.loc[("lame", "slope_zs"), ["n_used", "n_bins"]].tolist() == [above, 0]
    assert np.isfinite(rows.loc["comb", "seed_std"]).all()
    assert np.isnan(rows.loc["lame", "seed_std"]).all()
    ends = table[["lo95", "lo68", "value", "hi68", "hi95"]].to_numpy()
    assert (np.diff(ends, axis=1) > 0).all()


def test_a_method_with_hardly_any_answer_has_no_numbers():
    part = answers(40)
    part.z_phot["lame"][:, 40] = 0.1  # the only one on test
    rows = measure_collapse(part, SETTINGS).set_index(["method", "quantity"]).loc["lame"]
    assert rows["value"].isna().all()
    assert rows.loc["tv", ["n_used", "n_nonfinite"]].tolist() == [1, 39]


@pytest.mark.parametrize(
    ("key", "value", "expected", "found", "hint"),
    [
        ("range_z", [0.4, 0.4], "low < high", "[0.4, 0.4]", "lower end first"),
        ("slope_above_z", 0.4, "below the upper end of range_z, 0.4", "0.4", "lower redshift"),
    ],
)
def test_an_empty_range_is_bad_input(key, value, expected, found, hint):
    with pytest.raises(BadInput) as caught:
        measure_collapse(answers(40), SETTINGS | {key: value})
    error = caught.value
    assert (error.file, error.place) == ("config", f"collapse.{key}")
    assert expected in error.expected
    assert error.found == found
    assert hint in error.hint


def test_the_declared_bins_are_the_bins():
    np.testing.assert_allclose(distribution_edges(SETTINGS), EDGES)


@pytest.fixture
def files(tmp_path):
    """Predictions of a classifier, whose mode is not its z_phot, and of a regression."""
    galaxies = answers().galaxies
    z_true = galaxies["z_true"].to_numpy()
    dataset = tmp_path / "toy.parquet"
    write_standard(galaxies[["object_id", "split"]], dataset, dataset_metadata(galaxies))
    splits = notes_of([dataset])
    for name, extra in {"classes": {"z_mode": combed(z_true, 20)[0]}, "net": {}}.items():
        frame = galaxies.assign(z_phot=blurred(z_true, 21)[0], **extra)
        made = tmp_path / f"toy.{name}-s0.parquet"
        write_standard(frame, made, metadata={"run": f"toy.{name}-s0", "splits": splits})
    return sorted(tmp_path.glob("toy.*.parquet"))


def test_the_mode_is_taken_where_there_is_one(files):
    plain, modes = read_answers(files), read_answers(files, "z_mode")
    np.testing.assert_array_equal(plain.z_phot["net"], modes.z_phot["net"])
    np.testing.assert_array_equal(plain.z_phot["classes"], plain.z_phot["net"])
    np.testing.assert_allclose(modes.z_phot["classes"][0], combed(modes.z_true, 20)[0])


def test_the_program_writes_the_table_of_the_modes(files, tmp_path):
    made, sidecar = tmp_path / "collapse.parquet", tmp_path / "collapse.json"
    code = program.main(
        ["--predictions", *map(str, files), "--settings", json.dumps(SETTINGS),
         "--datasets", str(tmp_path / "toy.parquet"),
         "--collapse", str(made), "--sidecar", str(sidecar), "--log", str(tmp_path / "log")]
    )  # fmt: skip
    assert code == 0
    rows = pd.read_parquet(made).set_index(["method", "quantity"])["value"]
    assert rows["classes", "tv_excess"] > 0.2 > rows["net", "tv_excess"]
    counts = json.loads(sidecar.read_text(encoding="utf-8"))["counts"]
    assert counts == {"galaxies": 800, "methods": 2}
