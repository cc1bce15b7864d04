"""Predictions of probes and heads: every row asked for, in the schema, with its density."""

from __future__ import annotations

import numpy as np
import pandas as pd
import predict_classes as classes_program
import predict_probe as probe_program
import pytest
import train_head as head_program
import train_probe as train_probe_program

from tests import toys
from tests.toy_features import features_of, head_card, probe_card, write_features
from zladder.evaluate.flags import BITS
from zladder.evaluate.predict_classes import point_estimates
from zladder.pdf.pdf_file import read_pdfs
from zladder.provenance.digests import canonical_json
from zladder.tables.read import read_table

LONG = {"steps": 300, "batch_size": 32, "checks": 3}


def command(**options) -> list[str]:
    """Return the options of a program."""
    words: list[str] = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name.replace('_', '-')}", *(str(one) for one in values)]
    return words


class World:
    """A dataset whose galaxy 3 (of the test split) has no features, a probe and two heads."""

    def __init__(self, folder):
        self.folder = folder
        self.frame = toys.dataset(400)
        self.dataset = toys.write_dataset(folder / "toy.parquet", self.frame)
        features = features_of(self.frame, noise=0.02)
        self.lost = int(np.flatnonzero(self.frame["split"] == "test")[3])
        features[self.lost, 2] = np.nan
        self.features = write_features(folder / "features.h5", self.frame, features)

    def train(self, program, card, **options):
        run = self.folder / card["run"]
        files = {"weights": run / "weights.safetensors", "card": run / "card.json"}
        given = command(dataset=self.dataset, features=self.features, **files, **options,
                        card_json=canonical_json(card), log=run / "log")  # fmt: skip
        assert program.main(given) == 0

    def train_head(self, card, **options):
        run = self.folder / card["run"]
        self.train(head_program, card, history=run / "history.csv", resume_folder=run / "resume",
                   sidecar=run / "sidecar.json", **options)  # fmt: skip

    def predict(self, program, run, datasets=None, **options):
        folder = self.folder / run
        table = folder / "predictions.parquet"
        given = command(model=folder / "weights.safetensors", card=folder / "card.json",
                        features=self.features, datasets=datasets or [self.dataset],
                        trained_on=[self.dataset], predictions=table, **options,
                        log=folder / "log")  # fmt: skip
        return program.main(given), table

    def predict_classes(self, run):
        code, table = self.predict(classes_program, run, pdfs=self.folder / run / "run.pdf.h5")
        assert code == 0
        return read_table(table), read_pdfs(self.folder / run / "run.pdf.h5")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    world.train(train_probe_program, probe_card())
    world.train_head(head_card(schedule=LONG))
    world.predict_classes("toy.head-s0")
    labels = {"cell_limit": 15, "softened": True, "shifted": True}
    card = head_card(run="toy.soft-s0", labels=labels, output={"extension_bins": 25}, schedule=LONG)
    world.train_head(card, labels_from=world.folder / "toy.head-s0/predictions.parquet")
    return world


def check(table: pd.DataFrame, world: World) -> None:
    """Assert that all galaxies but those of training are there, and one without an answer."""
    asked = world.frame[world.frame["split"] != "train"]
    np.testing.assert_array_equal(table["object_id"], asked["object_id"])
    np.testing.assert_array_equal(table["split"], asked["split"])
    assert set(table["dataset"]) == {"toy"}
    lost = table["object_id"] == world.frame["object_id"][world.lost]
    np.testing.assert_array_equal(table["z_phot"].isna(), lost)
    observed = (table["flags"] & (1 << BITS["not_observed"])) == 0
    np.testing.assert_array_equal(observed, ~lost)
    assert (table["z_phot"] - table["z_true"]).std() < 0.03


def test_a_probe_predicts_all_that_is_asked_in_the_schema(world):
    code, path = world.predict(probe_program, "toy.probe-s0")
    assert code == 0
    table = read_table(path)
    check(table, world)
    assert list(table.columns) == [
        "dataset", "split", "object_id", "ra", "dec", "_healpix_29", "z_true", "z_true_err",
        "z_true_kind", "z_phot", "flags", "mag_g", "mag_r", "mag_i", "mag_err_g", "mag_err_r",
        "mag_err_i",
    ]  # fmt: skip
    assert table["z_phot"].dtype == np.float32


def test_a_head_predicts_modes_means_and_medians(world):
    table, _ = world.predict_classes("toy.head-s0")
    check(table, world)
    place = list(table.columns).index("z_phot")
    assert list(table.columns[place : place + 5]) == [
        "z_phot", "z_mode", "z_mean", "z_median", "flags",
    ]  # fmt: skip
    np.testing.assert_array_equal(table["z_phot"], table["z_mode"])


def test_the_densities_stand_row_by_row_beside_the_predictions(world):
    table, pdfs = world.predict_classes("toy.soft-s0")
    check(table, world)
    np.testing.assert_array_equal(pdfs.object_id, table["object_id"])
    assert pdfs.edges[[0, -1]] == pytest.approx([-0.25, 0.75])
    given = table["z_phot"].notna().to_numpy()
    assert np.isnan(pdfs.pmf[~given]).all()
    assert pdfs.pmf[given].sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    again = point_estimates(pdfs.edges, pdfs.pmf[given], {})[1]
    for name, values in again.items():
        np.testing.assert_allclose(table[name][given], values, atol=1e-5)


def test_the_sidecar_of_a_softened_head_says_how_its_labels_came_about(world):
    labels = pd.read_json(world.folder / "toy.soft-s0/sidecar.json", typ="series")["labels"]
    assert 0 < labels["blur_bins"] <= labels["blur_limit_bins"]
    assert labels["n_without_estimate"] == 0


def test_a_test_galaxy_that_was_trained_on_is_refused(world):
    swapped = world.frame.assign(
        split=world.frame["split"].replace({"train": "test", "test": "train"})
    )
    other = toys.write_dataset(world.folder / "swapped.parquet", swapped)
    code, _ = world.predict(probe_program, "toy.probe-s0", datasets=[other])
    assert code == 2
    told = (world.folder / "toy.probe-s0/log").read_text(encoding="utf-8")
    assert "test galaxies that the run did not see" in told


def test_a_galaxy_that_was_not_embedded_is_refused(world):
    other = toys.write_dataset(world.folder / "more.parquet", toys.dataset(30, seed=5))
    code, _ = world.predict(probe_program, "toy.probe-s0", datasets=[other])
    assert code == 2
    told = (world.folder / "toy.probe-s0/log").read_text(encoding="utf-8")
    assert "every galaxy of the dataset" in told


EDGES = np.array([-0.1, 0.0, 0.1, 0.2])
PMF = np.array([[0.5, 0.3, 0.2], [0.1, 0.45, 0.45], [np.nan] * 3])


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("mode", [-0.05, 0.05]),  # centres; ties go to the lower
        ("mean", [-0.05 * 0.5 + 0.05 * 0.3 + 0.15 * 0.2, -0.005 + 0.45 * 0.2]),
        ("median", [0.0, 0.4 / 0.45 * 0.1]),
    ],
)
def test_point_estimates_by_hand(point, expected):
    z_phot, others = point_estimates(EDGES, PMF, {"point": point})
    assert z_phot[:2] == pytest.approx(expected)
    assert np.isnan(z_phot[2])
    np.testing.assert_array_equal(z_phot, others[f"z_{point}"])


def test_the_mode_is_the_estimate_unless_the_card_says_otherwise():
    z_phot, others = point_estimates(EDGES, PMF, {})
    np.testing.assert_array_equal(z_phot, others["z_mode"])
