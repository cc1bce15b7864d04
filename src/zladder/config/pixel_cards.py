"""The cards of trainings on pixels: encoders, image networks, probes, heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.merge import overlay
from zladder.provenance.digests import derive_seed, value_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

Card = dict[str, Any]


def pixel_inputs(settings: Mapping[str, Any], photometry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a network on pixels sees, from the bands and the extinction of its survey."""
    return {**photometry, **settings["pretrain"]["pixels"]}


def encoder_card(
    settings: Mapping[str, Any], run: str, entry: Mapping[str, Any], inputs: Mapping[str, Any]
) -> Card:
    """Return the card of a pretraining."""
    pretrain = settings["pretrain"]
    recipe = pretrain["encoders"][entry["recipe"]]
    return {
        "task": "pretrain",
        "run": run,
        "seed": derive_seed(settings["master_seed"], "train", run),
        "data": {"dataset": entry["dataset"]},
        "inputs": inputs,
        "model": pretrain["model"],
        "objective": recipe["objective"],
        "augmentation": recipe["augmentation"],
        "optimizer": recipe["optimizer"],
        "schedule": _limited(recipe["schedule"], pretrain["steps_limit"]),
        "parent": None,
        "precision": "float32",
    }


def image_card(
    settings: Mapping[str, Any],
    common: Card,
    entry: Mapping[str, Any],
    recipe: Mapping[str, Any],
    parent: Card | None,
) -> Card:
    """Return the card of a network on images, from scratch or from a pretrained encoder."""
    values = {key: entry[key] for key in ("optimizer", "schedule") if key in entry}
    merged = overlay(recipe, values)
    return {
        **common,
        "task": "image",
        "model": settings["pretrain"]["model"],
        "output": merged["output"],
        "loss": merged["loss"],
        "augmentation": merged["augmentation"],
        "optimizer": merged["optimizer"],
        "schedule": _limited(merged["schedule"], settings["train"]["image_steps_limit"]),
        "parent": parent_link(parent),
        "precision": "float32",
    }


def feature_card(
    task: str,
    common: Card,
    recipe: Mapping[str, Any],
    parent: Card,
    settings: Mapping[str, Any],
    labels_from: Card | None = None,
) -> Card:
    """Return the card of a probe or a head: a model on the features of its parent."""
    features = {"features_of": parent["run"]}
    if "copies" in recipe:
        features["copies"] = recipe["copies"]
    rest = {key: value for key, value in recipe.items() if key != "copies"}
    card = {**common, **rest, "task": task, "inputs": features, "parent": parent_link(parent)}
    if task == "head":
        limit = settings["train"]["head_steps_limit"]
        card["schedule"] = _limited(recipe["schedule"], limit)
        card["labels_from"] = parent_link(labels_from)
        card["precision"] = "float32"
    return card


def parent_link(parent: Card | None) -> dict[str, str] | None:
    """Return {run, card digest} of a parent: a change of it changes its children."""
    return {"run": parent["run"], "card": value_digest(parent)} if parent else None


def _limited(schedule: Mapping[str, Any], steps_limit: int) -> dict[str, Any]:
    return {**schedule, "steps": min(schedule["steps"], steps_limit)}
