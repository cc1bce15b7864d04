"""``zladder predict``: one's own catalogue through a trained run."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zladder.catalogs.select import deredden
from zladder.catalogs.standardize import standardize
from zladder.cli.locate import find_run, model_file
from zladder.config.documents import read_yaml
from zladder.evaluate.predict import predict_table
from zladder.evaluate.trained import load_run
from zladder.provenance.errors import EXIT_DONE, BadInput, require_known
from zladder.provenance.outputs import whole_or_nothing
from zladder.tables.columns import standard_column
from zladder.tables.formats import format_of
from zladder.tables.read import read_table
from zladder.tables.standard import write_standard
from zladder.tables.units import read_units

if TYPE_CHECKING:
    from argparse import _SubParsersAction
    from collections.abc import Mapping

    import pandas as pd

# What a file like config/surveys/NAME.yaml may hold; the first five say nothing about columns.
_SURVEY_KEYS = ("title", "licence", "citation", "source", "like", "name", "bands", "file_format",
                "names", "columns", "extra_columns", "sentinels", "duplicates", "kind")  # fmt: skip

_PHOTOMETRY = ("mag", "mag_err", "extinction")


def add_parser(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add ``predict`` to the subcommands."""
    parser = subparsers.add_parser(
        "predict",
        help="one's own catalogue through a trained run",
        description="Predict redshifts for a catalogue. Without --survey its columns have the "
        "standard names (object_id, mag_g, mag_err_g, ra, dec, z_true, ...: docs/formats.md), "
        "magnitudes are AB, NaN is a band that was not observed, inf one without a detection.",
    )
    parser.add_argument("run_name", metavar="RUN", help="name of a run, or its folder")
    parser.add_argument("table", type=Path, help="CSV, text, FITS, Parquet, VOTable or HDF5")
    parser.add_argument("-o", "--output", type=Path, required=True, help=".parquet, .fits or .vot")
    parser.add_argument("--survey", type=Path, help="a file like config/surveys/NAME.yaml that "
                        "maps the table's own columns, units and sentinels")  # fmt: skip
    parser.add_argument("--results", type=Path, default=Path("results"), help="default: results")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Predict, write the table, and say how many rows went in, came out and carry flags."""
    folder = find_run(args.run_name, args.results)
    trained = load_run(model_file(folder), folder / "card.json")
    inputs = trained.card["inputs"]
    frame = _read(args.table, args.survey, inputs["bands"])
    if inputs["dereddened"]:
        frame = deredden(frame, args.table)
    predictions = predict_table(frame, trained, args.table)
    with whole_or_nothing([args.output]) as [partial]:
        write_standard(predictions, partial, {"run": trained.card["run"]})
    without = int(predictions["z_phot"].isna().sum())
    flagged = int((predictions["flags"] != 0).sum())
    sys.stderr.write(
        f"{len(frame)} rows in, {len(predictions)} out, {without} without an answer "
        f"(not measured in every band), {flagged} with flags\n"
    )
    return EXIT_DONE


def _read(path: Path, survey_file: Path | None, bands: list[str]) -> pd.DataFrame:
    """Return the table in standard columns."""
    if survey_file:
        survey: dict[str, Any] = {"name": survey_file.stem, **read_yaml(survey_file)}
        _require_map(survey, survey_file)
        if survey.get("bands") != bands:
            found = f"bands {survey.get('bands')}"
            hint = "choose a run that was trained on these bands"
            raise BadInput(survey_file, "bands", f"the run's bands {bands}", found, hint)
        raw = read_table(path, survey.get("file_format"), names=survey.get("names"))
    else:
        raw = read_table(path)
        survey = _standard_survey(raw, path, bands)
    _require_units(path, survey)
    return standardize(raw, survey, path, part="all")[0]


def _require_map(survey: Mapping[str, Any], survey_file: Path) -> None:
    """Refuse a survey file without a column map of its own, or with a key that means nothing."""
    for key in survey:
        require_known(key, _SURVEY_KEYS, survey_file, str(key))
    if not isinstance(survey.get("columns"), dict):
        found = "like: " + str(survey["like"]) if "like" in survey else "no such key"
        hint = "give a file with its own 'columns:'"
        raise BadInput(survey_file, "columns", "the map of the columns", found, hint)


def _standard_survey(raw: pd.DataFrame, path: Path, bands: list[str]) -> dict[str, Any]:
    """Return the settings of a table that already has standard column names."""
    names = [name for name in raw.columns if standard_column(name)]
    wanted = ["object_id", "ra", "dec", "z_true", "z_true_err", "ebv_mag"]
    wanted += [f"{kind}_{band}" for kind in _PHOTOMETRY for band in bands]
    missing = [f"mag_{band}" for band in bands if f"mag_{band}" not in names]
    if missing:
        found = ", ".join(map(str, raw.columns))
        hint = "rename the columns, or map them with --survey FILE.yaml"
        raise BadInput(path, f"column '{missing[0]}'", f"the run's bands {bands}", found, hint)
    columns: dict[str, Any] = {name: name for name in wanted if name in names}
    columns.setdefault("object_id", {"from": "content"})
    sentinels = {"nan": "not_observed", "inf": "not_detected"}
    if format_of(path) in ("fits", "votable"):  # as write_table writes them there
        sentinels |= {"99.0": "not_detected", "-99.0": "not_observed"}
    return {"name": path.name, "bands": bands, "columns": columns, "sentinels": sentinels,
            "kind": "spec"}  # fmt: skip


def _require_units(path: Path, survey: Mapping[str, Any]) -> None:
    """Refuse a column whose file says another unit than the map does."""
    written = read_units(path, survey.get("file_format") or format_of(path))
    for name, source in survey["columns"].items():
        native = source if isinstance(source, str) else source.get("native")
        described = standard_column(name)
        declared = source.get("unit") if isinstance(source, dict) else None
        unit = declared or (described.unit if described else "")
        found = written.get(native or "", unit)
        if unit and not _same_unit(found, unit):
            hint = (
                f"convert it, or map it with --survey: {name}: {{native: {native}, unit: {found}}}"
            )
            raise BadInput(
                path, f"column '{native}'", f"the unit {unit}", f"the unit {found}", hint
            )


def _same_unit(found: str, wanted: str) -> bool:
    """Return whether two unit texts mean the same; AB magnitudes may be written mag(AB)."""
    plain = {"mag(ab)": "mag", "abmag": "mag", "degree": "deg", "degrees": "deg"}
    names = [plain.get(text.strip().lower(), text.strip().lower()) for text in (found, wanted)]
    return names[0] == names[1]
