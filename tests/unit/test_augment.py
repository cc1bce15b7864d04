"""Augmentation: every galaxy its own draws, exact where it can be, and the right statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.toy_images import BANDS, EXTINCTION_PER_EBV, SKY_SIGMA_NMGY, random_images, views
from zladder.learning.augment import normal_noise, symmetry_table
from zladder.learning.pixels import stretch_sqrt
from zladder.learning.room import room_pixels
from zladder.learning.sampler import batch_rows, first_step, steps_in

STILL = {"geometry": "dihedral", "jitter_pixels": 0, "noise_sigmas_max": 0.0, "ebv_mag_max": 0.0}


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def settings(**changes):
    return {**STILL, **changes}


def unstretched(x: torch.Tensor) -> torch.Tensor:
    """Return the flux over softening of crops, (n, C, C, B)."""
    x = x.permute(0, 2, 3, 1)
    return torch.sign(x) * ((x.abs() + 1) ** 2 - 1)


def squares(array: torch.Tensor) -> list[torch.Tensor]:
    """Return the eight turns and reflections of (C, C, B), by numpy's own functions."""
    turned = [np.rot90(part, k) for part in (array.numpy(), array.numpy()[::-1]) for k in range(4)]
    return [torch.from_numpy(part.copy()) for part in turned]


def test_the_centre_crop_is_the_stretched_flux():
    images = random_images(4, 16)
    seen = views(images).centred(torch.tensor([2, 0]))
    expected = stretch_sqrt(images.flux_nmgy[[2, 0], 2:14, 2:14].permute(0, 3, 1, 2).contiguous())
    assert seen.shape == (2, 3, 12, 12)
    assert seen.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(seen, expected)


def test_the_softening_divides_each_band():
    images = random_images(4, 16)
    shown = views(images)
    softened = type(shown)(images, shown.inputs, torch.tensor([2.0, 4.0, 8.0]))
    one, two = (unstretched(v.centred(torch.arange(4))) for v in (shown, softened))
    torch.testing.assert_close(two * torch.tensor([2.0, 4.0, 8.0]), one)


def test_looking_changes_no_pixel_of_the_images():
    images = random_images(8, 16)
    before = images.flux_nmgy.clone()
    noisy = settings(noise_sigmas_max=2.0, ebv_mag_max=0.5, jitter_pixels=2)
    views(images).augmented(torch.arange(8), noisy, seeded())
    views(images).centred(torch.arange(8), ebv_mag=0.1)
    assert torch.equal(images.flux_nmgy, before)


def test_the_eight_symmetries_are_those_of_the_square():
    plain = torch.arange(25.0).reshape(5, 5, 1)
    ours = {tuple(places.tolist()) for places in symmetry_table(5, 5)}
    theirs = {tuple(square.flatten().long().tolist()) for square in squares(plain)}
    assert len(ours) == 8
    assert ours == theirs
    assert symmetry_table(5, 5)[0].tolist() == list(range(25))


def test_every_symmetry_occurs_and_as_often_as_the_others():
    images = random_images(1, 12)
    crops = unstretched(views(images).augmented(torch.zeros(800).long(), STILL, seeded()))
    distance = torch.stack(
        [(crops - square).abs().amax((1, 2, 3)) for square in squares(images.flux_nmgy[0])]
    )
    counts = torch.bincount(distance.argmin(dim=0), minlength=8)
    assert float(distance.amin(dim=0).max()) < 1e-5  # exact pixels, to the rounding of the stretch
    # chi^2 of 7 degrees exceeds 26.0 once in 2,000 seeds.
    assert float(((counts - 100.0) ** 2 / 100.0).sum()) < 26.0


def test_the_centre_is_shifted_by_whole_pixels_equally_often():
    images = random_images(1, 16)
    crops = unstretched(
        views(images).augmented(torch.zeros(1800).long(), settings(jitter_pixels=1), seeded())
    )
    flux = images.flux_nmgy[0]
    found = torch.zeros(3, 3)
    for dy in range(3):
        for dx in range(3):
            window = flux[1 + dy : 13 + dy, 1 + dx : 13 + dx]
            for square in squares(window):
                found[dy, dx] += ((crops - square).abs().amax((1, 2, 3)) < 1e-5).sum()
    assert int(found.sum()) == 1800
    # chi^2 of 8 degrees exceeds 27.9 once in 2,000 seeds.
    assert float(((found - 200.0) ** 2 / 200.0).sum()) < 27.9


@pytest.mark.parametrize("geometry", ["dihedral", "rotation"])
def test_galaxies_of_a_batch_have_draws_of_their_own(geometry):
    images = random_images(1, 40)
    changed = {
        "geometry": {"geometry": geometry},
        "jitter": {"jitter_pixels": 3},
        "noise": {"noise_sigmas_max": 1.0},
        "dust": {"ebv_mag_max": 0.3},
    }
    for change in changed.values():
        crops = views(images).augmented(torch.zeros(32).long(), settings(**change), seeded())
        different = len({crop.numpy().tobytes() for crop in crops})
        assert different >= (7 if change == {"geometry": "dihedral"} else 30)


@pytest.mark.parametrize("geometry", ["dihedral", "rotation"])
def test_equal_generators_give_equal_crops(geometry):
    images = random_images(10, 40)
    asked = settings(geometry=geometry, jitter_pixels=3, noise_sigmas_max=1.0, ebv_mag_max=0.3)
    one, two, other = (
        views(images).augmented(torch.arange(10), asked, seeded(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_crop_depends_on_its_place_and_not_on_its_neighbours():
    images = random_images(10, 16)
    asked = settings(jitter_pixels=2, noise_sigmas_max=1.0, ebv_mag_max=0.3)
    one = views(images).augmented(torch.tensor([3, 4, 5]), asked, seeded())
    two = views(images).augmented(torch.tensor([3, 9, 5]), asked, seeded())
    assert torch.equal(one[[0, 2]], two[[0, 2]])
    assert not torch.equal(one[1], two[1])


def test_dust_reddens_each_galaxy_along_the_law():
    images = random_images(400, 12)
    dusty = settings(ebv_mag_max=0.4)
    clear = unstretched(views(images).augmented(torch.arange(400), STILL, seeded()))
    crops = unstretched(views(images).augmented(torch.arange(400), dusty, seeded()))
    extinction = -2.5 * torch.log10(crops / clear).mean(dim=(1, 2))
    ebv_mag = extinction / torch.tensor([EXTINCTION_PER_EBV[band] for band in BANDS])
    torch.testing.assert_close(ebv_mag[:, 0], ebv_mag[:, 2], rtol=0, atol=1e-4)
    assert float(ebv_mag.min()) >= 0
    assert float(ebv_mag.max()) < 0.4
    # Kolmogorov-Smirnov against U(0, 0.4): 2.0 / sqrt(400) is exceeded once in 1,500 seeds.
    ordered = ebv_mag[:, 1].sort().values / 0.4
    assert float((ordered - torch.arange(400) / 400).abs().max()) < 0.1


def test_the_asked_dust_stands_before_a_centre_crop():
    images = random_images(5, 12)
    shown = views(images)
    clear, dusty = (unstretched(shown.centred(torch.arange(5), e)) for e in (0.0, 0.1))
    expected = 10 ** (-0.04 * torch.tensor([EXTINCTION_PER_EBV[band] for band in BANDS]))
    torch.testing.assert_close(dusty / clear, expected.expand(5, 12, 12, 3), rtol=1e-4, atol=0)


def test_noise_has_the_share_of_the_sky_that_was_asked():
    images = random_images(300, 12)
    noisy = settings(noise_sigmas_max=1.5)
    clear = unstretched(views(images).augmented(torch.arange(300), STILL, seeded()))
    noise = unstretched(views(images).augmented(torch.arange(300), noisy, seeded())) - clear
    sigmas = noise.std(dim=(1, 2)) / torch.from_numpy(SKY_SIGMA_NMGY)  # (300, 3)
    # 144 pixels measure a galaxy's level to 6 %: the bands of one galaxy share it (5 sigma of the
    # difference is 0.45 at the largest level), and galaxies have levels of U(0, 1.5).
    assert float((sigmas[:, 0] - sigmas[:, 2]).abs().max()) < 0.45
    level = sigmas.mean(dim=1)
    # The mean of 300 draws of U(0, 1.5) scatters by 0.025; 4 sigma is one seed in 16,000.
    assert float(level.mean()) == pytest.approx(0.75, abs=0.1)
    assert float(level.std()) == pytest.approx(1.5 / math.sqrt(12), abs=0.06)
    scaled = noise / (level[:, None, None, None] * torch.from_numpy(SKY_SIGMA_NMGY))
    # 129,600 draws: the mean scatters by 0.003, the share beyond two sigma (4.55 %) by 0.0006.
    assert float(scaled.mean()) == pytest.approx(0.0, abs=0.012)
    assert float((scaled.abs() > 2).double().mean()) == pytest.approx(0.0455, abs=0.004)
    neighbours = (scaled[:, 1:] * scaled[:, :-1]).mean()
    assert float(neighbours) == pytest.approx(0.0, abs=0.013)  # white: no pixel knows the next


def test_the_noise_of_the_cpu_is_its_generators():
    shape = torch.Size([7, 5, 3])
    expected = torch.randn(shape, generator=seeded(3))
    assert torch.equal(normal_noise(shape, seeded(3), torch.device("cpu")), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_draws_noise_of_its_own_by_the_same_keys():
    shape, there = torch.Size([200, 50, 20]), torch.device("cuda")
    one, two = (normal_noise(shape, seeded(3), there) for _ in range(2))
    generator = seeded(3)
    views = [normal_noise(shape, generator, there) for _ in range(2)]
    assert one.is_cuda
    assert torch.equal(one, two)
    assert torch.equal(one, views[0])
    assert float((views[0] * views[1]).mean()) == pytest.approx(0.0, abs=0.012)  # 5 sigma
    assert float(one.std()) == pytest.approx(1.0, abs=0.008)


@pytest.mark.parametrize("jitter", [0, 3])
def test_a_stamp_with_room_leaves_no_corner_empty_and_one_pixel_less_does(jitter):
    asked = settings(geometry="rotation", jitter_pixels=jitter)
    side = room_pixels(12, asked)

    def farthest(size: int) -> float:
        images = random_images(1, size)
        images.flux_nmgy.fill_(1.0)
        images.sky_sigma_nmgy.zero_()  # or the noise that a turn takes would be given back
        crops = views(images).augmented(torch.zeros(4000).long(), asked, seeded())
        return float((unstretched(crops) - 1.0).abs().max())

    assert farthest(side) < 1e-4
    assert farthest(side - 2) > 0.01


def test_the_room_is_what_the_paper_needs():
    assert room_pixels(64, settings(geometry="rotation", jitter_pixels=7)) == 112
    assert room_pixels(32, settings(jitter_pixels=4)) == 40


def test_steps_are_shared_out_over_the_epochs():
    schedule = {"steps": 17, "checks": 5}
    counts = [steps_in(schedule, epoch) for epoch in range(5)]
    assert sum(counts) == 17
    assert max(counts) - min(counts) <= 1
    assert [first_step(schedule, epoch) for epoch in range(5)] == np.cumsum(
        [0, *counts[:-1]]
    ).tolist()


@pytest.mark.parametrize(("n", "batch"), [(10, 4), (10, 10), (7, 16), (100, 32)])
def test_batches_pass_over_all_galaxies_again_and_again(n, batch):
    rows = torch.cat([batch_rows(3, n, batch, step) for step in range(4 * n)])
    passes = rows[: len(rows) // n * n].view(-1, n)
    assert torch.equal(passes.sort(dim=1).values, torch.arange(n).expand(len(passes), -1))
    assert len({tuple(order.tolist()) for order in passes}) > len(passes) // 2
    assert torch.equal(batch_rows(3, n, batch, 5), batch_rows(3, n, batch, 5))
    assert not torch.equal(rows[:n], torch.cat([batch_rows(4, n, batch, s) for s in range(n)])[:n])
