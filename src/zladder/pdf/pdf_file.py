"""Redshift densities on disk: HDF5 with the grid once, one row an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np

from zladder.provenance.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

PDF_SCHEMA = "zladder pdf 1"


@dataclass(frozen=True)
class ClassPdfs:
    """The probabilities of redshift classes for N objects.

    Attributes
    ----------
    object_id
        int64 (N,).
    edges
        float64 (bins + 1,), increasing; class k is [edges[k], edges[k + 1]).
    pmf
        float32 (N, bins): probability of each class, rows sum to 1; NaN for an object without an
        answer.
    """

    object_id: np.ndarray
    edges: np.ndarray
    pmf: np.ndarray


def write_pdfs(path: Path, pdfs: ClassPdfs, run: str) -> None:
    """Write densities: `object_id`, `edges`, `pdf`; the same input gives the same bytes.

    `pdf` (N, bins), float32, is the density per unit redshift, constant within a class: its sum
    times the widths of the classes is 1.
    """
    density = (pdfs.pmf / np.diff(pdfs.edges)).astype("<f4")
    with h5py.File(path, "w", track_order=False) as file:
        file.attrs["schema"] = PDF_SCHEMA
        file.attrs["run"] = run
        file.attrs["kind"] = "classes"
        file.attrs["unit"] = "probability per unit redshift"
        file["object_id"] = pdfs.object_id.astype("<i8")
        file["edges"] = pdfs.edges.astype("<f8")
        file["pdf"] = density


def read_pdfs(path: Path) -> ClassPdfs:
    """Return the densities of a file as probabilities of its classes, in the file's order.

    Raises
    ------
    BadInput
        A missing or damaged file, another schema, datasets that do not fit each other.
    """
    hint = "predict the run again (rule predict_classes)"
    if not path.is_file():
        raise BadInput(path, "file", "densities", "no such file", hint)
    try:
        with h5py.File(path, "r") as file:
            schema = file.attrs.get("schema")
            object_id, edges, density = (file[key][()] for key in ("object_id", "edges", "pdf"))
    except (OSError, RuntimeError, KeyError) as error:
        expected = "datasets object_id, edges, pdf"
        raise BadInput(path, "file", expected, str(error).strip("'\""), hint) from error
    if schema != PDF_SCHEMA:
        raise BadInput(path, "attribute 'schema'", f"'{PDF_SCHEMA}'", f"{schema}", hint)
    if density.shape != (len(object_id), len(edges) - 1):
        expected = f"shape {(len(object_id), len(edges) - 1)}"
        raise BadInput(path, "dataset 'pdf'", expected, f"{density.shape}", hint)
    return ClassPdfs(object_id, edges, (density * np.diff(edges)).astype(np.float32))
