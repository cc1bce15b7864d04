"""No stamp of one split shows a pixel of another, and nothing unlabelled shows what is held out."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS

from tests import toys
from zladder.cutouts.shard import write_stamps
from zladder.datasets.build import build_dataset
from zladder.datasets.images import build_image_dataset
from zladder.datasets.splits import SPLITS
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import (
    FAULTS,
    LOSING,
    STAMP_FLAGS,
    flag_value,
    have_flags,
    stamp_datasets,
)

ROOT = Path(__file__).resolve().parents[2]
SIDE, SCALE = 40, 0.396
SETTINGS = {
    "splits": {"train": 0.45, "validation": 0.10, "calibration": 0.05, "test": 0.40},
    "sky_cell_order": 10,
    "master_seed": 1,
    "duplicate_radius_arcsec": 1.0,
    "pair_radius_arcsec": 3.0,
    "label_draws": 2,
    "kernel_pixels": 0,
    "leave_out_flags": ["missing"],
    "photometry": {"main": "sdss", "one": "sdss", "two": "sdss"},
}


def sky(n: int, seed: int = 0, side_deg: float = 0.5) -> pd.DataFrame:
    """Galaxies on a patch of some hundred cells."""
    draw = np.random.default_rng(seed + 100)
    frame = toys.galaxies(n, seed).assign(part="all")
    return frame.assign(ra=150.0 + draw.uniform(0, side_deg, n), dec=draw.uniform(0, side_deg, n))


def shards(folder: Path, sample: str, table: pd.DataFrame, n_shards: int = 2, **settings) -> list:
    """Write the (empty) stamps of a sample, dealt to shards; return the files."""
    wanted = {"bands": ["g", "r"], "stamp_pixels": 40, "pixel_scale_arcsec": SCALE, **settings}
    described = stamp_datasets(len(wanted["bands"]), wanted["stamp_pixels"])
    files = []
    for shard in range(n_shards):
        rows = table.iloc[shard::n_shards]
        stamps = {name: np.zeros((len(rows), *entry), dtype)
                  for name, (dtype, entry) in described.items() if name != "flux"}  # fmt: skip
        stamps["object_id"][:] = rows["object_id"]
        stamps["flags"][:, 1] = rows.get("flags", 0)  # the dataset tells what any band says
        files.append(folder / sample / f"{shard}.h5")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        write_stamps(files[-1], [stamps], len(rows), wanted)
    return files


def build(folder: Path, away_from=(), **samples: pd.DataFrame):
    files = [file for name, table in samples.items() for file in shards(folder, name, table)]
    return build_image_dataset(samples, files, SETTINGS, away_from, Path("samples/a.parquet"))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A labelled image dataset of a crowded patch, and its counts."""
    return build(tmp_path_factory.mktemp("labelled"), main=sky(4000))


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory, labelled):
    """Galaxies without labels on the same patch, the labelled ones among them."""
    deep = pd.concat([sky(3000, seed=2), sky(4000)]).drop(columns=["z_true", "z_true_err",
                                                                 "z_true_kind"])  # fmt: skip
    return build(tmp_path_factory.mktemp("deep"), labelled[:1], deep=deep)


def show(canvas: np.ndarray, frame: pd.DataFrame, bit: int, side: int) -> None:
    """Mark the pixels that the stamps show in one large, turned frame."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.25, 0.25], [len(canvas) / 2, len(canvas) / 2]
    c, s = np.cos(0.7), np.sin(0.7)
    wcs.wcs.cd = SCALE / 3600 * np.array([[-c, s], [s, c]])
    xy = wcs.wcs_world2pix(frame[["ra", "dec"]].to_numpy(), 0)
    for x, y in np.ceil(xy - side / 2).astype(int).tolist():
        assert 0 <= min(x, y) <= max(x, y) < len(canvas) - side
        canvas[y : y + side, x : x + side] |= bit


def shown(*frames: pd.DataFrame, side: int = SIDE) -> np.ndarray:
    """Return for each pixel which of the frames' stamps show it, bit by bit."""
    canvas = np.zeros((6600, 6600), dtype=np.uint8)
    for place, frame in enumerate(frames):
        show(canvas, frame, 1 << place, side)
    return canvas


def test_stamps_of_two_splits_share_no_pixel(labelled):
    frame, counts = labelled
    canvas = shown(*[frame[frame["split"] == split] for split in SPLITS])
    assert set(np.unique(canvas)) == {0, 1, 2, 4, 8}  # no pixel with two bits
    assert counts["n_dropped"]["border"] > 100
    assert counts["n_pairs_sharing_pixels"] == counts["n_pairs_across"] == 0


def test_what_the_borders_cost_is_told_split_by_split(labelled):
    counts = labelled[1]
    lost = counts["n_border_dropped"]
    assert list(lost) == list(SPLITS)
    assert sum(lost.values()) == counts["n_dropped"]["border"]
    whole, _ = build_dataset({"main": sky(4000)}, SETTINGS | {"pair_radius_arcsec": 0}, {}, 1, "a")
    drawn = whole["split"].value_counts()
    for split in SPLITS:
        kept = counts["n_by_split"][split] + counts["n_paired_dropped"][split]
        assert drawn[split] == kept + lost[split]


@pytest.mark.parametrize(("side", "large"), [(20, False), (112, True)])
def test_a_large_loss_at_the_borders_is_warned_of(tmp_path, caplog, side, large):
    caplog.set_level(logging.INFO, logger="zladder")
    main = sky(4000)
    files = shards(tmp_path, "main", main, stamp_pixels=side)
    _, counts = build_image_dataset({"main": main}, files, SETTINGS, (), Path("a"))
    lost = sum(counts["n_border_dropped"].values())
    assert (lost > 0.25 * 4000) is large
    assert f"{100 * lost / 4000:.0f} % of the galaxies are dropped at the border" in caplog.text
    assert "train" in caplog.text
    assert "calibration" in caplog.text
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert ["sky_cell_order" in record.message for record in warned] == [True] * large


def test_without_dropping_the_border_stamps_would_share_pixels(labelled):
    """The test above can fail: the same galaxies with the splits of the cells alone."""
    whole, _ = build_dataset({"main": sky(4000)}, SETTINGS, {}, 1, Path("a"))
    canvas = shown(*[whole[whole["split"] == split] for split in ("train", "test")])
    assert (canvas == 3).sum() > 1000
    joined = labelled[0].merge(whole, on="object_id", suffixes=("", "_cell"))
    assert (joined["split"] == joined["split_cell"]).all()


def test_splits_drawn_by_galaxy_share_pixels_and_say_so(tmp_path):
    main = sky(4000)
    drawn = SETTINGS | {"conventions": ["by_galaxy"]}
    files = shards(tmp_path, "main", main)
    frame, counts = build_image_dataset({"main": main}, files, drawn, (), Path("a"))
    assert (len(frame), counts["n_dropped"]) == (4000, {"flagged": 0, "border": 0})
    assert (shown(*[frame[frame["split"] == split] for split in ("train", "test")]) == 3).any()
    assert counts["n_pairs_sharing_pixels"] > 1000 > counts["n_pairs_across"] > 10


def test_validation_as_test_shares_no_pixel_with_training(tmp_path):
    main = sky(4000)
    published = SETTINGS | {"conventions": ["validation_as_test"]}
    files = shards(tmp_path, "main", main)
    frame, counts = build_image_dataset({"main": main}, files, published, (), Path("a"))
    splits = [frame[frame["split"] == split] for split in SPLITS[:3]]
    assert set(np.unique(shown(*splits))) == {0, 1, 2, 4}
    assert counts["n_by_split"]["test"] == counts["n_pairs_sharing_pixels"] == 0


def test_resampled_stamps_keep_their_kernels_apart_too(tmp_path, labelled):
    """What a kernel of three pixels reads beyond a stamp belongs to no other split's stamps."""
    main = sky(4000)
    files = shards(tmp_path, "main", main)
    wider = SETTINGS | {"kernel_pixels": 3}
    frame, counts = build_image_dataset({"main": main}, files, wider, (), Path("a"))
    canvas = shown(*[frame[frame["split"] == split] for split in SPLITS], side=SIDE + 6)
    assert set(np.unique(canvas)) == {0, 1, 2, 4, 8}
    assert counts["n_dropped"]["border"] > labelled[1]["n_dropped"]["border"]


def test_nothing_unlabelled_shows_a_pixel_that_is_held_out(labelled, unlabelled):
    frame, counts = unlabelled
    held_out = labelled[0][labelled[0]["split"] != "train"]
    assert (frame["split"] == "train").all()
    assert not (shown(frame, held_out) == 3).any()
    assert not set(frame["object_id"]) & set(held_out["object_id"])
    assert "z_true" not in frame
    # It keeps galaxies where nothing is held out, labelled ones among them.
    trained = set(labelled[0].loc[labelled[0]["split"] == "train", "object_id"])
    assert len(trained & set(frame["object_id"])) > 0.9 * len(trained)
    assert counts["n_by_split"]["train"] == counts["n_out"] == len(frame)
    assert counts["n_dropped"]["near_held_out"] == 7000 - len(frame)


def test_what_keeps_away_from_our_splits_keeps_away_from_those_as_published(tmp_path):
    """In a thin sky, where a cell may hold nobody but galaxies at its border."""
    main, deep = sky(150), sky(4000, seed=22)
    files, deep_files = shards(tmp_path, "main", main), shards(tmp_path, "deep", deep)
    both = [
        build_image_dataset({"main": main}, files, wanted, (), Path("a"))[0]
        for wanted in (SETTINGS, SETTINGS | {"conventions": ["validation_as_test"]})
    ]
    held_out = [set(frame.loc[frame["split"] != "train", "object_id"]) for frame in both]
    trained = [set(frame.loc[frame["split"] == "train", "object_id"]) for frame in both]
    assert held_out[1] <= held_out[0]
    assert len(held_out[1]) > 0.8 * len(held_out[0])
    assert trained[1] == trained[0]
    made = build_image_dataset({"deep": deep}, deep_files, SETTINGS, both[:1], Path("a"))[0]
    assert not (shown(made, both[1][both[1]["split"] != "train"]) == 3).any()


def test_pixels_are_kept_away_from_several_datasets(tmp_path):
    """Two that hold out different patches: together they cost what each costs alone."""
    left, right = sky(500, seed=3, side_deg=0.2), sky(500, seed=4, side_deg=0.2)
    right = right.assign(ra=right["ra"] + 0.25)
    others = [frame.assign(split="test") for frame in (left, right)]
    deep = sky(3000, seed=5)
    files = shards(tmp_path, "deep", deep)
    kept = [
        set(build_image_dataset({"deep": deep}, files, SETTINGS, away, Path("a"))[0]["object_id"])
        for away in ([others[0]], [others[1]], others)
    ]
    assert kept[0] & kept[1] == kept[2]
    assert len(kept[2]) < min(len(kept[0]), len(kept[1]))


def test_the_counts_add_up(labelled):
    frame, counts = labelled
    assert counts["n_in"] == {"main": 4000}
    assert counts["n_copies_dropped"] == counts["n_without_stamp"] == counts["n_flagged"] == 0
    assert counts["n_out"] == len(frame) == sum(counts["n_by_split"].values())
    assert counts["n_out"] + counts["n_dropped"]["border"] == 4000
    assert min(counts["n_by_split"].values()) > 0


def test_a_galaxy_whose_better_copy_lost_its_stamp_stays_with_the_other(tmp_path):
    one = sky(800)
    two = one.assign(z_true=0.2)
    files = shards(tmp_path, "one", one.iloc[100:]) + shards(tmp_path, "two", two)
    frame, counts = build_image_dataset(
        {"one": one, "two": two}, files, SETTINGS | {"conventions": ["by_galaxy"]}, (), Path("a")
    )
    assert counts["n_in"] == {"one": 800, "two": 800}
    assert (counts["n_without_stamp"], counts["n_copies_dropped"]) == (100, 700)
    assert set(frame["object_id"]) == set(one["object_id"])
    lost = frame["object_id"].isin(one["object_id"].iloc[:100])
    assert set(frame.loc[lost, "sample"]) == {"two"}
    assert set(frame.loc[~lost, "sample"]) == {"one"}


def test_each_galaxy_finds_its_stamp(tmp_path):
    main = sky(900)
    whole, _ = build(tmp_path / "whole", main=main.iloc[5:])
    marked = whole["object_id"].iloc[3]  # of those that stay
    main = main.assign(flags=np.where(main["object_id"] == marked, flag_value("saturated"), 0))
    files = shards(tmp_path, "main", main.iloc[5:])
    frame, counts = build_image_dataset({"main": main}, files, SETTINGS, (), Path("a"))
    assert counts["n_without_stamp"] == 5
    assert frame["row"].dtype == np.int64
    assert frame["stamp_flags"].dtype == np.uint32
    row_of = {int(i): place for place, i in enumerate(main["object_id"].iloc[5:])}
    for _, galaxy in frame.iterrows():
        place = row_of[galaxy["object_id"]]
        assert (galaxy["shard"], galaxy["row"]) == (f"main/{place % 2}", place // 2)
    assert set(frame["object_id"]) == set(whole["object_id"])
    flagged = frame[frame["stamp_flags"] == flag_value("saturated")]["object_id"].tolist()
    assert flagged == [marked]
    assert counts["n_flagged"] == 1


def test_flags_that_are_left_out_are_counted_and_others_stay(tmp_path):
    """A galaxy in ten has each flag that a stamp may have; the rest keep their splits."""
    names = [name for name in STAMP_FLAGS if name not in LOSING]
    flags = np.zeros(2000, np.uint32)
    for k, name in enumerate(names):
        flags[k::10] |= flag_value(name)
    main = sky(2000).assign(flags=flags)
    files = shards(tmp_path, "main", main)

    def built(*left_out):
        settings = SETTINGS | {"leave_out_flags": list(left_out)}
        frame, counts = build_image_dataset({"main": main}, files, settings, (), Path("a"))
        lost = sum(counts["n_dropped"].values()) + counts["n_copies_dropped"]
        paired = sum(counts["n_paired_dropped"].values())
        assert counts["n_in"]["main"] == counts["n_out"] + lost + paired
        return frame.set_index("object_id"), counts

    everyone, counts = built()
    assert counts["n_dropped"]["flagged"] == 0
    faulty = [name for name in names if name in FAULTS]
    assert faulty == ["saturated", "masked", "missing"]
    assert counts["n_flagged"] == int(have_flags(everyone["stamp_flags"]).sum())
    assert counts["n_flagged"] == pytest.approx(0.3 * len(everyone), rel=0.2)
    for name in names:
        kept, counts = built(name)
        assert counts["n_dropped"]["flagged"] == 200
        gone = have_flags(everyone["stamp_flags"], [name])
        assert set(kept.index) >= set(everyone.index[~gone])  # a pair may have lost its other
        assert not have_flags(kept["stamp_flags"], [name]).any()
        stayed = everyone.index[~gone]
        assert (kept.loc[stayed, "split"] == everyone.loc[stayed, "split"]).all()
    kept, counts = built(*names)
    assert counts["n_dropped"]["flagged"] == 1000
    assert (kept["stamp_flags"] == 0).all()


def test_a_sample_of_which_nothing_may_stay_is_refused(tmp_path):
    with pytest.raises(BadInput) as error:
        build(tmp_path, main=sky(200).assign(flags=flag_value("missing")))
    assert error.value.file == str(Path("samples/a.parquet"))
    assert error.value.expected == "a stamp that is not missing"
    assert error.value.found == "200 that are"


def test_a_copy_has_the_stamp_of_the_sample_that_keeps_it(tmp_path):
    first, second = sky(800), sky(800).assign(z_true=0.2)
    frame, counts = build(tmp_path, one=first, two=pd.concat([second, sky(300, seed=5)]))
    assert counts["n_copies_dropped"] == 800
    assert frame["object_id"].is_unique
    copies = frame[frame["object_id"].isin(first["object_id"])]
    assert copies["shard"].str.startswith("one/").all()
    assert (frame["shard"].str.split("/").str[0] == frame["sample"]).all()


def test_an_image_dataset_depends_on_the_master_seed_alone(labelled, tmp_path):
    turned, _ = build(tmp_path, main=sky(4000).sample(frac=1, random_state=1))
    columns = ["split", "fraction_rank"]
    one = labelled[0].set_index("object_id")[columns].sort_index()
    pd.testing.assert_frame_equal(turned.set_index("object_id")[columns].sort_index(), one)


def refused(samples, files, away_from=()) -> BadInput:
    with pytest.raises(BadInput) as caught:
        build_image_dataset(samples, files, SETTINGS, away_from, Path("samples/a.parquet"))
    return caught.value


def test_a_stamp_of_a_stranger_is_refused(tmp_path):
    main = sky(600)
    files = shards(tmp_path, "main", main)
    error = refused({"main": main.drop(index=3)}, files)
    assert (error.file, error.place) == (str(files[1]), "object_id, row 1")
    assert error.expected == "a galaxy of the sample main"
    assert error.found == str(main["object_id"][3])
    error = refused({"other": main}, files)
    assert error.file == str(files[0])


def test_two_stamps_of_a_galaxy_are_refused(tmp_path):
    main = sky(600)
    files = shards(tmp_path, "main", main) + shards(tmp_path / "b", "main", main[:1], 1)
    error = refused({"main": main}, files)
    assert (error.place, error.expected) == ("object_id, row 0", "one stamp a galaxy")
    assert error.found == f"{main['object_id'][0]} a second time"


def test_shards_of_different_bands_are_refused(tmp_path):
    main = sky(600)
    files = shards(tmp_path, "main", main[:300]) + shards(
        tmp_path, "two", main[300:], bands=["g", "i"]
    )
    error = refused({"main": main[:300], "two": main[300:]}, files)
    assert (error.file, error.place) == (str(files[2]), "bands")
    assert error.expected.startswith("('g', 'r')")
    assert error.found == "('g', 'i')"


def test_an_empty_split_is_refused(tmp_path, labelled):
    few = sky(3)
    error = refused({"main": few}, shards(tmp_path, "main", few))
    assert error.file == "samples/a.parquet"
    assert error.place.startswith("split '")
    held_out = labelled[0][labelled[0]["split"] == "test"][["object_id", "ra", "dec"]]
    inside = sky(4000).merge(held_out[["object_id"]], on="object_id")
    files = shards(tmp_path, "inside", inside)
    error = refused({"inside": inside}, files, labelled[:1])
    assert (error.place, error.found) == ("split 'train'", "none")


def test_samples_without_positions_are_refused(tmp_path):
    main = sky(600)
    files = shards(tmp_path, "main", main)
    error = refused({"main": main.drop(columns=["ra"])}, files)
    assert error.place == "columns 'ra', 'dec'"
    assert error.found == "none in main"
