"""Figures of galaxies in colour: the right stamps in the right place, colours that mean colour."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text
from pixel_world import (
    BANDS,
    PIXEL_SCALE_ARCSEC,
    SKY_SIGMA_NMGY,
    draw_galaxies,
    write_features,
    write_pixels,
)

from zladder.provenance.errors import BadInput
from zladder.report.colour import colour_bands, colour_images
from zladder.report.embedding_map import draw_maps, principal_components, read_map
from zladder.report.embedding_wall import ACROSS, choose_for_map, draw_map_of_stamps
from zladder.report.mock_wall import choose_by_type
from zladder.report.shown_stamps import ShownStamps, read_shown
from zladder.report.wall import COLUMNS, LABELLED_ROWS, choose_galaxies, draw_wall
from zladder.tables.stamp_files import STAMP_FLAGS, flag_value

ABOUT = {"dataset": "images", "title": "T", "surveys": ["A survey", "another"]}


@pytest.fixture(name="world", scope="module")
def pixel_world(tmp_path_factory):
    """Return (folder, galaxies, dataset, stamp files): 300 labelled and 60 unlabelled galaxies."""
    folder, galaxies = tmp_path_factory.mktemp("pixels"), draw_galaxies(300, 60)
    dataset, shards = write_pixels(folder, galaxies, size=12)
    return folder, galaxies, pd.read_parquet(dataset), shards


def words_of(figure) -> str:
    """Return all text of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_stamps_come_in_the_order_asked_for_whatever_their_shards(world):
    _, _, dataset, shards = world
    asked = dataset.sample(40, random_state=3)
    stamps = read_shown(shards, asked)
    assert asked["shard"].nunique() == 4
    for place, (_, galaxy) in enumerate(asked.iterrows()):
        path = next(p for p in shards if f"{p.parent.name}/{p.stem}" == galaxy["shard"])
        with h5py.File(path) as file:
            assert np.array_equal(stamps.flux[place], file["flux"][galaxy["row"]])
    assert stamps.bands == BANDS
    assert stamps.pixel_scale_arcsec == PIXEL_SCALE_ARCSEC
    assert stamps.sky_sigma_nmgy == pytest.approx(SKY_SIGMA_NMGY)


def test_dust_is_taken_off_the_flux_and_the_noise(world, tmp_path):
    _, galaxies, _, _ = world
    few = galaxies.iloc[:6]
    dataset, shards = write_pixels(tmp_path, few, size=12)
    clear = read_shown(shards, pd.read_parquet(dataset))
    for path in shards:
        with h5py.File(path, "r+") as file:
            file["extinction_mag"][:] = np.array([0.5, 0.4, 0.3, 0.2, 0.1], dtype=np.float32)
    dusty = read_shown(shards, pd.read_parquet(dataset))
    factor = 10 ** (0.4 * np.array([0.5, 0.4, 0.3, 0.2, 0.1]))
    assert dusty.flux == pytest.approx(clear.flux * factor[:, None, None], rel=1e-5)
    assert dusty.sky_sigma_nmgy == pytest.approx(clear.sky_sigma_nmgy * factor, rel=1e-5)


@pytest.mark.parametrize(
    ("column", "value", "place", "found"),
    [
        ("shard", "mock_main/9", "column shard", "mock_main/9"),
        ("row", 10_000, "object_id at row 10000", "the end of the file"),
        ("object_id", 5, "object_id at row 0", "1000"),
    ],
)
def test_a_stamp_that_is_not_the_galaxy_s_is_bad_input(world, column, value, place, found):
    _, _, dataset, shards = world
    asked = dataset.iloc[:1].assign(**{column: value})
    with pytest.raises(BadInput) as error:
        read_shown(shards, asked)
    assert (error.value.place, error.value.found) == (place, found)
    assert error.value.expected
    assert error.value.hint == "make the cutouts and the dataset again"
    expected_file = "the dataset" if column == "shard" else str(shards[2])
    assert error.value.file == expected_file


def test_shards_of_different_sizes_are_bad_input(world, tmp_path):
    _, galaxies, dataset, shards = world
    other, more = write_pixels(tmp_path, galaxies.iloc[:2], size=10)
    renamed = more[0].rename(more[0].with_name("77.h5"))
    strange = pd.read_parquet(other).iloc[:1].assign(shard="mock_main/77")
    with pytest.raises(BadInput) as error:
        read_shown([*shards, renamed], pd.concat([dataset.iloc[:1], strange]))
    assert error.value.file == str(renamed)
    assert error.value.place == "bands, pixel scale and size of the stamps"
    assert "12" in error.value.expected
    assert "10" in error.value.found


def flat_stamps(*colours: tuple[float, float, float]) -> ShownStamps:
    """Return stamps of even light, given in i, r and g."""
    flux = np.zeros((len(colours), 5, 4, 4), dtype=np.float32)
    for place, (i, r, g) in enumerate(colours):
        flux[place, [3, 2, 1]] = np.array([i, r, g])[:, None, None]
    return ShownStamps(flux, np.full(5, 0.03), BANDS, PIXEL_SCALE_ARCSEC)


def test_red_galaxies_look_red_blue_ones_blue_and_the_sky_black():
    red, blue, sky, faint, bright = colour_images(
        flat_stamps((2, 1, 0.2), (0.6, 0.8, 1.5), (0, 0, 0), (0.2, 0.2, 0.1), (20, 20, 10))
    )
    assert red[0, 0, 0] > red[0, 0, 1] > red[0, 0, 2]
    assert blue[0, 0, 2] > blue[0, 0, 0]
    assert sky.max() <= 5
    assert bright.sum() > 2 * faint.sum() > 0  # one scale for all
    ratio = faint[0, 0].astype(float) / faint[0, 0].max()
    assert bright[0, 0] / bright[0, 0].max() == pytest.approx(ratio, abs=0.1)  # cores keep colour


def test_faint_galaxies_are_seen_where_most_are_faint():
    """Twice the noise in the middle: black beside bright galaxies, grey among their like."""
    sky, faint, bright = (0.0, 0.0, 0.0), (0.06, 0.06, 0.06), (20.0, 20.0, 20.0)
    among_bright = colour_images(flat_stamps(faint, bright, bright))[0]
    among_faint = colour_images(flat_stamps(faint, faint, faint, bright, sky))
    assert among_faint[0].max() > 2 * among_bright.max()
    assert among_faint[-1].max() <= 5  # the sky stays black
    assert among_faint[3].max() > among_faint[0].max()


@pytest.mark.parametrize(
    ("bands", "expected"),
    [("ugriz", "irg"), ("grizy", "irg"), ("giz", "zig"), ("riz", "zir"), ("jhk", "khj")],
)
def test_the_colours_are_the_first_triple_that_a_survey_has(bands, expected):
    assert "".join(colour_bands(tuple(bands))) == expected


def test_the_wall_hangs_labelled_galaxies_by_redshift_and_others_by_magnitude(world):
    _, _, dataset, shards = world
    wall = choose_galaxies(dataset, BANDS)
    assert len(wall.labelled) == COLUMNS * LABELLED_ROWS
    assert wall.labelled["z_true"].is_monotonic_increasing
    assert wall.unlabelled["mag_r"].is_monotonic_increasing
    assert wall.labelled["object_id"].is_unique
    assert (wall.n_labelled, wall.n_unlabelled, wall.n_flagged) == (300, 60, 0)
    ranked = dataset[dataset["z_true"].notna()].sort_values("z_true")
    assert wall.labelled["mag_r"].tolist() == [
        sorted(ranked["mag_r"].iloc[start : start + 5])[1] for start in range(0, 300, 5)
    ]  # of each slice of 300 / 60 galaxies the one at a quarter from the bright end
    shown = pd.concat([wall.labelled, wall.unlabelled])
    figure = draw_wall(wall, read_shown(shards, shown), ABOUT)
    images = figure.findobj(AxesImage)
    assert len(images) == 80
    words = words_of(figure)
    assert "A survey and another" in words
    assert "images · 60 of 300 labelled galaxies" in words
    assert "Without a label: 20 of 60" in words
    assert f"z {wall.labelled['z_true'].iloc[17]:.3f}" in words
    assert f"{12 * PIXEL_SCALE_ARCSEC:.1f}″ wide" in words


@pytest.mark.parametrize("drop", ["z_true", "unlabelled"])
def test_a_wall_of_one_kind_alone_fills_itself(world, drop):
    _, _, dataset, shards = world
    labelled = dataset["z_true"].notna()
    part = dataset[~labelled].drop(columns="z_true") if drop == "z_true" else dataset[labelled]
    wall = choose_galaxies(part, BANDS)
    shown = pd.concat([wall.labelled, wall.unlabelled])
    assert len(shown) == 60
    words = words_of(draw_wall(wall, read_shown(shards, shown), ABOUT))
    assert ("galaxies without a label" in words) == (drop == "z_true")
    assert "Without a label" not in words


@pytest.mark.parametrize("kind", ["labelled", "unlabelled"])
def test_a_wall_without_magnitudes_hangs_by_redshift_or_identifier(world, kind):
    """Images that were released without photometry."""
    _, _, dataset, shards = world
    has_label = dataset["z_true"].notna() == (kind == "labelled")
    bare = dataset[has_label].drop(columns=[f"mag_{band}" for band in BANDS])
    wall = choose_galaxies(bare, BANDS)
    shown = pd.concat([wall.labelled, wall.unlabelled])
    assert len(shown) == 60
    assert shown["z_true" if kind == "labelled" else "object_id"].is_monotonic_increasing
    words = words_of(draw_wall(wall, read_shown(shards, shown), ABOUT))
    assert "magnitude" not in words
    assert "bright" not in words
    assert ("one of each slice of redshift" in words) == (kind == "labelled")


def test_a_flagged_stamp_is_not_hung_and_counted(world):
    _, _, dataset, shards = world
    flagged = dataset.assign(stamp_flags=np.where(dataset["mag_r"] < 17, 4, 0).astype(np.uint32))
    wall = choose_galaxies(flagged, BANDS)
    shown = pd.concat([wall.labelled, wall.unlabelled])
    assert (shown["stamp_flags"] == 0).all()
    assert wall.n_flagged == int((dataset["mag_r"] < 17).sum()) > 0
    words = words_of(draw_wall(wall, read_shown(shards, shown), ABOUT))
    assert f"{wall.n_flagged} flagged stamps left out" in words


@pytest.mark.parametrize("name", STAMP_FLAGS)
def test_where_every_stamp_is_flagged_the_wall_hangs_full_and_says_what_is_at_fault(world, name):
    _, _, dataset, shards = world
    wall = choose_galaxies(dataset.assign(stamp_flags=flag_value(name)), BANDS)
    shown = pd.concat([wall.labelled, wall.unlabelled])
    usual = choose_galaxies(dataset, BANDS)
    assert shown["object_id"].tolist() == [
        *usual.labelled["object_id"],
        *usual.unlabelled["object_id"],
    ]
    assert wall.n_flagged == 0
    words = words_of(draw_wall(wall, read_shown(shards, shown), ABOUT))
    assert ("80 of these stamps are flagged" in words) == (name not in ("neighbour", "mosaicked"))


def test_too_few_clean_stamps_do_not_leave_the_wall_bare(world):
    _, _, dataset, _ = world
    clean = dataset["z_true"].rank() <= 59  # of 300 with a label; 60 have none
    flagged = dataset.assign(stamp_flags=np.where(clean, 0, flag_value("masked")).astype(np.uint32))
    wall = choose_galaxies(flagged, BANDS)
    assert (wall.n_labelled, len(wall.labelled), wall.n_flagged) == (300, 60, 0)
    assert len(wall.unlabelled) == 20


def test_a_dataset_without_magnitudes_has_no_wall(world):
    with pytest.raises(BadInput) as error:
        choose_galaxies(world[2].assign(mag_r=np.nan), BANDS)
    told = (error.value.file, error.value.place, error.value.expected, error.value.found)
    assert told == ("the dataset", "column mag_r", "a galaxy with a magnitude", "none")


@pytest.mark.parametrize("name", STAMP_FLAGS)
def test_a_wall_of_types_shows_stamps_with_a_fault_only_where_a_slice_has_no_others(world, name):
    dataset = world[2][world[2]["z_true"].notna()]
    ids = dataset["object_id"].to_numpy()
    truth = pd.DataFrame({"object_id": ids, "objID": ids, "sed_type": np.arange(len(ids)) % 4.0})
    usual = choose_by_type(dataset, truth)
    assert not usual.empty
    every = choose_by_type(dataset.assign(stamp_flags=flag_value(name)), truth)
    assert every["object_id"].tolist() == usual["object_id"].tolist()
    first = dataset["object_id"].isin(usual.loc[usual["line"] == 0, "object_id"])
    flags = np.where(first, flag_value(name), 0).astype(np.uint32)
    some = choose_by_type(dataset.assign(stamp_flags=flags), truth)
    cells = ["kind", "column"]
    assert set(map(tuple, some[cells].to_numpy())) == set(map(tuple, usual[cells].to_numpy()))
    if name in ("neighbour", "mosaicked"):
        assert some["object_id"].tolist() == usual["object_id"].tolist()
    else:  # cells with a second galaxy show that one alone, and one of both there is
        clean = (some["stamp_flags"] == 0).groupby([some[key] for key in cells])
        assert (clean.any() == clean.all()).all()
        assert clean.any().any()
        assert not clean.all().all()


# ---------------------------------------------------------------- maps of features


def test_principal_components_are_those_of_the_covariance_and_grow_with_redshift():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 5)) * [3, 2, 1, 0.5, 0.1] + 7
    z_true = -features[:, 0] + 0.1 * features[:, 1] + 0.01 * rng.normal(size=400)
    places, shares = principal_components(features, z_true)
    values = np.linalg.eigvalsh(np.cov(features.T))[::-1]
    assert shares == pytest.approx(values[:2] / values.sum(), rel=1e-9)
    assert places.var(axis=0, ddof=1) == pytest.approx(values[:2], rel=1e-9)
    assert np.corrcoef(places[:, 0], z_true)[0, 1] > 0.9
    again, _ = principal_components(features * [-1, 1, 1, 1, 1], z_true)  # mirrored: the same map
    assert again == pytest.approx(places)


def test_a_map_shows_test_galaxies_alone_with_their_features(world):
    folder, galaxies, dataset, _ = world
    path = write_features(folder / "features" / "study.joint-s0.h5", galaxies, 2.0)
    found = read_map(path, dataset)
    tested = dataset[(dataset["split"] == "test") & dataset["z_true"].notna()]
    assert found.name == "joint"
    assert found.galaxies["object_id"].tolist() == tested["object_id"].tolist()
    merged = dataset.assign(split=dataset["split"].replace("test", "validation"))
    assert set(read_map(path, merged, "validation").galaxies["split"]) == {"validation"}
    with h5py.File(path, "r+") as file:  # the order of the file does not matter
        for name in ("features", "object_id"):
            file[name][:] = file[name][:][::-1]
    assert read_map(path, dataset).places == pytest.approx(found.places)
    blind = read_map(write_features(folder / "features" / "study.no-s0.h5", galaxies, 0), dataset)
    assert blind.r2 < 0.3 < found.r2
    words = words_of(draw_maps([found, blind], {"joint": 0.12, "no": 3.4}, ABOUT))
    for told in ("joint", f"R² {found.r2:.2f}", "dust drift 3.40", f"{len(tested)} test galaxies",
                 f"component 1 · {100 * found.shares[0]:.0f} %"):  # fmt: skip
        assert told in words


def test_too_few_test_galaxies_make_no_map(world):
    folder, galaxies, dataset, _ = world
    path = write_features(folder / "features" / "study.few-s0.h5", galaxies, 1.0)
    few = dataset[dataset["split"] != "test"]
    with pytest.raises(BadInput) as error:
        read_map(path, few)
    assert error.value.place == "column split"
    assert (error.value.expected, error.value.found) == ("3 or more test galaxies", "0")
    lost = dataset[dataset["split"] == "test"].assign(object_id=lambda frame: -frame["object_id"])
    with pytest.raises(BadInput) as error:
        read_map(path, lost)
    assert error.value.file == str(path)


def test_a_cell_of_the_map_shows_a_stamp_with_a_fault_only_where_it_has_no_other(world):
    folder, galaxies, dataset, _ = world
    path = write_features(folder / "features" / "s.b-s0.h5", galaxies, 1.0)
    usual = choose_for_map(read_map(path, dataset)).set_index(["column", "line"])["object_id"]
    for name in STAMP_FLAGS:
        flagged = dataset.assign(
            stamp_flags=np.where(dataset["object_id"].isin(usual), flag_value(name), 0)
        )
        chosen = choose_for_map(read_map(path, flagged)).set_index(["column", "line"])["object_id"]
        assert chosen.index.sort_values().equals(usual.index.sort_values())
        moved = chosen != usual.loc[chosen.index]
        assert moved.any() == (name not in ("neighbour", "mosaicked"))
        assert not moved.all()  # cells of one galaxy


def test_each_cell_of_the_map_shows_the_galaxy_nearest_to_its_middle(world):
    folder, galaxies, dataset, shards = world
    found = read_map(write_features(folder / "features" / "s.a-s0.h5", galaxies, 1.0), dataset)
    chosen = choose_for_map(found)
    assert not chosen[["column", "line"]].duplicated().any()
    assert chosen["object_id"].is_unique
    assert chosen[["column", "line"]].to_numpy().min() >= 0
    assert chosen[["column", "line"]].to_numpy().max() < ACROSS
    columns = chosen.merge(found.galaxies.assign(x=found.places[:, 0]), on="object_id")
    assert np.corrcoef(columns["column"], columns["x"])[0, 1] > 0.95  # to the right is larger
    figure = draw_map_of_stamps(chosen, read_shown(shards, chosen), found)
    assert len(figure.findobj(AxesImage)) == len(chosen)
    assert f"{len(chosen)} of {len(found.galaxies)} test galaxies" in words_of(figure)
