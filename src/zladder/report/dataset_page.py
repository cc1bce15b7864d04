"""The page of a dataset: which galaxies, how bright, where, their pixels, and its splits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from zladder.report.cutflow_page import datasets_section
from zladder.report.dataset_pixels import ANY_BAND, PERCENTS
from zladder.report.dataset_splits import N_EXCHANGES
from zladder.report.markup import Html, joined, tag
from zladder.report.numerals import count, count_cell, dash, fixed
from zladder.report.page import folded, page, paragraph, section, table, wide_image
from zladder.report.pixel_counts import STAMP_RULES, image_datasets_section, stamps_section
from zladder.report.records import of_rule
from zladder.report.sky_area import FEWEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from zladder.report.records import Record
    from zladder.report.sky_area import Area

SMALL_P = 0.01
NO_LABEL = "no galaxy here has a label"
NO_SKY = "no positions, or no other split"
NO_COMPARISON = "one of both has no numbers"


def dataset_page(
    about: Mapping[str, Any],
    figures: Mapping[str, Path],
    tables: Mapping[str, pd.DataFrame],
    records: Sequence[Record],
) -> str:
    """Return the page.

    Parameters
    ----------
    about
        ``dataset``, ``surveys`` (titles), ``samples``; ``area``: as of `show_dataset`.
    figures
        ``light``, ``sky`` and, of images, ``pixels`` and ``wall``: PNG files.
    tables
        As of `show_dataset`.
    records
        Sidecars of datasets and of stamps; others than this one's are left out.
    """
    name, splits = about["dataset"], tables["splits"]
    n_galaxies = int(splits.loc[~splits["part"].str.contains("%"), "n"].sum())
    area = about["area"]
    where = f" on {_three_digits(area.deg2)} deg²" if area else ""
    lead = f"{count(n_galaxies)} galaxies{where}: {'; '.join(about['surveys'])}."
    return page(
        f"The dataset {name}",
        lead,
        *_counts(name, about["samples"], records),
        _light(name, figures["light"], splits),
        _compared(tables["columns"]),
        _sky(name, figures["sky"], splits, area),
        _colour(name, figures.get("wall")),
        _pixels(name, figures, tables),
        _source(name, tables),
    )


def _counts(name: str, samples: Sequence[str], records: Sequence[Record]) -> list[Html | None]:
    """Return what came in and went out, from the sidecars."""
    own = [record for record in of_rule(records, "build_dataset", "build_image_dataset")
           if record.subject == name]  # fmt: skip
    cut = [record for record in of_rule(records, *STAMP_RULES)
           if record.path.parent.name in samples]  # fmt: skip
    plain = of_rule(own, "build_dataset")
    images = image_datasets_section(own)
    return [datasets_section(plain) if plain else None, images, stamps_section(cut) if images
            else None]  # fmt: skip


def _light(name: str, figure: Path, splits: pd.DataFrame) -> Html:
    labelled = bool(splits["n_labelled"].any())
    words = (
        f"{name}: histograms of {'redshift by split and by kind of label, of ' if labelled else ''}"
        "magnitudes and of signal-to-noise by band, seeing and noise of the sky by split, and the "
        "distance of each split from the training galaxies"
    )
    of_labels = "Redshifts by split have the area 1 each, so that their shapes can be compared. "
    caption = (of_labels if labelled else "") + (
        "Signal-to-noise is 1.0857 over the error of the magnitude; a dashed line is at 5. "
        "Seeing is the width (FWHM) of the point-spread function, sky noise that of a pixel of the "
        "sky: of image datasets those of the stamps, in the middle band. "
        "Right: the largest distance of two cumulative distributions, beside what whole cells "
        "of the sky give that are dealt out anew; a filled mark is beyond 99 % of these deals."
    )
    head = ["part", *_right("galaxies", "sky cells", "with a label", "z_true 16 %", "50 %", "84 %",
                            "nearest of another split")]  # fmt: skip
    rows = [
        [
            row["part"], count_cell(row["n"], data_part=row["part"], data_count="n"),
            count_cell(row["n_cells"], "no positions"), count_cell(row["n_labelled"]),
            *[_number(row[f"z_p{percent}"], 3, NO_LABEL) for percent in (16, 50, 84)],
            _arcsec(row["nearest_other_arcsec"]),
        ]
        for row in splits.to_dict("records")
    ]  # fmt: skip
    shares = splits.loc[splits["part"].str.contains("%"), "part"]
    note = (
        f"“{shares.iloc[0]}” are the training galaxies whose labels a network with this share of "
        "them is given; a smaller share lies inside every larger one."
        if len(shares)
        else ""
    )
    fractions = paragraph(note, kind="note") if note else None
    return section(
        "Redshifts and light", wide_image(figure, words, caption), table(head, rows), fractions
    )


def _compared(compared: pd.DataFrame) -> Html:
    """Return in words and numbers whether the splits are alike."""
    heading = "Are the splits alike?"
    if compared.empty:
        return section(heading, paragraph("There is one split: nothing to compare."))
    known = compared["p_cells"].notna()
    small = compared[known & (compared["p_cells"] < SMALL_P)]
    naive = int((compared["p_galaxies"] < SMALL_P).sum())
    found = ", ".join(f"{row['column']} of {row['split']}" for row in small.to_dict("records"))
    words = (
        f"Of {int(known.sum())} comparisons with the training galaxies, {len(small)} have p < "
        f"{SMALL_P:g}{f' ({found})' if found else ''}; chance alone gives about "
        f"{SMALL_P * int(known.sum()):.1f}. The columns are not independent of each other."
    )
    note = (
        "D: two-sample Kolmogorov–Smirnov statistic. Galaxies of one cell of the sky share depth, "
        "dust and neighbours, and a split takes whole cells: the usual p, which takes every galaxy "
        f"for independent, is too small ({naive} below {SMALL_P:g}). p (cells) is the share of "
        f"{N_EXCHANGES + 1} deals of whole cells to the splits, the real one among them, with a D "
        f"at least as large; it cannot be below {1 / (N_EXCHANGES + 1):.3g}. "
        "Where there are no positions, each galaxy is a cell."
    )
    head = ["column", "split", *_right("n train", "n split", "no number", "D", "95 % by chance",
                                       "p (cells)", "p (galaxies)")]  # fmt: skip
    rows = [
        [
            tag("code", row["column"]), row["split"], count_cell(row["n_train"]),
            count_cell(row["n_split"]), count_cell(row["n_no_number"]),
            _number(row["ks"], 4, NO_COMPARISON), _number(row["ks_by_chance95"], 4, NO_COMPARISON),
            _number(row["p_cells"], 3, NO_COMPARISON), _p_value(row["p_galaxies"]),
        ]
        for row in compared.to_dict("records")
    ]  # fmt: skip
    return section(heading, paragraph(words), folded("Every comparison", table(head, rows)),
                   paragraph(note, kind="note"))  # fmt: skip


def _sky(name: str, figure: Path, splits: pd.DataFrame, area: Area | None) -> Html:
    if splits["n_cells"].isna().all():
        return section("On the sky", paragraph("The survey gives no positions."))
    words = f"{name}: maps of all galaxies, and of one place with the cells of its splits"
    caption = (
        "Left, a map on which equal areas are equal: a step has the colour of the split with most "
        "galaxies in it. Right, one place: cells in the colour of their split, white where the "
        "dataset has no galaxy; squares are stamps at their size, dots galaxies without one."
    )
    if area:
        caption += (
            f" Together they cover {_three_digits(area.deg2)} deg² "
            f"({_three_digits(area.n_galaxies / area.deg2)} galaxies per deg²): the HEALPix cells "
            f"of order {area.order} that hold a galaxy, the finest with {FEWEST:g} on average; "
            "what lies beside an edge in such a cell is counted too."
        )
    return section("On the sky", wide_image(figure, words, caption))


def _colour(name: str, figure: Path | None) -> Html | None:
    if figure is None:
        return None
    words = f"{name}: a grid of galaxies in colour, in the order of their redshifts"
    caption = ("Three bands as red, green and blue with the stretch of Lupton et al. 2004, on one "
               "scale; the bar in the first stamp tells the size.")  # fmt: skip
    return section("Galaxies in colour", wide_image(figure, words, caption))


def _pixels(
    name: str, figures: Mapping[str, Path], tables: Mapping[str, pd.DataFrame]
) -> Html | None:
    if "pixels" not in figures:
        return None
    words = f"{name}: histograms of the pixels' values by band, as cut and as seen, and flags"
    pixels, flags = tables["pixel_values"], tables["flags"]
    caption = (
        f"{count(pixels['n_stamps'].iloc[0])} stamps, in blocks spread evenly over the files. As "
        "seen: dust taken out, over twice the noise of the sky, stretched, without augmentation. "
        "Pixels that are stored as codes are spread over what their code stands for."
    )
    head = ["what", "band", *_right(*[_percent_words(percent) for percent in PERCENTS])]
    rows = [
        [row["what"], tag("code", row["band"]),
         *[tag("td", f"{row[f'p{percent:g}']:.3g}".replace("-", "−"), class_="n")
           for percent in PERCENTS]]
        for row in pixels.to_dict("records")
    ]  # fmt: skip
    return section("Pixels", wide_image(figures["pixels"], words, caption),
                   folded("Quantiles of the pixels", table(head, rows)), _flags(flags))  # fmt: skip


def _flags(flags: pd.DataFrame) -> Html:
    """Return how many stamps carry each bit, in each band."""
    bands = list(dict.fromkeys(flags["band"]))
    head = ["flag", *_right(*["any band" if band == ANY_BAND else band for band in bands])]
    rows = [
        [tag("code", flag), *[count_cell(int(found.set_index("band").loc[band, "n_flagged"]),
                                         data_flag=flag, data_band=band) for band in bands]]
        for flag, found in flags.groupby("flag", sort=False)
    ]  # fmt: skip
    n_stamps = count(flags["n"].iloc[0])
    note = f"Stamps, of {n_stamps}, with a bit set; what the bits mean stands in docs/formats.md."
    return joined(table(head, rows), paragraph(note, kind="note"))


def _source(name: str, tables: Mapping[str, pd.DataFrame]) -> Html:
    """Return where the numbers of this page stand, and what made them."""
    files = [tag("code", f"report/{name}.{kind}.parquet") for kind in tables]
    listed = joined(*[part for file in files for part in (file, ", ")][:-1])
    return section("Where this comes from", paragraph(
        "The numbers stand in ", listed, "; the rule ", tag("code", "plot_datasets"),
        " made them with ", tag("code", "zladder.report.dataset_shown.show_dataset"),
        ". The command that repeats it is the first line of its log; the dataset's own stands on "
        "“Provenance”."))  # fmt: skip


def _right(*names: str) -> list[Html]:
    return [tag("th", name, class_="n") for name in names]


def _number(value: float, decimals: int, reason: str) -> Html:
    shown = fixed(value, decimals) if math.isfinite(value) else dash(reason)
    return tag("td", shown, class_="n")


def _p_value(value: float) -> Html:
    if not math.isfinite(value):
        return tag("td", dash(NO_COMPARISON), class_="n")
    return tag("td", f"{value:.3f}" if value >= 0.001 else f"{value:.0e}".replace("-", "−"),
               class_="n")  # fmt: skip


def _arcsec(value: float) -> Html:
    return tag("td", f"{value:.1f}″" if math.isfinite(value) else dash(NO_SKY), class_="n")


def _three_digits(value: float) -> str:
    """Return a positive number to three digits, all of those before the point."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def _percent_words(percent: float) -> str:
    return {0.0: "least", 50.0: "median", 100.0: "most"}.get(percent, f"{percent:g} %")
