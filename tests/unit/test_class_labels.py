"""The labels of Lin et al. 2022, Step 3: every formula by hand, every division by zero met."""

from __future__ import annotations

import numpy as np
import pytest

from zladder.train.class_labels import (
    blurring,
    centres_of_mass,
    fit_blur_bins,
    hard_classes,
    shifted_means,
    soft_labels,
    variance_bins,
)

E1, E4 = np.exp(-0.5), np.exp(-2.0)  # a Gaussian at one and at two sigma


def test_the_blur_is_a_gaussian_normalised_a_source():
    kernel = blurring(1.0, 3)
    assert kernel[0] == pytest.approx(np.array([1.0, E1, E4]) / (1 + E1 + E4))
    assert kernel[1] == pytest.approx(np.array([E1, 1.0, E1]) / (1 + 2 * E1))
    assert kernel.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("width", [0.8, 3.0, 11.0])
def test_the_fit_finds_the_blur_that_was_put_in(width):
    draw = np.random.default_rng(1)
    collapsed = draw.uniform(size=90) * (np.arange(90) % 9 == 4)
    assert fit_blur_bins(7 * collapsed, collapsed @ blurring(width, 90)) == pytest.approx(
        width, rel=2e-3
    )


def test_estimates_that_are_distributed_as_the_truth_need_no_blur():
    counts = np.random.default_rng(2).poisson(50, 60).astype(float)
    assert fit_blur_bins(counts, counts) < 0.2


def test_the_variance_is_half_the_sum_of_median_and_mean():
    # Squared offsets 1, 4, 0: median 1, mean 5/3. One populated class speaks for all.
    found = variance_bins(np.array([2, 2, 2]), np.array([3, 4, 2]), blur_bins=1.0, n_bins=5)
    assert found == pytest.approx(np.full(5, 0.5 * (1 + 5 / 3)))


def test_an_empty_class_takes_the_variance_of_its_neighbours_by_their_counts():
    true, estimated = np.array([0, 10, 10, 10]), np.array([2, 11, 9, 11])
    sharp = variance_bins(true, estimated, blur_bins=0.0, n_bins=200)
    assert sharp[[0, 4, 6, 10, 199]] == pytest.approx([4.0, 4.0, 1.0, 1.0, 1.0])
    wide = variance_bins(true, estimated, blur_bins=1e6, n_bins=200)
    assert wide == pytest.approx(np.full(200, (4.0 * 1 + 1.0 * 3) / 4))
    assert np.isfinite(variance_bins(true, estimated, blur_bins=0.5, n_bins=200)).all()


def test_the_centre_of_mass_is_the_weighted_mean_nearby():
    centres = centres_of_mass(np.array([[2.0, 1.0, 0.0]]), np.ones(3))
    assert centres[0, 0] == pytest.approx(E1 / (2 + E1))
    assert centres[0, 1] == pytest.approx(1 / (2 * E1 + 1))
    assert centres[0, 2] == pytest.approx(E1 / (2 * E4 + E1))


def test_magnitude_bins_have_centres_of_their_own():
    centres = centres_of_mass(np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 3.0]]), np.full(3, 2.0))
    assert centres == pytest.approx(np.array([[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]))


def test_without_galaxies_near_or_without_scatter_nothing_is_pulled():
    empty = centres_of_mass(np.array([[0.0, 0.0, 0.0, 0.0]]), np.ones(4))
    assert empty.tolist() == [[0.0, 1.0, 2.0, 3.0]]
    far = centres_of_mass(np.eye(300)[:1], np.full(300, 0.2))  # exp(-0.5 (299 / 0.2)^2) is 0
    assert np.isfinite(far).all()
    assert far[0, 299] == 299.0
    sharp = centres_of_mass(np.array([[5.0, 1.0]]), np.array([0.09, 1.0]))
    assert sharp[0, 0] == 0.0
    assert sharp[0, 1] < 1.0


def test_labels_move_away_from_the_centre_of_mass_by_the_pull():
    assert shifted_means(np.array([[0.5, 1.0, 1.25]])).tolist() == [[-0.5, 1.0, 2.75]]


def test_a_soft_label_is_a_gaussian_over_the_extended_range():
    [label] = soft_labels(np.array([1.0]), 1.0, n_bins=3, extension_bins=1)
    weight = np.array([E4, E1, 1.0, E1, E4])  # classes -1, 0, 1, 2, 3
    assert label == pytest.approx(weight / weight.sum(), abs=1e-7)
    assert label.dtype == np.float32


def test_a_label_may_lie_between_and_outside_the_classes():
    labels = soft_labels(np.array([0.5, -40.0, 1e4]), 1.0, n_bins=4, extension_bins=1)
    assert labels[0, 1] == labels[0, 2]
    assert labels.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert labels[1:].argmax(axis=1).tolist() == [0, 5]
    assert np.isfinite(labels).all()


def test_a_hard_label_is_the_next_class_within_the_range():
    means = np.array([1.4, 1.6, -0.6, -9.0, 99.0])
    assert hard_classes(means, n_bins=4, extension_bins=2).tolist() == [3, 4, 1, 0, 7]
    hard = soft_labels(means, 0.0, n_bins=4, extension_bins=2)
    assert hard.argmax(axis=1).tolist() == [3, 4, 1, 0, 7]
    assert set(hard.ravel()) == {0.0, 1.0}
