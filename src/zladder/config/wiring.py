"""What the rules ask at parse time: which files, which settings, which code. Nothing heavy.

Paths begin with ``<results>``, Snakemake's path variable for ``results/SKY-SCALE``.
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.config.cards import dataset_samples
from zladder.config.data import FETCHED, survey_files
from zladder.config.load import load_settings
from zladder.config.plan import Plan, make_plan
from zladder.provenance.code import code_digest
from zladder.provenance.digests import canonical_json, derive_seed
from zladder.provenance.errors import EXIT_BAD_INPUT, BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SIMULATED = "<results>/survey"


class ConfigRefused(SystemExit):
    """Ends Snakemake with exit code 2: its own handler would make it a 1 and add a traceback."""


def wiring_or_exit(root: Path, given: Mapping[str, Any]) -> Wiring:
    """Return the wiring, or end with the contract's message and exit code.

    Raises
    ------
    ConfigRefused
        If the configuration is bad input; the message stands on standard error.
    """
    try:
        settings = load_settings(root, given)
        return Wiring(settings, make_plan(settings))
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        raise ConfigRefused(EXIT_BAD_INPUT) from None


def code_of(scripts: Path) -> dict[str, str]:
    """Return {rule: digest of the code that it runs} for every script in a folder."""
    return {script.stem: code_digest(script) for script in sorted(scripts.glob("*.py"))}


def names_pattern(names: Iterable[str]) -> str:
    """Return a regular expression that matches just these names (and nothing without any)."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def option(name: str, value: object) -> str:
    """Return an option for a shell command, quoted; nothing where there is no value."""
    return f"{name} {shlex.quote(str(value))}" if value else ""


@dataclass(frozen=True)
class Wiring:
    """The answers for one configuration."""

    settings: Mapping[str, Any]
    plan: Plan

    def native_files(self, survey: str) -> dict[str, str]:
        """Return {part: native file} of a survey."""
        return survey_files(survey, self.settings["survey_files"][survey], SIMULATED)

    def fetched(self, survey: str, part: str) -> dict[str, str]:
        """Return address and SHA-256 of one part of a survey that can be fetched."""
        return dict(self.settings["survey_files"][survey]["source"]["fetch"][part])

    def fetch_targets(self) -> dict[str, list[str]]:
        """Return {survey: files that fetching it makes} for the surveys that can be fetched."""
        return {
            name: [f"{FETCHED}/{name}/{part}" for part in survey["source"]["fetch"]]
            for name, survey in self.settings["survey_files"].items()
            if "fetch" in survey["source"]
        }

    def reading(self, survey: str) -> str:
        """Return the settings that reading a survey's native tables depends on."""
        document = self.settings["survey_files"][survey]
        read = {key: document[key] for key in document if key not in _NOT_READ}
        return canonical_json({"name": survey, **read})

    def simulation(self) -> str:
        """Return the settings of the mock sky."""
        seed = derive_seed(self.settings["master_seed"], "survey", "mock")
        return canonical_json({**self.settings["survey"], "seed": seed})

    def catalog_of(self, sample: str, part: str) -> str:
        """Return the catalogue that gives a sample its `labels` or its `photometry`."""
        survey = self.settings["catalogs"]["samples"][sample][part]
        return f"<results>/catalogs/{survey}.parquet"

    def match_of(self, sample: str) -> list[str]:
        """Return the match file of a sample; none where one survey gives both."""
        entry = self.settings["catalogs"]["samples"][sample]
        matched = entry["labels"] != entry["photometry"]
        return [f"<results>/catalogs/match/{sample}.parquet"] if matched else []

    def match_radius_arcsec(self, sample: str) -> float:
        """Return the match radius of a sample."""
        return float(self.settings["catalogs"]["samples"][sample]["match_radius_arcsec"])

    def selection(self, sample: str) -> str:
        """Return the settings that selecting a sample depends on."""
        entry = self.settings["catalogs"]["samples"][sample]
        return canonical_json(
            {"name": sample, "deredden": entry["deredden"], "cuts": entry["cuts"]}
        )

    def samples_of(self, dataset: str) -> list[str]:
        """Return the sample files of a dataset, in the order of their precedence."""
        names = dataset_samples(self.settings, dataset)
        return [f"<results>/samples/{name}.parquet" for name in names]

    def building(self, dataset: str) -> str:
        """Return the settings that building a dataset depends on."""
        stage = self.settings["datasets"]
        return canonical_json(
            {
                "splits": stage["splits"],
                "sky_cell_order": stage["sky_cell_order"],
                "given_parts": stage["datasets"][dataset].get("given_parts", {}),
                "master_seed": self.settings["master_seed"],
            }
        )

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

    def predictions_of(self, study: str) -> list[str]:
        """Return the predictions of all runs of a study."""
        return [f"<results>/predictions/{run}.parquet" for run in self.plan.runs_of(study)]

    def scoring(self, study: str) -> str:
        """Return the settings that scoring a study depends on."""
        document = self.settings["study_files"][study]
        return canonical_json(
            {
                **self.settings["evaluate"],
                "study": study,
                "bin_width_z": document["bin_width_z"],
                "label_range_z": self.settings["train"]["label_range_z"],
                "networks": list(document["networks"]),
                "seed": derive_seed(self.settings["master_seed"], "evaluate", study),
            }
        )

    def claims(self, study: str) -> str:
        """Return the settings that judging a study's claims depends on."""
        found = {
            name: claim
            for document in self.settings["claim_files"].values()
            for name, claim in document["claims"].items()
            if claim["study"] == study
        }
        return canonical_json(
            {
                "claims": found,
                "n_bootstraps": self.settings["evaluate"]["n_bootstraps"],
                "seed": derive_seed(self.settings["master_seed"], "evaluate", study),
                "simulated": self.is_simulated(study),
            }
        )

    def is_simulated(self, study: str) -> bool:
        """Return whether a study looks at the mock sky, where nothing is ever `reproduced`."""
        document = self.settings["study_files"][study]
        samples = [
            sample
            for name in document["test_on"]
            for sample in dataset_samples(self.settings, name)
        ]
        surveys = {self.settings["catalogs"]["samples"][sample]["labels"] for sample in samples}
        return any(
            "simulated" in self.settings["survey_files"][survey]["source"] for survey in surveys
        )

    def title_of(self, study: str) -> str:
        """Return a study's heading in the report."""
        return str(self.settings["study_files"][study]["title"])

    def about_study(self, study: str, *keys: str) -> str:
        """Return the named values of a study's file, which a page of the report prints."""
        document = self.settings["study_files"][study]
        return canonical_json({"study": study, **{key: document[key] for key in keys}})

    def about_studies(self, *keys: str) -> str:
        """Return {study: the named values, and whether its sky is simulated}."""
        documents = self.settings["study_files"]
        return canonical_json(
            {
                study: {
                    **{key: documents[study][key] for key in keys},
                    "simulated": self.is_simulated(study),
                }
                for study in self.plan.studies
            }
        )

    def about_sample(self, sample: str) -> str:
        """Return a sample's name, its bands and the titles of its surveys."""
        entry, surveys = self.settings["catalogs"]["samples"][sample], self.settings["survey_files"]
        names = list(dict.fromkeys([entry["labels"], entry["photometry"]]))
        return canonical_json(
            {
                "sample": sample,
                "bands": surveys[entry["photometry"]]["bands"],
                "surveys": [surveys[name]["title"] for name in names],
            }
        )

    def about_sources(self) -> str:
        """Return whom to cite: surveys with title, licence, citation; the studies' papers."""
        files, keys = self.settings["survey_files"], ("title", "licence", "citation")
        surveys = {name: {key: files[name][key] for key in keys} for name in self.plan.surveys}
        papers = list(self.plan.by_paper(self.settings))
        return canonical_json({"surveys": surveys, "papers": papers})

    def about_sky(self, *keys: str) -> str:
        """Return the named top values of the configuration."""
        return canonical_json({key: self.settings[key] for key in keys})

    def study_pages(self, study: str) -> list[str]:
        """Return the pages and figures of one study."""
        kinds = ("numbers.html", "intervals.png", "planes.png", "residuals.png")
        return [f"<results>/report/{study}.{kind}" for kind in kinds]

    def paper_targets(self, studies: Iterable[str]) -> list[str]:
        """Return what a paper's target builds: the pages of its studies and their verdicts."""
        pages = [page for study in studies for page in self.study_pages(study)]
        return [*pages, *[f"<results>/studies/{study}/claims.parquet" for study in studies]]

    def report_pages(self) -> list[str]:
        """Return everything that the report shows."""
        pages = ("summary", "claims", "counts", "costs", "provenance", "citations")
        return [
            *[page for study in self.plan.studies for page in self.study_pages(study)],
            *[f"<results>/report/{sample}.sample.png" for sample in self.plan.samples],
            *[f"<results>/report/{page}.html" for page in pages],
        ]

    def data_sidecars(self) -> list[str]:
        """Return the sidecars of sky, catalogues, matches, samples and datasets."""
        plan, files = self.plan, self.settings["survey_files"]
        simulated = any("simulated" in files[name]["source"] for name in plan.surveys)
        matches = [match for sample in plan.samples for match in self.match_of(sample)]
        return [
            *([f"{SIMULATED}/sky.json"] if simulated else []),
            *[f"<results>/catalogs/{survey}.json" for survey in plan.surveys],
            *[match.replace(".parquet", ".json") for match in matches],
            *[f"<results>/samples/{sample}.json" for sample in plan.samples],
            *[f"<results>/datasets/{dataset}.json" for dataset in plan.datasets],
        ]

    def sidecars(self) -> list[str]:
        """Return the sidecars of every result but the report's own."""
        plan = self.plan
        return [
            *self.data_sidecars(),
            *[f"<results>/runs/{run}/sidecar.json" for run in plan.cards],
            *[f"<results>/predictions/{run}.json" for run in plan.cards],
            *[f"<results>/metrics/{study}/scores.json" for study in plan.studies],
            *[f"<results>/studies/{study}/claims.json" for study in plan.studies],
        ]


# Keys of a survey that say nothing about how its tables are read.
_NOT_READ = ("title", "licence", "citation", "source", "like")
