"""A frame is read as it is written, and every fault of one has its own message."""

from __future__ import annotations

import bz2

import numpy as np
import pytest
import stamp_sky
from astropy.io import fits
from stamp_sky import BANDS, KEY, SCALE_ARCSEC, SHAPE, noise, path_of, wcs_of, write_frame

from zladder.cutouts.frames import sky_sigma_nmgy
from zladder.cutouts.headers import SATURATED_COUNTS
from zladder.cutouts.read_sdss import frame_path, read_frame
from zladder.provenance.errors import BadInput

EXPECTED = {"pixel_scale_arcsec": SCALE_ARCSEC, "key": KEY, "shape": None}


def test_an_image_is_read_bit_by_bit_in_the_order_of_this_machine(tmp_path):
    image = noise(1)
    frame = read_frame(write_frame(tmp_path, "r", image), "r", EXPECTED)
    assert frame.image.dtype == np.float32
    assert frame.image.dtype.isnative
    assert frame.image.tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("changes", "level"),
    [({}, SATURATED_COUNTS * 0.005), ({"SATURATE": 77.5}, 77.5), ({"NMGY": None}, np.inf),
     ({"NMGY": None, "SATURATE": 12}, 12.0), ({"NMGY": 0.0}, np.inf)],
)  # fmt: skip
def test_the_level_of_a_full_pixel_is_what_the_header_tells(tmp_path, changes, level):
    path = write_frame(tmp_path, "r", noise(1), **changes)
    assert read_frame(path, "r", EXPECTED).saturation_nmgy == level


@pytest.mark.parametrize("band", BANDS)
def test_the_world_coordinates_are_those_of_astropy(tmp_path, band):
    path = write_frame(tmp_path, band, noise(1))
    frame = read_frame(path, band, EXPECTED)
    pixels = np.random.default_rng(1).uniform(0, 128, (50, 2))
    sky = wcs_of(band).wcs_pix2world(pixels, 0)
    np.testing.assert_allclose(frame.wcs.wcs_world2pix(sky, 0), pixels, atol=1e-6)


def test_a_compressed_frame_is_found_and_read(tmp_path):
    path = write_frame(tmp_path, "g", noise(2))
    packed = path.with_name(path.name + ".bz2")
    packed.write_bytes(bz2.compress(path.read_bytes()))
    assert frame_path(tmp_path, KEY, "g") == path  # the plain one where both are there
    path.unlink()
    assert frame_path(tmp_path, KEY, "g") == packed
    frame = read_frame(packed, "g", EXPECTED)
    assert frame.image.tobytes() == noise(2).tobytes()


def test_the_path_is_that_of_the_survey(tmp_path):
    path = frame_path(tmp_path, (94, 1, 7), "u")
    assert path == tmp_path / "94" / "1" / "frame-u-000094-1-0007.fits"


@pytest.mark.parametrize("shape", [SHAPE, (1000, 800)])
def test_the_noise_is_measured_through_bright_sources(shape):
    image = np.random.default_rng(3).normal(0, 0.02, shape)
    image[20:60, 30:50] += 100.0  # up to 4 % of the pixels
    image[0, :5] = np.nan
    # MAD of >= 8,000 pixels: relative error 1.17 / sqrt(2 n) < 1 %; bias of 4 % sources < 6 %;
    # 12 % is beyond 5 sigma: false alarm with P < 1e-6.
    assert sky_sigma_nmgy(image) == pytest.approx(0.02, rel=0.12)


def refused(path, band="r", **expected) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_frame(path, band, EXPECTED | expected)
    assert caught.value.file == str(path)
    return caught.value


def test_a_missing_frame_is_refused(tmp_path):
    error = refused(path_of(tmp_path, "r"))
    assert (error.place, error.expected, error.found) == ("file", "a frame", "no such file")


@pytest.mark.parametrize("n_bytes", [0, 100, 2880, 2880 * 2 + 5000])
def test_a_truncated_frame_is_refused(tmp_path, n_bytes):
    path = write_frame(tmp_path, "r", noise(1))
    path.write_bytes(path.read_bytes()[:n_bytes])
    error = refused(path)
    assert (error.place, error.expected) == ("file", "a whole FITS file")
    if n_bytes > 5000:
        assert error.found == f"{n_bytes} of {2 * 2880 - 2880 + 4 * 128 * 160} bytes"


def test_a_truncated_compressed_frame_is_refused(tmp_path):
    path = write_frame(tmp_path, "r", noise(1))
    packed = path.with_name(path.name + ".bz2")
    packed.write_bytes(bz2.compress(path.read_bytes())[:-2000])
    error = refused(packed)
    assert (error.place, error.expected) == ("file", "a whole FITS file")
    assert "end-of-stream" in error.found


@pytest.mark.parametrize("content", [b"<html>404</html>", b"SIMPLE  =  T" * 600])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "frame-r-000756-2-0014.fits"
    path.write_bytes(content)
    assert refused(path).expected == "a whole FITS file"


def test_a_file_without_an_image_is_refused(tmp_path):
    path = tmp_path / "frame.fits"
    fits.PrimaryHDU().writeto(path)
    error = refused(path)
    assert (error.place, error.expected) == ("HDU 0", "a two-dimensional image of 32-bit floats")
    assert error.found.startswith("NAXIS 0")
    fits.PrimaryHDU(np.zeros((8, 8))).writeto(path, overwrite=True)
    assert "BITPIX -64" in refused(path).found


@pytest.mark.parametrize(
    ("changes", "place", "expected", "found"),
    [
        ({"FILTER": "g"}, "HDU 0, FILTER", "'r', as the file's name says", "'g'"),
        ({"FILTER": None}, "HDU 0, FILTER", "'r', as the file's name says", "'no such keyword'"),
        ({"BUNIT": "counts"}, "HDU 0, BUNIT", "'nanomaggy'", "'counts'"),
        ({"BUNIT": None}, "HDU 0, BUNIT", "'nanomaggy'", "'no such keyword'"),
        ({"FRAME": 15}, "HDU 0, FRAME", "14, as the file's name says", "15"),
        ({"FRAME": "0015"}, "HDU 0, FRAME", "14, as the file's name says", "0015"),
        ({"CAMCOL": "2b"}, "HDU 0, CAMCOL", "2, as the file's name says", "2b"),
        ({"CTYPE1": None}, "HDU 0, CTYPE1", "'RA---TAN'", "'no such keyword'"),
        ({"CTYPE2": "DEC--SIN"}, "HDU 0, CTYPE2", "'DEC--TAN'", "'DEC--SIN'"),
        ({"CRVAL1": None}, "HDU 0, CRVAL1", "a finite number", "'no such keyword'"),
        ({"CD2_1": "nan"}, "HDU 0, CD2_1", "a finite number", "'nan'"),
    ],
)
def test_a_header_that_says_something_else_is_refused(tmp_path, changes, place, expected, found):
    error = refused(write_frame(tmp_path, "r", noise(1), **changes))
    assert (error.place, error.expected, error.found) == (place, expected, found)


@pytest.mark.parametrize("said", [{"CAMCOL": "2"}, {"FRAME": "0014 "}, {"RUN": 756.0}])
def test_numbers_of_the_field_may_be_texts(tmp_path, said):
    path = write_frame(tmp_path, "r", noise(1), **said)
    assert read_frame(path, "r", EXPECTED).image.shape == SHAPE


def test_coordinates_that_are_not_finite_are_refused(tmp_path):
    path = write_frame(tmp_path, "r", noise(1), CRVAL2=1.5)
    content = path.read_bytes()
    written = b"CRVAL2  =                  1.5"
    assert content.count(written) == 1
    path.write_bytes(content.replace(written, b"CRVAL2  =                  NaN"))
    error = refused(path)
    assert (error.place, error.found) == ("HDU 0, CRVAL2", "'not readable'")


def test_pixels_of_another_size_are_refused(tmp_path):
    path = write_frame(tmp_path, "r", noise(1))
    error = refused(path, pixel_scale_arcsec=0.168)
    assert error.place == "HDU 0, CD1_1 to CD2_2"
    assert (error.expected, error.found) == ("pixels of 0.168 arcsec", "0.396 arcsec")
    same = write_frame(tmp_path, "r", noise(1), CD1_1=0.0, CD1_2=0.0)
    assert refused(same).found == "0 arcsec"


def test_a_band_of_another_shape_is_refused(tmp_path):
    path = write_frame(tmp_path, "r", stamp_sky.noise(1, (128, 128)))
    error = refused(path, shape=SHAPE)
    assert error.place == "HDU 0, NAXIS1 and NAXIS2"
    assert error.expected == "160 x 128 pixels, as in the field's other bands"
    assert error.found == "128 x 128"


def packed(tmp_path, image=None, **kind):
    """A frame as fpack writes it: the image tile by tile in HDU 1."""
    plain = write_frame(tmp_path, "r", noise(1) if image is None else image)
    path = plain.with_name(plain.name + ".fz")
    with fits.open(plain) as hdus:
        header = hdus[0].header
        header.remove("EXTEND")
        wanted = {"compression_type": "RICE_1", **kind}
        data = hdus[0].data if image is None else image
        tiled = fits.CompImageHDU(data, header, **wanted)
        fits.HDUList([fits.PrimaryHDU(), tiled]).writeto(path)
    plain.unlink()
    return path


def test_a_tile_compressed_frame_is_found_and_read(tmp_path):
    path = packed(tmp_path)
    assert frame_path(tmp_path, KEY, "r") == path
    frame = read_frame(path, "r", EXPECTED)
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(frame.image, hdus[1].data)  # what astropy unpacks
    # quantised in steps of a sixteenth of the noise
    np.testing.assert_allclose(frame.image, noise(1), atol=stamp_sky.SIGMA_NMGY / 16)
    assert frame.image.dtype == np.float32
    assert frame.image.dtype.isnative
    assert frame.saturation_nmgy == SATURATED_COUNTS * 0.005
    lossless = packed(tmp_path / "other", compression_type="GZIP_2", quantize_level=0)
    assert read_frame(lossless, "r", EXPECTED).image.tobytes() == noise(1).tobytes()


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_compressed_integers_are_brought_to_their_values(tmp_path, dtype):
    whole = np.round(noise(1) / 0.001).astype(dtype)
    path = packed(tmp_path, image=whole)
    for keyword, number in (("BSCALE", 0.001), ("BZERO", 0.25)):
        with fits.open(path, "update", disable_image_compression=True) as hdus:
            hdus[1].header[keyword] = number
    image = read_frame(path, "r", EXPECTED).image
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, whole * 0.001 + 0.25, rtol=1e-6)


@pytest.mark.parametrize("n_bytes", [0, 2880, 6000, 12000, 20000])
def test_a_truncated_tile_compressed_frame_is_refused(tmp_path, n_bytes):
    path = packed(tmp_path)
    assert path.stat().st_size > 25000
    path.write_bytes(path.read_bytes()[:n_bytes])
    error = refused(path)
    assert (error.place, error.expected) in (
        ("file", "a whole FITS file"), ("HDU 1", "a tile-compressed image"))  # fmt: skip


def test_a_damaged_tile_compressed_frame_is_refused(tmp_path):
    path = packed(tmp_path)
    content = bytearray(path.read_bytes())
    content[15000:19000] = bytes(4000)
    path.write_bytes(content)
    error = refused(path)
    assert (error.place, error.expected) == ("file", "a whole FITS file")


@pytest.mark.parametrize("what", ["plain", "cube"])
def test_a_file_that_is_not_tile_compressed_is_refused(tmp_path, what):
    path = packed(tmp_path)
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(noise(1))])
    if what == "cube":
        hdus[1] = fits.CompImageHDU(np.zeros((2, 8, 8), dtype=np.int16))
    hdus.writeto(path, overwrite=True)
    error = refused(path)
    assert error.place == "HDU 1"
    assert error.expected == (
        "a tile-compressed image" if what == "plain" else "an image of two dimensions"
    )


def test_the_noise_measured_is_that_of_the_data_models_formula(tmp_path):
    """Counts = image / calibration + sky; variance = counts / gain + dark variance."""
    per_count, sky, gain, dark = 0.005, 150.0, 4.7, 1.0
    draw = np.random.default_rng(8)
    variance = sky / gain + dark
    image = (per_count * draw.normal(0, np.sqrt(variance), (600, 800))).astype(np.float32)
    frame = read_frame(write_frame(tmp_path, "r", image), "r", EXPECTED)
    # MAD of 480,000 pixels: 1.17 / sqrt(n) = 0.17 %; 1 % is beyond 5 sigma, P < 1e-6
    assert frame.sky_sigma_nmgy == pytest.approx(per_count * np.sqrt(variance), rel=0.01)
