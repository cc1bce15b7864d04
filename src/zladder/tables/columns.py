"""The standard columns of zladder: type, unit and UCD of each name, in one list."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# UCD words of the optical: U 300-400, B 400-500, V 500-600, R 600-750, I 750-1000 nm;
# a band belongs to the word of its central wavelength.
BAND_WORDS = {
    "u": "em.opt.U",
    "g": "em.opt.B",
    "r": "em.opt.R",
    "i": "em.opt.I",
    "z": "em.opt.I",
    "y": "em.opt.I",
}
QUANTILES_PERCENT = (1, *range(5, 100, 5), 99)  # the 21 quantiles of a redshift PDF


@dataclass(frozen=True)
class Column:
    """One standard column; ``unit`` is empty where a quantity has none."""

    name: str
    dtype: str
    unit: str
    ucd: str
    description: str


_PHOT = "src.redshift.phot"
_SINGLE = [
    Column("object_id", "int64", "", "meta.id;meta.main", "identifier"),
    Column("ra", "float64", "deg", "pos.eq.ra;meta.main", "right ascension, ICRS"),
    Column("dec", "float64", "deg", "pos.eq.dec;meta.main", "declination, ICRS"),
    Column("_healpix_29", "int64", "", "pos.healpix", "HEALPix cell of order 29, nested"),
    Column("part", "str", "", "meta.id;meta.dataset", "the survey's part of the row or its image"),
    Column("z_true", "float32", "", "src.redshift", "label: the redshift taken as true"),
    Column("z_true_err", "float32", "", "stat.error;src.redshift",
           "error of the label; NaN if not known"),
    Column("z_true_kind", "str", "", "meta.code", "kind of label: spec, photo or mock"),
    Column("z_true_origin", "str", "", "meta.bib;src.redshift",
           "where the label comes from: SURVEY/PART and its version"),
    Column("z_phot", "float32", "", f"{_PHOT};meta.main", "photometric redshift"),
    Column("z_mode", "float32", "", _PHOT, "mode of the PDF"),
    Column("z_mean", "float32", "", f"{_PHOT};stat.mean", "mean of the PDF"),
    Column("z_median", "float32", "", f"{_PHOT};stat.median", "median of the PDF"),
    Column("z_phot_std", "float32", "", f"stat.error;{_PHOT}", "standard deviation of the PDF"),
    Column("z_skew", "float32", "", f"stat.value;{_PHOT}", "skewness of the PDF"),
    Column("z_kurt", "float32", "", f"stat.value;{_PHOT}", "excess kurtosis of the PDF"),
    Column("z_lo68", "float32", "", f"{_PHOT};stat.min", "lower end of the 68 % interval"),
    Column("z_hi68", "float32", "", f"{_PHOT};stat.max", "upper end of the 68 % interval"),
    Column("z_lo90", "float32", "", f"{_PHOT};stat.min", "lower end of the 90 % interval"),
    Column("z_hi90", "float32", "", f"{_PHOT};stat.max", "upper end of the 90 % interval"),
    Column("conf_003", "float32", "", f"stat.probability;{_PHOT}",
           "PDF within 0.03 (1 + z) of the point estimate"),
    Column("flags", "uint32", "", "meta.code.qual", "quality bits"),
    Column("ebv_mag", "float32", "mag", "phys.absorption.gal", "E(B-V) of the Milky Way"),
]  # fmt: skip
_QUANTILES = [
    Column(f"z_q{percent:02d}", "float32", "", f"stat.percentile;{_PHOT}",
           f"{percent} % quantile of the PDF")
    for percent in QUANTILES_PERCENT
]  # fmt: skip
STANDARD = {column.name: column for column in (*_SINGLE, *_QUANTILES)}

# Families with one column a band; {band} is any name of a band, as HSC's or another's.
_FAMILIES = {
    "mag_err_{band}": Column("", "float32", "mag", "stat.error;phot.mag;{word}",
                             "error of the AB magnitude in {band}"),
    "mag_limit_{band}": Column("", "float32", "mag", "phot.mag;stat.max;{word}",
                               "AB magnitude that what is not detected in {band} is fainter than"),
    "mag_{band}": Column("", "float32", "mag", "phot.mag;{word}", "AB magnitude in {band}"),
    "extinction_{band}": Column("", "float32", "mag", "phys.absorption.gal;{word}",
                                "Galactic extinction in {band}"),
    "psf_fwhm_arcsec_{band}": Column("", "float32", "arcsec", "instr.obsty.seeing;{word}",
                                     "width of the point-spread function in {band}"),
    "flux_{band}_njy": Column("", "float32", "nJy", "phot.flux.density;{word}",
                              "flux density in {band}"),
}  # fmt: skip


def standard_column(name: str) -> Column | None:
    """Return the description of a standard column, or None if the name is not one."""
    if name in STANDARD:
        return STANDARD[name]
    for pattern, family in _FAMILIES.items():
        match = re.fullmatch(pattern.replace("{band}", "(?P<band>[A-Za-z0-9]+)"), name)
        if match:
            band = match["band"]
            word = BAND_WORDS.get(band, "em.opt")
            return replace(
                family, name=name, ucd=family.ucd.format(word=word),
                description=family.description.format(band=band),
            )  # fmt: skip
    return None


def standard_names(bands: Iterable[str]) -> list[str]:
    """Return every standard name for these bands (for hints and documentation)."""
    return [*STANDARD, *(p.format(band=band) for band in bands for p in _FAMILIES)]


def units_of(names: Iterable[str]) -> dict[str, str]:
    """Return name -> unit for those of the names that are standard and have a unit."""
    found = (standard_column(name) for name in names)
    return {column.name: column.unit for column in found if column and column.unit}


def ucds_of(names: Iterable[str]) -> dict[str, str]:
    """Return name -> UCD for those of the names that are standard."""
    found = (standard_column(name) for name in names)
    return {column.name: column.ucd for column in found if column}
