"""The page of a study's numbers: every metric of every method, and the paired differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zladder.metrics.conventions import CONVENTIONS, ordered_ids
from zladder.report.differences_table import differences_section
from zladder.report.markup import Html, breakable, joined, tag
from zladder.report.methods import Roles, in_blocks, roles_of
from zladder.report.metric_words import FORMULAS, SIGNED
from zladder.report.numerals import count_cell, dash, decimals_for, fixed, interval_cell
from zladder.report.page import folded, page, paragraph, section, table
from zladder.report.split_words import split_caption, what_chose
from zladder.report.truth_section import truth_sections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

COUNTS = {
    "n_total": "galaxies asked",
    "n_used": "with a finite answer in every seed",
    "n_nonfinite": "without: left out, and counted",
    "n_off_grid": "used, though z_true lies outside the training range",
}
TOO_FEW = "fewer than two galaxies, or the metric is not defined for them"
KNOWS, ESTIMATED = "knows the sky", "knows the sky, estimated"
ONE_SEED = "one seed only: a spread over seeds needs two"


def scores_page(
    scores: pd.DataFrame,
    differences: pd.DataFrame,
    about: Mapping[str, Any],
    of_truth: Sequence[tuple[str, pd.DataFrame]],
) -> str:
    """Return the page.

    Parameters
    ----------
    scores, differences
        The tables of the stage `evaluate`.
    about
        ``study``, ``title``, ``question``, ``convention``, and ``estimated``: the datasets whose
        oracle is not exact.
    of_truth
        What the mock sky alone can tell (`truth_sections`); nothing of a real sky.
    """
    roles = roles_of(scores, differences, about["estimated"])
    ids = ordered_ids(about["convention"], dict.fromkeys(scores["metric"]))
    n_family = sum(name in CONVENTIONS[about["convention"]] for name in ids)
    parts: list[Html] = [_how_to_read(about["convention"], roles, what_chose(scores))]
    for dataset in roles.datasets:
        found = scores[scores["dataset"] == dataset]
        test, validation = (found[found["split"] == split] for split in ("test", "validation"))
        parts.append(section(
            f"Test galaxies of {dataset}",
            split_caption(scores, dataset),
            scores_table(test, ids, n_family, roles, dataset),
            _seeds(test, ids, roles),
            folded("The same on the validation galaxies, which chose the methods",
                   scores_table(validation, ids, n_family, roles, dataset)),
            differences_section(differences, dataset, roles),
        ))  # fmt: skip
    parts += truth_sections(of_truth, about["estimated"])
    parts.append(_definitions(ids))
    lead = joined(about["question"], " All methods answer for the same galaxies.")
    return page(f"{about['title']}: the numbers", lead, *parts)


def scores_table(
    found: pd.DataFrame, ids: Sequence[str], n_family: int, roles: Roles, dataset: str
) -> Html:
    """Return metrics as rows (the convention's family first), methods as columns, counts below."""
    cells = found.set_index(["method", "metric"])
    shown = [*roles.networks, *roles.controls, *roles.oracles]
    tables = [_columns(cells, methods, ids, n_family, roles, dataset)
              for methods in in_blocks(shown)]  # fmt: skip
    return joined(*tables, _warnings(found))


def _columns(
    cells: pd.DataFrame, methods: Sequence[str], ids: Sequence[str], n_family: int, roles: Roles,
    dataset: str,
) -> Html:  # fmt: skip
    """Return the table of some methods."""
    rows = [
        tag(
            "tr",
            tag("th", tag("code", metric), title=FORMULAS.get(metric), scope="row"),
            *_score_cells(cells, metric, methods, roles.chosen[dataset]),
            class_="break" if place == n_family else None,
        )
        for place, metric in enumerate(ids)
    ]
    rows += [
        tag(
            "tr",
            tag("th", tag("code", name), title=words, scope="row"),
            *[count_cell(cells.loc[(method, ids[0]), name], data_count=name, data_method=method)
              for method in methods],
            class_="break" if name == "n_total" else None,
        )
        for name, words in COUNTS.items()
    ]  # fmt: skip
    return table(["", *_heads(methods, roles, dataset)], rows, class_="dense")


def _score_cells(
    cells: pd.DataFrame, metric: str, methods: Sequence[str], chosen: str
) -> list[Html]:
    """Return one row: all methods with the decimals that suit the chosen network's interval."""
    model = cells.loc[(chosen, metric)]
    decimals = decimals_for(model["lo95"], model["hi95"], 4)
    found = []
    for method in methods:
        row = cells.loc[(method, metric)]
        cell = interval_cell(
            float(row["value"]), float(row["lo95"]), float(row["hi95"]), TOO_FEW,
            decimals=decimals, signed=metric in SIGNED, data_metric=metric, data_method=method,
        )  # fmt: skip
        found.append(cell if metric != "fout_dc1" else _with_limit(cell, cells, method))
    return found


def _with_limit(cell: Html, cells: pd.DataFrame, method: str) -> Html:
    """Return the cell of `fout_dc1` with its limit, max(0.06, 3 sigma_iqr), which is data's own."""
    limit = max(0.06, 3 * float(cells.loc[(method, "sigma_iqr"), "value"]))
    shown = tag("span", f"limit {limit:.3f}", class_="sub")
    return Html(f"{cell.removesuffix('</td>')}{shown}</td>")


def _heads(methods: Sequence[str], roles: Roles, dataset: str) -> list[Html]:
    """Return the column heads: networks, then ordinary tools in grey, the two chosen marked."""
    marks = {roles.chosen[dataset]: "★ chosen", roles.peer[dataset]: "best tool"}
    knows = ESTIMATED if dataset in roles.estimated else KNOWS
    marks |= dict.fromkeys(roles.oracles, knows)
    return [
        tag(
            "th", breakable(method), tag("span", marks.get(method, ""), class_="sub mark"),
            class_="n" if method in roles.networks else "n grey",
        )
        for method in methods
    ]  # fmt: skip


def _how_to_read(convention: str, roles: Roles, chose: str) -> Html:
    family = ", ".join(CONVENTIONS[convention])
    return joined(
        paragraph(
            "Each cell holds the value on the test galaxies and below it the 95 % interval of the "
            "bootstrap over galaxies; point at it for all digits. dz = (z_phot − z_true) / "
            f"(1 + z_true). The rows above the line are the convention “{convention}” ({family}); "
            "all others follow.", kind="note",
        ),
        paragraph(
            tag("span", "★ chosen", class_="mark"), " is the network with the smallest sigma_nmad "
            "on the validation galaxies, ", tag("span", "best tool", class_="mark"),
            f" the best of the ordinary tools there. {chose} Ordinary "
            f"tools: {', '.join(roles.controls)}. trainz gives every galaxy the most frequent "
            "redshift of the training set, mean_z their mean: they know nothing of the galaxy.",
            kind="note",
        ),
        _about_oracles(roles),
    )  # fmt: skip


def _about_oracles(roles: Roles) -> Html | None:
    """Return what the oracles are, where there are any."""
    if not roles.oracles:
        return None
    return paragraph(
        tag("span", KNOWS, class_="mark"), f": {', '.join(roles.oracles)} is no method "
        "but p(z | magnitudes, E(B−V), selection) under the very population that was simulated. It "
        "bounds the proper scores of methods that see no more than it does (log-likelihood, CRPS), "
        "never a metric of this table: for each of these it gives the estimate that is best for "
        "the metric's loss, and a method that also sees images may well do better.",
        *_about_estimated(roles), kind="note",
    )  # fmt: skip


def _about_estimated(roles: Roles) -> list[object]:
    """Return what an estimated oracle is, where there is one."""
    if not roles.estimated:
        return []
    words = (
        f" ({', '.join(roles.estimated)}): the chance that a many-band label is usable follows "
        "from no formula, only from the galaxies that were drawn. There the oracle is near the "
        "bound, and not the bound."
    )
    return [" ", tag("span", ESTIMATED, class_="mark"), words]


def _warnings(found: pd.DataFrame) -> Html | None:
    """Return what must be said of methods whose scatter is exactly zero."""
    flat = found[(found["metric"] == "sigma_nmad") & (found["value"] == 0)]["method"]
    if flat.empty:
        return None
    text = f"Collapsed (sigma_nmad is 0: most galaxies share one residual): {', '.join(flat)}."
    return paragraph(text, kind="note")


def _seeds(found: pd.DataFrame, ids: Sequence[str], roles: Roles) -> Html:
    """Return the spread over training seeds, which is another error than the interval's."""
    n_seeds = found.groupby("method", sort=False)["n_seeds"].first()
    if (n_seeds == 1).all():
        return paragraph(
            "seed_std (the spread over training seeds): ",
            dash(ONE_SEED),
            f" {ONE_SEED}.",
            kind="note",
        )
    methods = list(roles.networks)
    cells = found.set_index(["method", "metric"])["seed_std"]
    rows = [
        [tag("code", metric), *[_spread_cell(float(cells[(method, metric)])) for method in methods]]
        for metric in ids
    ]
    heads = [tag("th", f"{method} ({n_seeds[method]} seeds)", class_="n") for method in methods]
    note = f"Ordinary tools: – ({ONE_SEED})."
    return folded("seed_std: the spread over training seeds", table(["", *heads], rows),
                  paragraph(note, kind="note"))  # fmt: skip


def _spread_cell(value: float) -> Html:
    shown = fixed(value, 5) if math.isfinite(value) else dash(ONE_SEED)
    return tag("td", shown, class_="n")


def _definitions(ids: Sequence[str]) -> Html:
    rows = [[tag("code", name), FORMULAS.get(name, "see the metrics")] for name in ids]
    rows += [[tag("code", name), words] for name, words in COUNTS.items()]
    return section("What the names mean", table(["id", "definition"], rows))
