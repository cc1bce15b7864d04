"""Run cards: the complete, resolved description of each training that the studies ask for.

A run is named ``STUDY.METHOD-sSEED``. Its card is a plain JSON value, a param of the training
rule; `zladder card RUN` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.data import image_survey
from zladder.config.merge import overlay
from zladder.config.methods import controls_of, methods_of, recipe_of
from zladder.config.names import run_name, seed_index_of
from zladder.config.pixel_cards import (
    encoder_card,
    feature_card,
    image_card,
    parent_link,
    pixel_inputs,
)
from zladder.provenance.digests import derive_seed
from zladder.provenance.errors import BadInput, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

Card = dict[str, Any]


def resolve_cards(settings: Mapping[str, Any], studies: list[str]) -> dict[str, Card]:
    """Return {run: card} for the named studies, parents before children.

    Raises
    ------
    BadInput
        For a parent that does not exist, parents in a circle, and a child unlike its parent.
    """
    cards: dict[str, Card] = {}
    for study in studies:
        for seed_index in range(settings["train"]["n_seeds"]):
            cards |= _encoder_cards(settings, study, seed_index)
            cards |= _network_cards(settings, study, seed_index, cards)
        cards |= _control_cards(settings, study)
    return cards


def _encoder_cards(settings: Mapping[str, Any], study: str, seed_index: int) -> dict[str, Card]:
    """Return the cards of a study's pretrainings for one seed."""
    cards: dict[str, Card] = {}
    for method, entry in settings["study_files"][study].get("encoders", {}).items():
        run = run_name(study, method, seed_index)
        inputs = _pixels(settings, entry["dataset"])
        cards[run] = encoder_card(settings, run, entry, inputs)
    return cards


def _network_cards(
    settings: Mapping[str, Any], study: str, seed_index: int, earlier: Mapping[str, Card]
) -> dict[str, Card]:
    """Return the cards of a study's networks for one seed, in the order of their parents."""
    document = settings["study_files"][study]
    methods = methods_of(document, settings["train"]["label_fractions"])
    cards: dict[str, Card] = {}
    for method in _parents_first(methods, list(document.get("encoders", {})), study):
        entry, run = methods[method], run_name(study, method, seed_index)
        known = {**earlier, **cards}
        links = {
            key: known[run_name(study, entry[key], seed_index)] if key in entry else None
            for key in ("parent", "labels_from")
        }
        cards[run] = _any_card(settings, study, run, entry, links)
    return cards


def _any_card(
    settings: Mapping[str, Any],
    study: str,
    run: str,
    entry: Mapping[str, Any],
    links: Mapping[str, Card | None],
) -> Card:
    """Return the card of a network of whatever kind its recipe is."""
    task, recipe = recipe_of(settings["train"], entry["recipe"])
    parent = links["parent"]
    file, place = f"config/studies/{study}.yaml", f"networks.{entry['base']}.parent"
    common = _common(settings, run, entry)
    if task in ("catalogue", "image"):
        if task == "image":
            common["inputs"] = _pixels(settings, entry["dataset"])
            card = image_card(settings, common, entry, recipe, parent)
        else:
            card = _network_card(settings, run, entry, parent)
        if parent:
            _require_like_parent(card, parent, file, place)
        return card
    if parent is None:
        hint = "name the encoder or the network whose features it takes"
        raise BadInput(file, place, f"a parent (its recipe is a {task})", "none", hint)
    return feature_card(task, common, recipe, parent, settings, links["labels_from"])


def _pixels(settings: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Return what networks on the stamps of a dataset see."""
    photometry = dataset_photometry(settings, dataset)
    stamps = {
        "extinction_per_ebv": dataset_extinction(settings, dataset),
        "pixel_scale_arcsec": dataset_scale_arcsec(settings, dataset),
    }
    return pixel_inputs(settings, {**photometry, **stamps})


def _network_card(
    settings: Mapping[str, Any], run: str, entry: Mapping[str, Any], parent: Card | None
) -> Card:
    """Return the card of a network on magnitudes: the recipe, the study's values laid over it."""
    train = settings["train"]
    recipe = train["networks"][entry["recipe"]]
    values = {key: entry[key] for key in ("loss", "optimizer", "schedule") if key in entry}
    merged = overlay(recipe, values)
    epochs = min(merged["schedule"]["epochs"], train["epochs_limit"])
    photometry = dataset_photometry(settings, entry["dataset"])
    return {
        **_common(settings, run, entry),
        "task": "catalogue",
        "inputs": {**photometry, "colours": merged["colours"]},
        "model": merged["model"],
        "input_scaling": merged["input_scaling"],
        "fitted_output": merged["fitted_output"],
        "loss": merged["loss"],
        "optimizer": merged["optimizer"],
        "schedule": {**merged["schedule"], "epochs": epochs},
        "parent": parent_link(parent),
        "trainable": entry.get("trainable", "all"),
        "precision": "float32",
    }


def _require_like_parent(card: Card, parent: Card, file: str, place: str) -> None:
    """Refuse a child whose network or inputs are not its parent's: the weights would not fit."""
    for key in ("model", "inputs"):
        ours, theirs = card[key], parent[key]
        keys = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
        if keys:
            expected, found = ({name: one.get(name) for name in keys} for one in (theirs, ours))
            hint = "give parent and child the same recipe, datasets the same photometry and scale"
            raise BadInput(file, place, f"the parent's {key}: {expected}", f"{found}", hint)


def _control_cards(settings: Mapping[str, Any], study: str) -> dict[str, Card]:
    """Return the cards of the controls of a study, on the dataset it names."""
    document = settings["study_files"][study]
    dataset = document["controls"]["dataset"]
    photometry = dataset_photometry(settings, dataset)
    cards = {}
    for method, model in controls_of(document, settings["train"]).items():
        run = run_name(study, method, 0)
        common = _common(settings, run, {"dataset": dataset, "fraction": 1.0})
        inputs = {**photometry, "colours": True}
        cards[run] = {**common, "task": "control", "inputs": inputs, "model": model}
    return cards


def _common(settings: Mapping[str, Any], run: str, entry: Mapping[str, Any]) -> Card:
    """Return what every card with labels says: name, data, allowed labels, seed."""
    data = {"dataset": entry["dataset"], "label_fraction": entry["fraction"]}
    return {
        "run": run,
        "data": {**data, "label_draw": seed_index_of(run)},
        "label_range_z": settings["train"]["label_range_z"],
        "seed": derive_seed(settings["master_seed"], "train", run),
    }


def dataset_extinction(settings: Mapping[str, Any], dataset: str) -> dict[str, float]:
    """Return {band: extinction per E(B-V)} of the survey of a dataset's stamps.

    Raises
    ------
    BadInput
        If the survey does not say it.
    """
    sample = dataset_samples(settings, dataset)[0]
    survey = settings["catalogs"]["samples"][sample]["photometry"]
    document = settings["survey_files"][survey]
    if "extinction_per_ebv" not in document:
        file, expected = f"config/surveys/{survey}.yaml", "the extinction of each band over E(B-V)"
        hint = "networks on images need it to add and to remove dust"
        raise BadInput(file, "extinction_per_ebv", expected, "no such key", hint)
    return {band: document["extinction_per_ebv"][band] for band in document["bands"]}


def dataset_scale_arcsec(settings: Mapping[str, Any], dataset: str) -> float:
    """Return the width of a pixel of a dataset's stamps, in which its samples must agree.

    That of published images as they are, else of `cutouts.grid_scale_arcsec`, else of the frames.

    Raises
    ------
    BadInput
        If two samples differ.
    """
    found: dict[str, float] = {}
    for sample in dataset_samples(settings, dataset):
        survey = settings["survey_files"][image_survey(settings, sample)]
        asked = settings["cutouts"]["grid_scale_arcsec"]
        kind = "images" if "images" in survey else "frames"
        own = survey[kind]["pixel_scale_arcsec"]
        found[sample] = float(own if asked is None or kind == "images" else asked)
    first = next(iter(found.values()))
    for sample, scale in found.items():
        if scale != first:
            file, place = "config/stages/datasets.yaml", f"datasets.{dataset}.samples"
            expected = f"stamps of one pixel scale: {first:g} arcsec"
            hint = "cutouts.grid_scale_arcsec resamples frames; published images stay as they are"
            raise BadInput(file, place, expected, f"{scale:g} arcsec in {sample}", hint)
    return first


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


def _parents_first(methods: Mapping[str, Any], encoders: list[str], study: str) -> list[str]:
    """Return a study's networks with every parent before its children."""
    ordered: list[str] = []
    while len(ordered) < len(methods):
        there = {*encoders, *ordered}
        ready = [
            method
            for method, entry in methods.items()
            if method not in ordered and {*_links(entry)} <= there
        ]
        if not ready:
            left = {m: [*_links(e)] for m, e in methods.items() if m not in ordered}
            wanted = [name for names in left.values() for name in names]
            known = [*encoders, *methods]
            missing = next((name for name in wanted if name not in known), None)
            place = "networks." + ", ".join(f"{method}.parent" for method in left)
            found = f"'{missing}', which does not exist" if missing else f"a circle: {left}"
            hint = nearest_hint(str(missing), known, "a run's parents must end somewhere")
            raise BadInput(f"config/studies/{study}.yaml", place, "a parent", found, hint)
        ordered += ready
    return ordered


def _links(entry: Mapping[str, Any]) -> list[str]:
    """Return the methods that must be there before a network can be trained."""
    return [entry[key] for key in ("parent", "labels_from") if key in entry]
