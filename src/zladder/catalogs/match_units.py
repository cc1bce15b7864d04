"""What a file says of its positions: units, and the equinox and epoch they are of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from zladder.provenance.errors import BadInput, nearest_hint
from zladder.tables.units import describe, read_units

if TYPE_CHECKING:
    from pathlib import Path

_DEGREES = {
    "deg": 1.0, "degree": 1.0, "degrees": 1.0, "rad": 180 / np.pi, "radian": 180 / np.pi,
    "radians": 180 / np.pi, "arcmin": 1 / 60, "arcsec": 1 / 3600, "mas": 1 / 3_600_000,
}  # fmt: skip
_HOURS = {"h": 15.0, "hour": 15.0, "hours": 15.0, "hourangle": 15.0}  # of right ascension alone
J2000 = 2000.0
_FK4_EQUINOX = 1950.0
_SAME_YEARS = 0.01  # ICRS, FK5 and J2000.0 are one to every cross-match: 0.02 arcsec


def unit_factors(path: Path, to_degrees: dict[str, str], errors: list[str]) -> dict[str, float]:
    """Return column -> what to multiply its values with; only where the file declares a unit.

    Parameters
    ----------
    path
        The file; the suffix tells its format.
    to_degrees
        Column -> `ra` or `dec`: wanted in degrees.
    errors
        Columns wanted in arcsec.

    Raises
    ------
    BadInput
        A unit that is none of an angle (or hours, of a declination).
    """
    declared = read_units(path)
    factors: dict[str, float] = {}
    for column, kind in to_degrees.items():
        known = _DEGREES | (_HOURS if kind == "ra" else {})
        factors |= _factor(path, column, declared, known, "degrees (or radians, declared so)")
    for column in errors:
        known = {unit: factor * 3600 for unit, factor in _DEGREES.items()}
        factors |= _factor(path, column, declared, known, "an angle, as arcsec")
    return factors


def _factor(
    path: Path, column: str, declared: dict[str, str], known: dict[str, float], wanted: str
) -> dict[str, float]:
    unit = declared.get(column)
    if unit is None:
        return {}
    if unit.strip().lower() not in known:
        raise BadInput(path, f"column '{column}'", f"{wanted}", f"the unit '{unit}'",
                       nearest_hint(unit, known, "is this the right column?"))  # fmt: skip
    return {column: known[unit.strip().lower()]}


def equinox_of(path: Path) -> float | None:
    """Return the equinox (a year) that a file declares for its positions, or None.

    It says so itself (`zladder.tables.units.describe`), or by a system of one equinox.

    Raises
    ------
    BadInput
        An equinox that is no year.
    """
    frame = describe(path).frame
    if "equinox" in frame:
        return _year(path, "equinox", frame["equinox"])
    system = re.sub("[^A-Z0-9]", "", frame.get("system", "").upper())
    if system.endswith("FK4"):
        return _FK4_EQUINOX
    return J2000 if system in ("ICRS", "FK5", "EQFK5") else None


def require_one_equinox(left: Path, right: Path) -> list[str]:
    """Return what to warn of, where the equinoxes of two files are not known to be one.

    A file that declares none counts as J2000 (ICRS).

    Raises
    ------
    BadInput
        Equinoxes that differ: precession moves positions by arcminutes in a few years.
    """
    years = [equinox_of(left), equinox_of(right)]
    known = [J2000 if year is None else year for year in years]
    if abs(known[0] - known[1]) > _SAME_YEARS:
        says = [f"{year:g}" if year else "none (taken as J2000)" for year in years]
        raise BadInput(right, "equinox", f"that of {left}: {says[0]}", says[1],
                       "bring both to ICRS first, for example with astropy's SkyCoord")  # fmt: skip
    if abs(known[0] - J2000) > _SAME_YEARS:
        return [f"both sides are of equinox {known[0]:g}: matched as they are"]
    return []


def epoch_of(path: Path) -> float | None:
    """Return the epoch (a year) that a file declares for all its positions, or None."""
    epoch = describe(path).frame.get("epoch")
    return None if epoch is None else _year(path, "epoch", epoch)


def _year(path: Path, key: str, value: str) -> float:
    match = re.fullmatch(r"[JB]?\s*(\d{4}(\.\d*)?)", value.upper())
    if not match:
        raise BadInput(path, key, "a year, as 2000.0", f"'{value}'", "correct the file's header")
    return float(match[1])
