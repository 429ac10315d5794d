"""What is true of calibrated prototypes and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.extend import NMC, TEEN


def clumps(seed, classes, n=6, d=5):
    rng = np.random.default_rng(seed)
    y = np.repeat(classes, n)
    return rng.normal(size=(len(y), d)) + 2 * np.random.default_rng(99).normal(size=(20, d))[y], y


def test_a_case_by_hand():
    head = TEEN(0.25, temperature=0.5).fit([[2.0, 0.0], [0.0, 4.0]], [0, 1]).partial_fit([[3.0, 4.0]], [2])
    # Cosines 0.6 and 0.8; their softmax at temperature 0.5 is the logistic function of 0.4.
    share = 1 / (1 + np.exp(-0.4))
    lean = np.array([1 - share, share]) / np.hypot(1 - share, share)
    np.testing.assert_allclose(head.prototypes_[:2], [[1, 0], [0, 1]])
    np.testing.assert_allclose(head.prototypes_[2], 0.75 * np.array([0.6, 0.8]) + 0.25 * lean)
    np.testing.assert_array_equal(head.is_base_, [True, True, False])


@given(seed=st.integers(0, 1000), weight=st.floats(0, 1), temperature=st.floats(0.02, 5))
def test_every_new_prototype_is_the_papers_sum_written_out(seed, weight, temperature):
    head = TEEN(weight, temperature=temperature).fit(*clumps(seed, [3, 7, 11]))
    head.partial_fit(*clumps(seed + 1, [0, 5])).partial_fit(*clumps(seed + 2, [9]))
    mean = {name: c / np.linalg.norm(c) for name, c in zip(head.classes_, head.means_, strict=True)}
    for name, found in zip(head.classes_, head.prototypes_, strict=True):
        if name in (3, 7, 11):
            np.testing.assert_allclose(found, mean[name])
            continue
        c = mean[name]
        lean = sum(np.exp(c @ mean[b] / temperature) * mean[b] for b in (3, 7, 11))
        np.testing.assert_allclose(found, (1 - weight) * c + weight * lean / np.linalg.norm(lean), atol=1e-9)


@given(seed=st.integers(0, 1000), longer=st.floats(0.01, 100))
def test_the_length_of_a_base_mean_does_not_matter(seed, longer):
    (X, y), (A, b) = clumps(seed, [0, 1, 2]), clumps(seed + 1, [3])
    scaled = np.where(y[:, None] == 1, longer * X, X)
    one, two = (TEEN().fit(rows, y).partial_fit(A, b) for rows in (X, scaled))
    np.testing.assert_allclose(one.prototypes_, two.prototypes_, atol=1e-9)


def test_without_weight_it_is_the_nearest_mean_by_cosine_and_with_it_it_is_not():
    plain, heavy, peer = TEEN(0.0), TEEN(0.9), NMC("cosine")
    for head in (plain, heavy, peer):
        head.fit(*clumps(0, [0, 1, 2])).partial_fit(*clumps(1, [3, 4]))
    Q = np.random.default_rng(3).normal(size=(300, 5))
    np.testing.assert_array_equal(plain.predict(Q), peer.predict(Q))
    assert np.any(heavy.predict(Q) != peer.predict(Q))


def test_a_cold_temperature_leans_on_the_most_similar_base_class_only():
    head = TEEN(1.0, temperature=1e-3).fit([[1.0, 0.0], [0.0, 1.0]], [0, 1]).partial_fit([[5.0, 4.0]], [2])
    np.testing.assert_allclose(head.prototypes_[2], [1, 0], atol=1e-9)


def test_in_how_many_steps_new_classes_come_does_not_matter():
    one = TEEN().fit(*clumps(0, [0, 1, 2])).partial_fit(*clumps(1, [3, 4]))
    two = TEEN().fit(*clumps(0, [0, 1, 2]))
    X, y = clumps(1, [3, 4])
    for rows in np.array_split(np.random.default_rng(0).permutation(len(y)), 5):
        two.partial_fit(X[rows], y[rows])
    np.testing.assert_allclose(one.prototypes_, two.prototypes_)


def test_fitting_again_makes_a_new_base():
    head = TEEN().fit(*clumps(0, [0, 1])).partial_fit(*clumps(1, [2]))
    assert head.fit(*clumps(0, [2, 3])).is_base_.all()


def test_memory_is_means_counts_and_marks():
    head = TEEN().fit(*clumps(0, [0, 1, 2]))
    assert head.memory_bytes_ == 3 * (5 * 8 + 8 + 1)


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match="weight_of_base must be"):
        TEEN(1.1).fit(*clumps(0, [0, 1]))
