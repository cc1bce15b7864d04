"""``zladder fetch --plan``: what would be fetched, and that nothing is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from zladder.cli.main import main


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("ZLADDER_HSC_USER", "ZLADDER_HSC_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def planned(capsys, *arguments: str) -> str:
    assert main(["fetch", "--plan", *arguments]) == 0
    return capsys.readouterr().out


def lay(path: str, size: int) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(b"x" * size)


def overlay(**document) -> list[str]:
    Path("overlay.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return ["--configfile", "overlay.yaml"]


def test_all_surveys_with_what_each_is_and_needs(capsys):
    said = planned(capsys)
    for words in ("sdss_mgs: SDSS main galaxy sample", "train: to fetch, 0.88 MB",
                  "to data/fetched/sdss_mgs/train", "galaxiesml_v6, Zenodo record 5528827",
                  "of unknown size", "licence: ", "cite: Weaver et al. 2022", "unknown: digest",
                  "missing: ZLADDER_HSC_USER, ZLADDER_HSC_PASSWORD",
                  "of no survey (data/fetched/archives/NAME): "):  # fmt: skip
        assert words in said
    assert "\nmock" not in said  # no survey of the mock sky
    assert [line for line in said.splitlines()[-3:] if line.startswith("to fetch: ")]
    assert "the address of cfhtls_t0007_ugriz" in said.splitlines()[-1]
    assert not list(Path().iterdir())


def test_what_is_here_is_told(capsys, monkeypatch):
    lay("data/fetched/sdss_mgs/train", 1_000_000)
    lay("data/fetched/sdss_mgs/.test/partial", 300_000)
    lay("data/fetched/sdss_mgs/test.refused", 5)
    said = planned(capsys, "sdss_mgs")
    assert "train: here, 1.00 MB" in said
    assert "test: to fetch, 0.88 MB, 0.30 MB of it are here" in said
    assert "refused before: data/fetched/sdss_mgs/test.refused" in said
    assert "to fetch: 1 of 2 parts, 0.58 MB; free here: " in said
    lay("elsewhere/sdss_mgs/SDSS_MGS.test", 7)
    monkeypatch.setenv("ZLADDER_DATA", "elsewhere")
    assert "at elsewhere/sdss_mgs/SDSS_MGS.test" in planned(capsys, "sdss_mgs")


def test_an_account_and_an_address_are_no_longer_missing(capsys, monkeypatch):
    monkeypatch.setenv("ZLADDER_HSC_USER", "somebody")
    monkeypatch.setenv("ZLADDER_HSC_PASSWORD", "do-not-print-me")
    mirror = overlay(archives={"cfhtls_t0007_ugriz": {"url": "http://127.0.0.1:1/cfhtls.cat"}})
    said = planned(capsys, "hsc_pdr2", "cfhtls_t0007", *mirror)
    assert "missing" not in said
    assert "from http://127.0.0.1:1/cfhtls.cat" in said
    assert "do-not-print-me" not in said


def test_entries_can_be_named_too(capsys):
    said = planned(capsys, "self_supervised_sdss_train", "mock_sdss")
    assert "to fetch, about 91,588.34 MB" in said
    assert "no archive has any of it" in said
    assert "of no survey" not in said


def test_frames_are_told_once_the_catalogue_is_there(capsys):
    frames = {"layout": "sdss_frames", "archive": "sdss_dr12_frames", "pixel_scale_arcsec": 0.396}
    survey = {"title": "toy", "licence": "none", "citation": "none", "file_format": "csv",
              "source": {"files": {"all": "toy.csv"}}, "columns": {"object_id": "id"},
              "kind": "none", "bands": ["g", "r"], "frames": frames}  # fmt: skip
    given = overlay(surveys={"toy": survey}, sky="mock", scale="test")
    assert "which ones tells results/mock-test/catalogs/toy.parquet" in planned(
        capsys, "toy", *given
    )
    Path("results/mock-test/catalogs").mkdir(parents=True)
    table = pd.DataFrame({"run": [94, 94], "camcol": [1, 1], "field": [11, 12]})
    table.to_parquet("results/mock-test/catalogs/toy.parquet")
    lay("data/fetched/toy/frames/94/1/frame-g-000094-1-0011.fits.bz2", 500_000)
    said = planned(capsys, "toy", *given)
    assert "1 of 4 frames are here; 2 a second: 0.000417 hours at least" in said
    assert "to fetch, about 2.00 MB, 0.50 MB of it are here" in said


def test_a_paper_is_what_its_surveys_are(capsys):
    said = planned(capsys, "hayat2021")
    titles = [line for line in said.splitlines() if not line.startswith(" ")]
    assert [line.split(":")[0] for line in titles[:2]] == ["sdss_dr12", "sdss_dr12_deep"]
    assert "frames: to fetch, of unknown size" in said
    both = planned(capsys, "hayat2021", "lin2022").splitlines()[-1]
    assert (
        both.split(";")[0] == said.splitlines()[-1].split(";")[0]
    )  # the same galaxies, fetched once


def test_too_little_room_is_told(capsys):
    mirror = overlay(archives={"galaxiesml_v6": {"bytes": 10**18}})
    assert "\nnot enough room" in planned(capsys, "galaxiesml", *mirror)


def test_a_name_that_is_none_is_refused_with_the_nearest(capsys):
    assert main(["fetch", "--plan", "galaxies_ml"]) == 2
    assert "did you mean 'galaxiesml'?" in capsys.readouterr().err


def test_fetching_itself_is_snakemakes(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["fetch", "sdss_mgs"])
    assert ended.value.code == 2
    assert "--plan" in capsys.readouterr().err
