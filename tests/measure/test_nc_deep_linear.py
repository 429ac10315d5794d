"""What is true of the measures of neural collapse and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import ortho_group

from codomain.core import UserError
from codomain.measure import NeuralCollapse
from codomain.measure.nc_deep_linear import distance, expected_lengths


def classes(seed=0, counts=(12, 20, 8, 5), width=6):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    return rng.standard_normal((len(y), width)) + 2 * rng.standard_normal((len(counts), width))[y], y


def simplex(count, width):
    """Corners of a regular simplex in a space that is wide enough, turned at random."""
    corners = np.pad(np.eye(count) - 1 / count, ((0, 0), (0, width - count)))
    return corners @ ortho_group.rvs(width, random_state=0)


def test_a_case_by_hand():
    # Means are 1 and 9, so the variance between is 16; within it is 1; two classes: 1 / 16 / 2.
    found = NeuralCollapse().fit([[0.0], [2.0], [8.0], [10.0]], ["a", "a", "b", "b"])
    assert found.variability_ == pytest.approx(1 / 32)
    assert found.frame_gap_ == pytest.approx(0)  # two centred means are always a simplex
    np.testing.assert_allclose(found.means_, [[-4], [4]])
    # Not centred, their products are [[1, 9], [9, 81]]: 9 * sqrt(2) of 82 lies off the diagonal.
    found = NeuralCollapse("orthogonal").fit([[0.0], [2.0], [8.0], [10.0]], ["a", "a", "b", "b"])
    assert found.frame_gap_ == pytest.approx(9 * np.sqrt(2) / 82)


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_variability_is_its_definition_with_whole_covariances(seed):
    X, y = classes(seed)
    means = np.stack([X[y == k].mean(axis=0) for k in range(4)])
    within = sum(np.cov(X[y == k].T, bias=True) * np.mean(y == k) for k in range(4))
    between = np.cov(means.T, bias=True)
    assert NeuralCollapse().fit(X, y).variability_ == pytest.approx(
        np.trace(within @ np.linalg.pinv(between, 1e-10)) / 4
    )


@given(seed=st.integers(0, 500), size=st.floats(0.01, 100))
@settings(max_examples=20)
def test_rotation_size_shift_and_order_change_nothing_of_the_simplex(seed, size):
    X, y = classes(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    moved = (size * X @ ortho_group.rvs(6, random_state=seed) + 3)[order]
    one, two = NeuralCollapse().fit(X, y), NeuralCollapse().fit(moved, y[order])
    assert two.variability_ == pytest.approx(one.variability_)
    assert two.frame_gap_ == pytest.approx(one.frame_gap_, abs=1e-9)


def test_a_planted_simplex_is_one_and_is_not_orthogonal_until_it_is_shifted():
    corners, y = simplex(5, 8), np.repeat(np.arange(5), 10)
    found = NeuralCollapse().fit(corners[y] + 7, y)
    assert found.variability_ == pytest.approx(0, abs=1e-20)
    assert found.frame_gap_ == pytest.approx(0, abs=1e-12)
    assert found.weights_gap(3 * corners) == pytest.approx(0, abs=1e-12)
    assert found.weights_gap(corners[::-1]) > 1
    assert NeuralCollapse("orthogonal").fit(corners[y], y).frame_gap_ > 0.3
    bent = corners.copy()
    bent[0] *= 3
    assert NeuralCollapse().fit(bent[y], y).frame_gap_ > 0.3


def test_variability_grows_with_the_square_of_the_noise():
    X, y = classes()
    means = np.stack([X[y == k].mean(axis=0) for k in range(4)])[y]
    values = [NeuralCollapse().fit(means + size * (X - means), y).variability_ for size in (0.5, 1, 2)]
    np.testing.assert_allclose(values, values[1] * np.array([0.25, 1, 4]))


def test_a_trained_model_with_free_features_and_unequal_classes_ends_in_the_orthogonal_frame_of_the_theory():
    counts, width, decay_W, decay_H = np.array([12, 6, 3]), 5, 1e-2, 2e-3
    y = np.repeat(np.arange(3), counts)
    target, n = np.eye(3)[y].T, len(y)

    def loss(flat):
        W, H = flat[: 3 * width].reshape(3, width), flat[3 * width :].reshape(width, n)
        error = W @ H - target
        value = np.sum(error**2) / 2 / n + decay_W / 2 * np.sum(W**2) + decay_H / 2 * np.sum(H**2)
        return value, np.concatenate([(error @ H.T / n + decay_W * W).ravel(), (W.T @ error / n + decay_H * H).ravel()])

    start = np.random.default_rng(0).standard_normal(3 * width + width * n)
    end = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 20_000, "ftol": 0, "gtol": 1e-10}).x
    W, H = end[: 3 * width].reshape(3, width), end[3 * width :].reshape(width, n).T
    found = NeuralCollapse("orthogonal").fit(H, y)
    assert found.variability_ < 1e-8
    assert found.frame_gap_ < 1e-4
    assert found.weights_gap(W) < 1e-4
    # The target's singular values are sqrt(count); decay takes n sqrt(decay_W decay_H) off each, and H gets
    # its share sqrt(decay_W / decay_H), spread over the rows of the class.
    squares = (np.sqrt(counts) - n * np.sqrt(decay_W * decay_H)) * np.sqrt(decay_W / decay_H) / counts
    np.testing.assert_allclose(found.lengths_, np.sqrt(squares), rtol=1e-4)
    assert NeuralCollapse().fit(H, y).frame_gap_ > 0.1


def test_equal_means_are_no_collapse():
    assert NeuralCollapse().fit([[1.0], [-1.0], [2.0], [-2.0]], [0, 0, 1, 1]).variability_ == np.inf


def test_other_rows_are_scored_around_their_own_means():
    (X, y), (other, labels) = classes(0), classes(1)
    fitted = NeuralCollapse().fit(X, y)
    assert fitted.score(other, labels) == -NeuralCollapse().fit(other, labels).variability_


def test_what_cannot_be_measured_is_refused_in_words():
    X, y = classes()
    with pytest.raises(UserError, match="at least two classes"):
        NeuralCollapse().fit(X, np.zeros_like(y))
    with pytest.raises(UserError, match="one row for each class"):
        NeuralCollapse().fit(X, y).weights_gap(np.zeros((6, 4)))


@given(depth=st.integers(1, 4), sizes=st.lists(st.integers(5, 300), min_size=2, max_size=5))
@settings(max_examples=20)
def test_expected_lengths_minimise_the_loss_of_each_class(depth, sizes):
    decay, total = 1e-3, sum(sizes)
    for n, length in zip(sizes, expected_lengths(sizes, depth, decay, decay), strict=True):
        # Layers share one singular value; given it, the feature's best length is that of a ridge regression.
        value = np.linspace(0, 10, 50_001)
        best = value**depth / (value ** (2 * depth) + total * decay)
        loss = n / total * (value**depth * best - 1) ** 2 / 2 + depth * decay * value**2 / 2 + n * decay * best**2 / 2
        own = best[np.argmin(loss)]
        assert length == pytest.approx(own, abs=0.02 * best.max())


def test_classes_of_one_size_have_one_length_and_a_tiny_class_has_none():
    lengths = expected_lengths([50, 50, 50], 3, 5e-4, 5e-4)
    np.testing.assert_allclose(lengths, lengths[0])
    assert expected_lengths([1000, 1], 3, 5e-3, 5e-3)[1] == 0


def test_frames_that_differ_by_size_have_no_distance():
    A = np.diag([1.0, 2.0])
    assert distance(A, 7 * A) == pytest.approx(0)
    assert distance(np.diag([1.0, 0.0]), np.diag([0.0, 3.0])) == pytest.approx(np.sqrt(2))
