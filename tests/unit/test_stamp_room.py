"""What was cut before has room for stamps, or is refused before anything runs."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.config.stamp_room import require_sides
from zladder.cutouts.windows import first_pixels, lie_inside
from zladder.provenance.errors import BadInput


def hsc_tree(settings, scale, **cutouts):
    tree = settings(scale)
    tree["cutouts"] |= cutouts
    tree["survey"]["imaging"]["edge_pixels"] = 60  # of the other frames: room enough
    return tree


@pytest.mark.parametrize("scale", ["test", "demo", "small", "paper"])
@pytest.mark.parametrize("dataset", ["main_images", "deep_images", "hsc_images", "cfhtls_images"])
def test_every_scale_paints_cutouts_in_which_its_stamps_fit(settings, scale, dataset):
    require_sides(settings(scale), [dataset])


@pytest.mark.parametrize(("grid", "around"), [("frame", 1), ("sky", 7)])
@pytest.mark.parametrize("stamp", [57, 58])
def test_cutouts_that_a_stamp_may_reach_out_of_are_refused(settings, grid, around, stamp):
    tree = hsc_tree(settings, "test", grid=grid, stamp_pixels=stamp)
    painted = tree["survey"]["hsc_images"]
    painted["stamp_pixels"] = stamp + around
    require_sides(tree, ["hsc_images"])
    painted["stamp_pixels"] -= 1
    require_sides(tree, ["main_images", "cfhtls_images"])  # not built: nothing to fit
    with pytest.raises(BadInput) as caught:
        require_sides(tree, ["main_images", "hsc_images"])
    error = caught.value
    assert (error.file, error.place) == ("config/stages/survey.yaml", "hsc_images.stamp_pixels")
    assert error.expected == f"at least {stamp + around}, for stamps of {stamp}"
    assert error.found == f"{stamp + around - 1}"


def test_a_finer_grid_shows_less_of_the_sky(settings):
    tree = hsc_tree(settings, "test", grid="sky", stamp_pixels=58, grid_scale_arcsec=0.084)
    tree["survey"]["hsc_images"]["stamp_pixels"] = 36  # half of 58, and 7
    require_sides(tree, ["hsc_images"])
    tree["survey"]["hsc_images"]["stamp_pixels"] = 34
    with pytest.raises(BadInput, match="at least 36, for stamps of 58"):
        require_sides(tree, ["hsc_images"])


@pytest.mark.parametrize("stamp", [57, 58, 112])
def test_an_even_side_with_a_pixel_to_spare_holds_every_stamp_of_whole_pixels(stamp):
    """Wherever within half a pixel of a cutout's middle pixel (S/2, S/2) the galaxy lies."""
    for side, fits in ((stamp + 1 + (stamp + 1) % 2, True), (stamp - stamp % 2, False)):
        beside = np.random.default_rng(0).uniform(-0.5, 0.5, (2000, 2))
        first = first_pixels(side / 2 + beside, stamp)
        assert lie_inside(first, stamp, (side, side)).all() == fits


@pytest.mark.parametrize(("grid", "edge"), [("frame", 33), ("sky", 50)])
def test_frames_that_a_stamp_may_reach_out_of_are_refused(settings, grid, edge):
    """64 pixels: half of them, turned or not, the kernel, and one."""
    tree = settings("test")
    tree["cutouts"] |= {"grid": grid, "stamp_pixels": 64}
    tree["survey"]["imaging"]["edge_pixels"] = edge
    require_sides(tree, ["main_images"])
    tree["survey"]["imaging"]["edge_pixels"] = edge - 1
    with pytest.raises(BadInput, match=f"at least {edge}, for stamps of 64 pixels") as caught:
        require_sides(tree, ["main_images"])
    assert caught.value.place == "imaging.edge_pixels"
    tree["cutouts"]["max_lost_fraction"] = 0.1
    require_sides(tree, ["main_images"])
