"""What is true of the Fréchet mean over labels and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.classify import Loki
from codomain.classify.loki import reachable


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
    with pytest.raises(ValueError, match="or neither"):
        Loki().fit(X, y, labels=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="each with one row"):
        Loki().fit(X, y, labels=[0, 1, 2, 3], label_vectors=np.eye(3))
    with pytest.raises(ValueError, match="or neither"):
        Loki().fit(X, y, labels=[0, 1, 2, 3], label_vectors=np.eye(4), label_distances=np.eye(4))
    with pytest.raises(ValueError, match="the same in both directions"):
        Loki().fit(X, y, labels=[0, 1, 2, 3], label_distances=np.triu(np.ones((4, 4))))


def walk(parents):
    """Edges between the nodes of a tree, by its parents; the root is its own."""
    far = np.full((len(parents),) * 2, np.inf)
    for node, above in enumerate(parents):
        far[node, above] = far[above, node] = 1
    np.fill_diagonal(far, 0)
    for middle in range(len(parents)):
        far = np.minimum(far, far[:, [middle]] + far[middle])
    return far


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_vectors_and_the_distances_between_them_say_the_same(seed):
    X, y = clumps(seed)
    places = np.random.default_rng(seed).normal(size=(7, 3))
    far = np.linalg.norm(places[:, None] - places, axis=2)
    order = np.random.default_rng(seed).permutation(7)
    one = Loki().fit(X, y, labels=np.arange(7), label_vectors=places)
    two = Loki().fit(X, y, labels=order, label_distances=far[np.ix_(order, order)])
    np.testing.assert_allclose(one.squares_, two.squares_, atol=1e-9)


def test_in_a_tree_a_row_between_two_known_leaves_gets_the_node_between_them():
    # Leaves 1 and 2 hang from 0; the head has only seen leaves and is torn between them in the middle.
    X = np.repeat([[-1.0], [1.0]], 50, axis=0)
    fitted = Loki(100.0).fit(X, np.repeat([1, 2], 50), labels=[0, 1, 2], label_distances=walk([0, 0, 0]))
    np.testing.assert_array_equal(fitted.predict([[-1.0], [0.0], [1.0]]), [1, 0, 2])


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_in_a_tree_means_of_two_reach_the_nodes_on_the_way_between_them(seed):
    rng = np.random.default_rng(seed)
    far = walk([0, *(int(rng.integers(node)) for node in range(1, 10))])
    known = rng.permutation(10)[:3]
    on_the_way = [any(far[a, x] + far[x, b] == far[a, b] for a in known for b in known) for x in range(10)]
    np.testing.assert_array_equal(reachable(far**2, known), on_the_way)


def test_the_next_label_is_the_farthest_from_all_that_can_be_predicted():
    far = walk([0, 0, 1, 2, 0, 0])  # a path 3-2-1-0 with leaves 4 and 5 at 0
    np.testing.assert_array_equal(Loki.choose_next(far, [4, 5]), [3])
    np.testing.assert_array_equal(Loki.choose_next(far, [4], 5), [3, 5])
    with pytest.raises(ValueError, match="at least one"):
        Loki.choose_next(far, [])
