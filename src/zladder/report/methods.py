"""Which methods of a study a reader should look at, and in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zladder.config.names import ORACLES, method_of
from zladder.report.split_words import split_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

ORDERED_BY = "sigma_nmad"
MOST_COLUMNS = 10  # of methods in one table: more do not fit the width of a page
MOST_NETWORKS = 8  # in one figure: as many as there are colours that can be told apart


@dataclass(frozen=True)
class Roles:
    """The methods of a study by their role; what was picked was picked on validation.

    Attributes
    ----------
    networks, controls
        Method names, in the order of the tables.
    chosen, peer
        {dataset: the best network}, {dataset: the best ordinary tool}.
    best
        {dataset: the networks, the best first}; empty where nothing was ranked.
    oracles
        What knows the population that was simulated: shown beside the methods, never one of them.
    estimated
        The datasets for which these are not exact.
    split_words
        {dataset: what figures add to its name}: that its splits are a paper's own.
    """

    networks: list[str]
    controls: list[str]
    chosen: dict[str, str]
    peer: dict[str, str]
    best: dict[str, list[str]] = field(default_factory=dict)
    oracles: list[str] = field(default_factory=list)
    estimated: list[str] = field(default_factory=list)
    split_words: dict[str, str] = field(default_factory=dict)

    @property
    def datasets(self) -> list[str]:
        """The test sets, in the order of the study."""
        return list(self.chosen)

    def shown(self, dataset: str) -> list[str]:
        """Return the methods that a figure shows: the networks and the best ordinary tool.

        Of many networks only the best on validation are shown, in the order of the study.
        """
        best = self.best.get(dataset, self.networks)[:MOST_NETWORKS]
        return [*[name for name in self.networks if name in best], self.peer[dataset]]

    @property
    def left_out(self) -> str:
        """What a figure says of networks that it does not show; nothing where it shows all."""
        n = len(self.networks)
        more = f"the {MOST_NETWORKS} of {n} networks that were best on validation"
        return f" · shown: {more}" if n > MOST_NETWORKS else ""


def in_blocks(methods: Sequence[str]) -> list[list[str]]:
    """Return methods in blocks that a table has room for side by side, of about equal length."""
    n_blocks = -(-len(methods) // MOST_COLUMNS)
    length = -(-len(methods) // max(n_blocks, 1))
    return [list(methods[start : start + length]) for start in range(0, len(methods), length or 1)]


def roles_of(
    scores: pd.DataFrame, differences: pd.DataFrame, estimated: Sequence[str] = ()
) -> Roles:
    """Return the roles that the two tables of a study's scoring tell.

    ``estimated`` are the datasets whose oracle, if there is one, is not exact.
    """
    networks = list(dict.fromkeys(differences["method"]))
    others = [name for name in dict.fromkeys(scores["method"]) if name not in networks]
    controls = [name for name in others if name not in ORACLES]
    best = differences[differences["chosen"]].drop_duplicates("dataset").set_index("dataset")
    datasets = list(dict.fromkeys(scores["dataset"]))
    oracles = [name for name in others if name in ORACLES]
    return Roles(
        networks,
        controls,
        {name: str(best.loc[name, "method"]) for name in datasets},
        {name: str(best.loc[name, "peer"]) for name in datasets},
        {name: _ranked(scores, name, networks, str(best.loc[name, "method"])) for name in datasets},
        oracles,
        [name for name in datasets if oracles and name in estimated],
        {name: split_words(scores, name) for name in datasets},
    )


def _ranked(scores: pd.DataFrame, dataset: str, networks: list[str], chosen: str) -> list[str]:
    """Return the networks in the order of their scatter on validation, the chosen one first.

    The chosen one can be another than the smallest: a constant answer is never chosen.
    """
    others = [name for name in ordered_methods(scores, dataset) if name in networks]
    return [chosen, *[name for name in others if name != chosen]]


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
