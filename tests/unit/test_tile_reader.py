"""CFHTLS tiles: windows of a mapped file, zero points, missing pixels, faults."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from deep_files import CFHTLS, CFHTLS_COUNT_NMGY, SIGMA_COUNTS, counts, write_tile

from zladder.cutouts.frames import Frame
from zladder.cutouts.read_tiles import read_tile
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import flag_value

NAME = "CFHTLS_W_r_022200-043000_T0007_MEDIAN.fits"
WEIGHTS = {"weights": "CFHTLS_{layer}_{band}_{position}_T0007_WEIGHT.fits"}
EXPECTED = CFHTLS | {"shape": None}
ALL = (slice(None), slice(None))
MISSING = flag_value("missing")


def read(path, band: str = "r", **expected) -> Frame:
    return read_tile(path, band, EXPECTED | expected)


def refused(path, band: str = "r", **expected) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(path, band, **expected)
    return caught.value


def test_pixels_projection_noise_and_saturation(tmp_path):
    image = counts((200, 300))
    frame = read(write_tile(tmp_path / NAME, image))
    np.testing.assert_allclose(frame.image[ALL], image * CFHTLS_COUNT_NMGY, rtol=1e-6)
    pixels = np.random.default_rng(1).uniform(0, 200, (50, 2))
    sky = WCS(fits.getheader(frame.path)).all_pix2world(pixels, 0)
    np.testing.assert_allclose(frame.wcs.wcs_world2pix(sky, 0), pixels, atol=1e-6)
    # MAD of 60,000 pixels: 0.5 %; beyond 6 sigma, P < 1e-8
    assert frame.sky_sigma_nmgy == pytest.approx(SIGMA_COUNTS * CFHTLS_COUNT_NMGY, rel=0.03)
    assert frame.saturation_nmgy == pytest.approx(5e4 * CFHTLS_COUNT_NMGY)
    assert not frame.mask[ALL].any()


def test_a_large_tile_is_never_copied(tmp_path):
    side = 6000  # 144 MB, of which the file holds what is written; the rest is sparse
    path = write_tile(tmp_path / NAME, counts((4, 4)))
    header = fits.getheader(path)
    header["NAXIS1"] = header["NAXIS2"] = side
    start = len(header.tostring())
    rows = np.arange(0, side, 94)  # those that the noise is told by, and a window
    noise = counts((len(rows), side), seed=2).astype(">f4")
    window = counts((64, 64), seed=3)
    with path.open("wb") as stream:
        stream.write(header.tostring().encode())
        for row, values in zip(rows, noise, strict=True):
            stream.seek(start + 4 * side * int(row))
            stream.write(values.tobytes())
        for row in range(64):
            stream.seek(start + 4 * (side * (3001 + row) + 5000))
            stream.write(window[row].astype(">f4").tobytes())
        stream.truncate(-(-(start + 4 * side * side) // 2880) * 2880)
    tracemalloc.start()
    frame = read(path)
    cut = frame.image[3001:3065, 5000:5064]
    assert tracemalloc.get_traced_memory()[1] < 16e6
    tracemalloc.stop()
    np.testing.assert_allclose(cut, window * CFHTLS_COUNT_NMGY, rtol=1e-6)
    assert frame.sky_sigma_nmgy == pytest.approx(SIGMA_COUNTS * CFHTLS_COUNT_NMGY, rel=0.05)
    assert (frame.mask[0:2, 0:9] == [[0] * 9, [MISSING] * 9]).all()


def test_pixels_without_data_are_flagged_and_say_nothing_of_the_noise(tmp_path):
    image = counts((200, 300))
    image[:, :160] = 0.0
    path = write_tile(tmp_path / NAME, image)
    frame = read(path)
    np.testing.assert_array_equal(frame.mask[ALL] == MISSING, image == 0)
    assert frame.sky_sigma_nmgy == pytest.approx(SIGMA_COUNTS * CFHTLS_COUNT_NMGY, rel=0.03)
    weights = np.ones((200, 300), dtype=np.float32)
    weights[150:] = 0.0
    weights[0, 0] = np.nan
    write_tile(tmp_path / NAME.replace("MEDIAN", "WEIGHT"), weights)
    weighed = read(path, **WEIGHTS)
    np.testing.assert_array_equal(weighed.mask[ALL] == MISSING, ~(weights > 0))
    np.testing.assert_array_equal(weighed.image[ALL], frame.image[ALL])


@pytest.mark.parametrize("named", ["r", "r.MP9601", "R"])
def test_the_filter_is_a_letter_with_the_cameras_marks(tmp_path, named):
    assert read(write_tile(tmp_path / NAME, counts(), FILTER=named)).image.shape == (64, 64)


@pytest.mark.parametrize(
    ("changes", "place", "expected", "found"),
    [
        ({"FILTER": "i.MP9702"}, "HDU 0, FILTER", "'r', as the file's name says", "'i.MP9702'"),
        ({"FILTER": "Ha.MP7605"}, "HDU 0, FILTER", "'r', as the file's name says", "'Ha.MP7605'"),
        ({"FILTER": None}, "HDU 0, FILTER", "'r', as the file's name says", "'no such keyword'"),
        ({"CTYPE2": None}, "HDU 0, CTYPE2", "'DEC--TAN'", "'no such keyword'"),
        ({"CRPIX2": "nan"}, "HDU 0, CRPIX2", "a finite number", "'nan'"),
        ({"PV1_1": 1.001}, "HDU 0, PV1_1", "a projection without distortion", "PV1_1 1.001"),
        ({"CROTA2": 30.0}, "HDU 0, CROTA2", "0, or no such keyword", "30.0"),
        ({"LONPOLE": 150.0}, "HDU 0, LONPOLE", "180, or no such keyword", "150.0"),
        ({"CUNIT1": "arcsec"}, "HDU 0, CUNIT1", "deg, or no such keyword", "'arcsec'"),
        ({"PC001001": -1.0}, "HDU 0, PC001001", "1, or no such keyword", "-1.0"),
        ({"PC002001": 0.1}, "HDU 0, PC002001", "0, or no such keyword", "0.1"),
        ({"EQUINOX": 1950.0}, "HDU 0, EQUINOX", "2000, or no such keyword", "'1950.0'"),
        ({"EQUINOX": "B1950"}, "HDU 0, EQUINOX", "2000, or no such keyword", "'B1950'"),
        ({"RADESYS": "FK4"}, "HDU 0, RADESYS", "ICRS or FK5, or no such keyword", "'FK4'"),
        ({"RADECSYS": "GAPPT"}, "HDU 0, RADECSYS", "ICRS or FK5, or no such keyword", "'GAPPT'"),
        ({"CD1_1": 0.0, "CD2_2": 0.0}, "HDU 0, CD1_1 to CD2_2", "pixels of 0.186 arcsec",
         "0 arcsec"),
        ({"PHOTZP": 25.0}, "HDU 0, PHOTZP", "the survey's 30 mag", "25.0000 mag"),
        ({"PHOTZP": "none"}, "HDU 0, PHOTZP", "a zero point", "'none'"),
        ({"BUNIT": "Jy"}, "HDU 0, BUNIT", "nanomaggy, nJy or count", "'Jy'"),
    ],
)  # fmt: skip
def test_a_tile_that_says_something_else_is_refused(tmp_path, changes, place, expected, found):
    path = write_tile(tmp_path / NAME, counts(), **changes)
    error = refused(path)
    assert error.file == str(path)
    assert (error.place, error.expected, error.found) == (place, expected, found)


def test_steps_and_a_turn_are_as_good_as_a_matrix(tmp_path):
    plain = read(write_tile(tmp_path / NAME, counts()))
    step = 0.186 / 3600
    none = {f"CD{i}_{j}": None for i in (1, 2) for j in (1, 2)}
    turned = none | {"CDELT1": -step, "CDELT2": step, "PC1_2": 0.2, "PC2_1": -0.1}
    frame = read(write_tile(tmp_path / NAME, counts(), **turned))
    sky = WCS(fits.getheader(frame.path)).all_pix2world([[3.0, 50.0]], 0)
    np.testing.assert_allclose(frame.wcs.wcs_world2pix(sky, 0), [[3.0, 50.0]], atol=1e-6)
    assert np.abs(plain.wcs.wcs_world2pix(sky, 0) - [[3.0, 50.0]]).max() > 1


@pytest.mark.parametrize("cards", [
    {"EQUINOX": 2000}, {"EQUINOX": "J2000.0"}, {"EQUINOX": None}, {"RADESYS": "ICRS"},
    {"RADECSYS": "FK5", "EQUINOX": 2000.0}, {"PC001001": 1.0, "PC001002": 0.0},
])  # fmt: skip
def test_what_says_that_positions_are_as_taken_is_no_fault(tmp_path, cards):
    plain = read(write_tile(tmp_path / NAME, counts()))
    told = read(write_tile(tmp_path / NAME, counts(), **cards))
    np.testing.assert_array_equal(told.wcs.wcs.cd, plain.wcs.wcs.cd)


def test_a_compressed_tile_is_to_be_unpacked(tmp_path):
    plain = write_tile(tmp_path / "plain.fits", counts())
    packed = fits.CompImageHDU(fits.getdata(plain), fits.getheader(plain))
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(tmp_path / NAME)
    error = refused(tmp_path / NAME)
    assert (error.found, error.hint) == ("a compressed one", "unpack the tile (funpack)")


@pytest.mark.parametrize("n_bytes", [0, 2879, 2880, 2880 + 4 * 64 * 64 - 1])
def test_a_truncated_tile_is_refused(tmp_path, n_bytes):
    path = write_tile(tmp_path / NAME, counts())
    path.write_bytes(path.read_bytes()[:n_bytes])
    error = refused(path)
    assert error.expected == "a whole FITS file"
    if n_bytes >= 2880:
        assert error.found == f"{n_bytes} of {2880 + 4 * 64 * 64} bytes"


def test_a_tile_without_data_or_weights_is_refused(tmp_path):
    path = write_tile(tmp_path / NAME, np.zeros((64, 64), dtype=np.float32))
    assert refused(path).found == "none in the rows looked at"
    path = write_tile(tmp_path / NAME, np.full((64, 64), np.nan, dtype=np.float32))
    assert refused(path).found == "none in the rows looked at"
    path = write_tile(tmp_path / NAME, counts())
    error = refused(path, **WEIGHTS)
    assert (error.file, error.found) == (str(path).replace("MEDIAN", "WEIGHT"), "no such file")
    write_tile(tmp_path / NAME.replace("MEDIAN", "WEIGHT"), counts((64, 60)))
    assert refused(path, **WEIGHTS).found == "60 x 64"
    assert refused(path, shape=(60, 64)).found == "64 x 64"
    assert refused(path, "g").place == "HDU 0, FILTER"


def test_a_file_with_no_image_is_refused(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 8, 8), dtype=np.float32)).writeto(tmp_path / NAME)
    assert refused(tmp_path / NAME).found == "image, NAXIS 3, BITPIX -32, sides [8, 8]"
