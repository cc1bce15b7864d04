"""Paint the HSC-like cutouts of the mock sky: files as the archive's, and two training sets."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--scene")
    parser.add_input("--targets")
    parser.add_settings("--settings", "size, depth and seeing of the cutouts, the seed, JSON")
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    for name in ("--index", "--specz", "--photoz"):
        parser.add_output(name)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Paint and write by galaxy; the index comes last, then cutouts that it does not name go."""
    import torch

    from zladder.survey.cutout_survey import write_cutouts
    from zladder.survey.leftovers import CUTOUTS, remove_leftovers
    from zladder.survey.scene_columns import stamp_scene_columns
    from zladder.tables.read import read_table

    torch.set_num_threads(options.threads)
    settings, seed = options.settings, options.settings["seed"]
    columns = stamp_scene_columns(list(settings["hsc"]["filters"]))
    scene = read_table(options.scene, "parquet", columns)
    targets = read_table(options.targets, "parquet", None)
    sets = {"specz": options.specz, "photoz": options.photoz}
    index = write_cutouts(settings, seed, targets, scene, options.index.parent, sets)
    index.to_parquet(options.index, index=False)
    counts = {"targets": len(targets), "objects": len(scene), "images": len(index)}
    removed = remove_leftovers(options.index.parent, CUTOUTS, index["path"])
    counts["old_images_removed"] = removed
    return {"seed": seed, "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
