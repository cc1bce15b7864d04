"""The methods of a study: its networks, at every label fraction where it asks for the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Where a recipe stands in config/stages/train.yaml, and the task of the cards made from it.
SECTIONS = {
    "networks": "catalogue",
    "image_networks": "image",
    "probes": "probe",
    "heads": "head",
}


def recipe_of(train: Mapping[str, Any], name: str) -> tuple[str, Mapping[str, Any]]:
    """Return (task, recipe) of a recipe's name."""
    for section, task in SECTIONS.items():
        if name in train[section]:
            return task, train[section][name]
    message = f"no recipe '{name}'"
    raise KeyError(message)


def recipe_names(train: Mapping[str, Any]) -> list[str]:
    """Return the names of all recipes."""
    return [name for section in SECTIONS for name in train[section]]


def at_fraction(method: str, fraction: float) -> str:
    """Return the name of a method trained on a share of the labels, such as ``net_f2`` at 2 %."""
    return f"{method}_f{100 * fraction:g}".replace(".", "p")


def methods_of(study: Mapping[str, Any], fractions: Sequence[float]) -> dict[str, dict[str, Any]]:
    """Return {method: its entry with `base` and `fraction`}.

    A network with `ladder: true` becomes one method a label fraction; a parent on the ladder is
    the one at the same fraction.
    """
    networks = study["networks"]
    on_ladder = {name for name, entry in networks.items() if entry.get("ladder")}
    found: dict[str, dict[str, Any]] = {}
    for name, entry in networks.items():
        for fraction in fractions if name in on_ladder else [1.0]:
            method = at_fraction(name, fraction) if name in on_ladder else name
            links = {
                key: at_fraction(entry[key], fraction) if entry[key] in on_ladder else entry[key]
                for key in ("parent", "labels_from")
                if key in entry
            }
            found[method] = {**entry, **links, "base": name, "fraction": fraction}
    return found


def ladder_of(study: Mapping[str, Any], fractions: Sequence[float]) -> dict[str, dict[str, Any]]:
    """Return {method: {base, fraction}} for the methods that are on the ladder."""
    return {
        method: {"base": entry["base"], "fraction": entry["fraction"]}
        for method, entry in methods_of(study, fractions).items()
        if entry.get("ladder")
    }


def claimable(study: Mapping[str, Any], controls: Mapping[str, Any]) -> list[str]:
    """Return what a claim may name.

    Methods on the ladder as ``NAME_at_fewest`` and ``NAME_at_all``: which fraction is the smallest
    depends on the scale.
    """
    names: list[str] = [*study.get("encoders", {}), *controls]
    for name, entry in study["networks"].items():
        names += [f"{name}_at_fewest", f"{name}_at_all"] if entry.get("ladder") else [name]
    return names


def controls_of(study: Mapping[str, Any], train: Mapping[str, Any]) -> dict[str, Any]:
    """Return {method: model} of the ordinary tools of a study: all, or those it names."""
    wanted = study["controls"].get("methods", list(train["controls"]))
    return {name: train["controls"][name] for name in wanted}
