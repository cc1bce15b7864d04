"""Draw what each dataset is made of, and write its page and the numbers behind it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program; files stand in the order of the datasets."""
    parser = ProgramParser(__doc__)
    parser.add_input("--datasets", several=True)
    parser.add_input("--records", several=True)
    parser.add_input("--stamps", several=True, required=False)
    parser.add_input("--walls", several=True, required=False)
    parser.add_settings("--settings", "what the page of each dataset prints")
    parser.add_argument("--dpi", type=int, required=True, help="resolution in dots per inch")
    for output in ("--pages", "--light", "--sky", "--splits", "--columns"):
        parser.add_output(output, several=True)
    for output in ("--pixels", "--pixel-values", "--flags"):  # of the datasets with images
        parser.add_output(output, several=True, required=False)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Show one dataset after the other."""
    from zladder.report.dataset_page import dataset_page
    from zladder.report.dataset_shown import show_dataset
    from zladder.report.records import read_records
    from zladder.report.style import save_figure

    records = read_records(options.records)
    walls = {path.name.split(".")[0]: path for path in options.walls or []}
    kinds = ("light", "sky", "splits", "columns", "pixels", "pixel_values", "flags")
    places = {kind: iter(getattr(options, kind) or []) for kind in kinds}
    for about, dataset, page in zip(options.settings, options.datasets, options.pages, strict=True):
        found = show_dataset(dataset, options.stamps or [], about)
        files = {kind: next(places[kind]) for kind in (*found.figures, *found.tables)}
        for kind, figure in found.figures.items():
            save_figure(figure, files[kind], options.dpi)
        for kind, table in found.tables.items():
            table.to_parquet(files[kind], index=False)
        figures = {kind: files[kind] for kind in found.figures}
        figures |= {"wall": walls[about["dataset"]]} if about["dataset"] in walls else {}
        words = dataset_page({**about, "area": found.area}, figures, found.tables, records)
        page.write_text(words, encoding="utf-8")
    return {"counts": {"datasets": len(options.settings)}}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
