"""What a file says of its columns, held against what the survey's column map says of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astropy import units as u

from zladder.provenance.errors import BadInput
from zladder.tables.fluxes import NANOMAGGY_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from zladder.catalogs.column_map import MappedColumn

# Spellings of public tables that astropy does not know, in small letters.
_SPELLINGS = {
    "mag(ab)": "mag", "abmag": "mag", "ab mag": "mag", "mag_ab": "mag", "mags": "mag",
    "magnitude": "mag", "degree": "deg", "degrees": "deg", "radian": "rad", "radians": "rad",
    "none": "", "-": "", "---": "", "unitless": "", "dimensionless": "", "nanomaggies": "nanomaggy",
    "nmgy": "nanomaggy", "hours": "hourangle", "hour": "hourangle", "hr": "hourangle",
    "h": "hourangle",
}  # fmt: skip
J2000 = 2000.0
SYSTEMS = ("ICRS", "FK5")  # with equinox 2000 they agree to 0.03 arcsec (Feissel & Mignard 1998)


def require_same_units(
    columns: Sequence[MappedColumn], written: Mapping[str, str], file: Path, way: str = "map it"
) -> list[str]:
    """Return warnings of units that nobody can read; refuse those that contradict the map.

    Parameters
    ----------
    columns
        The survey's column map: the unit that it declares, else the standard one.
    written
        Native column -> unit as the file has it.
    file, way
        For messages; `way` is how one maps a column.

    Raises
    ------
    BadInput
        A unit in the file that means something else; or one that cannot be read, where the map
        does not declare the column's unit.
    """
    warnings = []
    for column in columns:
        found = written.get(column.native)
        if found is None or column.name == "object_id" or _same(found, column.unit):
            continue
        if column.declared and _unit(found) is None:
            warnings.append(
                f"column '{column.native}': the file's unit '{found}' is not understood; taken as "
                f"'{column.unit}', as the survey declares"
            )
            continue
        wanted = f"the unit {column.unit}" if column.unit else "no unit"
        source = f"{{native: {column.native}, unit: {found}}}"
        hint = f"convert it, or {way}: {column.name}: {source}"
        raise BadInput(file, f"column '{column.native}'", wanted, f"the unit {found}", hint)
    return warnings


def require_j2000(frame: Mapping[str, str], file: Path) -> list[str]:
    """Return warnings of positions at another epoch; refuse those of another equinox or system.

    Positions are read as ICRS. What a file says of them may be nothing, ICRS, or FK5, with the
    equinox 2000 or without one. An epoch of observation other than 2000 is only warned of:
    galaxies do not move, stars do.

    Raises
    ------
    BadInput
        Any other system or equinox.
    """
    hint = "bring the positions to J2000, for example with astropy, and correct the header"
    if "equinox" in frame and _year(frame["equinox"]) != J2000:
        raise BadInput(file, "equinox of the positions", "2000 (ICRS or FK5)",
                       frame["equinox"], hint)  # fmt: skip
    system = frame.get("system", "ICRS").upper().removeprefix("EQ_").split("_")[0]
    if system not in SYSTEMS:
        raise BadInput(file, "frame of the positions", " or ".join(SYSTEMS), frame["system"], hint)
    epoch = frame.get("epoch")
    if epoch is None or _year(epoch) == J2000:
        return []
    return [f"positions at the epoch {epoch}, taken as they are: galaxies do not move, stars do"]


def require_one_frame(frames: Mapping[str, tuple[Path, Mapping[str, str]]]) -> list[str]:
    """Return warnings of parts whose frames have different names; refuse those of two epochs.

    Parameters
    ----------
    frames
        {part: (file, what it says)}.

    Raises
    ------
    BadInput
        Two parts that state different epochs: their positions must not be joined.
    """
    said: dict[str, tuple[Path, str]] = {}
    warnings = []
    for file, frame in frames.values():
        for what in ("epoch", "system"):
            if what not in frame:
                continue
            first, words = said.setdefault(what, (file, frame[what]))
            if what == "epoch" and _year(words) != _year(frame[what]):
                raise BadInput(file, "epoch of the positions", f"{words}, as {first} has",
                               frame[what], "bring the parts to one epoch")  # fmt: skip
            if words.upper() != frame[what].upper():
                warnings.append(f"{first} is in {words}, {file} in {frame[what]}")
    return warnings


def _year(text: str) -> float | None:
    """Return the Julian year of ``2000.0`` or ``J2000``; None for a Besselian year or no year."""
    match = re.fullmatch(r"[Jj]?(\d{4}(?:\.\d*)?)", text.strip())
    return float(match[1]) if match else None


def _same(found: str, wanted: str) -> bool:
    first, second = _plain(found), _plain(wanted)
    if first == second:
        return True
    units = _unit(found), _unit(wanted)
    return None not in units and units[0] == units[1]


def _plain(text: str) -> str:
    lowered = text.strip().lower()
    return _SPELLINGS.get(lowered, lowered)


def _unit(text: str) -> u.UnitBase | str | None:
    """Return the unit that a text means; None if nobody can say."""
    plain = _plain(text)
    if plain in NANOMAGGY_NAMES:
        return "nanomaggy"
    for spelling in (_SPELLINGS.get(text.strip().lower(), text.strip()), plain):
        try:
            return u.Unit(spelling)
        except (ValueError, TypeError):
            continue
    return None
