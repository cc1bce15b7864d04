"""Settings that are damaged, and what is said of them."""

from __future__ import annotations

import pytest

from zladder.config.references import require_references
from zladder.provenance.errors import BadInput

PIXELS = ("study_files", "label_efficiency")
CLASSES = ("study_files", "class_residuals")
HAYAT, LIN = (f"config/studies/{path[1]}.yaml" for path in (PIXELS, CLASSES))


def put(tree, path, value):
    """Set a value at a path of keys and positions."""
    *way, last = path
    for step in way:
        tree = tree[step]
    tree[last] = value


def refused(tree) -> BadInput:
    """Return how settings are refused."""
    with pytest.raises(BadInput) as caught:
        require_references(tree)
    assert caught.value.hint
    return caught.value
