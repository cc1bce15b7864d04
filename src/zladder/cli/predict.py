"""``zladder predict``: one's own catalogue through a trained run."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from zladder.catalogs.select import deredden
from zladder.cli.locate import find_run, model_file
from zladder.cli.own_catalogue import read_catalogue
from zladder.evaluate.predict import predict_table
from zladder.evaluate.trained import load_run
from zladder.provenance.errors import EXIT_DONE
from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.standard import write_standard

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    import pandas as pd

DEREDDENED = (
    "the run was trained on dereddened magnitudes: extinction_{band} was subtracted from the "
    "table's, and the magnitudes written are the corrected ones\n"
)


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``predict`` to the subcommands."""
    parser = subparsers.add_parser(
        "predict",
        help="one's own catalogue through a trained run",
        description="Predict redshifts for a catalogue. Without --survey its columns have the "
        "standard names (object_id, mag_g, mag_err_g, ra, dec, z_true, ...: docs/formats.md), "
        "magnitudes are AB, NaN is a band that was not observed, inf one without a detection. "
        "Magnitudes are taken as they are, unless the run was trained on dereddened ones "
        "(`zladder card RUN`: dereddened): then the table needs the Galactic extinctions "
        "extinction_g, ... in mag, which are subtracted; give 0 where that is done already.",
    )
    parser.add_argument("run_name", metavar="RUN", help="name of a run, or its folder")
    parser.add_argument("table", type=Path, help="CSV, text, FITS, Parquet, VOTable or HDF5")
    parser.add_argument("-o", "--output", type=Path, required=True, help=".parquet, .fits or .vot")
    parser.add_argument("--survey", type=Path, help="a file like config/surveys/NAME.yaml that "
                        "maps the table's own columns, units and sentinels; labels and extra "
                        "columns need not be in the table")  # fmt: skip
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Predict, write the table, and say what became of its rows."""
    folder = find_run(args.run_name, args.results)
    trained = load_run(model_file(folder), folder / "card.json")
    inputs = trained.card["inputs"]
    frame, rows_in = read_catalogue(args.table, args.survey, inputs)
    if inputs["dereddened"]:
        frame = deredden(frame, args.table)
    predictions = predict_table(frame, trained, args.table)
    with whole_or_nothing([args.output]) as [partial]:
        write_standard(predictions, partial, {"run": trained.card["run"]})
    # Said last: a reader that has gone away must not keep the table from being written.
    sys.stderr.write(DEREDDENED if inputs["dereddened"] else "")
    sys.stderr.write(_account(rows_in, len(frame), predictions))
    return EXIT_DONE


def _account(rows_in: int, rows_kept: int, predictions: pd.DataFrame) -> str:
    """Return the line that accounts for every row of the table."""
    without = int(predictions["z_phot"].isna().sum())
    flagged = int((predictions["flags"] != 0).sum())
    return (
        f"{rows_in} rows in, {rows_in - rows_kept} left out as duplicates, "
        f"{len(predictions)} out, {without} without an answer "
        f"(not measured in every band), {flagged} with flags\n"
    )
