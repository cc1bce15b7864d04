"""What the oracle reads, checked: observed galaxies, and what the sky wrote of a selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zladder.evaluate.oracle_tables import SHAPES, held_out
from zladder.provenance.errors import BadInput, require_known
from zladder.tables.check import require_column, require_numbers
from zladder.tables.read import read_table

FEWEST_OF_A_KIND = 30  # galaxies drawn that became labels, and that did not: to learn from
SIMULATE_AGAIN = "simulate the sky again (rule simulate_sky)"


def read_asked(
    path: Path, datasets: Sequence[Path], settings: Mapping[str, Any]
) -> tuple[int, pd.DataFrame]:
    """Return the rows of a sample, and those of its galaxies that no training has seen.

    Parameters
    ----------
    path
        The sample, standard columns.
    datasets
        Those that tell which galaxies are held out.
    settings
        ``listed`` (`oracle_tables.observed_of`); with ``morphology`` shapes are wanted, too.

    Raises
    ------
    BadInput
        A missing column; a magnitude, an extinction or a shape that is no finite number.
    """
    bands = settings["listed"]["extinction_per_ebv"]
    wanted = [f"{kind}_{band}" for kind in ("mag", "extinction") for band in bands]
    wanted += SHAPES if "morphology" in settings else []
    sample = require_numbers(read_table(path), ["object_id", *wanted], path)
    asked = held_out(sample, datasets)
    _require_finite(asked, wanted, path, "let the sample's cuts ask for every band")
    return len(sample), asked


def read_selection(path: Path | None, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return what the sky wrote of a sample's selection; empty where the settings say all.

    Raises
    ------
    BadInput
        No such file, or one that is damaged: see `_checked_areas`, `_checked_draws`.
    """
    checks = {"spectroscopic": _checked_areas, "photometric": _checked_draws}
    check = checks.get(settings["kind"])
    if check is None:
        return pd.DataFrame()
    if path is None:
        hint = "give the table of the selection that the sky wrote (--selection)"
        raise BadInput("--selection", "file", f"that of a {settings['kind']} set", "none", hint)
    return check(read_table(path), settings, path)


def _checked_areas(told: pd.DataFrame, settings: Mapping[str, Any], path: Path) -> pd.DataFrame:
    """Return the areas of all programmes, each of them once, above zero."""
    told = require_numbers(told, ["area_deg2"], path)
    require_column("programme", list(told.columns), path)
    programmes = settings["spectroscopy"]["programmes"]
    for row, name in enumerate(told["programme"], start=1):
        require_known(str(name), programmes, path, f"column 'programme', row {row}")
    listed = told["programme"].value_counts().reindex(list(programmes), fill_value=0)
    if (listed != 1).any():
        name = listed.index[listed != 1][0]
        expected, found = "each programme once", f"'{name}' {listed[name]} times"
        raise BadInput(path, "column 'programme'", expected, found, SIMULATE_AGAIN)
    _require_finite(told, ["area_deg2"], path, SIMULATE_AGAIN)
    if (told["area_deg2"] <= 0).any():
        row = int(np.argmax(told["area_deg2"] <= 0))
        place, found = f"column 'area_deg2', row {row + 1}", f"{told['area_deg2'].iloc[row]}"
        raise BadInput(path, place, "an area above 0", found, SIMULATE_AGAIN)
    return told


def _checked_draws(told: pd.DataFrame, settings: Mapping[str, Any], path: Path) -> pd.DataFrame:
    """Return the galaxies drawn, enough of both kinds to learn from."""
    fluxes = [f"flux_{band}_njy" for band in settings["listed"]["extinction_per_ebv"]]
    numbers = ["object_id", "z_true", "stored_ebv_mag", *fluxes]
    told = require_numbers(told, numbers, path)
    _require_finite(told, numbers, path, SIMULATE_AGAIN)
    require_column("usable", list(told.columns), path)
    if not pd.api.types.is_bool_dtype(told["usable"]):
        expected, found = "true or false", f"{told['usable'].dtype}"
        raise BadInput(path, "column 'usable'", expected, found, SIMULATE_AGAIN)
    usable = int(told["usable"].sum())
    if min(usable, len(told) - usable) < FEWEST_OF_A_KIND:
        expected = f"at least {FEWEST_OF_A_KIND} rows that are true and as many that are false"
        found = f"{usable} of {len(told)} are true"
        raise BadInput(path, "column 'usable'", expected, found, "ask the sky for more labels")
    return told


def _require_finite(frame: pd.DataFrame, columns: Sequence[str], path: Path, hint: str) -> None:
    for name in columns:
        bad = ~np.isfinite(frame[name].to_numpy(dtype=np.float64))
        if bad.any():
            row, place = frame.iloc[int(np.argmax(bad))], f"column '{name}'"
            of = f" of object {row['object_id']}" if "object_id" in frame else ""
            raise BadInput(path, place, "finite numbers", f"{row[name]}{of}", hint)
