"""The registry of archives: what it must say, and how surveys name its entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from zladder.config.archives import read_archives
from zladder.config.load import load_settings
from zladder.provenance.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"title": "t", "version": "1", "licence": "l", "citation": "c"}
FILE = {**WORDS, "kind": "file", "url": "http://127.0.0.1:1/a", "sha256": "0" * 64, "bytes": 5,
        "format": "csv"}  # fmt: skip
SQL = {**WORDS, "kind": "sql", "url": "http://127.0.0.1:1", "service": "skyserver",
       "release": "DR12", "sql": "SELECT a -- comment\nFROM b WHERE {page}"}  # fmt: skip
FRAMES = {**WORDS, "kind": "frames", "rerun": 301,
          "url": "http://127.0.0.1:1/{run}/{camcol}/{band}-{field:04d}.fits"}  # fmt: skip


def refused(entry) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_archives(ROOT, {"toy": entry})
    return caught.value


@pytest.mark.parametrize("entry", [FILE, SQL, FRAMES])
def test_an_entry_of_each_kind_is_taken(entry):
    assert read_archives(ROOT, {"toy": entry})["toy"]["kind"] == entry["kind"]


def test_a_query_is_one_line_without_comments():
    assert read_archives(ROOT, {"toy": SQL})["toy"]["sql"] == "SELECT a FROM b WHERE {page}"


@pytest.mark.parametrize(
    ("entry", "without", "expected"),
    [
        (FILE, "sha256", "the key 'sha256'"), (FILE, "licence", "the key 'licence'"),
        (FILE, "format", "the key 'format'"), (SQL, "service", "the key 'service'"),
        (FRAMES, "rerun", "the key 'rerun'"), (SQL, "sql", "one of ['hsc_pdr2_cosmos.sql'"),
    ],
)  # fmt: skip
def test_what_a_kind_needs_is_asked_for(entry, without, expected):
    error = refused({key: value for key, value in entry.items() if key != without})
    assert expected in error.expected


@pytest.mark.parametrize(
    ("entry", "changes", "said"),
    [
        (FILE, {"sha256": None}, "'unknown'"), (FILE, {"url": None}, "'unknown'"),
        (FILE, {"url": "ftp://somewhere/a"}, "url"),
        (FILE, {"url": "http://me:secret@somewhere/a"}, "url"), (FILE, {"sha256": "abc"}, "sha256"),
        (FILE, {"needs": ["HOME"]}, "needs"), (FILE, {"digest": "x"}, "digest"),
        (SQL, {"pages": 4}, "page_by"), (SQL, {"page_range": [4, 4]}, "the smaller first"),
        (SQL, {"pages": 4, "page_by": "a", "sql": "SELECT a"}, "{page}"),
        (FRAMES, {"url": "http://127.0.0.1:1/{run}.fits"}, "{camcol}"),
        (FRAMES, {"url": "http://127.0.0.1:1/{run}{camcol}{band}{field}{secret}"}, "secret"),
        (FILE, {"like": "nothing"}, "nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(entry, changes, said):
    assert said in str(refused({**entry, **changes}))


def test_an_unknown_is_said_where_something_is_null():
    for name, entry in read_archives(ROOT, {}).items():
        null = [key for key in ("url", "sha256", "bytes") if key in entry and entry[key] is None]
        assert not null or "unknown" in entry, name


def test_a_mirror_changes_the_address_alone(given):
    mirror = {"cosmos2020_classic": {"url": "http://127.0.0.1:1/c.fits"}}
    settings = load_settings(ROOT, given(archives=mirror))
    shipped = read_archives(ROOT, {})["cosmos2020_classic"]
    assert settings["archives"]["cosmos2020_classic"] == {**shipped, **mirror["cosmos2020_classic"]}


def test_a_query_can_become_a_file_at_a_mirror(given):
    mirror = {"sdss_dr12_main": {"kind": "file", "url": "http://127.0.0.1:1/main.csv",
                                 "sha256": "0" * 64, "bytes": None, "format": "csv"}}  # fmt: skip
    settings = load_settings(ROOT, given(archives=mirror))
    assert settings["archives"]["sdss_dr12_main"]["kind"] == "file"


def test_a_survey_names_an_entry_that_is_there(given):
    for fetch, nearest in (
        ({"all": "galaxiesml_v7"}, "galaxiesml_v6"),
        ({"all": "sdss_dr12_frames"}, ""),
    ):
        source = {"galaxiesml": {"source": {"fetch": fetch}}}
        with pytest.raises(BadInput) as caught:
            load_settings(ROOT, given(surveys=source))
        assert caught.value.file == "config/surveys/galaxiesml.yaml"
        assert caught.value.place == "source.fetch.all"
        assert nearest in caught.value.hint
    wrong = {"layout": "sdss_frames", "archive": "sdss_dr12_main", "pixel_scale_arcsec": 0.4}
    frames = {"sdss_mgs": {"frames": wrong}}
    with pytest.raises(BadInput) as caught:
        load_settings(ROOT, given(surveys=frames))
    assert caught.value.place == "frames.archive"


def test_how_politely_is_set_by_the_user(given):
    settings = load_settings(ROOT, given(fetching={"n_tries": "3"}))  # as --config gives it
    assert settings["fetching"]["n_tries"] == 3
    with pytest.raises(BadInput, match="n_tries"):
        load_settings(ROOT, given(fetching={"n_trys": 3}))
