"""Paint the CFHTLS-like tiles of the mock sky and write them as the survey's last release."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--scene")
    parser.add_settings("--settings", "where the tiles lie, how deep they are, the seed, JSON")
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerics")
    parser.add_output("--index")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Paint and write tile by tile; the index comes last, then tiles that it does not name go."""
    import torch

    from zladder.survey.leftovers import TILES, remove_leftovers
    from zladder.survey.scene_columns import tile_scene_columns
    from zladder.survey.tile_files import write_tiles
    from zladder.tables.read import read_table

    torch.set_num_threads(options.threads)
    settings, seed = options.settings, options.settings["seed"]
    columns = tile_scene_columns(list(settings["cfhtls"]["filters"]))
    scene = read_table(options.scene, "parquet", columns)
    index = write_tiles(settings, seed, scene, options.index.parent)
    index.to_parquet(options.index, index=False)
    removed = remove_leftovers(options.index.parent, TILES, index["path"])
    counts = {"objects": len(scene), "images": len(index), "old_images_removed": removed}
    return {"seed": seed, "counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
