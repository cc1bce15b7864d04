"""What the rules of the stages pretrain, train and evaluate ask at parse time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zladder.config.cards import dataset_samples
from zladder.config.methods import methods_of
from zladder.config.names import ORACLES
from zladder.config.wiring_pixels import PixelWiring
from zladder.provenance.digests import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class RunWiring(PixelWiring):
    """The answers about runs and studies."""

    def card(self, run: str) -> str:
        """Return the run card as canonical JSON."""
        return canonical_json(self.plan.cards[run])

    def dataset_of(self, run: str) -> str:
        """Return the dataset that a run trains on."""
        return f"<results>/datasets/{self.plan.cards[run]['data']['dataset']}.parquet"

    def parent_of(self, run: str) -> list[str]:
        """Return the weights that a run starts from; none without a parent."""
        parent = self.plan.cards[run]["parent"]
        return [f"<results>/runs/{parent['run']}/weights.safetensors"] if parent else []

    def trained_on(self, run: str) -> list[str]:
        """Return the datasets that a run and its ancestors have seen."""
        files: list[str] = []
        name: str | None = run
        while name:
            files.append(self.dataset_of(name))
            parent = self.plan.cards[name].get("parent")
            name = parent["run"] if parent else None
        return list(dict.fromkeys(files))

    def tests_of(self, run: str) -> list[str]:
        """Return the datasets that a run is scored on."""
        return [f"<results>/datasets/{name}.parquet" for name in self.plan.tests[run]]

    @staticmethod
    def seeds_together(runs: Iterable[str]) -> list[str]:
        """Return runs with the seeds of each side by side: lists of their files fold well."""
        by_method: dict[str, list[str]] = {}
        for run in runs:
            by_method.setdefault(run.rsplit("-s", 1)[0], []).append(run)
        return [run for seeds in by_method.values() for run in seeds]

    def predictions_of(self, study: str) -> list[str]:
        """Return the predictions of all runs of a study, those of a method side by side."""
        runs = self.seeds_together(self.plan.runs_of(study))
        return [f"<results>/predictions/{run}.parquet" for run in runs]

    def oracles_of(self, study: str) -> list[str]:
        """Return the oracle's predictions for a study; none where the sky is not ours."""
        names = self._oracles(study)
        return [f"<results>/predictions/{study}.{name}-s0.parquet" for name in names]

    def _oracles(self, study: str) -> list[str]:
        """Return which oracles know all samples of a study's test sets."""
        known = [self.oracles_for(sample) for sample in self.tested_samples(study)]
        return [name for name in ORACLES if all(name in names for names in known)]

    def oracle_answers(self, study: str, oracle: str) -> list[str]:
        """Return an oracle's answers for the samples of a study's test sets."""
        kind = oracle.removeprefix("oracle").replace("_", ".")
        return [f"<results>/oracle/{sample}{kind}.pdf.h5" for sample in self.tested_samples(study)]

    def tests_in(self, study: str) -> list[str]:
        """Return the datasets that a study is scored on."""
        names = self.settings["study_files"][study]["test_on"]
        return [f"<results>/datasets/{name}.parquet" for name in names]

    def tested_samples(self, study: str) -> list[str]:
        """Return the samples of a study's test sets, each once."""
        names = self.settings["study_files"][study]["test_on"]
        samples = [sample for name in names for sample in dataset_samples(self.settings, name)]
        return list(dict.fromkeys(samples))

    def estimated_tests(self, study: str) -> list[str]:
        """Return the test sets with galaxies whose oracle is estimated, in the study's order."""
        names = self.settings["study_files"][study]["test_on"]
        return [
            name
            for name in names
            if any(self.is_estimated(sample) for sample in dataset_samples(self.settings, name))
        ]

    def oracle_studies(self) -> list[str]:
        """Return the studies that the oracle answers for."""
        return [study for study in self.plan.studies if self.oracles_of(study)]

    def scoring(self, study: str) -> str:
        """Return the settings that scoring a study depends on."""
        document = self.settings["study_files"][study]
        return canonical_json(
            {
                **self.settings["evaluate"],
                "study": study,
                "bin_width_z": document["bin_width_z"],
                "label_range_z": self.settings["train"]["label_range_z"],
                "networks": self.networks(study),
                "seed": self.study_seed(study),
            }
        )

    def networks(self, study: str) -> list[str]:
        """Return the methods of a study that train a network, at every label fraction."""
        document = self.settings["study_files"][study]
        return list(methods_of(document, self.settings["train"]["label_fractions"]))

    def claims(self, study: str) -> str:
        """Return the settings that judging a study's claims depends on."""
        found = {
            name: claim
            for document in self.settings["claim_files"].values()
            for name, claim in document["claims"].items()
            if claim["study"] == study
        }
        document = self.settings["study_files"][study]
        return canonical_json(
            {
                "claims": found,
                "ladder": self.ladder(study),
                "collapse": document.get("collapse"),
                "n_bootstraps": self.settings["evaluate"]["n_bootstraps"],
                "seed": self.study_seed(study),
                "simulated": self.is_simulated(study),
            }
        )

    def is_simulated(self, study: str) -> bool:
        """Return whether a study looks at the mock sky, where nothing is ever `reproduced`."""
        samples = self.tested_samples(study)
        surveys = {self.settings["catalogs"]["samples"][sample]["labels"] for sample in samples}
        return any(
            "simulated" in self.settings["survey_files"][survey]["source"] for survey in surveys
        )
