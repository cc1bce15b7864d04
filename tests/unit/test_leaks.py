"""The leak alarm rings for a leak, is silent without one, and names what it did not look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.toy_universe import EDGES, LEVEL, galaxies, leaked, normal_odds, write_toy_results
from zladder.config.names import LEAK, NOT_COMPARED, QUIET
from zladder.evaluate.dressed import dressed_pmf, fit_dressing
from zladder.evaluate.e_values import loss_log_e, nll_log_e
from zladder.evaluate.leaks import check_leaks, class_scores
from zladder.pdf.grid import cumulative
from zladder.pdf.pdf_file import read_pdfs, write_pdfs
from zladder.pdf.scores import crps
from zladder.provenance.errors import BadInput


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Files of the toy universe."""
    return write_toy_results(tmp_path_factory.mktemp("toy") / "results")


def checked(toy, *methods, images=()):
    oracle = toy.predictions("oracle")[0], toy.pdfs("oracle")
    files = toy.predictions(*methods)
    files += [toy.pdfs(method) for method in methods if toy.pdfs(method).exists()]
    found = check_leaks(files, oracle, toy.truth, {"level": LEVEL, "images": list(images)})
    return found.set_index(["method", "score"])


def alarms(seed, n, answer):
    """Shares of 100 skies in which NLL, CRPS and either ring; answer gives z_phot of galaxies."""
    rng, rung = np.random.default_rng(seed), []
    for _ in range(100):
        fit, test = galaxies(rng, n), galaxies(rng, n)
        dressing = fit_dressing(answer(rng, fit), fit.z)
        odds = dressed_pmf(dressing, answer(rng, test), EDGES)
        place = np.searchsorted(EDGES, test.z, side="right") - 1
        model, oracle, crps_model, crps_oracle, worst = class_scores(
            [odds], test.odds(), place, EDGES
        )
        limit = -np.log(LEVEL)
        rung.append([nll_log_e(oracle - model) >= limit,
                     loss_log_e(crps_model - crps_oracle, worst) >= limit])  # fmt: skip
    return [*np.mean(rung, axis=0), np.mean(np.any(rung, axis=1))]


def test_a_leaked_column_is_caught():
    # z with an error of 0.8 sigma beside what is seen; 300 galaxies, at the level of one of a
    # hundred comparisons. At least 99 of 100 skies by each score alone.
    nll, by_crps, either = alarms(1, 300, leaked)
    assert nll >= 0.99
    assert by_crps >= 0.99
    assert either >= 0.99


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_model_that_knows_as_much_or_less_is_never_called_a_leak(noise):
    # 200 comparisons at 1e-4: a false alarm in less than 2 % of runs of this test
    def answer(rng, sky):
        return sky.best + noise * sky.sigma * rng.normal(size=len(sky.z))

    assert alarms(2, 300, answer) == [0, 0, 0]


def test_scores_are_those_of_the_densities():
    rng = np.random.default_rng(3)
    sky = galaxies(rng, 50)
    edges = np.linspace(-0.3, 1.3, 3201)  # narrow classes: sums become integrals
    model = [normal_odds(sky.best + shift, 1.3 * sky.width, edges) for shift in (0.01, -0.02)]
    place = np.searchsorted(edges, sky.z, side="right") - 1
    found = class_scores(model, normal_odds(sky.best, sky.width, edges), place, edges)

    def reference(mean, width):
        nodes = np.linspace(-0.3, 1.3, 6401)
        density = np.exp(-0.5 * ((nodes - mean[:, None]) / width[:, None]) ** 2)
        density /= width[:, None] * np.sqrt(2 * np.pi)
        nll = 0.5 * ((sky.z - mean) / width) ** 2 + np.log(width * np.sqrt(2 * np.pi))
        return nll, crps(nodes, cumulative(nodes, density), sky.z)

    wanted = [reference(sky.best + shift, 1.3 * sky.width) for shift in (0.01, -0.02)]
    nll, by_crps = np.mean(wanted, axis=0)
    assert found[0] == pytest.approx(nll, abs=0.02)
    assert found[2] == pytest.approx(by_crps, abs=3e-4)
    nll, by_crps = reference(sky.best, sky.width)
    assert found[1] == pytest.approx(nll, abs=0.02)
    assert found[3] == pytest.approx(by_crps, abs=3e-4)


def test_the_worst_loss_is_the_largest_over_all_redshifts():
    rng = np.random.default_rng(4)
    oracle, model = rng.dirichlet(np.ones(6), 5), rng.dirichlet(np.ones(6), 5)
    edges = np.array([0.0, 0.1, 0.4, 0.5, 1.0, 1.2, 2.0])
    every = [class_scores([model], oracle, np.full(5, k), edges) for k in range(6)]
    losses = np.stack([found[2] - found[3] for found in every])
    for found in every:
        assert found[4] == pytest.approx(losses.max(axis=0))
    assert (losses.max(axis=0) >= 0).all()
    # of a class, by hand: F = 0.5 at one inner edge, z below it
    half = class_scores([np.array([[0.5, 0.5]])], np.array([[1.0, 0.0]]), np.array([0]),
                        np.array([0.0, 1.0, 2.0]))  # fmt: skip
    assert half[2:4, 0] == pytest.approx([0.25, 0.0])


def test_the_mean_loss_of_another_density_is_not_negative_under_the_oracle():
    rng = np.random.default_rng(5)
    oracle, model = rng.dirichlet(np.ones(7), 40), rng.dirichlet(np.ones(7), 40)
    edges = np.linspace(0, 1, 8)
    every = np.stack([class_scores([model], oracle, np.full(40, k), edges) for k in range(7)])
    expected_crps = ((every[:, 2] - every[:, 3]).T * oracle).sum(axis=1)
    ratio = (np.exp(every[:, 1] - every[:, 0]).T * oracle).sum(axis=1)
    assert (expected_crps > 0).all()
    assert ratio == pytest.approx(1.0)


def test_the_table_of_a_study_tells_the_leak_from_the_others(toy):
    found = checked(toy, "same", "leaky", "worse", "classes", images=["resnet"])
    verdicts = found["verdict"]
    assert verdicts.loc["leaky"].tolist() == [LEAK, LEAK]
    for method in ("same", "worse", "classes"):
        assert verdicts.loc[method].tolist() == [QUIET] * 2
    assert verdicts.loc["resnet"].tolist() == [NOT_COMPARED] * 2
    assert (found.loc["resnet", "sees"] == "images").all()
    assert (found.loc["leaky", "difference"] < 0).all()
    assert (found.loc["worse", "difference"] > 0).all()
    # the same densities on other classes: what is lost is the shape within a class
    assert found.loc[("classes", "nll"), "difference"] == pytest.approx(0, abs=0.02)
    difference = found["mean_model"] - found["mean_oracle"]
    assert found["difference"].dropna().to_numpy() == pytest.approx(difference.dropna().to_numpy())
    assert (found.drop(index="resnet", level=0)["level"] == LEVEL).all()


def test_galaxies_without_an_answer_or_a_truth_are_left_out(toy, tmp_path):
    other = write_toy_results(tmp_path / "results")
    table = pd.read_parquet(other.predictions("same")[0])
    tested = np.flatnonzero(table["split"] == "test")
    table.loc[tested[:7], "z_phot"] = np.nan
    table.to_parquet(other.predictions("same")[0])
    truth = pd.read_parquet(other.truth)
    lost = table["object_id"].iloc[tested[7:10]]
    truth.loc[truth["object_id"].isin(lost), "z_true"] = np.nan
    far = truth["object_id"] == table["object_id"].iloc[tested[10]]
    truth.loc[far, "z_true"] = 2.5
    truth.to_parquet(other.truth)
    found = checked(other, "same")
    assert found["n"].tolist() == [len(tested) - 11] * 2
    assert found["n_off_grid"].tolist() == [1, 1]


def test_the_average_over_seeds_is_held_against_the_oracle(toy, tmp_path):
    other = write_toy_results(tmp_path / "results")
    second = other.folder / "predictions/toy.same-s1.parquet"
    pd.read_parquet(other.predictions("worse")[0]).to_parquet(second)
    oracle = other.predictions("oracle")[0], other.pdfs("oracle")
    settings = {"level": LEVEL, "images": []}
    files = [other.predictions("same")[0], second]
    both = check_leaks(files, oracle, other.truth, settings).set_index("score")
    alone = checked(other, "same", "worse")["mean_model"].groupby("score").mean()
    assert both["mean_model"].to_dict() == pytest.approx(alone.to_dict())


def test_no_dressing_is_fitted_on_the_galaxies_that_are_compared(toy, tmp_path):
    """Where validation galaxies are the test galaxies, they stand in the files twice."""
    split = pd.read_parquet(toy.predictions("same")[0])["split"].to_numpy()
    twice = np.flatnonzero(split == "validation")
    found = []
    for fitted in (["calibration"], ["validation", "calibration"]):
        other = replace(toy, folder=tmp_path / fitted[0])
        (other.folder / "predictions").mkdir(parents=True)
        rows = np.concatenate([np.flatnonzero(np.isin(split, fitted)), twice])
        for method in ("oracle", "same", "worse"):
            table = pd.read_parquet(toy.predictions(method)[0]).iloc[rows]
            table.iloc[-len(twice) :, table.columns.get_loc("split")] = "test"
            table.to_parquet(other.predictions(method)[0], index=False)
        pdfs = read_pdfs(toy.pdfs("oracle"))
        kept = type(pdfs)(pdfs.object_id[rows], pdfs.edges, pdfs.pmf[rows])
        write_pdfs(other.pdfs("oracle"), kept, "toy.oracle-s0")
        oracle = other.predictions("oracle")[0], other.pdfs("oracle")
        settings = {"level": LEVEL, "images": []}
        found.append(check_leaks(other.predictions("same", "worse"), oracle, toy.truth, settings))
    assert (found[0]["n"] == len(twice)).all()
    pd.testing.assert_frame_equal(*found)


def test_densities_of_other_galaxies_are_refused(toy, tmp_path):
    path = tmp_path / "toy.oracle-s0.pdf.h5"
    pdfs = read_pdfs(toy.pdfs("oracle"))
    write_pdfs(path, type(pdfs)(pdfs.object_id[::-1], pdfs.edges, pdfs.pmf), "toy.oracle-s0")
    oracle = toy.predictions("oracle")[0], path
    with pytest.raises(BadInput, match="row by row"):
        check_leaks(toy.predictions("same"), oracle, toy.truth, {"level": LEVEL, "images": []})


def test_a_truth_of_another_sky_is_refused(toy, tmp_path):
    truth = pd.read_parquet(toy.truth)
    truth.assign(object_id=truth["object_id"] + 10**9).to_parquet(tmp_path / "truth.parquet")
    oracle = toy.predictions("oracle")[0], toy.pdfs("oracle")
    settings = {"level": LEVEL, "images": []}
    with pytest.raises(BadInput, match="are not there"):
        check_leaks(toy.predictions("same"), oracle, tmp_path / "truth.parquet", settings)
    pd.concat([truth, truth]).to_parquet(tmp_path / "twice.parquet")
    with pytest.raises(BadInput, match="twice"):
        check_leaks(toy.predictions("same"), oracle, tmp_path / "twice.parquet", settings)
