"""Which methods of a study a reader should look at, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zladder.config.cards import method_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

ORDERED_BY = "sigma_nmad"


@dataclass(frozen=True)
class Roles:
    """The methods of a study by their role; what was picked was picked on validation.

    Attributes
    ----------
    networks, controls
        Method names, in the order of the tables.
    chosen, peer
        {dataset: the best network}, {dataset: the best ordinary tool}.
    """

    networks: list[str]
    controls: list[str]
    chosen: dict[str, str]
    peer: dict[str, str]

    @property
    def datasets(self) -> list[str]:
        """The test sets, in the order of the study."""
        return list(self.chosen)

    def shown(self, dataset: str) -> list[str]:
        """Return the methods that a figure shows: all networks and the best ordinary tool."""
        return [*self.networks, self.peer[dataset]]


def roles_of(scores: pd.DataFrame, differences: pd.DataFrame) -> Roles:
    """Return the roles that the two tables of a study's scoring tell."""
    networks = list(dict.fromkeys(differences["method"]))
    controls = [name for name in dict.fromkeys(scores["method"]) if name not in networks]
    best = differences[differences["chosen"]].drop_duplicates("dataset").set_index("dataset")
    datasets = list(dict.fromkeys(scores["dataset"]))
    return Roles(
        networks,
        controls,
        {name: str(best.loc[name, "method"]) for name in datasets},
        {name: str(best.loc[name, "peer"]) for name in datasets},
    )


def ordered_methods(scores: pd.DataFrame, dataset: str) -> list[str]:
    """Return all methods, the smallest sigma_nmad on validation first; those without one last."""
    rows = scores[(scores["dataset"] == dataset) & (scores["split"] == "validation")]
    values = rows[rows["metric"] == ORDERED_BY].set_index("method")["value"]
    return list(values.sort_values(kind="stable", na_position="last").index)


def scores_on_test(scores: pd.DataFrame, dataset: str, method: str) -> pd.DataFrame:
    """Return one method's rows for the test split of a dataset, with the metric as index."""
    rows = (scores["dataset"] == dataset) & (scores["method"] == method)
    return scores[rows & (scores["split"] == "test")].set_index("metric")


def first_seed_files(predictions: Sequence[Path]) -> dict[str, Path]:
    """Return {method: the prediction file of its first seed}, in the order given."""
    found: dict[str, Path] = {}
    for path in predictions:
        found.setdefault(method_of(path.stem), path)
    return found
