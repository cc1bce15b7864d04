"""Which galaxies become usable labels: every one that was drawn, kept or not, with what was seen.

The oracle learns the probability of being selected from this; no catalogue holds it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from zladder.survey.observing import Seen

MAX_ROWS = 60_000  # more would not make the probability any better known


def drawn_rows(seen: Seen, bands: Sequence[str], usable: pd.Series) -> pd.DataFrame:
    """Return the columns of ``selection_photoz``; N rows.

    Parameters
    ----------
    seen
        N galaxies as the HSC-like survey sees them.
    bands
        Its bands.
    usable
        Whether each is a usable label: passes the usual cuts and is listed in every band.

    Returns
    -------
    rows
        ``z_true``, ``stored_ebv_mag``, ``flux_{band}_njy``, ``flux_error_{band}_njy`` (observed)
        and ``usable``.
    """
    columns = {"z_true": seen.galaxies.z, "stored_ebv_mag": seen.stored_ebv_mag}
    for index, band in enumerate(bands):
        columns[f"flux_{band}_njy"] = seen.flux[:, index]
        columns[f"flux_error_{band}_njy"] = seen.flux_error[:, index]
    return pd.DataFrame({**columns, "usable": usable.to_numpy()})
