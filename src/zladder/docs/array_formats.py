"""The parts of docs/formats.md about features and densities: HDF5 with one row a galaxy."""

from __future__ import annotations

from zladder.docs.markdown import code, table
from zladder.pdf.pdf_file import PDF_SCHEMA
from zladder.train.embed import EXTRA_EBV_MAG, FEATURES_SCHEMA

FEATURES_OPENING = f"""\
`features/RUN.h5` holds what the encoder of a run says of each galaxy of a dataset, D numbers each,
in the order of the dataset. Attributes: `schema` (`{FEATURES_SCHEMA}`), `run`, `dataset`, `bands`,
`extra_ebv_mag` ({EXTRA_EBV_MAG:g})."""

# dataset: (type, shape, meaning)
FEATURES = {
    "object_id": ("i8", "(N)", "identifier"),
    "features": ("f4", "(N, D)", "of the stamp, cropped about its centre"),
    "reddened": (
        "f4",
        "(N, D)",
        f"the same behind {EXTRA_EBV_MAG:g} mag more of E(B-V); NaN but for the test galaxies",
    ),
    "copies": (
        "f4",
        "(N, K, D)",
        "of K turned or mirrored stamps of each training galaxy, for heads; NaN for others",
    ),
}

PDF_OPENING = f"""\
`predictions/RUN.pdf.h5` holds the densities of a classifier, one row an object of the predictions,
in their order. Attributes: `schema` (`{PDF_SCHEMA}`), `run`, `kind` (`classes`), `unit`
(`probability per unit redshift`). Class k is [edges[k], edges[k + 1])."""

PDF = {
    "object_id": ("i8", "(N)", "identifier"),
    "edges": ("f8", "(C + 1)", "edges of the C classes in redshift"),
    "pdf": (
        "f4",
        "(N, C)",
        "density, constant within a class: its sum times the widths is 1; NaN without an answer",
    ),
}


def features_section() -> list[str]:
    """Return opening and table of a file of features."""
    return [FEATURES_OPENING, _datasets(FEATURES)]


def pdf_section() -> list[str]:
    """Return opening and table of a file of densities."""
    return [PDF_OPENING, _datasets(PDF)]


def _datasets(words: dict[str, tuple[str, str, str]]) -> str:
    rows = [(code(name), *about) for name, about in words.items()]
    return table(("dataset", "type", "shape", "meaning"), rows)
