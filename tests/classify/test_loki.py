"""What is true of the Fréchet mean over labels and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.classify import Loki


def clumps(seed, n=60, d=3, classes=4):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return rng.normal(size=(n, d)) + 2 * rng.normal(size=(classes, d))[y], y


def test_a_case_by_hand():
    # Labels on a line at 0, 1 and 10. With p on 0 and 10 the mean is at 10 (1 - p): it is nearest to 1 from p = 0.45
    # up to p = 0.95, and the head's p runs from below 0.45 to above 0.95 along the rows.
    X = np.repeat([[-1.0], [1.0]], 50, axis=0)
    fitted = Loki(100.0).fit(X, np.repeat([0, 10], 50), labels=[10, 0, 1], label_vectors=[[10], [0], [1]])
    np.testing.assert_array_equal(fitted.squares_, [[0, 1, 100], [100, 81, 0]])
    Q = np.linspace(-1, 1, 41)[:, None]
    p = fitted.head_.predict_proba(Q)[:, 0]
    np.testing.assert_array_equal(fitted.predict(Q), np.where(p > 0.95, 0, np.where(p > 0.45, 1, 10)))
    assert set(fitted.predict(Q)) == {0, 1, 10}


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_in_a_plain_space_it_is_the_label_nearest_to_the_mean_of_the_believed_ones(seed):
    X, y = clumps(seed)
    places = np.random.default_rng(seed + 1).normal(size=(9, 2))
    fitted = Loki().fit(X, y, labels=np.arange(9), label_vectors=places)
    middle = fitted.head_.predict_proba(X) @ places[:4]
    nearest = np.linalg.norm(middle[:, None] - places, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(fitted.predict(X), nearest)


def test_labels_at_equal_distances_leave_the_likeliest_one():
    X, y = clumps(1)
    fitted = Loki().fit(X, y, labels=np.arange(4), label_vectors=np.eye(4))
    np.testing.assert_array_equal(fitted.predict(X), fitted.head_.predict(X))


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_the_order_in_which_labels_are_given_does_not_matter(seed):
    X, y = clumps(seed)
    rng = np.random.default_rng(seed)
    places, order = rng.normal(size=(7, 3)), rng.permutation(7)
    one = Loki().fit(X, y, labels=np.arange(7), label_vectors=places).predict(X)
    two = Loki().fit(X, y, labels=order, label_vectors=places[order]).predict(X)
    np.testing.assert_array_equal(one, two)


def test_without_vectors_labels_lie_at_their_class_means():
    X, y = clumps(2)
    fitted = Loki().fit(X, y)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    means = np.array([scaled[y == c].mean(axis=0) for c in range(4)])
    np.testing.assert_allclose(fitted.squares_, np.square(means[:, None] - means).sum(axis=2), atol=1e-9)


def test_labels_that_lack_one_of_y_or_have_no_place_are_refused():
    X, y = clumps(0)
    with pytest.raises(ValueError, match="which y holds"):
        Loki().fit(X, y, labels=[0, 1, 2], label_vectors=np.eye(3))
    with pytest.raises(ValueError, match="both or neither"):
        Loki().fit(X, y, labels=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="each with one row"):
        Loki().fit(X, y, labels=[0, 1, 2, 3], label_vectors=np.eye(3))
