"""What the mock sky's settings may be; impossible ones are refused before any work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from zladder.config.imaging import FRAME_SUFFIXES
from zladder.provenance.errors import BadInput, nearest_hint
from zladder.survey.manyband_settings import check_manyband
from zladder.survey.settings_room import check_areas, check_fields, check_tiles
from zladder.survey.settings_table import (
    AT_MOST,
    IMAGING_PER_BAND,
    KEYS,
    LAYER_PER_BAND,
    LISTS,
    NAMES,
    NEEDED_BANDS,
    ORDERED,
    PER_BAND,
    PROGRAMME,
    RANGES,
    UNORDERED,
    WHOLE,
)
from zladder.universe.filters import load_bands

WHERE = "survey"


def check_settings(settings: Mapping[str, Any], seed: int) -> None:
    """Refuse settings from which no sky can be made.

    Raises
    ------
    BadInput
        With the place (such as ``survey/hsc/depth_5sigma_mag/g``) and what it should be.
    """
    _check_keys(settings)
    if seed < 0:
        raise BadInput("config", "seed", "a whole number from 0", str(seed), "seeds are counts")
    for place, value in _numbers(settings, ""):
        _check_range(place, value)
    _check_even(settings["hsc_images"]["stamp_pixels"])
    for place, length in LISTS.items():
        _check_list(place, _at(settings, place), length)
    for name in ("hsc", "sdss"):
        _check_bands(settings[name], name)
    _check_bands(settings["manyband"], "manyband", PER_BAND[:1])
    check_manyband(settings)
    _check_per_band(settings["imaging"], IMAGING_PER_BAND, settings["sdss"]["filters"], "imaging")
    _check_runs(settings["imaging"])
    _check_coadds(settings)
    _check_compression(settings["imaging"]["compression"])
    for low, high in ORDERED:
        _check_order(settings, low, high)
    for name in settings["spectroscopy"]["programmes"]:
        base = f"spectroscopy/programmes/{name}"
        _check_order(settings, f"{base}/i_bright_mag", f"{base}/i_faint_mag")
        _check_order(settings, f"{base}/photoz_min", f"{base}/photoz_max")
    for smaller, larger in AT_MOST:
        _check_at_most(settings, smaller, larger)
    _check_artefacts(settings)
    check_fields(settings)
    check_areas(settings)
    check_tiles(settings)


def _at(settings: Mapping[str, Any], place: str) -> Any:
    value: Any = settings
    for key in filter(None, place.split("/")):
        value = value[key]
    return value


def _check_keys(settings: Mapping[str, Any]) -> None:
    """Refuse unknown and missing keys, block by block."""
    for place, keys in KEYS.items():
        _check_block(_at(settings, place), place, keys.split())
    programmes = settings["spectroscopy"]["programmes"]
    if not isinstance(programmes, Mapping) or not programmes:
        place = f"{WHERE}/spectroscopy/programmes"
        hint = "one programme with share 1 will do"
        raise BadInput("config", place, "at least one programme", repr(programmes), hint)
    for name, programme in programmes.items():
        _check_block(programme, f"spectroscopy/programmes/{name}", PROGRAMME.split())


def _check_block(block: Any, place: str, allowed: list[str]) -> None:
    where = f"{WHERE}/{place}".rstrip("/")
    if not isinstance(block, Mapping):
        raise BadInput("config", where, "a block of settings", repr(block), "give its keys")
    for key in block:
        if key not in allowed:
            hint = nearest_hint(str(key), allowed, f"one of {', '.join(allowed)}")
            raise BadInput("config", f"{where}/{key}", "a known setting", f"'{key}'", hint)
    for key in allowed:
        if key not in block:
            hint = "the shipped configuration has every setting"
            raise BadInput("config", f"{where}/{key}", "a value", "nothing", hint)


def _numbers(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every number with its place; names are checked elsewhere."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in NAMES:
                yield from _numbers(inner, f"{place}/{key}".lstrip("/"))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _numbers(inner, place)
    else:
        yield place, value


def _check_range(place: str, value: Any) -> None:
    words = [word for word in place.split("/") if len(word) > 1 and word[0].islower()]  # no bands
    low, high = next(limits for pattern, limits in RANGES if fnmatchcase(words[-1], pattern))
    whole = any(fnmatchcase(words[-1], pattern) for pattern in WHOLE)
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        expected = f"a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        hint = "the unit stands in the setting's name"
        raise BadInput("config", f"{WHERE}/{place}", expected, repr(value), hint)


def _check_even(pixels: int) -> None:
    """Refuse stamps of an odd side: the real sets' are even, and so is what reads them."""
    if pixels % 2:
        place, expected = f"{WHERE}/hsc_images/stamp_pixels", "an even number"
        raise BadInput("config", place, expected, str(pixels), "one pixel more or less")


def _check_list(place: str, value: Any, length: int) -> None:
    if not isinstance(value, (list, tuple)) or len(value) != length:
        expected = f"a list of {length} numbers"
        raise BadInput("config", f"{WHERE}/{place}", expected, repr(value), "see its comment")
    if length == 2 and place not in UNORDERED and value[0] > value[1]:
        expected, hint = "a range, from its lower end to its upper one", "the smaller one first"
        raise BadInput("config", f"{WHERE}/{place}", expected, repr(value), hint)


def _check_bands(block: Mapping[str, Any], name: str, per_band: Iterable[str] = PER_BAND) -> None:
    """Refuse bands without a depth, and filters without which a selection cannot be made."""
    if not isinstance(block["filters"], Mapping):
        expected, hint = "a filter for each band", "give them as band: filter"
        found = repr(block["filters"])
        raise BadInput("config", f"{WHERE}/{name}/filters", expected, found, hint)
    load_bands(block["filters"], f"{WHERE}/{name}/filters")
    for band in NEEDED_BANDS[name]:
        if band not in block["filters"]:
            expected, found = f"band {band}", f"bands {', '.join(block['filters'])}"
            hint = "galaxies are selected in it"
            raise BadInput("config", f"{WHERE}/{name}/filters", expected, found, hint)
    _check_per_band(block, per_band, block["filters"], name)


def _check_coadds(settings: Mapping[str, Any]) -> None:
    """Refuse images with bands that their survey has not."""
    hsc, cfhtls = settings["hsc"], settings["cfhtls"]
    _check_per_band(settings["hsc_images"], ("psf_fwhm_arcsec",), hsc["filters"], "hsc_images")
    per_band = ("psf_fwhm_arcsec", "zero_point_scatter_mag", "extinction_per_ebv")
    _check_bands(cfhtls, "cfhtls", per_band)
    for layer in ("wide", "deep"):
        _check_per_band(cfhtls[layer], LAYER_PER_BAND, cfhtls["filters"], f"cfhtls/{layer}")


def _check_per_band(
    block: Mapping[str, Any], keys: Iterable[str], bands: Iterable[str], name: str
) -> None:
    for key in keys:
        given = block[key]
        if not isinstance(given, Mapping) or set(given) != set(bands):
            expected = f"one number for each of {', '.join(bands)}"
            found = ", ".join(given) if isinstance(given, Mapping) else repr(given)
            hint = "make it agree with the survey's filters"
            raise BadInput("config", f"{WHERE}/{name}/{key}", expected, found, hint)


def _check_runs(block: Mapping[str, Any]) -> None:
    """Refuse one run for both samples: their fields would have the same names."""
    if block["main_run"] == block["deep_run"]:
        expected = f"another run than main_run = {block['main_run']}"
        hint = "each sample has a run of its own"
        raise BadInput(
            "config", f"{WHERE}/imaging/deep_run", expected, str(block["deep_run"]), hint
        )


def _check_compression(value: Any) -> None:
    if value not in FRAME_SUFFIXES:
        place, expected = f"{WHERE}/imaging/compression", f"one of {', '.join(FRAME_SUFFIXES)}"
        raise BadInput("config", place, expected, repr(value), "bz2 is how the archive packs them")


def _check_order(settings: Mapping[str, Any], low: str, high: str) -> None:
    if not _at(settings, low) < _at(settings, high):
        expected = f"more than {low.rsplit('/', 1)[1]} = {_at(settings, low)}"
        hint = "swap them"
        raise BadInput("config", f"{WHERE}/{high}", expected, str(_at(settings, high)), hint)


def _check_at_most(settings: Mapping[str, Any], smaller: str, larger: str) -> None:
    if _at(settings, smaller) > _at(settings, larger):
        expected = f"at most {larger} = {_at(settings, larger)}"
        hint = "make one of them agree with the other"
        found = str(_at(settings, smaller))
        raise BadInput("config", f"{WHERE}/{smaller}", expected, found, hint)


def _check_artefacts(settings: Mapping[str, Any]) -> None:
    """Refuse artefacts that are all too faint to be listed."""
    place, limit = "contaminants/sdss/artefact_mag", settings["sdss"]["limit_r_mag"]
    brightest = _at(settings, place)[0]
    if brightest > limit:
        expected = f"a range from at most sdss/limit_r_mag = {limit}"
        raise BadInput("config", f"{WHERE}/{place}", expected, str(brightest), "make them brighter")
