"""Files of an earlier sky go; what is called otherwise, or is another shard's, stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from mock_sky import settings

from zladder.config.imaging import FRAME_SUFFIXES, FieldNumber, frame_name
from zladder.survey.catalogues import HSC_ID_RANGE
from zladder.survey.cutout_files import cutout_path
from zladder.survey.leftovers import (
    CUTOUTS,
    FRAMES,
    TILES,
    Naming,
    frames_of_shard,
    remove_leftovers,
)
from zladder.survey.tiles import Tile, lay_tiles

FIRST, LAST = HSC_ID_RANGE[0], HSC_ID_RANGE[1] - 1
FIELDS = [FieldNumber(2001, 1, 11), FieldNumber(9, 6, 9999), FieldNumber(123456, 3, 12345)]
OWN = {
    "tiles": (TILES, [
        *(tile.file_name(band) for tile in lay_tiles(settings()) for band in "ugriz"),
        Tile("deep", 359.999, -85.5, 64).file_name("u"),
    ]),
    "cutouts": (CUTOUTS, [cutout_path(Path(), number, band).as_posix()
                          for number in (FIRST, LAST) for band in ("g", "y", "NB0921")]),
    "frames": (FRAMES, [frame_name(field, band, packed)
                        for field in FIELDS for band in "uz" for packed in FRAME_SUFFIXES]),
}  # fmt: skip
FOREIGN = [
    "index.parquet",
    "galaxiesml.hdf5",
    "notes.fits",
    "CFHTLS_notes.fits",
    "CFHTLS_W_g_095620+021318_T0007_MEDIAN.fits.head",
    "CFHTLS_W_g_095620+021318_T0007_SIGMA.fits",
    "mine/CFHTLS_W_g_095620+021318_T0007_MEDIAN.fits",
    f"g/{FIRST}.png",
    f"g/{FIRST}-by-hand.fits",
    f"g/deeper/{FIRST}.fits",
    f"{FIRST}.fits",
    "g/77.fits",
    "g/.partial-1-77.fits",
    "2001/1/frame-g-002001-1-0011.fits.gz",
    "2001/1/frame-g-002001-2-0011.fits",  # of another camcol than its folder
    "2001/2/frame-g-002002-2-0011.fits",  # of another run
    "2001/1/calibration-g-002001-1-0011.fits",
    "2001/1/frame-g-2001-1-0011.fits",
    "frame-g-002001-1-0011.fits",
]


def lay(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("naming", "own"), OWN.values(), ids=OWN)
def test_what_the_index_does_not_name_goes_and_nothing_else(
    tmp_path: Path, naming: Naming, own: list[str]
):
    lay(tmp_path, [*own, *FOREIGN])
    kept = own[::2]
    assert remove_leftovers(tmp_path, naming, kept) == len(own) - len(kept)
    assert files_in(tmp_path) == {*kept, *FOREIGN}
    assert remove_leftovers(tmp_path, naming, kept) == 0
    assert remove_leftovers(tmp_path, naming, []) == len(kept)
    assert files_in(tmp_path) == set(FOREIGN)
    assert remove_leftovers(tmp_path / "not there", naming, []) == 0


def test_folders_and_links_away_stay(tmp_path: Path):
    folder, name = tmp_path / "tiles", OWN["tiles"][1][0]
    (folder / name).mkdir(parents=True)
    (folder / name / "inside").write_text("", encoding="utf-8")
    other = folder / OWN["tiles"][1][1]
    (tmp_path / "elsewhere").write_text("a user's", encoding="utf-8")
    other.symlink_to(tmp_path / "elsewhere")
    remove_leftovers(folder, TILES, [])
    assert (folder / name / "inside").is_file()
    assert other.is_symlink()
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "a user's"


def test_a_shard_removes_frames_of_its_own_fields_only(tmp_path: Path):
    names = [frame_name(FieldNumber(7, 1, field), "r") for field in range(11, 19)]
    lay(tmp_path, names)
    kept = names[1]  # field 12
    assert remove_leftovers(tmp_path, FRAMES, [kept], frames_of_shard(0, 3)) == 2  # 15, 18
    assert files_in(tmp_path) == {*names} - {names[4], names[7]}
