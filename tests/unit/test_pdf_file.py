"""Densities on disk: what is written is read, the grid once, damage refused."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from zladder.learning.classes import class_edges
from zladder.learning.extended import extended_edges
from zladder.pdf.pdf_file import ClassPdfs, read_pdfs, write_pdfs
from zladder.provenance.errors import BadInput

OUTPUT = {"kind": "classes", "bins": 180, "range_z": [0.0, 0.4]}


def test_without_extension_the_edges_are_those_of_the_classes():
    np.testing.assert_array_equal(extended_edges(OUTPUT), class_edges(OUTPUT))


def test_the_extension_reaches_as_far_on_each_side():
    # 90 classes of 0.4/180 each: -0.2 to 0.6 (Lin et al. 2022, A&A 662, A36).
    edges = extended_edges(OUTPUT | {"extension_bins": 90})
    assert len(edges) == 361
    assert edges[[0, -1]] == pytest.approx([-0.2, 0.6])
    np.testing.assert_array_equal(edges[90:271], class_edges(OUTPUT))


@pytest.fixture
def pdfs():
    pmf = np.random.default_rng(0).dirichlet(np.ones(4), 5).astype(np.float32)
    pmf[3] = np.nan
    return ClassPdfs(np.arange(5) * 10**17, np.array([-0.1, 0.0, 0.1, 0.3, 0.4]), pmf)


def test_what_is_written_is_read(tmp_path, pdfs):
    path = tmp_path / "run.pdf.h5"
    write_pdfs(path, pdfs, "toy.head-s0")
    again = read_pdfs(path)
    np.testing.assert_array_equal(again.object_id, pdfs.object_id)
    np.testing.assert_array_equal(again.edges, pdfs.edges)
    np.testing.assert_allclose(again.pmf, pdfs.pmf, rtol=1e-6)


def test_the_file_holds_densities_on_their_grid(tmp_path, pdfs):
    path = tmp_path / "run.pdf.h5"
    write_pdfs(path, pdfs, "toy.head-s0")
    with h5py.File(path) as file:
        density, edges = file["pdf"][()], file["edges"][()]
        assert dict(file.attrs) == {
            "schema": "zladder pdf 1", "run": "toy.head-s0", "kind": "classes",
            "unit": "probability per unit redshift",
        }  # fmt: skip
    assert density.dtype == np.float32
    areas = (density * np.diff(edges)).sum(axis=1)
    assert areas[[0, 1, 2, 4]] == pytest.approx(1.0, abs=1e-6)


def test_equal_densities_give_equal_bytes(tmp_path, pdfs):
    for name in "ab":
        write_pdfs(tmp_path / name, pdfs, "r")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def refused(path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_pdfs(path)
    assert caught.value.file == str(path)
    return caught.value


def test_a_missing_file_is_refused(tmp_path):
    error = refused(tmp_path / "none.h5")
    assert (error.place, error.expected, error.found) == ("file", "densities", "no such file")


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "run.pdf.h5"
    path.write_bytes(b"no densities")
    assert refused(path).expected == "datasets object_id, edges, pdf"


def test_another_schema_and_another_grid_are_refused(tmp_path, pdfs):
    path = tmp_path / "run.pdf.h5"
    write_pdfs(path, pdfs, "r")
    with h5py.File(path, "r+") as file:
        del file["edges"]
        file["edges"] = pdfs.edges[:-1]
    error = refused(path)
    assert (error.place, error.expected, error.found) == (
        "dataset 'pdf'", "shape (5, 3)", "(5, 4)",
    )  # fmt: skip
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = "zladder pdf 0"
    assert refused(path).found == "zladder pdf 0"
