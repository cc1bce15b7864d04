"""One file, one flux: the frames of the workflow and the cutouts of ``zladder predict``."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from deep_files import CFHTLS, HSC, counts, hsc_hdus, write_tile

from zladder.cutouts.read_hsc import read_hsc
from zladder.cutouts.read_tiles import read_tile
from zladder.provenance.errors import BadInput
from zladder.tables.cutouts import Told
from zladder.tables.fits_cutouts import open_folder

FLUXMAG0 = 63095734448.0194  # 27.0 mag
UNITS = [  # cards of the primary header, of the image's, nanomaggies of a unit by hand
    ({"FLUXMAG0": FLUXMAG0}, {"BUNIT": "nJy"}, 1 / 3631.0),
    ({"FLUXMAG0": FLUXMAG0}, {"BUNIT": "nanomaggies"}, 1.0),
    ({"FLUXMAG0": FLUXMAG0}, {"BUNIT": "count"}, 10 ** (-0.4 * 4.5)),
    ({"FLUXMAG0": FLUXMAG0}, {"FLUXMAG0": 1e10}, 0.1),
    ({}, {"PHOTZP": 30.0, "MAGZERO": 25.0}, 1e-3),
    ({"PHOTZP": 30.0}, {"BUNIT": "ADU"}, 1e-3),
    ({}, {"MAGZERO": 20.0}, 10.0),
    ({"MAGZPT": 25.0}, {}, 0.1),
]
FAULTS = [
    ({}, {"BUNIT": "Jy"}, "HDU 1, BUNIT", "'Jy'"),
    ({"FLUXMAG0": 0.0}, {"MAGZERO": 20.0}, "HDU 0, FLUXMAG0", "'0.0'"),
    ({}, {"MAGZPT": "none"}, "HDU 1, MAGZPT", "'none'"),
    ({}, {}, "HDU 1", "none"),
]


def cutout(folder, primary, image):
    """Write an HSC cutout by the name that both readers take."""
    hdus = hsc_hdus(counts())
    del hdus[0].header["FLUXMAG0"]
    hdus[0].header.update(primary)
    hdus[1].header.update(image)
    hdus.writeto(folder / "1000_r.fits")
    return folder / "1000_r.fits"


def frame_of(path, settings, reader):
    known = {name: told for name, told in settings.items() if name != "zero_point_mag"}
    return reader(path, "r", known | {"shape": None, "key": (7,)})


def predicted(folder, side=64, **told):
    """Return the pixels that ``zladder predict`` sees."""
    return next(open_folder(folder, Told(**told)).blocks(["r"], side))[0, 0]


@pytest.mark.parametrize(("primary", "image", "nmgy"), UNITS)
def test_two_readers_of_one_cutout_give_one_flux(tmp_path, primary, image, nmgy):
    path = cutout(tmp_path, primary, image)
    frame = frame_of(path, HSC, read_hsc)
    np.testing.assert_allclose(predicted(tmp_path), counts() * nmgy, rtol=1e-6)
    np.testing.assert_allclose(frame.image[:, :], predicted(tmp_path), rtol=3e-7)


@pytest.mark.parametrize(("primary", "image", "place", "found"), FAULTS)
def test_what_one_reader_refuses_the_other_refuses_in_the_same_words(
    tmp_path, primary, image, place, found
):
    path = cutout(tmp_path, primary, image)
    with pytest.raises(BadInput) as one:
        frame_of(path, HSC, read_hsc)
    with pytest.raises(BadInput) as other:
        predicted(tmp_path)
    assert (one.value.place, one.value.found) == (place, found)
    assert (other.value.place, other.value.found) == (place, found)
    assert one.value.expected == other.value.expected
    assert "frames.zero_point_mag" in one.value.hint
    assert "--zero-point MAG" in other.value.hint


def test_a_tile_as_a_cutout_has_the_flux_of_its_zero_point(tmp_path):
    path = write_tile(tmp_path / "1000_r.fits", counts())
    frame = frame_of(path, CFHTLS, read_tile)
    np.testing.assert_allclose(predicted(tmp_path), counts() * 1e-3, rtol=1e-6)
    np.testing.assert_allclose(frame.image[:, :], predicted(tmp_path), rtol=3e-7)


def test_a_zero_point_that_is_told_goes_before_the_unit(tmp_path):
    cutout(tmp_path, {"FLUXMAG0": FLUXMAG0}, {"BUNIT": "Jy"})
    np.testing.assert_allclose(predicted(tmp_path, zero_point_mag=25.0), counts() * 0.1, rtol=1e-6)


def test_a_number_that_fits_cannot_say_is_refused_not_passed_over(tmp_path):
    path = cutout(tmp_path, {"MAGZPT": 25.0}, {"MAGZERO": 20.0})
    path.write_bytes(path.read_bytes().replace(b"MAGZERO =                 20.0",
                                               b"MAGZERO =                  NaN"))  # fmt: skip
    with pytest.raises(fits.VerifyError):
        fits.getheader(path, 1)["MAGZERO"]
    with pytest.raises(BadInput) as caught:
        predicted(tmp_path)
    assert (caught.value.place, caught.value.found) == ("HDU 1, MAGZERO", "'not readable'")
