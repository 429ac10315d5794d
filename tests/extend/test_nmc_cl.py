"""What is true of the growing nearest mean and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestCentroid

from codomain.extend import NMC


def clumps(seed, n=60, d=4, classes=6):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + 2 * rng.normal(size=(classes, d))[y], y


def test_a_case_by_hand():
    head = NMC().fit([[0.0], [2.0]], [7, 7]).partial_fit([[7.0], [9.0]], [7, 3])
    np.testing.assert_array_equal(head.classes_, [3, 7])
    np.testing.assert_allclose(head.means_, [[9], [3]])
    np.testing.assert_array_equal(head.counts_, [1, 3])
    np.testing.assert_array_equal(head.predict([[5.9], [6.1]]), [7, 3])


@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 59), max_size=8))
def test_whatever_the_order_and_the_batches_it_ends_as_scikit_learns_nearest_centroid(seed, cuts):
    X, y = clumps(seed)
    order = np.random.default_rng(seed + 1).permutation(60)
    head = NMC()
    for rows in np.split(order, sorted(set(cuts))):
        head.partial_fit(X[rows], y[rows])
    peer = NearestCentroid().fit(X, y)
    np.testing.assert_allclose(head.means_, peer.centroids_)
    np.testing.assert_array_equal(head.counts_, np.bincount(y))
    np.testing.assert_array_equal(head.predict(X), peer.predict(X))


def test_the_cosine_is_the_one_that_scipy_computes():
    X, y = clumps(3)
    predicted = NMC("cosine").fit(X, y).predict(X)
    np.testing.assert_array_equal(predicted, cdist(X, NMC().fit(X, y).means_, "cosine").argmin(axis=1))
    assert np.any(predicted != NMC().fit(X, y).predict(X))


def test_memory_grows_with_classes_and_not_with_rows():
    X, y = clumps(0)
    head = NMC().fit(X.astype(np.float32), y)
    assert head.memory_bytes_ == 6 * (4 * 4 + 8)
    assert head.partial_fit(X.astype(np.float32), y).memory_bytes_ == 6 * (4 * 4 + 8)
    assert head.partial_fit(X[:1], [99]).memory_bytes_ == 7 * (4 * 4 + 8)
    assert head.means_.dtype == np.float32


def test_fit_forgets():
    X, y = clumps(0)
    np.testing.assert_array_equal(NMC().fit(X, y).fit(X[:2], [70, 80]).classes_, [70, 80])


def test_longer_names_of_later_classes_are_kept_whole():
    head = NMC().fit([[0.0]], ["a"]).partial_fit([[9.0]], ["abcdefghi"])
    assert head.predict([[8.0]]).tolist() == ["abcdefghi"]


def test_numbers_after_words_are_refused():
    with pytest.raises(ValueError, match="either numbers or words"):
        NMC().fit([[0.0]], ["a"]).partial_fit([[1.0]], [3])
