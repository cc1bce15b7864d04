"""What the configured studies need: the runs, datasets, samples and surveys of one DAG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zladder.config.cards import Card, dataset_photometry, dataset_samples, resolve_cards
from zladder.config.data import missing_files, require_obtainable
from zladder.config.grids import require_grid, require_scales
from zladder.config.stamp_room import require_sides
from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Plan:
    """Everything that the rules of one DAG are about, by name.

    Attributes
    ----------
    studies, datasets, samples, surveys
        Names, each once, in the order in which the studies ask for them.
    cards
        {run: card}, parents before children.
    tests
        {run: datasets that it is evaluated on}.
    """

    studies: list[str]
    cards: dict[str, Card]
    tests: dict[str, list[str]]
    datasets: list[str]
    samples: list[str]
    surveys: list[str]

    def runs_of(self, study: str) -> list[str]:
        """Return the runs of a study that give redshifts."""
        return [run for run in self.answering() if run.startswith(f"{study}.")]

    def encoders_of(self, study: str) -> list[str]:
        """Return the pretrainings of a study."""
        return [run for run in self.tasks("pretrain") if run.startswith(f"{study}.")]

    def answering(self) -> list[str]:
        """Return the runs that give redshifts: all but the pretrainings."""
        return [run for run, card in self.cards.items() if card["task"] != "pretrain"]

    def tasks(self, *tasks: str) -> list[str]:
        """Return the runs of some tasks."""
        return [run for run, card in self.cards.items() if card["task"] in tasks]

    def regressing(self, task: str) -> list[str]:
        """Return the runs of a task that give a redshift alone."""
        return [run for run in self.tasks(task) if not gives_classes(self.cards[run])]

    def classifiers(self) -> list[str]:
        """Return the runs that give a probability for each class."""
        return [run for run, card in self.cards.items() if gives_classes(card)]

    def embedded(self) -> list[str]:
        """Return the runs whose features are kept: pretrainings, and parents of heads."""
        parents = [self.cards[run]["parent"]["run"] for run in self.tasks("probe", "head")]
        return _once([*self.tasks("pretrain"), *parents])

    def by_paper(self, settings: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return {paper: its studies} for the papers that have any here."""
        papers: dict[str, list[str]] = {}
        for study in self.studies:
            paper = settings["study_files"][study].get("paper")
            if paper:
                papers.setdefault(paper, []).append(study)
        return papers


def gives_classes(card: Card) -> bool:
    """Return whether a run gives a probability for each class of redshift."""
    return bool(card.get("output", {}).get("kind") == "classes")


def make_plan(settings: Mapping[str, Any]) -> Plan:
    """Return the plan of the configured studies, data present.

    Raises
    ------
    BadInput
        For parents that lead nowhere, a dataset that the sky lacks or whose samples differ in
        bands, features of images in other bands, encoders that learn colours from galaxies without
        magnitudes, stamps larger than the images they are taken from or of another pixel scale than
        a network learned from, a survey whose files are neither here nor fetchable, or a grid that
        its frames do not fit.
    """
    studies = _once(settings["studies"])
    studies += [
        study
        for study in settings["studies_if_data"]
        if study not in studies and _has_data(settings, study)
    ]
    cards = resolve_cards(settings, studies)
    tests = {
        run: settings["study_files"][run.split(".")[0]]["test_on"]
        for run, card in cards.items()
        if card["task"] != "pretrain"
    }
    datasets = _datasets_of(settings, studies)
    samples = _once(sample for name in datasets for sample in dataset_samples(settings, name))
    require_grid(settings, datasets)
    require_sides(settings, datasets)
    _require_magnitudes(settings, cards)
    _require_embeddable(settings, cards)
    require_scales(settings, cards, tests)
    surveys = _surveys_of(settings, samples)
    for survey in surveys:
        require_obtainable(survey, settings["survey_files"][survey], settings["archives"])
    return Plan(studies, cards, tests, datasets, samples, surveys)


def _require_magnitudes(settings: Mapping[str, Any], cards: Mapping[str, Card]) -> None:
    """Refuse an encoder that learns colours from galaxies whose survey has no magnitudes."""
    for run, card in cards.items():
        if not card.get("objective", {}).get("colour_weight"):
            continue
        for sample in dataset_samples(settings, card["data"]["dataset"]):
            survey = settings["catalogs"]["samples"][sample]["photometry"]
            known = settings["survey_files"][survey]["columns"]
            missing = [band for band in card["inputs"]["bands"] if f"mag_{band}" not in known]
            if missing:
                raise BadInput("config/stages/datasets.yaml",
                               f"datasets.{card['data']['dataset']}.samples",
                               f"samples with magnitudes: {run} learns colours",
                               f"'{sample}', which has none in {', '.join(missing)}",
                               "take other samples, or recipes with colour_weight 0")  # fmt: skip


def _require_embeddable(settings: Mapping[str, Any], cards: Mapping[str, Card]) -> None:
    """Refuse features of galaxies whose images are in other bands than the encoder's."""
    for run, card in cards.items():
        study = run.split(".")[0]
        if card["task"] != "pretrain":
            continue
        there = settings["study_files"][study]["embed_on"]
        bands = dataset_photometry(settings, there)["bands"]
        if card["inputs"]["bands"] != bands:
            raise BadInput(f"config/studies/{study}.yaml", "embed_on",
                           f"a dataset in the bands of {run}, {', '.join(card['inputs']['bands'])}",
                           f"'{there}', in {', '.join(bands)}",
                           "take images of one survey, or of two with the same bands")  # fmt: skip


def _has_data(settings: Mapping[str, Any], study: str) -> bool:
    """Return whether every survey file of a study is on this machine."""
    samples = _once(
        sample
        for dataset in _datasets_of(settings, [study])
        for sample in dataset_samples(settings, dataset)
    )
    surveys = _surveys_of(settings, samples)
    return not any(missing_files(survey, settings["survey_files"][survey]) for survey in surveys)


def _datasets_of(settings: Mapping[str, Any], studies: Iterable[str]) -> list[str]:
    names: list[str] = []
    for study in studies:
        document = settings["study_files"][study]
        trainings = [*document["networks"].values(), *document.get("encoders", {}).values()]
        names += [entry["dataset"] for entry in trainings]
        names += [document["controls"]["dataset"], *document["test_on"]]
    entries = settings["datasets"]["datasets"]
    names += [other for name in names for other in entries[name].get("away_from", [])]
    return _once(names)


def _surveys_of(settings: Mapping[str, Any], samples: Iterable[str]) -> list[str]:
    entries = settings["catalogs"]["samples"]
    parts = ("labels", "photometry", "images")
    return _once(entries[name][part] for name in samples for part in parts if part in entries[name])


def _once(names: Iterable[str]) -> list[str]:
    """Return the names without repetition, in order of first appearance."""
    return list(dict.fromkeys(names))
