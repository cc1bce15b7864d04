"""The table of metrics that ``zladder score`` shows to people."""

from __future__ import annotations

from typing import Any

from zladder.metrics.conventions import CONVENTIONS

MESSAGES = {
    "too_few": "fewer than two objects: nothing can be said",
    "collapsed": "sigma_nmad is 0: more than half of the objects share one residual (collapsed)",
}
HEADINGS = ("", "metric", "value", "se", "68 % low", "68 % high", "95 % low", "95 % high")
KEYS = ("value", "se", "lo68", "hi68", "lo95", "hi95")


def metric_table(result: dict[str, Any]) -> str:
    """Return the result of a scoring as aligned text; the convention's own ids have a star."""
    family = CONVENTIONS[result["convention"]]
    rows = [HEADINGS]
    for metric_id, entry in result["metrics"].items():
        star = "*" if metric_id in family else ""
        rows.append((star, metric_id, *(f"{entry[key]:.6f}" for key in KEYS)))
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADINGS))]
    lines = [*_head(result), "", *(_aligned(row, widths) for row in rows), ""]
    threshold = result["metrics"]["fout_dc1"]["threshold"]
    lines.append(f"* convention {result['convention']}; threshold of fout_dc1: {threshold:.6f}")
    lines += [f"warning: {MESSAGES[flag]}" for flag in result["flags"]]
    return "\n".join(lines) + "\n"


def _head(result: dict[str, Any]) -> list[str]:
    """Return what was scored, and how many objects of it."""
    asked = ""
    if result["range"]:
        lo, hi = result["range"]
        asked = f" ({lo:g} < {result['z_true']} <= {hi:g})"
    numbers = (
        f"{result['n_total']} objects, {result['n_used']} used, {result['n_nonfinite']} not finite,"
        f" {result['n_out_of_range']} out of range;"
        f" {result['bootstraps']} bootstraps over objects, seed {result['seed']}"
    )
    return [f"{result['table']}: {result['z_phot']} against {result['z_true']}{asked}", numbers]


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    """Return a row with names to the left and numbers to the right."""
    cells = [
        cell.ljust(width) if k < 2 else cell.rjust(width)
        for k, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
