"""Names of runs, ``STUDY.METHOD-sSEED``, and the words that tables are read by."""

from __future__ import annotations

# What is no method: it knows the population that was simulated, and bounds all methods.
ORACLES = ("oracle", "oracle_structure")

# Verdicts of the leak alarm: of models against the oracle (quiet), of side information (at chance).
LEAK, QUIET, AT_CHANCE, NOT_COMPARED = "leak", "no leak seen", "at chance", "not compared"
# Cases of many-band labels: does their photometry contain the noise that a network sees?
SHARED, INDEPENDENT = "shared", "independent"
# Column of the mock sky's truth: how much of the light in a many-band aperture is a neighbour's.
BLENDED_SHARE = "manyband_blended_share"
FRAME_PLACES = ("simulated", "archive", "folder")  # keys of `frames`: where the images lie
FRAME_NUMBER = "n_fields"  # and how many: what time cutting takes
# A paper's own ways to split: `zladder.tables.split_notes` says what they mean.
BY_GALAXY, VALIDATION_AS_TEST = "by_galaxy", "validation_as_test"
BAND_ORDER = "ugrizy"  # the usual bands, from blue to red


def run_name(study: str, method: str, seed_index: int) -> str:
    """Return the name of a run."""
    return f"{study}.{method}-s{seed_index}"


def seed_index_of(run: str) -> int:
    """Return which of a method's seeds a run has, from 0."""
    return int(run.rsplit("-s", 1)[1])


def method_of(run: str) -> str:
    """Return the method of a run's name: what its seeds have in common."""
    return run.split(".", 1)[1].rsplit("-s", 1)[0]
