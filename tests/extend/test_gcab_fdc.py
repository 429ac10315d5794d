"""What is true of drift compensation and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.extend import FDC, NMC


def clumps(seed, classes, n=12, d=4):
    rng = np.random.default_rng(seed)
    y = np.repeat(classes, n)
    return rng.normal(size=(len(y), d)) + 3 * np.random.default_rng(99).normal(size=(20, d))[y], y


def affine(seed, d=4):
    rng = np.random.default_rng(seed)
    return np.linalg.qr(rng.normal(size=(d, d)))[0] * rng.uniform(0.5, 2, d), 5 * rng.normal(size=d)


def test_a_case_by_hand():
    # After the drift x becomes 2 x + 1; on the rows 5 and 9 least squares finds its inverse (x - 1) / 2.
    head = FDC(0.0).fit([[0.0], [1.0]], [0, 0]).partial_fit([[5.0], [9.0]], [1, 1], X_before=[[2.0], [4.0]])
    np.testing.assert_allclose(head.projections_[0], [[0.5], [-0.5]])
    np.testing.assert_array_equal(head.born_, [0, 1])
    np.testing.assert_allclose(head.means_, [[0.5], [7]])
    # A row at 4 is 3 from the mean at 7; back at 1.5 it is 1 from the mean at 0.5.
    np.testing.assert_array_equal(head.predict([[4.0], [6.0]]), [0, 1])


@given(seed=st.integers(0, 1000))
def test_a_cascade_of_affine_drifts_is_undone_exactly(seed):
    X, y = clumps(seed, [0, 1, 2])
    head, turns = FDC(0.0).fit(X, y), [affine(seed + step) for step in (1, 2)]

    def drifted(rows, steps):
        for W, shift in turns[:steps]:
            rows = rows @ W + shift
        return rows

    for step, classes in enumerate(([3, 4], [5, 6]), start=1):
        Z, labels = clumps(seed + step, classes)
        head.partial_fit(drifted(Z, step), labels, X_before=drifted(Z, step - 1))
    Q = clumps(seed + 9, [0, 1, 2])[0]
    back = head._project_back(head._project_back(drifted(Q, 2), 2), 1)
    np.testing.assert_allclose(back, Q, atol=1e-6)


def test_rows_of_an_old_class_are_taken_home_before_they_are_counted():
    X, y = clumps(0, [0, 1])
    W, shift = affine(3)
    Z, labels = clumps(1, [0, 1, 2])
    head = FDC(0.0).fit(X, y).partial_fit(Z @ W + shift, labels, X_before=Z)
    plain = NMC().fit(X, y).partial_fit(Z, labels)
    np.testing.assert_allclose(head.means_[:2], plain.means_[:2], atol=1e-8)
    np.testing.assert_allclose(head.means_[2], plain.means_[2] @ W + shift, atol=1e-8)
    np.testing.assert_array_equal(head.counts_, plain.counts_)


def test_fully_shrunk_the_drift_is_the_mean_shift():
    X, y = clumps(0, [0, 1])
    Z, labels = clumps(1, [2])
    W, shift = affine(4)
    head = FDC(1.0).fit(X, y).partial_fit(Z @ W + shift, labels, X_before=Z)
    np.testing.assert_allclose(head._project_back(X, 1), X + (Z - Z @ W - shift).mean(axis=0))


def test_without_drift_it_is_the_nearest_mean():
    one, two = FDC(), NMC()
    for step, classes in enumerate(([0, 1], [2, 3], [4])):
        for head in (one, two):
            head.partial_fit(*clumps(step, classes))
    Q = clumps(7, [0, 1, 2, 3, 4])[0]
    np.testing.assert_array_equal(one.predict(Q), two.predict(Q))


def test_the_least_squares_are_those_of_numpy_on_the_rows_themselves():
    X, y = clumps(0, [0, 1])
    Z, labels = clumps(1, [2, 3])
    before = np.tanh(Z)
    head = FDC(0.0).fit(X, y).partial_fit(Z, labels, X_before=before)
    direct = np.linalg.lstsq(np.column_stack([Z, np.ones(len(Z))]), before, rcond=None)[0]
    np.testing.assert_allclose(head.projections_[0], direct, atol=1e-8)


def test_memory_grows_with_each_drift():
    X, y = clumps(0, [0, 1])
    head = FDC().fit(X, y)
    assert head.memory_bytes_ == 2 * (4 * 8 + 8 + 8)
    assert head.partial_fit(X, y, X_before=X).memory_bytes_ == 2 * (4 * 8 + 8 + 8) + 5 * 4 * 8


def test_rows_that_do_not_go_together_are_refused():
    X, y = clumps(0, [0, 1])
    with pytest.raises(ValueError, match=r"shape \(5, 4\)"):
        FDC().fit(X, y).partial_fit(X, y, X_before=X[:5])
    with pytest.raises(ValueError, match="first call"):
        FDC().partial_fit(X, y, X_before=X)
