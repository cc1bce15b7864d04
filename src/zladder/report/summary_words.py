"""The fixed words of the first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MEANINGS = {
    "sigma_nmad": "the typical error of a redshift, in units of 1 + z; outliers hardly enter",
    "bias_mean": "how far all redshifts are shifted on average, in units of 1 + z",
    "fout_05": "the fraction of galaxies that are off by more than 0.05 (1 + z)",
    "fout_15": "the fraction of galaxies that are off by more than 0.15 (1 + z)",
}

HOW_TO_READ = (
    ("Numbers", "every metric of every method with intervals and counts, one page a study"),
    (
        "Numbers at a glance",
        "the same as dots with their intervals, networks beside ordinary tools",
    ),
    ("Redshift planes", "all test galaxies, z_phot against z_true"),
    ("Residual curves", "where in redshift the estimates are too high or too low"),
    ("Claims", "published numbers beside ours, with a verdict each"),
    ("Samples", "what the galaxies are: redshifts, magnitudes, colours; who was left out, and why"),
    ("Datasets", "what each holds, split by split: redshifts, light, place on the sky, pixels"),
    ("How it was made", "versions, seeds, run cards, costs, citations: enough to repeat all of it"),
)

SCALES = {
    "test": "as small as it can be, to see that everything runs: the numbers mean little",
    "demo": "a first look that a laptop makes in minutes",
    "small": "large enough to order methods, with intervals",
    "paper": "the sizes of the published studies",
}


def sky_words(about: Mapping[str, Any], all_simulated: bool, any_simulated: bool) -> str:
    """Return what sky this is, and how much of it."""
    sky, scale = about["sky"], about["scale"]
    made = (
        "The galaxies are simulated: real spectra through real filter curves, with dust and "
        "noise, written in the formats of the real surveys, so that their true redshifts are known."
    )
    real = "The galaxies are real ones, with measured redshifts as labels."
    mixed = f"{made} One or more studies look at real galaxies as well; their titles say so."
    words = made if all_simulated else mixed if any_simulated else real
    return f"Sky “{sky}”, scale “{scale}” ({SCALES.get(scale, 'its own')}). {words}"
