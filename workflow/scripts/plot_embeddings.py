"""Draw the test galaxies in the two main directions of each encoder's features."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--features", several=True)
    parser.add_input("--drift")
    parser.add_input("--dataset")
    parser.add_input("--stamps", several=True)
    parser.add_settings("--settings", "title of the study, name of the dataset")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    parser.add_output("--maps")
    parser.add_output("--galaxies")
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Draw all maps, and the galaxies themselves in the one that tells most of the redshift."""
    from zladder.report.embedding_map import draw_maps, read_map
    from zladder.report.embedding_wall import choose_for_map, draw_map_of_stamps
    from zladder.report.shown_stamps import read_shown
    from zladder.report.style import save_figure
    from zladder.tables.read import read_table
    from zladder.tables.split_notes import read_note, tested_split

    dataset, tested = read_table(options.dataset), tested_split(read_note(options.dataset))
    drift = read_table(options.drift).set_index("method")["value"].to_dict()
    maps = [read_map(path, dataset, tested) for path in options.features]
    save_figure(draw_maps(maps, drift, options.settings), options.maps, options.dpi)
    best = max(maps, key=lambda found: found.r2)
    chosen = choose_for_map(best)
    stamps = read_shown(options.stamps, chosen)
    save_figure(draw_map_of_stamps(chosen, stamps, best), options.galaxies, options.dpi)
    return {"counts": {"galaxies": len(best.galaxies), "shown": len(chosen)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
