"""Simulate the mock sky and write its catalogues in the native formats of real surveys."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program

TABLES = (
    *("hsc", "galaxiesml", "cosmos", "cfhtls", "sdss", "sdss_deep"),
    *("scene", "scene_cfhtls", "scene_hsc", "stamps_hsc", "selection", "truth", "dust"),
    *("selection_photoz", "cosmos_other_noise"),
)


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--photometry")
    parser.add_settings("--settings", "the stage's settings and the seed, JSON")
    for table in TABLES:
        parser.add_output(f"--{table.replace('_', '-')}")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Simulate and write."""
    from zladder.config.instruments import tabulated_settings
    from zladder.survey.catalogues import write_native
    from zladder.survey.simulate import simulate_sky
    from zladder.universe.photometry_file import read_tables

    settings = {key: value for key, value in options.settings.items() if key != "seed"}
    seed = options.settings["seed"]
    photometry = read_tables(options.photometry, tabulated_settings(settings))
    tables = simulate_sky(settings, seed, photometry)
    write_native(tables, {name: getattr(options, name) for name in TABLES})
    counts = {name: len(table) for name, table in tables.items()}
    kinds = tables["truth"]["contaminant"].value_counts().to_dict()
    counts |= {f"contaminants: {kind}": n for kind, n in kinds.items() if kind}
    return {"flux_kind": "analytic", "seed": seed, "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
