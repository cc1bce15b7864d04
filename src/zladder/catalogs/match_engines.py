"""Which engine matches: ours on one machine, or LSDB's partitions for catalogues beyond it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from zladder.provenance.errors import BadInput, require_known

if TYPE_CHECKING:
    import pandas as pd

    from zladder.catalogs.match_read import Side

ENGINES = ("zones", "hats")


def match_with(
    engine: str, left: Side, right: Side, radius_arcsec: float, **how: Any
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Match two sides with one of the engines; arguments and result as for `match_files`.

    Raises
    ------
    BadInput
        An unknown engine, and what the engine refuses.
    """
    require_known(engine, ENGINES, "options", "engine")
    if engine == "hats":
        if find_spec("lsdb") is None:
            raise BadInput("options", "engine hats", "the package lsdb", "no such package",
                           "pip install 'zladder[cluster-match]', or --engine zones")  # fmt: skip
        from zladder.catalogs.match_hats import match_hats

        return match_hats(left, right, radius_arcsec, **how)
    from zladder.catalogs.matching import match_files

    return match_files(left, right, radius_arcsec, **how)
