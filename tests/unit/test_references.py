"""A name that nothing defines is refused where it is mentioned, with the nearest that exists."""

from __future__ import annotations

import pytest

from zladder.config.references import require_references
from zladder.provenance.errors import BadInput


def put(tree, path, value):
    """Set a value at a path of keys and positions."""
    *way, last = path
    for step in way:
        tree = tree[step]
    tree[last] = value


STUDY = ("study_files", "transfer")
CLAIM = ("claim_files", "soriano2024", "claims", "C3-transfer-rms")


@pytest.mark.parametrize(
    ("path", "value", "file", "place", "hint"),
    [
        (("studies", 0), "transfr", "config/config.yaml", "studies", "transfer"),
        (("studies_if_data", 0), "sdss_main", "config/config.yaml", "studies_if_data",
         "sdss_main_sample"),
        ((*STUDY, "networks", "base", "recipe"), "mlp_sorian", "config/studies/transfer.yaml",
         "networks.base.recipe", "mlp_soriano"),
        ((*STUDY, "networks", "base", "dataset"), "photo", "config/studies/transfer.yaml",
         "networks.base.dataset", "photoz"),
        ((*STUDY, "controls", "dataset"), "combind", "config/studies/transfer.yaml",
         "controls.dataset", "combined"),
        ((*STUDY, "test_on", 1), "spec", "config/studies/transfer.yaml", "test_on", "specz"),
        (("datasets", "datasets", "main", "samples", "mock", 0), "mock_man",
         "config/stages/datasets.yaml", "datasets.main.samples.mock", "mock_main"),
        (("catalogs", "samples", "mock_main", "labels"), "mock_sds",
         "config/stages/catalogs.yaml", "samples.mock_main.labels", "mock_sdss"),
        (("catalogs", "samples", "mock_main", "photometry"), "mock_sds",
         "config/stages/catalogs.yaml", "samples.mock_main.photometry", "mock_sdss"),
        ((*CLAIM, "study"), "transfers", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.study", "transfer"),
        ((*CLAIM, "dataset"), "spec", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.dataset", "specz"),
        ((*CLAIM, "worse"), "bas", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.worse", "base"),
        ((*CLAIM, "better"), "transfr", "config/claims/soriano2024.yaml",
         "claims.C3-transfer-rms.better", "transfer"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused(settings, path, value, file, place, hint):
    tree = settings()
    put(tree, path, value)
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    error = caught.value
    assert (error.file, error.place) == (file, place)
    assert error.found == f"'{value}'"
    assert hint in error.expected
    assert error.hint == f"did you mean '{hint}'?"


@pytest.mark.parametrize(
    ("path", "value", "place", "expected"),
    [
        (("catalogs", "samples", "mock_specz", "photometry"), "mock_galaxiesml",
         "samples.mock_specz.photometry", "a survey with bands"),
        (("catalogs", "samples", "mock_main", "labels"), "mock_galaxiesml",
         "samples.mock_main", "the key 'match_radius_arcsec'"),
        ((*STUDY, "networks", "knn"), {"recipe": "mlp_soriano", "dataset": "specz"},
         "networks.knn", "a name of its own"),
    ],
)  # fmt: skip
def test_names_that_cannot_go_together_are_refused(settings, path, value, place, expected):
    tree = settings()
    put(tree, path, value)
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert (caught.value.place, caught.value.expected) == (place, expected)
    assert caught.value.hint
