"""``zladder predict``: one's own catalogue or cutouts through a trained run."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.catalogs.select import deredden
from zladder.cli.locate import find_run, model_file
from zladder.cli.own_catalogue import read_catalogue
from zladder.cli.own_images import OPTIONS, add_options, predict_own_images
from zladder.evaluate.predict import predict_table
from zladder.evaluate.trained import PIXEL_TASKS, load_run, read_card, task_of
from zladder.pdf.pdf_file import write_pdfs
from zladder.provenance.errors import EXIT_DONE, BadInput
from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.formats import SUFFIXES, format_of
from zladder.tables.standard import write_standard

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Mapping

    import pandas as pd

DESCRIPTION = """\
Predict redshifts for a catalogue, or for cutouts if the run sees images.

CATALOGUE  Without --survey its columns have the standard names (object_id, mag_g, mag_err_g, ra,
dec, z_true, ...: docs/formats.md), magnitudes are AB, NaN is a band that was not observed, inf one
without a detection. Magnitudes are taken as they are, unless the run was trained on dereddened
ones (`zladder card RUN`: dereddened): then the table needs the Galactic extinctions extinction_g,
... in mag, which are subtracted; give 0 where that is done already.

CUTOUTS  An HDF5 file or a folder of FITS files. The galaxy lies at pixel S // 2 of S; the centre
that the run sees is cut out. Networks on images see dereddened pixels. The HDF5 layouts, known by
their datasets:
  zladder     flux (N, B, S, S) nanomaggies, object_id, extinction_mag (N, B); attributes schema,
              bands, pixel_scale_arcsec, unit
  SDSS        images (N, 5, S, S) ugriz, nanomaggies, ObjID, e_bv (N, 5): the extinctions of DR12
  GalaxiesML  image (N, 5, S, S) grizy, 27.0 mag a count, object_id; extinctions a_g, a_r, ... if
              they are there, else --ebv
FITS: NAME.fits with a cube (band, y, x) and BANDS in its header ('g,r,z' or 'grz'), or one file a
band, NAME_BAND.fits, whose FILTER must not contradict. Unit: BUNIT nanomaggy or nJy; of counts
FLUXMAG0, PHOTZP, MAGZERO or MAGZPT; width of a pixel: CDi_j or CDELTi. The
first HDU with an image counts."""

DEREDDENED = (
    "the run was trained on dereddened magnitudes: extinction_{band} was subtracted from the "
    "table's, and the magnitudes written are the corrected ones\n"
)


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``predict`` to the subcommands."""
    parser = subparsers.add_parser(
        "predict",
        help="one's own catalogue or cutouts through a trained run",
        description=DESCRIPTION,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("run_name", metavar="RUN", help="name of a run, or its folder")
    parser.add_argument("input", type=Path, metavar="TABLE|CUTOUTS", help="CSV, text, FITS, "
                        "Parquet, VOTable or HDF5; cutouts: HDF5, or a folder")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, help=".parquet, .fits or .vot; "
                        "a classifier's densities go to .pdf.h5 beside it")  # fmt: skip
    parser.add_argument("--survey", type=Path, help="a file like config/surveys/NAME.yaml that "
                        "maps the table's own columns, units and sentinels; labels and extra "
                        "columns need not be in the table")  # fmt: skip
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Predict, write the table, and say what became of its rows."""
    folder = find_run(args.run_name, args.results)
    card, _reference = read_card(folder / "card.json")
    sees_images = task_of(card) in PIXEL_TASKS
    _require_options(args, card, sees_images)
    if sees_images:
        table, pdfs, said = predict_own_images(args, folder)
    else:
        (table, said), pdfs = _predict_catalogue(args, folder), None
    densities = [_densities_file(args.output)] if pdfs else []
    with whole_or_nothing([args.output, *densities]) as partial:
        write_standard(table, partial[0], {"run": card["run"]})
        if pdfs:
            write_pdfs(partial[1], pdfs, card["run"])
    # Said last: a reader that has gone away must not keep the table from being written.
    sys.stderr.write(said)
    return EXIT_DONE


def _require_options(args: Namespace, card: Mapping[str, Any], sees_images: bool) -> None:
    """Refuse, before any work, options of the other kind of run and tables that nobody writes."""
    names = ("survey",) if sees_images else OPTIONS
    given = [name for name in names if getattr(args, name) is not None]
    if given:
        sight = "images" if sees_images else "magnitudes"
        option, found = f"--{given[0].replace('_', '-')}", f"{card['run']}, which sees {sight}"
        other = "magnitudes" if sees_images else "images"
        raise BadInput("command line", option, f"a run that sees {other}", found, "leave it out")
    if format_of(args.output) not in ("parquet", "fits", "votable"):
        known = ", ".join(SUFFIXES[kind][0] for kind in ("parquet", "fits", "votable"))
        hint = "Parquet keeps units and types exactly"
        raise BadInput(args.output, "suffix", f"one of {known}", f"'{args.output.suffix}'", hint)


def _predict_catalogue(args: Namespace, folder: Path) -> tuple[pd.DataFrame, str]:
    """Return (predictions for a table, what to say of them)."""
    if args.input.is_dir():
        expected = "a table: the run sees magnitudes"
        hint = "cutouts need a run that was trained on images: `zladder runs`"
        raise BadInput(args.input, "file", expected, "a folder", hint)
    trained = load_run(model_file(folder), folder / "card.json")
    inputs = trained.card["inputs"]
    frame, rows_in = read_catalogue(args.input, args.survey, inputs)
    if inputs["dereddened"]:
        frame = deredden(frame, args.input)
    predictions = predict_table(frame, trained, args.input)
    said = DEREDDENED if inputs["dereddened"] else ""
    return predictions, said + _account(rows_in, len(frame), predictions)


def _densities_file(output: Path) -> Path:
    """Return where the densities of a table go: RUN.pdf.h5 beside RUN.parquet."""
    name = output.name.lower()
    endings = [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]
    longest = max((suffix for suffix in endings if name.endswith(suffix)), key=len)
    return output.with_name(f"{output.name[: -len(longest)]}.pdf.h5")


def _account(rows_in: int, rows_kept: int, predictions: pd.DataFrame) -> str:
    """Return the line that accounts for every row of the table."""
    without = int(predictions["z_phot"].isna().sum())
    flagged = int((predictions["flags"] != 0).sum())
    return (
        f"{rows_in} rows in, {rows_in - rows_kept} left out as duplicates, "
        f"{len(predictions)} out, {without} without an answer "
        f"(not measured in every band), {flagged} with flags\n"
    )
