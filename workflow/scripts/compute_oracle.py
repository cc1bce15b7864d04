"""Compute p(z | data) under the population that was simulated, for galaxies that are held out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from zladder.provenance.program import ProgramParser, run_program


def make_parser() -> ProgramParser:
    """Return the options of this program."""
    parser = ProgramParser(__doc__)
    parser.add_input("--sample")
    parser.add_input("--datasets", several=True)
    parser.add_input("--selection", required=False)
    parser.add_settings("--settings", "kind of sample, what its columns mean, the sky's settings")
    for option in ("--pdfs", "--structure-pdfs"):
        parser.add_output(option)
    return parser


def work(options: argparse.Namespace) -> dict[str, Any]:
    """Read what was observed, look up the laws, write the densities."""
    import numpy as np

    from zladder.evaluate.oracle_inputs import read_asked, read_selection
    from zladder.evaluate.oracle_samples import answers_for
    from zladder.pdf.pdf_file import ClassPdfs, write_pdfs

    n_in, asked = read_asked(options.sample, options.datasets, options.settings)
    told = read_selection(options.selection, options.settings)
    oracle, pmf, with_structure = answers_for(options.settings, told, asked)
    ids, run = asked["object_id"].to_numpy(), f"oracle of {options.sample.stem}"
    write_pdfs(options.pdfs, ClassPdfs(ids, oracle.edges, pmf), run)
    if with_structure is None:  # the catalogue lists no shapes
        ids, with_structure = ids[:0], np.empty((0, pmf.shape[1]), dtype=np.float32)
    write_pdfs(options.structure_pdfs, ClassPdfs(ids, oracle.edges, with_structure), run)
    counts = {"n_in": n_in, "n_out": len(asked), "nodes": len(oracle.nodes.z)}
    counts["unexplained"] = int(np.isnan(pmf[:, 0]).sum())
    return {"counts": counts}


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit code."""
    return run_program(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
