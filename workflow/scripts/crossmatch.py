"""Match two catalogues on the sphere, and say what the match is worth."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    for side in ("left", "right"):
        parser.add_input(f"--{side}")
        parser.add_argument(f"--{side}-ra", default="ra", help="column, in deg or as declared")
        parser.add_argument(f"--{side}-dec", default="dec", help="column, in deg or as declared")
        parser.add_argument(f"--{side}-error", default="", help="column: arcsec, 1 sigma an axis")
        parser.add_argument(f"--{side}-magnitude", default="", help="column, for the completeness")
        parser.add_argument(f"--{side}-keep", default="", help="only objects that this is true of")
    parser.add_argument("--radius-arcsec", type=float, required=True, help="largest separation")
    parser.add_argument("--mode", default="nearest", help="nearest, mutual or all")
    parser.add_argument("--one-to-one", action="store_true", help="the nearest keeps a shared one")
    parser.add_argument("--skip-unplaced", action="store_true", help="count rows without position")
    parser.add_argument("--engine", default="zones", help="zones, or hats for HATS catalogues")
    parser.add_output("--output")
    parser.add_output("--quality", beside=("--output", ".quality.json"))
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Match, write the pairs and the quality."""
    import json

    from zladder.catalogs.match_engines import match_with
    from zladder.catalogs.match_read import Side
    from zladder.tables.standard import write_standard

    words = vars(options)
    names = ("ra", "dec", "error", "magnitude", "keep")
    left, right = (
        Side(words[side], **{name: words[f"{side}_{name}"] for name in names},
             skip_unplaced=options.skip_unplaced)
        for side in ("left", "right")
    )  # fmt: skip
    how = {"mode": options.mode, "one_to_one": options.one_to_one}
    pairs, quality = match_with(options.engine, left, right, options.radius_arcsec, **how)
    write_standard(pairs, options.output)
    options.quality.write_text(json.dumps(quality, indent=1) + "\n", encoding="utf-8")
    return {"counts": quality["counts"], "quality": quality}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
