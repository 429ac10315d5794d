"""What is true of features held by a fixed simplex and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.align import DSimplex
from codomain.align.d_simplex.maths import higher_order_loss, simplex
from codomain.core import unit_rows


def clumps(seed=0, n=200, classes=4, noise=1.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return np.random.default_rng(99).normal(scale=3, size=(classes, 6))[y] + noise * rng.normal(size=(n, 6)), y


def test_three_corners_are_those_of_an_equilateral_triangle():
    corners = simplex(3)
    turns = np.sort(np.arctan2(corners[:, 1], corners[:, 0]))
    np.testing.assert_allclose(np.diff(turns), 2 * np.pi / 3)
    np.testing.assert_allclose(simplex(2), [[1], [-1]])


@given(n_classes=st.integers(2, 60))
def test_all_corners_have_length_1_and_the_same_cosine_and_sum_to_nothing(n_classes):
    corners = simplex(n_classes)
    wanted = np.full((n_classes, n_classes), -1 / (n_classes - 1))
    np.fill_diagonal(wanted, 1)
    np.testing.assert_allclose(corners @ corners.T, wanted, atol=1e-12)
    np.testing.assert_allclose(corners.sum(axis=0), 0, atol=1e-12)


def test_every_net_brings_a_class_to_its_own_corner_whatever_its_seed_and_the_other_classes():
    X, y = clumps()
    for seed, known in ((0, [0, 1]), (1, [0, 1, 2, 3]), (2, [2, 3])):
        rows = np.isin(y, known)
        fitted = DSimplex(6, random_state=seed).fit(X[rows], y[rows], classes=[3, 1, 0, 2])
        nearest = (fitted.transform(X[rows]) @ fitted.corners_.T).argmax(axis=1)
        assert np.mean(np.array([3, 1, 0, 2, -1, -1])[nearest] == y[rows]) > 0.95


def test_the_first_loss_is_the_cross_entropy_of_plain_inner_products_and_the_decay():
    X, y = clumps(n=40)
    fitted = DSimplex(5, epochs=1, learning_rate=1e-6, random_state=0).fit(X, y)
    scores = fitted.transform(X) @ fitted.corners_.T
    by_hand = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(40), y]
    decay = 0.0005 / 2 * sum(np.sum(part**2) for part in fitted._net.values())
    assert decay > 0.01
    assert fitted.losses_[0] == pytest.approx(by_hand.mean() + decay, rel=1e-3)


def test_inequalities_are_what_a_loop_over_pairs_counts():
    X, y = clumps(n=24)
    old, new = (DSimplex(5, epochs=n, random_state=n).fit(X, y) for n in (1, 5))
    A, B = old.transform(X), new.transform(X)

    def far(one, two):
        return 1 - one @ two / np.linalg.norm(one) / np.linalg.norm(two)

    pairs = [(i, j) for i in range(24) for j in range(24) if i != j]
    nearer = [far(B[i], A[j]) <= far(A[i], A[j]) for i, j in pairs if y[i] == y[j]]
    farther = [far(B[i], A[j]) >= far(A[i], A[j]) for i, j in pairs if y[i] != y[j]]
    np.testing.assert_allclose(new.inequalities(X, y, A), (np.mean(nearer), np.mean(farther)))


def test_another_order_of_classes_breaks_the_inequalities_for_pairs_that_obeyed_them():
    X, y = clumps(noise=2.0)
    old = DSimplex(8, random_state=0).fit(X[:60], y[:60]).transform(X)
    kept = DSimplex(8, random_state=1).fit(X, y).inequalities(X, y, old)
    swapped = DSimplex(8, random_state=1).fit(X, y, classes=[1, 0, 3, 2]).inequalities(X, y, old)
    assert kept[0] > 3 * swapped[0]
    assert kept[1] > swapped[1] + 0.1
    still = DSimplex(8, random_state=0).fit(X[:60], y[:60]).inequalities(X, y, old)
    assert min(still) > 0.99  # the same net again moves nothing


def test_a_class_without_a_corner_is_refused():
    X, y = clumps(n=20)
    with pytest.raises(ValueError, match=r"y has \[3\]"):
        DSimplex(epochs=1).fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="at most n_classes=3"):
        DSimplex(3, epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="1 repeated"):
        DSimplex(epochs=1).fit(X, y, classes=[0, 1, 2, 3, 3])


def test_features_of_another_width_or_rows_of_one_class_are_refused():
    X, y = clumps(n=20)
    fitted = DSimplex(5, epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="old is 3 wide"):
        fitted.inequalities(X, y, np.ones((20, 3)))
    with pytest.raises(ValueError, match="no pair of each kind"):
        fitted.inequalities(X, np.zeros(20), np.ones((20, 4)))


def test_the_higher_order_loss_is_what_a_loop_adds_up():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    new, old, y = unit_rows(rng.normal(size=(6, 3))), unit_rows(rng.normal(size=(6, 3))), np.array([0, 0, 1, 1, 2, 2])
    parts = []
    for i in range(6):
        terms = [np.exp(old[i] @ new[j] / 0.2) if y[i] != y[j] else 1.0 for j in range(6)]
        parts.append(np.log(sum(terms)) - old[i] @ new[i] / 0.2)
    found = higher_order_loss(*map(torch.from_numpy, (new, old, y)), 0.2)
    assert float(found) == pytest.approx(np.mean(parts))


def test_with_old_features_the_higher_order_loss_is_lower_than_without():
    torch = pytest.importorskip("torch")
    X, y = clumps(noise=2.0)
    old = DSimplex(8, random_state=0).fit(X[:60], y[:60]).transform(X)
    without, with_old = (
        higher_order_loss(
            *map(torch.from_numpy, (unit_rows(net.transform(X)), unit_rows(old), y)), net.temperature
        )
        for net in (DSimplex(8, random_state=1).fit(X, y, old=some) for some in (None, old))
    )  # fmt: skip
    assert with_old < without - 0.1


def test_training_goes_on_from_the_net_and_new_classes_take_free_corners():
    X, y = clumps()
    few = y < 2
    net = DSimplex(6, random_state=0).fit(X[few], y[few])
    net.partial_fit(X, y)
    assert net.classes_.tolist() == [0, 1, 2, 3]
    nearest = (net.transform(X) @ net.corners_.T).argmax(axis=1)
    assert np.mean(nearest == y) > 0.8  # a half are of classes that it knew
    with pytest.raises(ValueError, match="at most n_classes=6"):
        net.partial_fit(X, np.arange(len(X)) % 7)


def test_old_features_of_other_rows_or_width_are_refused():
    X, y = clumps(n=20)
    with pytest.raises(ValueError, match="old is 3 wide"):
        DSimplex(5, epochs=1).fit(X, y, old=np.ones((20, 3)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        DSimplex(5, epochs=1).fit(X, y, old=np.ones((19, 4)))
