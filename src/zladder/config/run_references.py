"""What the trainings of a study need of each other: data of the right kind, parents, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.image_references import (
    holds,
    image_datasets,
    require_checks,
    shows_held_out,
)
from zladder.config.merge import overlay
from zladder.config.methods import at_fraction, recipe_of
from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What an entry of a study may say beside recipe, dataset and ladder: nothing that has no effect.
READ = {
    "catalogue": {"parent", "trainable", "loss", "optimizer", "schedule"},
    "image": {"parent", "optimizer", "schedule"},
    "probe": {"parent"},
    "head": {"parent", "labels_from"},
}
ALWAYS = {"recipe", "dataset", "ladder"}
# Whose weights or features each kind of training can start from.
PARENTS = {
    "catalogue": ("catalogue",),
    "image": ("pretrain", "image"),
    "probe": ("pretrain", "image"),
    "head": ("pretrain", "image"),
}
ON_FEATURES = ("probe", "head")


def require_runs(settings: Mapping[str, Any], study: str) -> None:
    """Refuse trainings of a study that could not run; its recipes and datasets are known.

    Raises
    ------
    BadInput
        For names given twice, keys that the recipe does not read, networks on images whose dataset
        has none, encoders that would see what is held out or whose dataset has splits, features of
        other galaxies than `embed_on`, and parents and labels that are missing or of a wrong kind.
    """
    document, file = settings["study_files"][study], f"config/studies/{study}.yaml"
    tasks = _tasks(settings, document)
    _require_rungs(settings, document, file)
    for method, entry in document.get("encoders", {}).items():
        place = f"encoders.{method}.dataset"
        _require_images(settings, entry["dataset"], file, place)
        _require_unseen(settings, entry["dataset"], document["test_on"], file, place)
        _require_training_alone(settings, entry["dataset"], file, place)
    for method, entry in document["networks"].items():
        place = f"networks.{method}"
        _require_read(settings, entry, file, place)
        _require_parent(tasks, tasks[method], entry, file, place)
        _require_labels(settings, document, entry, file, place)
        if tasks[method] != "catalogue":
            _require_images(settings, entry["dataset"], file, f"{place}.dataset")
    _require_features(settings, document, tasks, file)


def _tasks(settings: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, str]:
    """Return {method: task} of encoders and networks."""
    train, networks = settings["train"], document["networks"]
    tasks = {method: recipe_of(train, entry["recipe"])[0] for method, entry in networks.items()}
    return {**dict.fromkeys(document.get("encoders", {}), "pretrain"), **tasks}


def _require_rungs(settings: Mapping[str, Any], document: Mapping[str, Any], file: str) -> None:
    """Refuse a method that is called as another one at a label fraction is."""
    train, networks = settings["train"], document["networks"]
    named = {*document.get("encoders", {}), *networks, *train["controls"]}
    for method in (method for method, entry in networks.items() if entry.get("ladder")):
        for fraction in train["label_fractions"]:
            rung = at_fraction(method, fraction)
            if rung in named:
                expected, found = (
                    "a name of its own",
                    f"'{rung}', which is '{method}' on the ladder",
                )
                raise BadInput(file, f"networks.{rung}", expected, found, "rename the method")


def _require_read(
    settings: Mapping[str, Any], entry: Mapping[str, Any], file: str, place: str
) -> None:
    """Refuse a key that would change nothing, and more checks than steps."""
    task, recipe = recipe_of(settings["train"], entry["recipe"])
    for key in sorted(entry.keys() - ALWAYS):
        require_known(key, sorted(READ[task]), file, f"{place}.{key}")
    for block in ("optimizer", "schedule"):
        for key in entry.get(block, {}):
            require_known(key, list(recipe[block]), file, f"{place}.{block}.{key}")
    if task == "image" and "schedule" in entry:
        schedule = overlay(recipe["schedule"], entry["schedule"])
        require_checks(schedule, settings["train"]["image_steps_limit"], file, place)


def _require_parent(
    tasks: Mapping[str, str], task: str, entry: Mapping[str, Any], file: str, place: str
) -> None:
    """Refuse a parent that does not exist or has nothing to give, and features of nobody."""
    if "parent" not in entry:
        if task in ON_FEATURES:
            hint = "name the encoder or the network on images whose features it takes"
            raise BadInput(file, f"{place}.parent", f"the parent of a {task}", "none", hint)
        return
    require_known(entry["parent"], list(tasks), file, f"{place}.parent")
    there = tasks[entry["parent"]]
    if there not in PARENTS[task]:
        expected = f"a parent of the kind {' or '.join(PARENTS[task])}"
        found = f"'{entry['parent']}', of the kind {there}"
        hint = f"a training of the kind {task} can take nothing over from it"
        raise BadInput(file, f"{place}.parent", expected, found, hint)


def _require_labels(
    settings: Mapping[str, Any],
    document: Mapping[str, Any],
    entry: Mapping[str, Any],
    file: str,
    place: str,
) -> None:
    """Refuse labels to be made from the answers of nobody, or of a run without classes."""
    train, networks = settings["train"], document["networks"]
    labels = recipe_of(train, entry["recipe"])[1].get("labels", {})
    needed = labels.get("softened", False) or labels.get("shifted", False)
    if "labels_from" not in entry:
        if needed:
            expected = f"labels_from (the labels of '{entry['recipe']}' are softened or shifted)"
            hint = "name the balanced run whose scatter they follow from"
            raise BadInput(file, f"{place}.labels_from", expected, "none", hint)
        return
    name = entry["labels_from"]
    require_known(name, list(networks), file, f"{place}.labels_from")
    output = recipe_of(train, networks[name]["recipe"])[1].get("output", {})
    if output.get("kind") != "classes" or output.get("extension_bins", 0):
        expected, found = "a run of classes without extension", f"'{name}', which is none"
        hint = "labels are made from the classes that a balanced run gives"
        raise BadInput(file, f"{place}.labels_from", expected, found, hint)


def _require_features(
    settings: Mapping[str, Any], document: Mapping[str, Any], tasks: Mapping[str, str], file: str
) -> None:
    """Refuse a study whose images or features are not those of the galaxies that it asks for."""
    if "image" in tasks.values():
        for name in document["test_on"]:
            _require_images(settings, name, file, "test_on")
    if not {"pretrain", *ON_FEATURES} & set(tasks.values()):
        return
    if "embed_on" not in document:
        hint = "encoders, probes and heads need the features of one dataset's galaxies"
        raise BadInput(file, "top level", "the key 'embed_on'", "no such key", hint)
    there = document["embed_on"]
    _require_images(settings, there, file, "embed_on")
    asked = {
        f"networks.{method}.dataset": entry["dataset"]
        for method, entry in document["networks"].items()
        if tasks[method] in ON_FEATURES
    }
    if asked:
        tests = document["test_on"]
        asked |= {"test_on": next((n for n in tests if not holds(settings, there, n)), there)}
    for place, name in asked.items():
        if name != there:
            hint = "features are kept of the galaxies of one dataset: take the same one"
            raise BadInput(file, place, f"embed_on, '{there}'", f"'{name}'", hint)


def _require_unseen(
    settings: Mapping[str, Any], dataset: str, tests: Sequence[str], file: str, place: str
) -> None:
    """Refuse an encoder that would see pixels of what the study's test sets hold out."""
    for test in (name for name in tests if name in image_datasets(settings)):
        if shows_held_out(settings, dataset, test):
            expected = f"a dataset none of whose stamps shows what '{test}' holds out"
            hint = f"name '{test}' under its away_from in config/stages/datasets.yaml"
            raise BadInput(file, place, expected, f"'{dataset}'", hint)


def _require_training_alone(
    settings: Mapping[str, Any], dataset: str, file: str, place: str
) -> None:
    """Refuse an encoder on a dataset that has splits: it would learn from none but all of them."""
    if "away_from" not in settings["datasets"]["datasets"][dataset]:
        expected = "a dataset that is all for training: one with away_from"
        hint = "give the sample a dataset of its own in config/stages/datasets.yaml"
        raise BadInput(file, place, expected, f"'{dataset}', which has splits", hint)


def _require_images(settings: Mapping[str, Any], dataset: str, file: str, place: str) -> None:
    if dataset not in image_datasets(settings):
        expected = f"a dataset with images: one of {image_datasets(settings)}"
        hint = "add one in config/stages/datasets.yaml with 'images: true'"
        raise BadInput(file, place, expected, f"'{dataset}', which has none", hint)
