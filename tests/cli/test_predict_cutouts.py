"""``zladder predict`` on cutouts of one's own: every HDF5 layout gives the workflow's answers."""

from __future__ import annotations

import embed_images
import numpy as np
import pandas as pd
import predict_classes as classes_program
import predict_images as images_program
import predict_probe as probe_program
import pytest

from tests import own_cutouts
from tests.own_cutouts import N_GALAXIES, write_galaxiesml, write_sdss, write_zladder
from zladder.pdf.pdf_file import read_pdfs
from zladder.tables import cutouts as cutouts_module
from zladder.tables.read import read_table

SHARDS = ("cutouts/toy0/0.h5", "cutouts/toy0/1.h5")
ESTIMATES = ("z_phot", "z_mode", "z_mean", "z_median")


def workflow(sky, run, out):
    """Return (predictions, densities file) of the workflow's own programs for the first shard."""
    folder, stamps, dataset = sky / "runs" / run, sky / SHARDS[0], out / "asked.parquet"
    frame = pd.read_parquet(sky / "datasets/labelled.parquet")
    frame[frame["shard"] == "toy0/0"].assign(split="test").to_parquet(dataset)
    table, pdfs, features = out / "theirs.parquet", out / "theirs.pdf.h5", out / "features.h5"
    words = ["--model", folder / "weights.safetensors", "--card", folder / "card.json",
             "--datasets", dataset, "--trained-on", dataset, "--predictions", table,
             "--log", out / "log"]  # fmt: skip
    program, sight = images_program, ["--stamps", stamps]
    if run in ("toy.probe-s0", "toy.head-s0"):
        weights = sky / "runs/toy.scratch-s0/weights.safetensors"
        _done(embed_images, ["--weights", weights, "--dataset", dataset, "--stamps", stamps,
                             "--features", features, "--log", out / "embed.log"])  # fmt: skip
        program, sight = probe_program, ["--features", features]
    if run in ("toy.classes-s0", "toy.head-s0"):
        program, sight = classes_program, [*sight, "--pdfs", pdfs]
    _done(program, [*words, *sight])
    return pd.read_parquet(table).set_index("object_id"), pdfs


def _done(program, words):
    assert program.main([str(word) for word in words]) == 0


def answers(outcome):
    """Return the table of a command that went well, by object."""
    code, message, out = outcome
    assert code == 0, message
    return read_table(out).set_index("object_id")


@pytest.mark.parametrize("run", ["toy.scratch-s0", "toy.classes-s0", "toy.probe-s0", "toy.head-s0"])
def test_stamps_of_the_workflow_give_its_very_numbers(look, pixel_sky, tmp_path, run):
    theirs, pdfs = workflow(pixel_sky, run, tmp_path)
    ours = answers(look(pixel_sky / SHARDS[0], run=run))
    assert list(ours.index) == list(theirs.index)
    assert len(set(ours["z_mean" if pdfs.exists() else "z_phot"])) == N_GALAXIES // 2
    for name in ESTIMATES:
        assert (name in ours) == (name in theirs)
        if name in ours:
            assert ours[name].to_numpy().tobytes() == theirs[name].to_numpy().tobytes()
    own = tmp_path / "out.pdf.h5"
    assert own.exists() == pdfs.exists() == (run in ("toy.classes-s0", "toy.head-s0"))
    if pdfs.exists():
        assert own.read_bytes() == pdfs.read_bytes()


@pytest.mark.parametrize(
    ("name", "write", "options"),
    [
        ("our layout", write_zladder, ()),
        ("bands in another order", lambda path: write_zladder(
            path, bands=["i", "g", "r"], flux=own_cutouts.galaxies()["flux"][:, [2, 0, 1]],
            extinction_mag=own_cutouts.galaxies()["extinction_mag"][:, [2, 0, 1]]), ()),
        ("E(B-V) told", lambda path: write_zladder(
            path, extinction_mag=None, dust=own_cutouts.galaxies()["ebv_mag"]), ("--ebv", "dust")),
        ("SDSS, 107 px", write_sdss, ()),
        ("SDSS, even", lambda path: write_sdss(path, 40), ()),
        ("SDSS, as small as can be", lambda path: write_sdss(path, 16), ()),
        ("GalaxiesML, 64 px", lambda path: write_galaxiesml(
            path, dust=own_cutouts.galaxies()["ebv_mag"]),
         ("--ebv", "dust", "--pixel-scale", 0.396)),
        ("GalaxiesML, 127 px, a_b", lambda path: write_galaxiesml(path, 127, **{
            f"a_{band}": own_cutouts.galaxies()["ebv_mag"] * factor
            for band, factor in zip("grizy", (3.303, 2.285, 1.698, 1.0, 1.0), strict=True)}),
         ("--pixel-scale", 0.396)),
    ],
)  # fmt: skip
def test_every_layout_gives_the_same_answers(look, pixel_sky, tmp_path, name, write, options):
    plain = pd.concat([answers(look(pixel_sky / shard)) for shard in SHARDS])
    table = answers(look(write(tmp_path / "own.h5"), *options))
    assert len(table) == N_GALAXIES, name
    plain = plain.loc[table.index]
    np.testing.assert_allclose(table["z_phot"], plain["z_phot"], rtol=2e-5, atol=2e-6)
    assert plain["z_phot"].std() > 0.01  # a mix-up of galaxies or bands could not pass
    for column in ("ra", "dec", "_healpix_29"):
        np.testing.assert_array_equal(table[column], plain[column])


def test_labels_of_public_files_are_repeated(look, tmp_path):
    made = own_cutouts.galaxies()
    table = answers(look(write_sdss(tmp_path / "own.h5", 40)))
    np.testing.assert_allclose(table["z_true"], made["z_true"].astype(np.float32))
    assert (table["z_true_kind"] == "spec").all()
    assert table["z_true_err"].notna().all()
    photo = write_galaxiesml(tmp_path / "p.h5", 20, specz_redshift=None,
                             lp_zPDF_CLASSIC=made["z_true"])  # fmt: skip
    table = answers(look(photo, "--ebv", 0, "--pixel-scale", 0.396))
    assert (table["flags"] & (1 << 12) > 0).all()


def test_dr12_extinctions_become_ebv_by_their_mean(look, tmp_path):
    # Bands that disagree: E is the mean of A_b / R_DR12, not the value of any band.
    e_bv = np.tile(np.array([0.1, 0.0, 0.2, 0.1, 0.0], np.float32), (N_GALAXIES, 1))
    mean = (0.1 / 5.155 + 0.2 / 2.751 + 0.1 / 2.086) / 5
    stored = answers(look(write_sdss(tmp_path / "own.h5", 20, e_bv=e_bv)))
    told = answers(look(tmp_path / "own.h5", "--ebv", mean))
    np.testing.assert_allclose(stored["z_phot"], told["z_phot"], rtol=1e-6)
    clear = answers(look(tmp_path / "own.h5", "--ebv", 0))
    assert np.abs(clear["z_phot"] - told["z_phot"]).max() > 1e-4


def test_a_zero_point_that_is_told_goes_before_the_layout(look, tmp_path):
    brighter = own_cutouts.galaxies()["flux"] * np.float32(10 ** (0.4 * 2.5))
    plain = answers(look(write_zladder(tmp_path / "plain.h5")))
    scaled = answers(look(write_zladder(tmp_path / "own.h5", flux=brighter), "--zero-point", 25))
    np.testing.assert_allclose(scaled["z_phot"], plain["z_phot"], rtol=2e-5, atol=2e-6)


def test_a_fetched_file_needs_no_suffix(look, tmp_path):
    named, fetched = write_sdss(tmp_path / "own.h5", 40), write_sdss(tmp_path / "valid", 40)
    pd.testing.assert_frame_equal(answers(look(named)), answers(look(fetched)))


@pytest.mark.parametrize("write", [write_zladder, lambda path: write_sdss(path, 40)])
def test_blocks_change_nothing(look, tmp_path, monkeypatch, write):
    whole = answers(look(write(tmp_path / "own.h5"), output="a.parquet"))
    monkeypatch.setattr(cutouts_module, "_BLOCK_ROWS", 11)
    parts = answers(look(tmp_path / "own.h5", output="b.parquet"))
    np.testing.assert_allclose(parts["z_phot"], whole["z_phot"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(parts.index, whole.index)


def test_blocks_take_whole_chunks_within_the_memory():
    assert cutouts_module.block_rows(5, 32, 100) == 2000
    assert cutouts_module.block_rows(5, 32, 5000) == 2048  # a chunk larger than a block
    rows = cutouts_module.block_rows(5, 127, 7)
    assert rows % 7 == 0
    assert 0.9 * 2**27 < rows * 5 * 127**2 * 4 <= 2**27
    assert cutouts_module.block_rows(5, 10**5, 7) == 1


def test_galaxies_that_were_not_observed_have_no_answer_and_say_so(look, tmp_path):
    made = own_cutouts.galaxies()
    flux, extinction = made["flux"].copy(), made["extinction_mag"].copy()
    flux[3, 1, 8, 8] = np.nan
    flux[4, 0, 9, 7] = np.inf
    flux[5, 2] = 0.0  # a band that was padded, not observed
    flux[6, 0, 0, 0] = np.nan  # outside the centre that the run sees
    extinction[7, 2] = np.nan
    path = write_zladder(tmp_path / "own.h5", flux=flux, extinction_mag=extinction)
    outcome = look(path, run="toy.classes-s0")
    table = answers(outcome)
    assert "60 cutouts in, 60 out, 4 without an answer" in outcome[1]
    lost = np.flatnonzero(table["z_phot"].isna())
    np.testing.assert_array_equal(lost, [3, 4, 5, 7])
    np.testing.assert_array_equal(np.flatnonzero(table["flags"] & (1 << 7)), lost)
    pdfs = read_pdfs(tmp_path / "out.pdf.h5")
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(pdfs.pmf).all(axis=1)), lost)
    kept = answers(look(write_zladder(tmp_path / "whole.h5"), run="toy.classes-s0"))
    rest = np.setdiff1d(np.arange(N_GALAXIES), lost)
    np.testing.assert_allclose(table["z_mean"].iloc[rest], kept["z_mean"].iloc[rest], rtol=1e-5)


def test_a_file_without_any_answer_is_still_a_table(look, tmp_path):
    flux = np.full_like(own_cutouts.galaxies()["flux"], np.nan)
    table = answers(look(write_zladder(tmp_path / "own.h5", flux=flux)))
    assert (len(table), table["z_phot"].notna().sum()) == (N_GALAXIES, 0)


@pytest.mark.parametrize("suffix", ["fits", "vot", "parquet"])
def test_answers_leave_in_every_format(look, tmp_path, suffix):
    write_zladder(tmp_path / "own.h5")
    outcome = look(tmp_path / "own.h5", run="toy.classes-s0", output=f"a.b.{suffix}")
    table = answers(outcome)
    assert set(ESTIMATES) <= set(table)
    assert len(read_pdfs(tmp_path / "a.b.pdf.h5").object_id) == len(table)


def test_long_inputs_say_how_far_they_are(look, tmp_path, monkeypatch):
    monkeypatch.setattr(cutouts_module, "_BLOCK_ROWS", 16)
    monkeypatch.setattr("zladder.cli.own_images.SECONDS_BETWEEN_LINES", 0.0)
    code, message, _ = look(write_zladder(tmp_path / "own.h5"))
    assert code == 0
    lines = [line for line in message.splitlines() if " of 60 cutouts, about " in line]
    assert [line.split()[0] for line in lines] == ["16", "32", "48"]
