"""Positions: on the sphere, RA from 0 to 360 degrees, and not in radians by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.catalogs.column_map import MappedColumn

_TURN = 360.0


def on_sphere(read: dict[str, np.ndarray], file: Path, first_row: int) -> dict[str, Any]:
    """Bring `ra` (degrees, -180 to 360) into 0 to 360, in place; return what to count.

    Parameters
    ----------
    read
        {column: float64 (N,)}; a table without positions is left alone.
    file, first_row
        The file, and the rows that stand in it before these, for messages.

    Returns
    -------
    dict
        ``ra_wrapped`` (rows) and ``range_deg`` (ra and dec -> least and most, as they came).

    Raises
    ------
    BadInput
        RA below -180 or above 360, Dec beyond the poles; with the first such row.
    """
    counts: dict[str, Any] = {}
    for name, low, high, wanted in (
        ("ra", -_TURN / 2, _TURN, "-180 <= ra <= 360 degrees"),
        ("dec", -90.0, 90.0, "-90 <= dec <= 90 degrees"),
    ):
        if name not in read or not len(read[name]):
            continue
        values = read[name]
        off = (values < low) | (values > high)
        if off.any():
            row = int(np.argmax(off))
            raise BadInput(file, f"column '{name}', row {first_row + row + 1}", wanted,
                           f"{values[row]}", "check the unit that the survey declares")  # fmt: skip
        counts.setdefault("range_deg", {})[name] = [float(values.min()), float(values.max())]
    if "ra" in read:
        outside = (read["ra"] < 0) | (read["ra"] == _TURN)
        wrapped = np.where(outside, read["ra"] % _TURN, read["ra"])
        read["ra"] = np.where(wrapped == _TURN, 0.0, wrapped)  # -1e-20 becomes 360 by rounding
        counts["ra_wrapped"] = int(outside.sum())
    return counts


def suspicious_positions(
    range_deg: Mapping[str, Sequence[float]], columns: Sequence[MappedColumn], written: set[str]
) -> list[str]:
    """Return a warning if positions in degrees look like radians and nobody said a unit.

    Parameters
    ----------
    range_deg
        Of `on_sphere`, over the whole table.
    columns
        The survey's column map.
    written
        Native columns whose unit the file itself says.
    """
    silent = [
        column.native
        for column in columns
        if column.name in ("ra", "dec") and not column.declared and column.native not in written
    ]
    if len(silent) < 2 or set(range_deg) != {"ra", "dec"}:
        return []
    largest = {name: max(abs(low), abs(high)) for name, (low, high) in range_deg.items()}
    if largest["ra"] > 2 * np.pi or largest["dec"] > np.pi / 2:
        return []
    words = (
        f"columns '{silent[0]}' and '{silent[1]}' were read as degrees, but all of them would be "
        f"radians too (|ra| <= {largest['ra']:.3f}, |dec| <= {largest['dec']:.3f}): if they are, "
        "declare it, as in ra: {native: NAME, unit: rad}; if not, unit: deg"
    )
    return [words]
