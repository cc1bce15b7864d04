"""``zladder predict`` on a folder of FITS cutouts: cubes, HSC's files, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from tests import own_cutouts
from tests.own_cutouts import write_zladder
from tests.predicting import refused
from tests.toy_images import BANDS
from zladder.tables.fits_planes import band_of

N = 12
ORDER = [2, 0, 1]  # of the planes in the cubes: i, g, r


def world(scale_arcsec=0.396):
    """Return the coordinates of a survey's tract: the reference pixel lies far outside."""
    step = scale_arcsec / 3600.0
    return {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 9000.5, "CRPIX2": -4000.0,
            "CRVAL1": 150.0, "CRVAL2": 2.0, "CD1_1": -step * 0.8, "CD1_2": step * 0.6,
            "CD2_1": step * 0.6, "CD2_2": step * 0.8}  # fmt: skip


def write_cubes(folder, names=None, side=21, suffix=".fits", **cards):
    """Write a cube a galaxy, planes in the order of the header's BANDS."""
    folder.mkdir(exist_ok=True)
    made = own_cutouts.galaxies()
    stamps = own_cutouts.framed(made["flux"][:, ORDER], side)
    for row in range(N):
        header = {**world(), "BUNIT": "nanomaggy", "BANDS": "i,g,r", "SFD": made["ebv_mag"][row]}
        kept = {key: value for key, value in (header | cards).items() if value is not None}
        name = names[row] if names else made["object_id"][row]
        hdu = fits.PrimaryHDU(stamps[row], fits.Header(kept))
        hdu.writeto(folder / f"{name}{suffix}", overwrite=True)
    return folder


def write_hsc(folder, bands=BANDS, **cards):
    """Write a file a galaxy and band as HSC's cutouts are: image, mask, variance, in counts."""
    folder.mkdir(exist_ok=True)
    made = own_cutouts.galaxies()
    zero_point = 2.5 * np.log10(63095734448.0194)
    counts = made["flux"] * np.float32(10 ** (0.4 * (zero_point - 22.5)))
    cdelt = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CDELT1": -0.396 / 3600,
             "CDELT2": 0.396 / 3600}  # fmt: skip
    for row in range(N):
        for band in bands:
            image = counts[row, BANDS.index(band)]
            header = fits.Header(cdelt | cards)
            hdus = [fits.PrimaryHDU(header=fits.Header({"FLUXMAG0": 63095734448.0194})),
                    fits.ImageHDU(image, header, name="IMAGE"),
                    fits.ImageHDU(np.zeros(image.shape, np.int32), name="MASK"),
                    fits.ImageHDU(np.ones_like(image), name="VARIANCE")]  # fmt: skip
            path = folder / f"{made['object_id'][row]}_HSC-{band.upper()}.fits"
            fits.HDUList(hdus).writeto(path, overwrite=True)
    return folder


@pytest.fixture
def plain(look, tmp_path):
    """The answers for the same galaxies in our own layout, extinctions from E(B-V)."""
    path = write_zladder(tmp_path / "p.h5", extinction_mag=None,
                         dust=own_cutouts.galaxies()["ebv_mag"])  # fmt: skip
    code, message, out = look(path, "--ebv", "dust", output="plain.parquet")
    assert code == 0, message
    return pd.read_parquet(out)[:N]


def answers(outcome):
    code, message, out = outcome
    assert code == 0, message
    return pd.read_parquet(out).sort_values("object_id").reset_index(drop=True)


def test_cubes_give_the_answers_of_stamps(look, tmp_path, plain):
    folder = write_cubes(tmp_path / "cubes")
    (folder / "readme.txt").write_text("not FITS", encoding="utf-8")
    outcome = look(folder, "--ebv", "SFD")
    table = answers(outcome)
    assert f"{N} cutouts in, {N} out, 0 without" in outcome[1]
    np.testing.assert_array_equal(table["object_id"], plain["object_id"])
    np.testing.assert_allclose(table["z_phot"], plain["z_phot"], rtol=1e-5, atol=1e-6)
    assert list(table["file"]) == [str(number) for number in table["object_id"]]


@pytest.mark.parametrize(("cards", "options"), [
    ({"BANDS": "igr"}, ()), ({"BANDS": None}, ("--bands", "i", "g", "r")),
    ({"BUNIT": None, "MAGZERO": 22.5}, ()), ({"BUNIT": "Jy"}, ("--zero-point", 22.5)),
    ({"BUNIT": None}, ("--zero-point", 22.5)),
    ({"CTYPE1": None}, ("--pixel-scale", 0.396)),
])  # fmt: skip
def test_headers_or_options_tell_what_is_needed(look, tmp_path, plain, cards, options):
    folder = write_cubes(tmp_path / "cubes", **cards)
    table = answers(look(folder, "--ebv", "SFD", *options))
    np.testing.assert_allclose(table["z_phot"], plain["z_phot"], rtol=1e-5, atol=1e-6)


def test_files_a_band_as_hsc_cuts_them(look, tmp_path, plain):
    folder = write_hsc(tmp_path / "hsc")
    made = own_cutouts.galaxies()
    first = made["object_id"][0]
    for row in range(N):  # one band's header tells it
        path = folder / f"{made['object_id'][row]}_HSC-R.fits"
        fits.setval(path, "DUST", value=made["ebv_mag"][row], ext=0)
    fits.setval(folder / f"{first}_HSC-G.fits", "FILTER", value="HSC-G", ext=1)
    table = answers(look(folder, "--ebv", "DUST"))
    np.testing.assert_allclose(table["z_phot"], plain["z_phot"], rtol=2e-5, atol=2e-6)


def test_names_that_are_no_numbers_have_ids_of_their_own(look, tmp_path):
    names = [f"NGC_{row:03d}-é" for row in range(N)]
    folder = write_cubes(tmp_path / "cubes", names, suffix=".fits.gz")
    table = answers(look(folder, "--ebv", 0.02))
    assert sorted(table["file"]) == names
    assert table["object_id"].is_unique
    assert (table["object_id"] >= 0).all()
    again = write_cubes(tmp_path / "again", names[::-1])
    other = answers(look(again, "--ebv", 0.02))
    assert dict(zip(table["file"], table["object_id"], strict=True)) == dict(
        zip(other["file"], other["object_id"], strict=True)
    )


def test_a_cutout_with_faulty_pixels_has_no_answer(look, tmp_path):
    folder = write_cubes(tmp_path / "cubes")
    path = min(folder.iterdir())
    image = fits.getdata(path).copy()
    image[1, 10, 10] = np.nan
    fits.update(path, image, fits.getheader(path))
    table = answers(look(folder, "--ebv", 0))
    assert list(table["z_phot"].isna()) == [True] + [False] * (N - 1)


@pytest.mark.parametrize(("text", "band"), [
    ("g", "g"), ("HSC-G", "g"), ("HSC-I2", "i"), ("r.MP9601", "r"), (" z ", "z"), ("Ks", "Ks"),
    ("g DECam SDSS c0001 4720.0 1520.0", "g"),
])  # fmt: skip
def test_filters_by_their_many_names(text, band):
    assert band_of(text) == band


@pytest.mark.parametrize(("cards", "parts"), [
    ({"BANDS": None}, ["BANDS", "BANDS, such as 'grz'", "3 planes", "--bands"]),
    ({"BANDS": "g,r"}, ["BANDS", "one plane a band: g, r", "3 planes"]),
    ({"BANDS": "g,r,g"}, ["BANDS", "one plane a band: g, r, g", "3 planes"]),
    ({"BANDS": "grz"}, ["bands", "the run's g, r, i", "g, r, z (no i)"]),
    ({"BUNIT": "Jy"}, ["HDU 0, BUNIT", "nanomaggy, nJy or count", "'Jy'", "--zero-point MAG"]),
    ({"BUNIT": None}, ["a zero point (FLUXMAG0, PHOTZP, MAGZERO or MAGZPT)", "none",
                       "--zero-point MAG"]),
    ({"BUNIT": "count", "PHOTZP": "?"}, ["HDU 0, PHOTZP", "a zero point", "'?'"]),
    ({"CD1_1": 0.5}, ["width of a pixel", "0.396 arcsec", "resample"]),
    ({"CTYPE1": None}, ["width of a pixel", "0.396 arcsec", "nothing that tells it",
                        "--pixel-scale"]),
    ({"SFD": None}, ["SFD", "E(B-V) in mag", "no such keyword"]),
    ({"SFD": -0.1}, ["SFD", "mag, 0 or more", "-0.1"]),
])  # fmt: skip
def test_a_header_that_does_not_fit_is_refused(look, tmp_path, cards, parts):
    refused(look(write_cubes(tmp_path / "cubes", **cards), "--ebv", "SFD"), *parts)


def test_cubes_that_are_too_small_are_refused(look, tmp_path):
    folder = write_cubes(tmp_path / "cubes", side=16)
    path = max(folder.iterdir())
    fits.update(path, fits.getdata(path)[:, :11], fits.getheader(path))
    refused(look(folder, "--ebv", 0), "size of the cutouts", "at least 12 x 12 pixels",
            "11 x 16 pixels")  # fmt: skip


def test_a_galaxy_without_a_band_is_refused(look, tmp_path):
    folder = write_hsc(tmp_path / "hsc")
    lost = sorted(folder.glob("*_HSC-R.fits"))[3]
    lost.unlink()
    name = lost.name.split("_")[0]
    refused(look(folder, "--ebv", 0), f"bands of {name}", "expected: g, r, i", "g, i (1 such")


@pytest.mark.parametrize("share", [0.4, 0.8, 0.99])
def test_a_packed_file_that_was_cut_off_is_named(look, tmp_path, share):
    folder = write_cubes(tmp_path / "cubes", suffix=".fits.gz")
    path = max(folder.iterdir())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(look(folder, "--ebv", 0), path.name, "a whole FITS file", "cut off")


@pytest.mark.parametrize(("change", "parts"), [
    (lambda path: path.write_bytes(path.read_bytes()[:6200]), ["a whole FITS file", "bytes"]),
    (lambda path: path.write_bytes(b"not FITS" * 500), ["a whole FITS file", "fetch or make"]),
    (lambda path: fits.PrimaryHDU().writeto(path, overwrite=True),
     ["HDUs", "an image", "1 HDUs without one"]),
    (lambda path: path.rename(path.with_name("galaxy.fits")),
     ["name of the file", "NAME_BAND.fits", "galaxy.fits"]),
    (lambda path: path.with_name(path.name + ".gz").write_bytes(b"no gzip"),
     ["a whole FITS file"]),
    (lambda path: fits.setval(path, "FILTER", value="HSC-Z", ext=1),
     ["FILTER or BAND", "'g', as the file's name says", "'HSC-Z'"]),
    (lambda path: fits.ImageHDU(fits.getdata(path, 1)).writeto(
        path.with_name(path.name.replace("HSC-G", "g")), overwrite=True), ["zero point"]),
    (lambda path: path.with_name(path.name.replace("HSC-G", "g")).write_bytes(path.read_bytes()),
     ["band g", "one image of each band", "a second one"]),
    (lambda path: fits.setval(path, "CDELT1", value=1e-4, ext=1),
     ["pixel scale", "arcsec, as in", "resample"]),
])  # fmt: skip
def test_a_faulty_file_is_named(look, tmp_path, change, parts):
    folder = write_hsc(tmp_path / "hsc")
    change(min(folder.glob("*_HSC-G.fits")))
    refused(look(folder, "--ebv", 0), *parts)


def test_bands_of_two_sizes_are_refused(look, tmp_path):
    folder = write_hsc(tmp_path / "hsc")
    path = max(folder.glob("*_HSC-R.fits"))
    fits.update(path, np.zeros((16, 17), np.float32), fits.getheader(path, 1), 1)
    refused(look(folder, "--ebv", 0), path.name, "rows and columns", "(16, 16), as in", "(16, 17)")


def test_a_folder_without_fits_is_refused(look, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/.hidden.fits").write_bytes(b"")
    refused(look(tmp_path / "empty"), "files", "files that end in .fits", "none")
