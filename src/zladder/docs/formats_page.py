"""docs/formats.md: columns, flags, metrics, sidecars and the layout of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zladder.docs.array_formats import features_section, pdf_section
from zladder.docs.formats_words import (
    ADDED_COLUMNS,
    FLAG_MEANINGS,
    OPENING,
    RESERVED_FLAGS,
    SIDECAR_KEYS,
    WHERE_ELSE,
)
from zladder.docs.markdown import NOTE, code, page, table
from zladder.docs.rule_files import read_rule_files
from zladder.docs.rules_page import compute_rules
from zladder.docs.stamp_formats import stamp_section
from zladder.evaluate.flags import BITS
from zladder.metrics.conventions import CONVENTIONS
from zladder.metrics.point import POINT_METRICS, fout_3sig
from zladder.tables.columns import QUANTILES_PERCENT, standard_column, standard_names

if TYPE_CHECKING:
    from pathlib import Path

BAND = "r"  # stands for any band in the table of columns
_QUANTILES = "1 % quantile of the PDF; so on for " + ", ".join(map(str, QUANTILES_PERCENT[1:]))


def formats_page(root: Path) -> str:
    """Return the page."""
    return page(
        "# Formats", NOTE, OPENING,
        "## Standard columns", f"Columns of a band are shown for `{BAND}`; it may be any name.",
        _columns(),
        "## Further columns", table(("file", "column", "meaning"), ADDED_COLUMNS),
        "## Flags", "`flags` is a sum of powers of two. Reserved bits are set by nothing yet.",
        _flags(),
        "## Stamps", *stamp_section(),
        "## Features", *features_section(),
        "## Densities", *pdf_section(),
        "## Metrics", "`dz = (z_phot - z_true) / (1 + z_true)`.", _metrics(),
        "A study's `convention` says which metrics its tables print first.", _conventions(),
        "## Sidecars", "Every result has a JSON file beside it that says how it was made.",
        table(("key", "written by", "meaning"),
              [(code(key), by, meaning) for key, (by, meaning) in SIDECAR_KEYS.items()]),
        "## Files", _files(root), WHERE_ELSE,
    )  # fmt: skip


def _columns() -> str:
    """Return every standard column; one row for each family, of a band or of quantiles."""
    rows = []
    for name in standard_names([BAND]):
        column = standard_column(name)
        assert column is not None
        rows.append((code(name), column.dtype, column.unit, code(column.ucd), column.description))
    first, last = f"z_q{QUANTILES_PERCENT[0]:02d}", f"z_q{QUANTILES_PERCENT[-1]:02d}"
    kept = [row for row in rows if not row[0].startswith("`z_q") or row[0] == code(first)]
    kept = [(f"{code(first)} … {code(last)}", *row[1:4], _QUANTILES) if row[0] == code(first)
            else row for row in kept]  # fmt: skip
    return table(("column", "type", "unit", "UCD", "meaning"), kept)


def _flags() -> str:
    rows = [(bit, name, FLAG_MEANINGS[name]) for name, bit in BITS.items()]
    rows += [(bit, name, "reserved") for bit, name in RESERVED_FLAGS.items()]
    return table(
        ("bit", "value", "name", "meaning"),
        [(str(bit), str(2**bit), name, meaning) for bit, name, meaning in sorted(rows)],
    )


def _metrics() -> str:
    known = {**POINT_METRICS, "fout_3sig": fout_3sig}
    rows = [(code(name), (f.__doc__ or "").splitlines()[0]) for name, f in known.items()]
    return table(("id", "definition"), rows)


def _conventions() -> str:
    rows = [(code(name), ", ".join(map(code, ids))) for name, ids in CONVENTIONS.items()]
    return table(("convention", "metrics"), rows)


def _files(root: Path) -> str:
    rows = [
        (code(path), f"[{rule.name}](rules.md#{rule.name})")
        for file in read_rule_files(root / "workflow" / "rules")
        for rule in compute_rules(file)
        for path in rule.outputs().values()
    ]
    return table(("file", "written by"), sorted(rows))
