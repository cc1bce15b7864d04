"""HSC cutouts and patches: counts to nanomaggies, planes by name, noise of the variance, faults."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from deep_files import HSC, HSC_COUNT_NMGY, PLANES, SIGMA_COUNTS, counts, hsc_hdus, write_hsc

from zladder.cutouts.frames import Frame
from zladder.cutouts.read_hsc import read_hsc
from zladder.provenance.errors import BadInput
from zladder.tables.stamp_files import flag_value

EXPECTED = HSC | {"shape": None, "key": (7,)}
ALL = (slice(None), slice(None))


def read(path, band: str = "r", **expected) -> Frame:
    return read_hsc(path, band, EXPECTED | expected)


def refused(path, band: str = "r", **expected) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(path, band, **expected)
    assert caught.value.file == str(path)
    return caught.value


def written(tmp_path, change=lambda hdus: None, **changes):
    hdus = hsc_hdus(counts(), **changes)
    change(hdus)
    hdus.writeto(tmp_path / "r.fits")
    return tmp_path / "r.fits"


def test_pixels_projection_noise_and_saturation(tmp_path):
    frame = read(write_hsc(tmp_path / "r.fits", counts(), SATURATE=1e5))
    np.testing.assert_allclose(frame.image[ALL], counts() * HSC_COUNT_NMGY, rtol=1e-6)
    assert frame.image[ALL].dtype == np.float32
    assert frame.image[ALL].dtype.isnative
    np.testing.assert_array_equal(frame.image[3:5, 7:20], frame.image[ALL][3:5, 7:20])
    wcs = WCS(fits.getheader(frame.path, 1))
    assert max(abs(wcs.wcs.crpix)) > 1000
    pixels = np.random.default_rng(1).uniform(0, 64, (50, 2))
    sky = wcs.all_pix2world(pixels, 0)
    np.testing.assert_allclose(frame.wcs.wcs_world2pix(sky, 0), pixels, atol=1e-6)
    assert frame.sky_sigma_nmgy == pytest.approx(SIGMA_COUNTS * HSC_COUNT_NMGY, rel=1e-6)
    assert frame.saturation_nmgy == pytest.approx(1e5 * HSC_COUNT_NMGY)
    assert np.isnan(frame.psf_fwhm_arcsec)


@pytest.mark.parametrize(
    ("unit", "header", "settings", "nmgy"),
    [
        ("nJy", None, 27.0, 1 / 3631.0),
        ("nanomaggy", None, None, 1.0),
        ("count", 10 ** (0.4 * 27.0), None, HSC_COUNT_NMGY),
        (None, 10 ** (0.4 * 27.0), 27.0, HSC_COUNT_NMGY),
        ("adu", None, 26.0, 10 ** (-0.4 * 3.5)),
    ],
)
def test_the_unit_is_brought_to_nanomaggies(tmp_path, unit, header, settings, nmgy):
    hdus = hsc_hdus(counts())
    del hdus[0].header["FLUXMAG0"]
    if unit:
        hdus[1].header["BUNIT"] = unit
    if header:
        hdus[1].header["FLUXMAG0"] = header
    hdus.writeto(tmp_path / "r.fits")
    expected = {key: value for key, value in EXPECTED.items() if key != "zero_point_mag"}
    expected |= {"zero_point_mag": settings} if settings else {}
    frame = read_hsc(tmp_path / "r.fits", "r", expected)
    np.testing.assert_allclose(frame.image[ALL], counts() * nmgy, rtol=2e-6)


def test_planes_are_known_by_name_and_unknown_ones_say_nothing(tmp_path):
    mask = np.zeros((64, 64), dtype=np.int64)
    for column, bit in enumerate(PLANES.values()):
        mask[10, column] = 1 << bit
    mask[20, 0] = sum(1 << bit for bit in PLANES.values())
    frame = read(write_hsc(tmp_path / "r.fits", counts(), mask=mask.astype(np.uint32)))
    flags = frame.mask[ALL]
    assert flags.dtype == np.uint32
    saturated, masked, missing = (flag_value(name) for name in ("saturated", "masked", "missing"))
    assert flags[10, :5].tolist() == [saturated, 0, missing, 0, masked]
    assert flags[20, 0] == saturated | masked | missing
    assert np.count_nonzero(flags) == 4
    moved = {"MP_SAT": 5, "HIERARCH MP_DETECTED": 1}  # another release has other bits
    (tmp_path / "r.fits").unlink()
    path = written(tmp_path, lambda hdus: hdus[2].header.update(moved), mask=mask)
    other = read(path).mask[ALL]
    assert (other[10, 0], other[10, 1]) == (0, saturated)


def test_the_noise_is_that_of_the_pixels_in_which_nothing_is_detected(tmp_path):
    def brighten(hdus):
        hdus[3].data[:40] = 100 * SIGMA_COUNTS**2
        hdus[2].data[:40] |= 1 << PLANES["MP_DETECTED"]
        hdus[3].data[50, :5] = np.nan, np.inf, 0.0, -1.0, np.nan

    frame = read(written(tmp_path, brighten))
    assert frame.sky_sigma_nmgy == pytest.approx(SIGMA_COUNTS * HSC_COUNT_NMGY, rel=1e-6)


def test_hdus_without_names_are_taken_by_number_and_named_ones_in_any_order(tmp_path):
    def unname(hdus):
        for hdu in hdus[1:]:
            del hdu.header["EXTTYPE"]

    def turn(hdus):
        hdus.append(hdus.pop(1))

    for number, change in enumerate((unname, turn)):
        (tmp_path / str(number)).mkdir()
        frame = read(written(tmp_path / str(number), change))
        np.testing.assert_allclose(frame.image[ALL], counts() * HSC_COUNT_NMGY, rtol=1e-6)


def test_a_file_of_compressed_hdus_is_read(tmp_path):
    plain = hsc_hdus(counts((128, 128)), SATURATE=1e5)
    packed = [plain[0]] + [
        fits.CompImageHDU(hdu.data, hdu.header, compression_type="RICE_1", quantize_level=q)
        for hdu, q in zip(plain[1:], (64, 0, 64), strict=True)
    ]
    packed[2].data[5, 5] = 1 << PLANES["MP_SAT"]
    fits.HDUList(packed).writeto(tmp_path / "r.fits")
    frame = read(tmp_path / "r.fits")
    expected = counts((128, 128)) * HSC_COUNT_NMGY
    sigma = SIGMA_COUNTS * HSC_COUNT_NMGY
    np.testing.assert_allclose(frame.image[ALL], expected, atol=sigma / 64)
    assert frame.mask[ALL][5, 5] == flag_value("saturated")
    assert np.count_nonzero(frame.mask[ALL]) == 1
    assert frame.sky_sigma_nmgy == pytest.approx(sigma, rel=0.01)


def test_a_large_patch_stays_in_its_file(tmp_path):
    image = counts((1000, 900))
    frame = read(write_hsc(tmp_path / "r.fits", image))
    assert isinstance(frame.image.raw, np.memmap)
    assert isinstance(frame.mask.raw, np.memmap)
    np.testing.assert_allclose(frame.image[700:740, 3:9], image[700:740, 3:9] * HSC_COUNT_NMGY,
                               rtol=1e-6)  # fmt: skip


def test_integers_with_a_scale_and_a_blank_are_their_values(tmp_path):
    def scale(hdus):
        data = np.round(counts() / 0.01).astype(np.int16)
        data[0, 0] = -32768
        hdus[1] = fits.ImageHDU(data, hdus[1].header)
        hdus[1].header["BLANK"] = -32768

    path = written(tmp_path, scale)
    for keyword, number in (("BSCALE", 0.01), ("BZERO", 3.0)):
        fits.setval(path, keyword, value=number, ext=1)
    with fits.open(path, do_not_scale_image_data=True) as hdus:
        raw = hdus[1].data.astype(float)
    image = read(path).image[ALL]
    assert np.isnan(image[0, 0])
    expected = (raw * 0.01 + 3.0) * HSC_COUNT_NMGY
    np.testing.assert_allclose(image[1:], expected[1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "place", "expected", "found"),
    [
        ({"CTYPE1": None}, "HDU 1, CTYPE1", "'RA---TAN'", "'no such keyword'"),
        ({"CTYPE2": "DEC--TPV"}, "HDU 1, CTYPE2", "'DEC--TAN'", "'DEC--TPV'"),
        ({"CRVAL1": None}, "HDU 1, CRVAL1", "a finite number", "'no such keyword'"),
        ({"CD2_1": "nan"}, "HDU 1, CD2_1", "a finite number", "'nan'"),
        ({"A_ORDER": 3}, "HDU 1, A_ORDER", "a projection without distortion", "A_ORDER 3"),
        ({"CD1_1": -0.2 / 3600, "CD2_2": 0.2 / 3600}, "HDU 1, CD1_1 to CD2_2",
         "pixels of 0.168 arcsec", "0.2 arcsec"),
        ({"FILTER": "HSC-I2"}, "HDU 1, FILTER", "'r', as the file's name says", "'HSC-I2'"),
        ({"BUNIT": "mJy/beam"}, "HDU 1, BUNIT", "nanomaggy, nJy or count", "'mJy/beam'"),
        ({"FLUXMAG0": 10 ** (0.4 * 26.9)}, "HDU 1, FLUXMAG0", "the survey's 27 mag",
         "26.9000 mag"),
        ({"FLUXMAG0": -1.0}, "HDU 1, FLUXMAG0", "a zero point", "'-1.0'"),
    ],
)  # fmt: skip
def test_an_image_that_says_something_else_is_refused(tmp_path, changes, place, expected, found):
    error = refused(write_hsc(tmp_path / "r.fits", counts(), **changes))
    assert (error.place, error.expected, error.found) == (place, expected, found)


@pytest.mark.parametrize("cards", [
    {"CD1_2": None, "CD2_1": None},
    {"CD1_2": None, "CD2_1": -1e-20},
    {"CD1_1": None, "CD2_2": None, "CD1_2": 0.168 / 3600, "CD2_1": 0.168 / 3600},
])  # fmt: skip
def test_zeros_of_the_matrix_may_be_left_out(tmp_path, cards):
    path = write_hsc(tmp_path / "r.fits", counts(), **cards)
    sky = WCS(fits.getheader(path, 1)).all_pix2world([[3.0, 50.0]], 0)
    np.testing.assert_allclose(read(path).wcs.wcs_world2pix(sky, 0), [[3.0, 50.0]], atol=1e-6)


@pytest.mark.parametrize("lost", [["CD1_1"], ["CD2_2", "CD1_2"],
                                  ["CD1_1", "CD1_2", "CD2_1", "CD2_2"]])  # fmt: skip
def test_a_number_of_the_matrix_that_is_missing_is_no_zero(tmp_path, lost):
    error = refused(write_hsc(tmp_path / "r.fits", counts(), **dict.fromkeys(lost)))
    assert (error.place, error.found) == (f"HDU 1, {lost[0]}", "'no such keyword'")


def _lose(number):
    return lambda hdus: hdus.pop(number)


def _set(number, **cards):
    return lambda hdus: hdus[number].header.update(cards)


def _drop(number, *names):
    def change(hdus):
        for name in names:
            del hdus[number].header[name]

    return change


def _blank_variance(hdus):
    hdus[3].data[:] = np.nan


def _narrow_mask(hdus):
    hdus[2] = fits.ImageHDU(hdus[2].data[:, :-1], hdus[2].header)


def _float_mask(hdus):
    hdus[2] = fits.ImageHDU(hdus[2].data.astype(np.float32), hdus[2].header)


def _table(hdus):
    columns = [fits.Column("a", "J", array=np.arange(3))]
    hdus[2] = fits.BinTableHDU.from_columns(columns)
    hdus[2].header["EXTTYPE"] = "MASK"


@pytest.mark.parametrize(
    ("change", "place", "expected", "found"),
    [
        (_lose(3), "HDU 3 (VARIANCE)", "an image, variance", "no such HDU (HDU 0 unnamed, 1 IMAGE"),
        (_lose(1), "HDU 3 (IMAGE)", "an image, image", "no such HDU"),
        (_table, "HDU 2", "an image of two dimensions", "table, NAXIS 2"),
        (_narrow_mask, "HDU 2, NAXIS1 and NAXIS2", "64 x 64 pixels, as the image", "63 x 64"),
        (_float_mask, "HDU 2", "integers with planes named by MP_*", "5 such names"),
        (_drop(2, *PLANES), "HDU 2", "integers with planes named by MP_*", "0 such names"),
        (_set(2, MP_SAT=40), "HDU 2, MP_SAT", "a bit from 0 to 31", "40"),
        (_blank_variance, "HDU 3", "a variance above 0", "none in any pixel"),
        (_drop(0, "FILTER"), "HDU 1, FILTER", "'r', as the file's name says", "'no such keyword'"),
    ],
)
def test_a_file_that_lacks_something_is_refused(tmp_path, change, place, expected, found):
    error = refused(written(tmp_path, change))
    assert (error.place, error.expected) == (place, expected)
    assert error.found.startswith(found)


def test_counts_without_a_zero_point_are_refused(tmp_path):
    path = written(tmp_path, _drop(0, "FLUXMAG0"))
    error = refused(path, zero_point_mag=None)
    words = "a zero point (FLUXMAG0, PHOTZP, MAGZERO or MAGZPT)"
    assert (error.expected, error.found) == (words, "none")


def test_another_band_or_shape_than_expected_is_refused(tmp_path):
    path = write_hsc(tmp_path / "r.fits", counts())
    assert refused(path, "g").place == "HDU 0, FILTER"
    error = refused(path, shape=(64, 70))
    assert error.expected == "70 x 64 pixels, as in the field's other bands"


@pytest.mark.parametrize("n_bytes", [0, 100, 2880, 12000, 30000, 59000])
def test_a_truncated_file_is_refused(tmp_path, n_bytes):
    path = write_hsc(tmp_path / "r.fits", counts())
    assert path.stat().st_size > 60000
    path.write_bytes(path.read_bytes()[:n_bytes])
    error = refused(path)
    assert error.expected in ("a whole FITS file", "an image, image", "an image, mask")


def test_a_missing_file_is_refused(tmp_path):
    assert refused(tmp_path / "r.fits").found == "no such file"
