"""Score all methods of a study on the same galaxies, with intervals."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--predictions", several=True)
    parser.add_input("--datasets", several=True)
    parser.add_input("--oracles", several=True, required=False)
    parser.add_settings("--settings", "bootstraps, bins, label range, names of networks, seed")
    for option in ("--scores", "--differences", "--curves"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Write scores, paired differences and residual curves."""
    import pandas as pd

    from zladder.evaluate.oracle_scores import score_oracles
    from zladder.evaluate.study import (
        compare_with_peer,
        read_answers,
        residual_curves,
        score_methods,
    )
    from zladder.tables.split_notes import require_same_splits, with_notes
    from zladder.tables.standard import write_standard

    settings, oracles = options.settings, options.oracles or []
    notes = require_same_splits([*options.predictions, *oracles], options.datasets)
    answers = read_answers(options.predictions)
    drawn = settings["label_range_z"], settings["n_bootstraps"], settings["seed"]
    scores = score_methods(answers, *drawn)
    bounds = pd.concat([scores, score_oracles(answers, oracles, *drawn)], ignore_index=True)
    write_standard(with_notes(bounds, notes), options.scores)
    differences = compare_with_peer(answers, scores, settings)
    write_standard(with_notes(differences, notes), options.differences)
    curves = with_notes(residual_curves(answers, settings["bin_width_z"]), notes)
    write_standard(curves, options.curves)
    counts = {"galaxies": len(answers.galaxies), "methods": len(answers.z_phot)}
    return {"seed": settings["seed"], "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
