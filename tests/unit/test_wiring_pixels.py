"""What the rules on pixels are told: stamps, features and settings, just those they depend on."""

from __future__ import annotations

import json

import pytest

from zladder.config.plan import make_plan
from zladder.config.wiring import Wiring
from zladder.provenance.digests import canonical_json
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_pixels import pixel_attributes

MOCO = "label_efficiency.moco-s0"
BASELINE = "class_residuals.baseline-s0"
STEPS = [f"class_residuals.{name}-s0" for name in ("step2", "step3", "step3a", "step3b")]


@pytest.fixture
def wiring(settings, tmp_path, monkeypatch):
    """Return the wiring of the shipped settings after a change of them."""
    monkeypatch.chdir(tmp_path)

    def make(change=lambda tree: None) -> Wiring:
        tree = settings()
        change(tree)
        return Wiring(tree, make_plan(tree))

    return make


def told(wiring: Wiring) -> dict[str, str]:
    """Return all settings that the rules on pixels get, by rule and wildcard."""
    plan = wiring.plan
    texts = {"simulate_sky": wiring.simulation(), "render_frames": wiring.rendering()}
    texts |= {"render_cfhtls": wiring.tiling(), "render_hsc": wiring.stamping()}
    texts |= {f"read_catalog {name}": wiring.reading(name) for name in plan.surveys}
    texts |= {f"cut_stamps {name}": wiring.cutting(name) for name in wiring.image_samples()}
    texts |= {f"build {name}": wiring.building_images(name) for name in wiring.image_datasets()}
    texts |= {f"train {run}": wiring.card(run) for run in plan.cards}
    texts |= {f"collapse {name}": wiring.collapse(name) for name in wiring.collapsing_studies()}
    texts |= {f"drift {name}": wiring.drifting(name) for name in wiring.encoding_studies()}
    return texts


def changed(wiring, change) -> set[str]:
    before, after = told(wiring()), told(wiring(change))
    return {name for name in before if before[name] != after[name]}


def test_everything_told_is_canonical_json(wiring):
    for text in told(wiring()).values():
        assert canonical_json(json.loads(text)) == text


BUILDS = {"build main_images", "build deep_images"}
CUTS = {"cut_stamps mock_main", "cut_stamps mock_deep"}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("survey", "imaging", "moffat_beta"), 3.0, {"simulate_sky", "render_frames"}),
        (("survey", "n_specz"), 701, {"simulate_sky", "render_cfhtls"}),  # where the tiles lie
        (("survey", "cfhtls", "tile_pixels"), 600, {"simulate_sky", "render_cfhtls"}),
        (("survey", "hsc_images", "moffat_beta"), 3.0, {"simulate_sky", "render_hsc"}),
        (("survey", "hsc", "masked_share"), 0.03, {"simulate_sky"}),
        (("cutouts", "stamp_pixels"), 44, CUTS),
        (("cutouts", "max_lost_fraction"), 0.1, CUTS),
        (("datasets", "images", "sky_cell_order"), 9, BUILDS),
        (("datasets", "sky_cell_order"), 12, set()),
        (("study_files", "class_residuals", "collapse", "bins"), 90, {"collapse class_residuals"}),
        (("evaluate", "n_bootstraps"), 50, {"collapse class_residuals", "drift label_efficiency"}),
        (("pretrain", "encoders", "colour", "objective", "colour_weight"), 2.0,
         {"train label_efficiency.colour-s0", "train label_efficiency.probe_colour_f20-s0",
          "train label_efficiency.probe_colour_f100-s0",
          "train label_efficiency.colour_finetuned_f20-s0",
          "train label_efficiency.colour_finetuned_f100-s0"}),
    ],
)  # fmt: skip
def test_a_value_reaches_the_rules_that_read_it_and_no_other(wiring, path, value, expected):
    def change(tree):
        *way, last = path
        for step in way:
            tree = tree[step]
        tree[last] = value

    assert changed(wiring, change) == expected


@pytest.mark.parametrize(("encoding", "read"), [("float32", False), ("asinh8", True)])
def test_only_encoded_stamps_depend_on_the_scale_of_their_codes(wiring, encoding, read):
    def start(tree):
        tree["cutouts"]["encoding"] = encoding

    def wider(tree):
        start(tree)
        tree["cutouts"]["highest_softenings"] = 2e6

    def softer(tree):
        start(tree)
        tree["survey_files"]["mock_sdss"]["softening_nmgy"]["u"] = 0.1

    before = told(wiring(start))
    for change, cut in ((wider, CUTS), (softer, {"cut_stamps mock_main"})):
        after = told(wiring(change))
        assert {one for one in before if before[one] != after[one]} == (cut if read else set())
    settings = json.loads(before["cut_stamps mock_main"])
    assert ("softening_nmgy" in settings) == ("lowest_softenings" in settings) == read
    assert pixel_attributes(settings)["encoding"] == encoding  # all that it reads is there


def test_the_scale_of_stamps_reaches_those_that_cut_them_and_those_that_look_at_them(wiring):
    def change(tree):
        for name in ("mock_sdss", "mock_sdss_deep"):
            tree["survey_files"][name]["frames"]["pixel_scale_arcsec"] = 0.4

    names = changed(wiring, change)
    assert names >= CUTS | {f"train {MOCO}", f"train {BASELINE}"}
    assert {name.split()[0] for name in names} == {"train", "cut_stamps"}
    assert "train label_efficiency.catalogue_f100-s0" not in names


@pytest.mark.parametrize("stored", [True, False])
def test_extinctions_reach_those_that_look_at_pixels_and_readers_that_rescale(wiring, stored):
    def start(tree):
        for name in ("mock_sdss", "mock_sdss_deep"):
            if not stored:
                del tree["survey_files"][name]["stored_extinction_per_ebv"]

    def change(tree):
        start(tree)
        for name in ("mock_sdss", "mock_sdss_deep"):
            tree["survey_files"][name]["extinction_per_ebv"]["u"] = 4.0

    before, after = told(wiring(start)), told(wiring(change))
    names = {name for name in before if before[name] != after[name]}
    assert f"train {MOCO}" in names
    assert f"train {BASELINE}" in names
    readers = {"read_catalog"} if stored else set()
    # a stamp's E(B-V) is told by the catalogue's extinctions over these
    assert {name.split()[0] for name in names} == {"train", "cut_stamps"} | readers
    assert "train label_efficiency.catalogue_f100-s0" not in names


def test_the_frames_are_painted_on_the_sky_that_was_simulated(wiring):
    simulation, rendering = (json.loads(text) for text in
                             (wiring().simulation(), wiring().rendering()))  # fmt: skip
    assert rendering["seed"] == simulation["seed"]
    assert {key: simulation[key] for key in ("n_main", "n_deep", "imaging")} == {
        key: rendering[key] for key in ("n_main", "n_deep", "imaging")
    }


def test_datasets_with_and_without_images_are_told_apart(wiring):
    w = wiring()
    assert w.image_datasets() == ["main_images", "deep_images"]
    assert set(w.catalogue_datasets()) == {"photoz", "specz", "combined", "main"}
    assert w.image_samples() == ["mock_main", "mock_deep"]


def test_stamps_lie_in_as_many_shards_as_are_asked_for(wiring):
    w = wiring(lambda tree: tree["cutouts"].update(n_shards=3))
    assert w.shards() == w.painted_shards() == [0, 1, 2]
    wanted = [f"<results>/cutouts/mock_deep/{shard}.h5" for shard in range(3)]
    assert w.stamps_of("deep_images") == w.stamps_of_run(MOCO) == wanted
    assert w.frame_index("mock_main", "2") == ["<results>/survey/frames/2.parquet"]


@pytest.mark.parametrize(("scale", "reach"), [(None, 3), (0.396, 3), (0.2, 6), (0.59, 3)])
def test_a_grids_scale_reaches_cutting_and_footprints(wiring, scale, reach):
    def change(tree):
        tree["cutouts"] |= {"grid": "sky", "grid_scale_arcsec": scale}
        tree["survey"]["imaging"]["edge_pixels"] = 47  # what the widest of these grids needs

    w = wiring(change)
    assert json.loads(w.building_images("main_images"))["kernel_pixels"] == reach
    assert json.loads(w.cutting("mock_main")).get("grid_scale_arcsec") == scale


@pytest.mark.parametrize(("grid", "scale", "expected"), [
    ("frame", 0.396, "null with grid: frame"),
    ("sky", 0.6, "less than 0.594 arcsec, for the frames of mock_main"),
])  # fmt: skip
def test_a_grid_that_its_frames_do_not_fit_is_refused(wiring, grid, scale, expected):
    with pytest.raises(BadInput) as caught:
        wiring(lambda tree: tree["cutouts"].update(grid=grid, grid_scale_arcsec=scale))
    error = caught.value
    assert (error.file, error.place) == ("config/stages/cutouts.yaml", "grid_scale_arcsec")
    assert error.expected.startswith(expected)


def test_without_images_no_frame_is_painted(wiring):
    w = wiring(lambda tree: tree.update(studies=["transfer", "main_sample"]))
    assert w.image_datasets() == w.image_samples() == w.painted_shards() == []


@pytest.fixture
def real_frames(wiring):
    """The wiring of a main sample whose frames lie in a folder."""

    def change(tree):
        for name in ("mock_sdss", "mock_sdss_deep"):
            frames = {"layout": "sdss_frames", "folder": "sdss_frames",
                      "pixel_scale_arcsec": 0.396}  # fmt: skip
            tree["survey_files"][name]["frames"] = frames

    return wiring(change)


def test_real_frames_need_no_index_and_no_painting(real_frames):
    assert real_frames.frame_index("mock_main", "0") == []
    assert real_frames.painted_shards() == []


def test_frames_lie_below_the_data_folder_or_here(real_frames, wiring, tmp_path, monkeypatch):
    folder = "results/mock-test/survey"
    assert wiring().frames_folder("mock_main", folder) == f"{folder}/frames"
    assert real_frames.frames_folder("mock_main", folder) == "data/sdss_frames"
    monkeypatch.setenv("ZLADDER_DATA", str(tmp_path))
    assert real_frames.frames_folder("mock_main", folder) == "data/sdss_frames"  # not there
    (tmp_path / "sdss_frames").mkdir()
    assert real_frames.frames_folder("mock_main", folder) == str(tmp_path / "sdss_frames")


def test_a_dataset_for_pretraining_stays_away_from_what_is_held_out(wiring):
    w = wiring()
    assert w.away_from("deep_images") == ["<results>/datasets/main_images.parquet"]
    assert w.away_from("main_images") == []


def test_features_are_made_of_the_dataset_that_the_study_names(wiring):
    w = wiring()
    for run in w.plan.embedded():
        assert w.embedded_dataset(run) == "<results>/datasets/main_images.parquet"
        assert w.embedded_stamps(run) == w.stamps_of("main_images")
    assert w.features_of("label_efficiency.probe_moco_f20-s0") == f"<results>/features/{MOCO}.h5"
    assert {w.features_of(run) for run in STEPS} == {f"<results>/features/{BASELINE}.h5"}


def test_turned_copies_are_kept_for_heads_only_and_as_many_as_the_greediest_asks(wiring):
    def change(tree):
        tree["train"]["heads"]["balanced"]["copies"] = 6

    assert wiring().copies_of(BASELINE) == 4
    assert wiring(change).copies_of(BASELINE) == 6
    assert wiring().copies_of(MOCO) == 0


def test_labels_are_made_from_the_predictions_of_step_2(wiring):
    w = wiring()
    assert w.labels_from(STEPS[0]) == []
    for run in STEPS[1:]:
        assert w.labels_from(run) == [f"<results>/predictions/{STEPS[0]}.parquet"]


def test_classifiers_are_told_what_they_look_at(wiring):
    w = wiring()
    others = {f"label_efficiency.{start}_classes-s0" for start in ("supervised", "finetuned")}
    assert set(w.plan.classifiers()) == {BASELINE, *STEPS, *others}
    assert (w.class_option(BASELINE), w.class_option(STEPS[0])) == ("--stamps", "--features")
    assert w.class_inputs(BASELINE) == w.stamps_of("main_images") == w.tested_stamps(BASELINE)
    assert w.class_inputs(STEPS[0]) == [f"<results>/features/{BASELINE}.h5"]


def test_what_a_run_has_seen_includes_what_its_encoder_saw(wiring):
    w = wiring()
    seen = ["<results>/datasets/main_images.parquet", "<results>/datasets/deep_images.parquet"]
    for method in ("finetuned_f20", "probe_moco_f20"):
        assert w.trained_on(f"label_efficiency.{method}-s0") == seen
    assert w.trained_on("label_efficiency.supervised_f20-s0") == seen[:1]
    assert w.trained_on(STEPS[1]) == seen[:1]


def test_drift_is_measured_where_there_are_encoders(wiring):
    w = wiring()
    assert w.drifts_of("label_efficiency") == [
        "<results>/metrics/label_efficiency/drift_galaxies.parquet"
    ]
    assert w.drifts_of("class_residuals") == w.drifts_of("transfer") == []
    names = ("untrained", "moco", "moco_undusted", "joint", "colour")
    assert w.encoder_features("label_efficiency") == [
        f"<results>/features/label_efficiency.{name}-s0.h5" for name in names
    ]


def test_claims_are_judged_on_the_rungs_of_their_study(wiring):
    w = wiring()
    ladder = json.loads(w.claims("label_efficiency"))["ladder"]
    assert ladder == w.ladder("label_efficiency")
    assert ladder["supervised_f20"] == {"base": "supervised", "fraction": 0.2}
    assert "finetuned_equal" not in ladder
    assert json.loads(w.claims("class_residuals"))["collapse"]["bins"] == 180
    assert json.loads(w.claims("transfer"))["collapse"] is None


def test_a_papers_page_reads_the_sidecars_of_its_own_datasets(wiring):
    w = wiring()
    main, deep = (f"<results>/datasets/{name}_images.json" for name in ("main", "deep"))
    assert w.paper_records("lin2022") == [main]
    assert set(w.paper_records("hayat2021")) == {main, deep}
    names = ("photoz", "specz", "combined")
    assert set(w.paper_records("soriano2024")) == {f"<results>/datasets/{n}.json" for n in names}


def test_a_papers_page_shows_the_cut_flow_of_each_of_its_samples_once(wiring):
    w = wiring()
    samples = {"lin2022": ["mock_main"], "hayat2021": ["mock_deep", "mock_main"],
               "soriano2024": ["mock_photoz", "mock_specz"]}  # fmt: skip
    for paper, names in samples.items():
        cutflows = [f"<results>/samples/{name}.cutflow.csv" for name in names]
        assert sorted(w.paper_cutflows(paper)) == cutflows


def test_published_images_are_converted_and_their_catalogue_is_read_without_them(wiring):
    def start(tree):
        tree["datasets"]["datasets"]["deep_images"]["samples"]["mock"] = ["sdss_selfsup"]
        tree["survey_files"]["sdss_selfsup"]["kind"] = "none"
        for name in ("joint", "colour"):  # it has no magnitudes
            tree["pretrain"]["encoders"][name]["objective"]["colour_weight"] = 0.0

    made = wiring(start)
    assert made.converted_samples() == ["sdss_selfsup"]
    assert made.cut_samples() == ["mock_main"]
    places = ["data/fetched/sdss_selfsup/train", "data/fetched/sdss_selfsup/valid"]
    assert made.published_images("sdss_selfsup") == places
    assert list(made.native_files("sdss_selfsup").values()) == places  # images and catalogue
    read = json.loads(made.converting("sdss_selfsup"))
    assert read == {
        "layout": "sdss", "pixel_scale_arcsec": 0.396, "zero_point_mag": 22.5,
        "bands": list("ugriz"), "stamp_pixels": read["stamp_pixels"], "n_shards": read["n_shards"],
        "max_lost_fraction": 0.0, "encoding": "float32",
        "extinction_per_ebv": made.settings["survey_files"]["sdss_selfsup"]["extinction_per_ebv"],
    }  # fmt: skip
    assert "layout" not in made.reading("sdss_selfsup")
    assert set(made.native_files("galaxiesml")) == {"all"}


def test_the_files_of_images_are_read_where_their_parts_are_splits_alone(wiring):
    """GalaxiesML's catalogue is one file, TransferZ's parts hold theirs, Hayat's another survey."""

    def start(tree):
        datasets = tree["datasets"]["datasets"]
        given = {"train": "train", "validation": "valid", "calibration": "valid"}
        datasets["released_as_published"] = {
            "samples": {"any": ["sdss_dr12_released"]}, "images": True, "given_parts": given,
            "conventions": ["by_galaxy", "validation_as_test"],
        }  # fmt: skip
        for name in ("specz_images_as_published", "photoz_images_as_published"):
            datasets[name]["samples"]["mock"] = datasets[name]["samples"]["hsc"]

    made = wiring(start)
    names = ["images_train", "images_validation", "images_test"]
    folder = "data/fetched/galaxiesml/"
    assert made.part_files("specz_images_as_published") == [folder + name for name in names]
    told = json.loads(made.building_images("specz_images_as_published"))["image_parts"]
    assert told == [
        {"sample": "galaxiesml", "part": name, "layout": "galaxiesml"} for name in names
    ]
    for name in ("photoz_images_as_published", "main_images"):
        assert made.part_files(name) == []
        assert "image_parts" not in json.loads(made.building_images(name))
    assert made.part_files("released_as_published") == [
        "data/fetched/sdss_selfsup/train",
        "data/fetched/sdss_selfsup/valid",
    ]
