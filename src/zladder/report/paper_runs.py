"""A paper's trainings in a table, read from their run cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zladder.config.methods import at_fraction
from zladder.config.names import method_of
from zladder.report.markup import Html, joined, tag
from zladder.report.numerals import count
from zladder.report.page import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Card = Mapping[str, Any]

TASKS = {
    "pretrain": "encoder, without redshifts",
    "image": "network on images",
    "probe": "linear layer on features",
    "head": "classes on features",
    "catalogue": "network on magnitudes",
    "control": "ordinary tool",
}


def runs_table(cards: Sequence[Card]) -> Html:
    """Return one row a method; the seeds and label fractions of a method are told together."""
    rows = []
    for method, found in _by_method(cards).items():
        card = found[0]
        rows.append([
            tag("td", method, tag("span", TASKS.get(_task(card), _task(card)), class_="sub")),
            tag("td", str(card["data"]["dataset"]), _sub(_labels(found))),
            _parent(card), _network(card), _learning(card),
            tag("td", count(len(found)), class_="n"),
        ])  # fmt: skip
    head = ["method", "learns from", "starts from", "network", "objective",
            tag("th", "runs", class_="n")]  # fmt: skip
    return table(head, rows, class_="wrap")


def _by_method(cards: Sequence[Card]) -> dict[str, list[Card]]:
    """Return {method: its cards}; those that differ in labels and seed only are one method."""
    found: dict[str, list[Card]] = {}
    for card in cards:
        method, data = method_of(str(card["run"])), card["data"]
        if "label_fraction" in data:
            method = method.removesuffix(at_fraction("", float(data["label_fraction"])))
        found.setdefault(method, []).append(card)
    return found


def _task(card: Card) -> str:
    return str(card.get("task", "control"))


def _sub(words: str) -> Html | None:
    return tag("span", words, class_="sub") if words else None


def _labels(cards: Sequence[Card]) -> str:
    """Return the label fractions of a method in percent; nothing for one that takes all."""
    fractions = {card["data"].get("label_fraction") for card in cards} - {None}
    shown = ", ".join(f"{100 * float(fraction):g}" for fraction in sorted(fractions))
    return f"{shown} % of the labels" if shown and shown != "100" else ""


def _parent(card: Card) -> str:
    link = card.get("parent")
    return method_of(str(link["run"])) if link else "scratch"


def _network(card: Card) -> Html | str:
    """Return the network, and what it sees."""
    model, inputs = card.get("model", {}), card.get("inputs", {})
    words = []
    if "width" in model:
        blocks = "-".join(str(n) for n in model["blocks"])
        words.append(f"residual network, width {model['width']}, blocks {blocks}")
    elif "kind" in model:
        words.append(str(model["kind"]).replace("_", " "))
    if "features_of" in inputs:
        words.append(f"on features of {method_of(str(inputs['features_of']))}")
    seen = []
    if "crop_pixels" in inputs:
        seen.append(f"{inputs['crop_pixels']} × {inputs['crop_pixels']} px, {inputs['stretch']}")
    return joined(", ".join(words) or "–", _sub(" ".join(seen)))


def _learning(card: Card) -> Html | str:
    """Return what is learned, and for how long."""
    objective, output = card.get("objective", {}), card.get("output", {})
    words = []
    if objective.get("contrastive_weight"):
        words.append(f"contrast (temperature {objective['temperature']:g})")
    if objective.get("colour_weight"):
        words.append("catalogue colours")
    if output:
        classes = f"{output.get('bins')} classes" if output["kind"] == "classes" else "one redshift"
        words.append(classes)
    labels = card.get("labels", {})
    words += [name for name in ("softened", "shifted") if labels.get(name)]
    if labels.get("cell_limit"):
        words.append(f"at most {labels['cell_limit']} galaxies a cell")
    return joined(", ".join(words) or "–", _sub(_length(card)))


def _length(card: Card) -> str:
    """Return how long the training is at most."""
    schedule = card.get("schedule", {})
    if "steps" in schedule:
        steps = int(schedule["steps"])
        return f"{steps:,} steps of {schedule['batch_size']}" if steps else "not trained"
    return f"up to {schedule['epochs']:,} epochs" if "epochs" in schedule else ""
