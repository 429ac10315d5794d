"""Means of classes."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core.maths.means import class_means, exact_class_means


@given(n=st.integers(0, 40), classes=st.integers(1, 6), seed=st.integers(0, 999))
def test_means_are_sums_of_fractions_over_counts(n, classes, seed):
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.r_[np.arange(classes), rng.integers(classes, size=n)])
    X = rng.integers(-1000, 1000, size=(len(which), 3)) / 8
    for number in range(classes):
        rows = [row for row, one in zip(X.tolist(), which, strict=True) if one == number]
        means = [float(sum(map(Fraction, column)) / len(rows)) for column in zip(*rows, strict=True)]
        np.testing.assert_allclose(class_means(X, which)[number], means, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(exact_class_means(X, which)[number], means, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_type_is_kept_and_the_exact_way_takes_doubles(kind):
    X, which = np.ones((4, 2), kind), np.array([0, 1, 1, 0])
    assert class_means(X, which).dtype == kind
    assert exact_class_means(X, which).dtype == np.float64


def test_the_exact_way_keeps_what_float32_would_lose():
    X = np.array([[1e8], [1.0], [-1e8], [1.0]], np.float32)
    assert exact_class_means(X, np.zeros(4, int)).tolist() == [[0.5]]


def test_the_number_of_classes_may_be_told():
    assert class_means(np.eye(3), np.arange(3), 3).tolist() == np.eye(3).tolist()
