"""Run cards: the complete, resolved description of each training that the studies ask for.

A run is named ``STUDY.METHOD-sSEED``. Its card is a plain JSON value, a param of the training
rule; `zladder card RUN` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.merge import overlay
from zladder.provenance.digests import derive_seed, value_digest
from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

Card = dict[str, Any]


def run_name(study: str, method: str, seed_index: int) -> str:
    """Return the name of a run."""
    return f"{study}.{method}-s{seed_index}"


def method_of(run: str) -> str:
    """Return the method of a run's name: what its seeds have in common."""
    return run.split(".", 1)[1].rsplit("-s", 1)[0]


def resolve_cards(settings: Mapping[str, Any], studies: list[str]) -> dict[str, Card]:
    """Return {run: card} for the named studies, parents before children.

    Raises
    ------
    BadInput
        For a parent that does not exist, parents in a circle, and a child unlike its parent.
    """
    cards: dict[str, Card] = {}
    for study in studies:
        cards |= _network_cards(settings, study)
        cards |= _control_cards(settings, study)
    return cards


def _network_cards(settings: Mapping[str, Any], study: str) -> dict[str, Card]:
    """Return the cards of a study's networks, one a seed, in the order of their parents."""
    networks = settings["study_files"][study]["networks"]
    cards: dict[str, Card] = {}
    for seed_index in range(settings["train"]["n_seeds"]):
        for method in _parents_first(networks, study):
            run = run_name(study, method, seed_index)
            cards[run] = _network_card(settings, study, run, networks[method], cards)
    return cards


def _network_card(
    settings: Mapping[str, Any],
    study: str,
    run: str,
    entry: Mapping[str, Any],
    earlier: Mapping[str, Card],
) -> Card:
    """Return one network's card: the recipe, with the study's values laid over it."""
    train = settings["train"]
    recipe = train["networks"][entry["recipe"]]
    values = {key: entry[key] for key in ("loss", "optimizer", "schedule") if key in entry}
    merged = overlay(recipe, values)
    epochs = min(merged["schedule"]["epochs"], train["epochs_limit"])
    parent = entry.get("parent")
    parent_run = run_name(study, parent, int(run.rsplit("-s", 1)[1])) if parent else None
    card = {
        **_common(settings, run, entry["dataset"], colours=merged["colours"]),
        "model": merged["model"],
        "input_scaling": merged["input_scaling"],
        "fitted_output": merged["fitted_output"],
        "loss": merged["loss"],
        "optimizer": merged["optimizer"],
        "schedule": {**merged["schedule"], "epochs": epochs},
        "parent": {"run": parent_run, "card": value_digest(earlier[parent_run])}
        if parent_run
        else None,
        "trainable": entry.get("trainable", "all"),
        "precision": "float32",
    }
    if parent_run:
        _require_like_parent(card, earlier[parent_run], study)
    return card


def _require_like_parent(card: Card, parent: Card, study: str) -> None:
    """Refuse a child whose network or inputs are not its parent's: the weights would not fit."""
    for key in ("model", "inputs"):
        if card[key] != parent[key]:
            place = f"networks.{method_of(card['run'])}.parent"
            expected, found = f"the parent's {key}: {parent[key]}", f"{card[key]}"
            hint = "give parent and child the same recipe, and datasets with the same photometry"
            raise BadInput(f"config/studies/{study}.yaml", place, expected, found, hint)


def _control_cards(settings: Mapping[str, Any], study: str) -> dict[str, Card]:
    """Return the cards of the controls of a study, on the dataset it names."""
    dataset = settings["study_files"][study]["controls"]["dataset"]
    cards = {}
    for method, model in settings["train"]["controls"].items():
        run = run_name(study, method, 0)
        cards[run] = {**_common(settings, run, dataset, colours=True), "model": model}
    return cards


def _common(settings: Mapping[str, Any], run: str, dataset: str, *, colours: bool) -> Card:
    """Return what every card says: name, data, inputs, allowed labels, seed."""
    return {
        "run": run,
        "data": {"dataset": dataset, "label_fraction": 1.0},
        "inputs": {**dataset_photometry(settings, dataset), "colours": colours},
        "label_range_z": settings["train"]["label_range_z"],
        "seed": derive_seed(settings["master_seed"], "train", run),
    }


def dataset_samples(settings: Mapping[str, Any], dataset: str) -> list[str]:
    """Return the samples that make a dataset on the configured sky."""
    by_sky = settings["datasets"]["datasets"][dataset]["samples"]
    sky = settings["sky"]
    if sky not in by_sky and "any" not in by_sky:
        file, place = "config/stages/datasets.yaml", f"datasets.{dataset}.samples"
        hint = f"add '{sky}: [SAMPLE, ...]' there, or choose another sky or study"
        raise BadInput(file, place, f"the samples for the sky '{sky}'", f"{list(by_sky)}", hint)
    return by_sky.get(sky, by_sky.get("any"))


def dataset_photometry(settings: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Return {bands, dereddened} of a dataset's magnitudes, in which its samples must agree.

    Raises
    ------
    BadInput
        If two samples differ in either.
    """
    samples = settings["catalogs"]["samples"]
    found = {}
    for sample in dataset_samples(settings, dataset):
        bands = settings["survey_files"][samples[sample]["photometry"]]["bands"]
        found[sample] = {"bands": bands, "dereddened": samples[sample]["deredden"]}
    first = next(iter(found.values()))
    for sample, other in found.items():
        if other != first:
            file, place = "config/stages/datasets.yaml", f"datasets.{dataset}.samples"
            hint = "a dataset joins samples with the same photometry only"
            raise BadInput(file, place, f"{first}", f"{other} in {sample}", hint)
    return dict(first)


def _parents_first(networks: Mapping[str, Any], study: str) -> list[str]:
    """Return a study's networks with every parent before its children."""
    ordered: list[str] = []
    while len(ordered) < len(networks):
        ready = [
            method
            for method, entry in networks.items()
            if method not in ordered and entry.get("parent") in (None, *ordered)
        ]
        if not ready:
            left = {m: e["parent"] for m, e in networks.items() if m not in ordered}
            missing = next((p for p in left.values() if p not in networks), None)
            place = "networks." + ", ".join(f"{m}.parent" for m in left)
            found = f"'{missing}', which does not exist" if missing else f"a circle: {left}"
            hint = nearest_hint(str(missing), networks, "a run's parents must end somewhere")
            raise BadInput(f"config/studies/{study}.yaml", place, "a parent", found, hint)
        ordered += ready
    return ordered
