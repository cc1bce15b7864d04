"""What the rules that know the truth of the mock sky ask at parse time."""

from __future__ import annotations

from dataclasses import dataclass

from zladder.config.names import method_of
from zladder.config.plan import gives_classes
from zladder.config.wiring_runs import RunWiring
from zladder.provenance.digests import canonical_json

FALSE_ALARMS = 0.01  # of all comparisons of one DAG together (Bonferroni)
LEAK_SCORES = 2  # NLL and CRPS
SIDE_SOURCES = 5  # identifier, order, tile, cell, place in field


@dataclass(frozen=True)
class TruthWiring(RunWiring):
    """The answers about studies on the simulated sky, and what they are held against."""

    def simulated_studies(self) -> list[str]:
        """Return the studies that look at the mock sky."""
        return [study for study in self.plan.studies if self.is_simulated(study)]

    def checked_studies(self) -> list[str]:
        """Return the studies on the mock sky that have an oracle."""
        return [s for s in self.simulated_studies() if s in self.oracle_studies()]

    def photometry_runs(self, study: str) -> list[str]:
        """Return the runs of a study that see photometry and no more; the oracles are no runs."""
        runs = self.plan.tasks("catalogue", "control")
        return [run for run in runs if run in self.plan.runs_of(study)]

    def photometry_answers(self, study: str) -> list[str]:
        """Return the predictions of those runs, and the densities of those that give any."""
        runs, cards = self.photometry_runs(study), self.plan.cards
        return [
            *[f"<results>/predictions/{run}.parquet" for run in runs],
            *[f"<results>/predictions/{run}.pdf.h5" for run in runs if gives_classes(cards[run])],
        ]

    def leak_settings(self, study: str) -> str:
        """Return what looking for leaks in a study depends on."""
        photometry = {method_of(run) for run in self.photometry_runs(study)}
        methods = dict.fromkeys(method_of(run) for run in self.plan.runs_of(study))
        images = [method for method in methods if method not in photometry]
        return canonical_json({"level": self.comparison_level(), "images": images})

    def truth_scoring(self, study: str) -> str:
        """Return what scoring a study against the truth depends on."""
        return canonical_json(
            {
                "n_bootstraps": self.settings["evaluate"]["n_bootstraps"],
                "label_range_z": self.settings["train"]["label_range_z"],
                "seed": self.study_seed(study),
            }
        )

    def labelled_samples(self) -> list[str]:
        """Return the samples of the mock sky that have redshifts."""
        surveys = self.settings["survey_files"]
        labels = {s: self.settings["catalogs"]["samples"][s]["labels"] for s in self.plan.samples}
        return [
            sample
            for sample, survey in labels.items()
            if "simulated" in surveys[survey]["source"] and surveys[survey]["kind"] != "none"
        ]

    def side_settings(self) -> str:
        """Return what looking for side information depends on."""
        level, seed = self.comparison_level(), self.study_seed("side information")
        return canonical_json({"level": level, "seed": seed})

    def comparison_level(self) -> float:
        """Return the false-alarm rate of one comparison, a share of the whole DAG's 1 %."""
        n = SIDE_SOURCES * len(self.labelled_samples())
        for study in self.simulated_studies():
            methods = {method_of(run) for run in self.photometry_runs(study)}
            n += LEAK_SCORES * len(methods) * len(self.settings["study_files"][study]["test_on"])
        return FALSE_ALARMS / max(n, 1)

    def found_of(self, study: str) -> list[str]:
        """Return what a study's page shows of truth and leaks: nothing of a real sky.

        Leaks need an oracle.
        """
        if study not in self.simulated_studies():
            return []
        samples = [s for s in self.tested_samples(study) if s in self.labelled_samples()]
        kinds = [f"{study}/truth_scores", *[f"{sample}/side_information" for sample in samples]]
        kinds += [f"{study}/leaks"] if study in self.checked_studies() else []
        return [f"<results>/metrics/{kind}.parquet" for kind in kinds]

    def found_sidecars(self) -> list[str]:
        """Return the sidecars of all that the studies' pages show of truth and leaks."""
        tables = [table for study in self.plan.studies for table in self.found_of(study)]
        return [table.replace(".parquet", ".json") for table in dict.fromkeys(tables)]
