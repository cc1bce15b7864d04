"""Which frames a sky has, told by its settings alone: fields, shards, file names. Nothing heavy.

Frames are overdense. The real sky has a few main-sample galaxies in a frame, the mock packs
`galaxies_per_field` into one, so that a thousand galaxies cost one frame and not three hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

RERUN = 301  # of the frames that SDSS published last; part of every object's identifier
FIRST_FIELD = 11
# Rows of SDSS's frames along the scan: 1361 of its own a field, and 128 that the next begins with.
FRAME_ROWS, SHARED_ROWS = 1489, 128
N_CAMCOLS = 6
FRAME_NAME = "{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits"
FRAME_SUFFIXES = {"none": "", "bz2": ".bz2"}  # by imaging.compression
# what painting the frames reads of the survey's settings, beside the seed
_RENDERED = ("n_main", "n_deep", "sky", "imaging")
_RENDERED_OF_SDSS = ("filters", "electron_mag")


class FieldNumber(NamedTuple):
    """How a field is called: all five bands of it have these numbers."""

    run: int
    camcol: int
    field: int


def field_numbers(survey: Mapping[str, Any]) -> list[FieldNumber]:
    """Return the fields of the labelled main sample, then those of the deeper one.

    Parameters
    ----------
    survey
        The survey stage's settings: ``n_main``, ``n_deep`` and ``imaging`` are read. Each sample
        has a run of its own, so that no stamp of one shows a galaxy of the other.
    """
    imaging = survey["imaging"]
    per_field = imaging["galaxies_per_field"]
    fields: list[FieldNumber] = []
    for run, wanted in (
        (imaging["main_run"], survey["n_main"]),
        (imaging["deep_run"], survey["n_deep"]),
    ):
        n_fields = -(-wanted // per_field)
        fields += [FieldNumber(run, 1 + i % N_CAMCOLS, FIRST_FIELD + i) for i in range(n_fields)]
    return fields


def fields_of_shard(survey: Mapping[str, Any], shard: int, n_shards: int) -> list[FieldNumber]:
    """Return the fields dealt to a shard: those whose number leaves it as the rest."""
    return [number for number in field_numbers(survey) if number.field % n_shards == shard]


def frame_name(number: FieldNumber, band: str, compression: str = "none") -> str:
    """Return where a frame lies below the folder of frames, as in SDSS's archive."""
    plain = FRAME_NAME.format(run=number.run, camcol=number.camcol, field=number.field, band=band)
    return plain + FRAME_SUFFIXES[compression]


def rendering_settings(survey: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the survey's settings that painting the frames depends on."""
    sdss = {key: survey["sdss"][key] for key in _RENDERED_OF_SDSS}
    return {**{key: survey[key] for key in _RENDERED}, "sdss": sdss}


def tile_settings(survey: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the survey's settings that painting the CFHTLS-like tiles depends on."""
    return {key: survey[key] for key in ("n_photoz", "n_specz", "sky", "cfhtls")}


def stamp_settings(survey: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the survey's settings that painting the HSC-like cutouts depends on."""
    hsc = {key: survey["hsc"][key] for key in ("filters", "depth_5sigma_mag", "electron_mag")}
    return {"hsc": hsc, "hsc_images": survey["hsc_images"]}
