"""The tables on the page of the mock sky; every cell is escaped, none needs another table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from zladder.config.names import AT_CHANCE, BAND_ORDER, LEAK, NOT_COMPARED, QUIET
from zladder.report.markup import Html, joined, tag
from zladder.report.mock_truth import NO_ID
from zladder.report.numerals import count_cell, dash, decimals_for, fixed, interval_text
from zladder.report.page import paragraph, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

NOT_KNOWN = "no number"
PLAIN_GALAXY = "nothing of the kind"
# The identifier that an object has in a catalogue: -1, or an empty name, where it is not listed.
LISTS = {"objID": "SDSS-like", "object_id": "HSC-like", "cosmos_id": "many-band",
         "specz_name": "spectroscopic"}  # fmt: skip
# {verdict of a check: how its badge looks}
LOOKS = {LEAK: "bad", QUIET: "good", AT_CHANCE: "good", NOT_COMPARED: "none"}


def quantile_table(compared: pd.DataFrame) -> Html:
    """Return the quantiles of `mock_samples.compare_quantiles`, ours beside the real ones."""
    rows = []
    for row in compared.to_dict("records"):
        is_z = row["column"] == "z_true"
        off = row["difference"]
        shown = _percent(off) if is_z else f"{fixed(off, 3, signed=True)} mag"
        rows.append([
            row["sample"], tag("code", row["column"]), tag("td", f"{row['percent']} %", class_="n"),
            _interval(row["ours"], row["lo95"], row["hi95"]),
            _number(row["real"], 4 if is_z else 3),
            tag("td", shown, class_="n"), _within(row["within"]),
        ])  # fmt: skip
    head = [
        "sample",
        "column",
        *_right("below", "ours", "real", "ours against real"),
        "within 15 %",
    ]
    note = (
        "In brackets the 95 % interval that the sample's size leaves. z: 15 % of the value. "
        "Magnitudes: 15 % of the flux, 0.152 mag; of the magnitude itself it would be 3."
    )
    return joined(table(head, rows), paragraph(note, kind="note"))  # fmt: skip


def frame_table(measured: pd.DataFrame, depth_mag: Mapping[str, float]) -> Html:
    """Return noise, PSF and depth of each band, measured over put in; medians over the frames.

    Parameters
    ----------
    measured
        As of `frame_check.check_frames`.
    depth_mag
        {band: the setting}.
    """
    rows = []
    for band in sorted(measured["band"].unique(), key=BAND_ORDER.index):
        frames = measured[measured["band"] == band]
        noise = frames["sky_sigma_measured_nmgy"] / frames["sky_sigma_nmgy"]
        width = frames["psf_fwhm_measured_arcsec"] / frames["psf_fwhm_arcsec"]
        rows.append([
            tag("code", band), count_cell(len(frames)), count_cell(frames["n_stars"].sum()),
            _ratio(noise), _ratio(width), _number(_median(frames["psf_fwhm_measured_arcsec"]), 3),
            _number(_median(frames["depth_measured_mag"]), 2), _number(depth_mag[band], 2),
        ])  # fmt: skip
    head = ["band", *_right("frames", "stars", "noise / put in", "FWHM / put in",
                            "FWHM (arcsec)", "5σ depth (mag)", "its setting")]  # fmt: skip
    note = ("Medians over the frames; below a ratio the farthest frame. Nights differ in seeing "
            "and sky: the setting is that of the median night.")  # fmt: skip
    return joined(table(head, rows), paragraph(note, kind="note"))


def contaminant_table(truth: pd.DataFrame) -> Html:
    """Return how many objects of each kind the catalogues list.

    Parameters
    ----------
    truth
        ``contaminant`` (empty: none of them) and the identifiers of `LISTS`.
    """
    kinds = truth["contaminant"].fillna("").astype(str)
    lists = {column: words for column, words in LISTS.items() if column in truth}
    rows = [
        [
            kind or PLAIN_GALAXY,
            *[count_cell(int((_is_listed(truth[column]) & (kinds == kind)).sum()), data_kind=kind,
                         data_list=column) for column in lists],
            count_cell(int((kinds == kind).sum()), data_kind=kind, data_list="all"),
        ]
        for kind in sorted(set(kinds), key=lambda kind: (kind != "", kind))
    ]  # fmt: skip
    return table(["what it is", *_right(*lists.values(), "in the truth")], rows)


def _is_listed(identifier: pd.Series) -> pd.Series:
    if identifier.dtype.kind in "iuf":
        return identifier != NO_ID
    return identifier.fillna("").astype(str) != ""


def realism_table(found: pd.DataFrame) -> Html:
    """Return colours, sizes and shares beside published values: ``realism.parquet``."""
    rows = [
        [
            row["quantity"], row["where"], _interval(row["ours"], row["lo95"], row["hi95"]),
            _published(row["published"]), _within(row["within"]),
            tag("td", row["source"], style="min-width: 220px"),
        ]
        for row in found.to_dict("records")
    ]  # fmt: skip
    head = ["quantity", "where", *_right("ours", "published"), "within", "source"]
    return table(head, rows, class_="wrap")


def label_table(found: pd.DataFrame) -> Html:
    """Return how good the many-band labels are in each case: ``labels.parquet``."""
    metrics = [name for name in ("sigma_nmad", "bias_mean", "bias_median", "fout_15",
                                 "error_correlation") if name in found]  # fmt: skip
    rows = [
        [row["case"], count_cell(row["n"]),
         *[_number(row[name], 4, signed=name.startswith(("bias", "error"))) for name in metrics]]
        for row in found.to_dict("records")
    ]  # fmt: skip
    heads = [tag("th", tag("code", name), class_="n") for name in metrics]
    return table(["case", *_right("n"), *heads], rows)


def blend_words(found: pd.DataFrame) -> list[str]:
    """Return a sentence a case: how many of the labels' outliers blends explain.

    Blends explain what goes if blended galaxies are left out; other outliers among them do not.
    """
    words = []
    for row in found.to_dict("records"):
        parts = [row[name] for name in ("fout_15", "fout_15_unblended", "outliers_blended")]
        if not _known(row["blended"], *parts):
            continue
        whole, without, of_outliers = parts
        words.append(
            f"{row['case']}: {100 * row['blended']:.1f} % of the labelled galaxies have a "
            f"neighbour's light in the aperture, and {100 * of_outliers:.0f} % of the outliers "
            f"beyond 0.15; without them fout_15 is {fixed(without, 4)} instead of "
            f"{fixed(whole, 4)}."
        )
    return words


def pit_table(found: Mapping[str, pd.DataFrame], estimated: Mapping[str, Sequence[str]]) -> Html:
    """Return how flat each oracle's PIT is: ``{study}.pit.parquet``, {study: table}.

    ``estimated`` are the test sets of each study whose oracle is not exact.
    """
    rows = [
        [
            study, row["dataset"], row["against"],
            "estimated" if row["dataset"] in estimated[study] else "exact",
            count_cell(row["n"], data_pit=study), tag("td", _p_value(row["p_value"]), class_="n"),
            count_cell(row["bins_outside"]), "flat" if row["is_flat"] else "not flat",
        ]
        for study, flat in found.items()
        for row in flat.to_dict("records")
    ]  # fmt: skip
    right = _right("galaxies", "p", "bins outside")
    note = paragraph(
        "p: Kolmogorov-Smirnov against uniform; flat from 0.01 on, so that one honest oracle in a "
        "hundred is called not flat. Bins outside: of 20, those that leave the band that holds "
        "99 % of the bins of a flat PIT. Against the label no oracle of photometric labels need "
        "be flat.", kind="note",
    )  # fmt: skip
    head = ["study", "test set", "against", "oracle", *right, "PIT"]
    return joined(table(head, rows), note)


def leak_table(found: Mapping[str, pd.DataFrame]) -> Html:
    """Return the leak alarm of each study: ``leaks.parquet``, {study: table}."""
    rows = [
        [
            study, row["method"], row["dataset"], row["score"], count_cell(row["n"]),
            _number(row["mean_model"], 4, signed=True), _number(row["mean_oracle"], 4, signed=True),
            _with_error(row["difference"], row["se"]),
            tag("td", _p_value(row["p_value"]), class_="n"), _verdict(row["verdict"]),
        ]
        for study, alarm in found.items()
        for row in alarm.to_dict("records")
    ]  # fmt: skip
    right = _right("n", "model", "oracle", "difference ± se", "p")
    head = ["study", "method", "dataset", "score", *right, "verdict"]  # fmt: skip
    return table(head, rows)


def side_table(found: pd.DataFrame) -> Html:
    """Return what identifiers, order and places tell of the redshift: ``side_information``."""
    rows = [
        [row["sample"], row["source"], count_cell(row["n"]), _number(row["share_correct"], 3),
         tag("td", _p_value(row["p_value"]), class_="n"), _verdict(row["verdict"])]
        for row in found.to_dict("records")
    ]  # fmt: skip
    head = ["sample", "source", *_right("n", "put on the right side", "p"), "verdict"]
    return table(head, rows)


def _right(*names: str) -> list[Html]:
    return [tag("th", name, class_="n") for name in names]


def _known(*values: Any) -> bool:
    return all(isinstance(value, int | float) and math.isfinite(value) for value in values)


def _number(value: Any, decimals: int, *, signed: bool = False) -> Html:
    """Return a cell with a number, all its digits in the title; a dash for none."""
    if not _known(value):
        return tag("td", dash(NOT_KNOWN), class_="n")
    return tag("td", fixed(value, decimals, signed=signed), class_="n", title=repr(float(value)))


def _with_error(value: Any, error: Any) -> Html:
    if not _known(value, error):
        return tag("td", dash(NOT_KNOWN), class_="n")
    return tag("td", f"{fixed(value, 4, signed=True)} ± {fixed(error, 4)}", class_="n")


def _interval(value: float, low: float, high: float) -> Html:
    return tag("td", interval_text(value, low, high), class_="n", title=repr(float(value)))


def _published(value: Any) -> Html:
    """Return a published number as it stands there, words as words."""
    if isinstance(value, str):
        return tag("td", value, class_="n")
    return tag("td", f"{value:g}", class_="n") if _known(value) else tag("td", dash(NOT_KNOWN))


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 1, signed=True)} %" if _known(share) else "–"


def _median(values: pd.Series) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _ratio(values: pd.Series) -> Html:
    """Return the median of a ratio, below it the value that is farthest from 1."""
    known = values[np.isfinite(values)]
    if known.empty:
        return tag("td", dash("no star served"), class_="n")
    middle, far = float(np.median(known)), float(known.iloc[int(np.argmax(np.abs(known - 1)))])
    decimals = decimals_for(middle - 0.01, middle + 0.01, 4)
    below = tag("span", fixed(far, decimals), class_="sub")
    return tag("td", fixed(middle, decimals), below, class_="n", title=repr(middle))


def _within(value: Any) -> Html:
    """Return whether a number is where it should be; a dash where nothing was asked."""
    if isinstance(value, bool | np.bool_):
        word, look = ("within", "good") if value else ("outside", "bad")
        return tag("td", tag("span", word, class_=f"badge {look}"))
    return tag("td", dash("no range was published, or none is asked for"))


def _verdict(word: str) -> Html:
    return tag("td", tag("span", word, class_=f"badge {LOOKS[word]}"))


def _p_value(value: Any) -> str:
    return f"{value:.2g}" if _known(value) else "–"
