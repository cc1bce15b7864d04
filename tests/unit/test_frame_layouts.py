"""What a survey says of its images is held against what its layout needs; the rules are told so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zladder.config.frame_layouts import require_frames, template_fields
from zladder.config.load import load_settings
from zladder.config.merge import with_model
from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.provenance.errors import BadInput

ROOT = Path(__file__).parents[2]
TILES = {"layout": "cfhtls_tiles", "folder": "tiles", "path": "T_{band}_{place}.fits",
         "pixel_scale_arcsec": 0.186}  # fmt: skip
STAMPS = TILES | {"layout": "hsc_cutouts", "path": "{band}/{object_id}.fits"}
FRAMES = {"layout": "sdss_frames", "folder": "frames", "pixel_scale_arcsec": 0.396}


def check(frames) -> None:
    require_frames({"survey_files": {"mine": {"frames": frames}, "plain": {}}})


@pytest.mark.parametrize(
    "frames",
    [FRAMES, TILES, STAMPS, TILES | {"weights": "W_{place}_{BAND}.fits"},
     TILES | {"layout": "hsc_coadds", "path": "{tract}/calexp-{BAND}-{tract}-{patch}.fits"}],
)  # fmt: skip
def test_images_that_are_told_right_are_taken(frames):
    check(frames)


@pytest.mark.parametrize(
    ("frames", "place", "found"),
    [
        (FRAMES | {"simulated": "frames"}, "frames", "simulated and folder"),
        ({"layout": "sdss_frames", "pixel_scale_arcsec": 0.4}, "frames", "none of them"),
        (FRAMES | {"path": "{band}.fits"}, "frames.path", "'{band}.fits'"),
        (FRAMES | {"zero_point_mag": 22.5}, "frames.zero_point_mag", "22.5"),
        (
            {**TILES, "archive": "a", "folder": None} | {"path": "{band}"},
            "frames",
            "archive and folder",
        ),
        (
            {key: TILES[key] for key in TILES if key != "folder"} | {"archive": "a"},
            "frames.archive",
            "layout cfhtls_tiles",
        ),
        ({key: TILES[key] for key in TILES if key != "path"}, "frames", "no such key"),
        (TILES | {"path": "T_{place}.fits"}, "frames.path", "'T_{place}.fits'"),
        (TILES | {"path": "T_{band}_{}.fits"}, "frames.path", "'T_{band}_{}.fits'"),
        (STAMPS | {"path": "{band}/{id}.fits"}, "frames.path", "'{band}/{id}.fits'"),
        (STAMPS | {"path": "{object_id}.fits"}, "frames.path", "'{object_id}.fits'"),
        (STAMPS | {"weights": "W_{band}.fits"}, "frames.weights", "'W_{band}.fits'"),
        (TILES | {"weights": "W_{band}_{other}.fits"}, "frames.weights", "['other']"),
        (TILES | {"n_fields": 171}, "frames.n_fields", "171"),
        (TILES | {"weights": "W_{place}.fits"}, "frames.weights", "'W_{place}.fits'"),
    ],
)
def test_images_that_are_told_wrong_are_refused(frames, place, found):
    with pytest.raises(BadInput) as caught:
        check(frames)
    assert caught.value.file == "config/surveys/mine.yaml"
    assert (caught.value.place, caught.value.found) == (place, found)


def test_the_names_in_braces_of_a_template():
    assert template_fields("a/{band}_{tract}-{tract}.fits") == {"band", "tract"}
    assert template_fields("plain.fits") == set()


def test_the_shipped_surveys_tell_their_images(settings):
    assert {name for name, survey in settings()["survey_files"].items() if "frames" in survey} == {
        "cfhtls_t0007", "hsc_pdr2", "mock_cfhtls", "mock_hsc", "mock_sdss", "mock_sdss_deep",
        "mock_sdss_measured", "sdss_dr12", "sdss_dr12_deep",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("frames", "place", "found"),
    [
        ({"pth": "{band}.fits"}, "frames.pth", "the unknown key 'pth'"),
        ({"layout": "hsc_cutout"}, "frames.layout", "'hsc_cutout'"),
        ({"zero_point_mag": -1}, "frames.zero_point_mag", "-1"),
        ({"folder": "here_too"}, "frames", "simulated and folder"),
    ],
)
def test_a_typo_is_refused_when_the_settings_are_read(given, frames, place, found):
    with pytest.raises(BadInput) as caught:
        load_settings(ROOT, given(surveys={"mock_hsc": {"frames": frames}}))
    assert (caught.value.place, caught.value.found) == (place, found)


def test_a_survey_like_another_has_its_images_in_its_own_place():
    model = {"source": {"files": {}}, "frames": STAMPS}
    documents = {"real": model, "mock": {"like": "real", "frames": {"simulated": "hsc"}}}
    frames = with_model(documents["mock"], documents, "mock.yaml", "like")["frames"]
    assert frames == {k: STAMPS[k] for k in STAMPS if k != "folder"} | {"simulated": "hsc"}
    documents["mock"] = {"like": "real"}
    assert with_model(documents["mock"], documents, "mock.yaml", "like")["frames"] == STAMPS


@pytest.fixture
def wiring(settings, tmp_path, monkeypatch):
    """The wiring of a study on the mock sky's HSC- and CFHTLS-like images."""
    monkeypatch.chdir(tmp_path)
    tree = settings()
    tree["study_files"]["label_efficiency"] |= {
        "test_on": ["hsc_images"],
        "embed_on": "cfhtls_images",
        "encoders": {"moco": {"recipe": "moco", "dataset": "cfhtls_images"}},
        "networks": {"supervised": {"recipe": "resnet_regression", "dataset": "hsc_images"}},
        "controls": {"dataset": "hsc_images", "methods": ["mean_z"]},
    }
    tree["studies"] = ["label_efficiency"]
    return Wiring(tree, make_plan(tree))


def test_stamps_of_the_mock_skys_deep_images_depend_on_their_index(wiring):
    assert set(wiring.image_samples()) == {"mock_specz", "mock_cfhtls"}
    for sample, folder in (("mock_specz", "hsc"), ("mock_cfhtls", "cfhtls")):
        assert wiring.frame_index(sample, "1") == [f"<results>/survey/{folder}/index.parquet"]
        assert wiring.frames_folder(sample, "results/survey") == f"results/survey/{folder}"
    assert wiring.painted_shards() == []  # no frame of SDSS's kind
    told = json.loads(wiring.cutting("mock_cfhtls"))
    assert told["layout"] == "cfhtls_tiles"
    assert told["path"] == "CFHTLS_{layer}_{band}_{position}_T0007_MEDIAN.fits"
    assert told["layers"] == {"column": "FIELD", "begin": {"W": "W", "D": "D-85"}}
    assert told["band_files"] == {"i": ["i", "y"]}
    assert (told["zero_point_mag"], told["pixel_scale_arcsec"]) == (30.0, 0.186)
    assert not {"simulated", "folder", "archive"} & told.keys()


def test_a_width_of_a_band_that_the_survey_lacks_is_refused():
    survey = {"frames": TILES | {"psf_fwhm_arcsec": {"g": 0.8}}, "bands": ["g", "r"]}
    require_frames({"survey_files": {"mine": survey}})
    survey["bands"] = ["r", "i"]
    with pytest.raises(BadInput) as caught:
        require_frames({"survey_files": {"mine": survey}})
    assert (caught.value.place, caught.value.found) == ("frames.psf_fwhm_arcsec", "'g'")


@pytest.mark.parametrize(
    ("named", "place", "found"),
    [
        ({"i": ["i", "r"]}, "frames.band_files.i", "'r', of r too"),
        ({"r": ["y"], "i": ["i", "Y"]}, "frames.band_files.i", "'Y', of r too"),
        ({"y": ["i"]}, "frames.band_files", "'y'"),
    ],
)
def test_names_of_bands_in_files_mean_one_band_of_the_survey(named, place, found):
    survey = {"frames": TILES | {"band_files": {"i": ["i", "y"]}}, "bands": ["r", "i"]}
    require_frames({"survey_files": {"mine": survey}})
    survey["frames"]["band_files"] = named
    with pytest.raises(BadInput) as caught:
        require_frames({"survey_files": {"mine": survey}})
    assert (caught.value.place, caught.value.found) == (place, found)
    survey["frames"] = STAMPS | {"band_files": {"i": ["y"]}}
    with pytest.raises(BadInput) as caught:
        require_frames({"survey_files": {"mine": survey}})
    assert caught.value.expected == "no such key with layout hsc_cutouts"


@pytest.mark.parametrize(
    ("frames", "place", "found"),
    [
        ({"layers": {"column": "field", "begin": {"W": "W"}}}, "frames.layers.column", "'field'"),
        ({"path": "T_{band}_{place}.fits"}, "frames.layers", "'T_{band}_{place}.fits'"),
        ({"layout": "hsc_cutouts", "path": "{band}/{object_id}.fits"}, "frames.layers", "'FIELD'"),
    ],
)
def test_layers_are_told_by_a_column_that_samples_have_and_in_names_of_tiles(frames, place, found):
    layers = {"column": "FIELD", "begin": {"W": "W", "D": "D-85"}}
    survey = {"frames": TILES | {"path": "T_{layer}_{band}.fits", "layers": layers},
              "extra_columns": ["flag", "FIELD"]}  # fmt: skip
    require_frames({"survey_files": {"mine": survey}})
    survey["frames"] |= frames
    with pytest.raises(BadInput) as caught:
        require_frames({"survey_files": {"mine": survey}})
    assert (caught.value.place, caught.value.found) == (place, found)
