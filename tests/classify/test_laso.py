"""What is true of set operations on features and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.classify import LaSO
from codomain.classify.laso.networks import OPERATIONS, combine_labels

PYTHON = {"union": set.union, "intersection": set.intersection, "difference": set.difference}


def label_sets(seed, n=300, n_labels=4, d=12, of=None):
    """Rows that are the sum of their labels' directions and some noise."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, n_labels)) < 0.4).astype(int)
    directions = 2 * np.random.default_rng(99).normal(size=(n_labels, d)) if of is None else of
    return y @ directions + 0.1 * rng.normal(size=(n, directions.shape[1])), y


@pytest.fixture(scope="module")
def maker():
    return LaSO(64, epochs=150, random_state=0).fit(*label_sets(0))


@given(one=st.sets(st.integers(0, 6)), two=st.sets(st.integers(0, 6)), operation=st.sampled_from(OPERATIONS))
def test_labels_are_what_pythons_sets_say(one, two, operation):
    A, B = ([int(label in some) for label in range(7)] for some in (one, two))
    expected = [int(label in PYTHON[operation](one, two)) for label in range(7)]
    np.testing.assert_array_equal(combine_labels(operation, np.array(A), np.array(B)), expected)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_made_of_new_rows_has_the_labels_of_the_operation(maker, operation):
    (A, of_A), (B, of_B) = label_sets(1), label_sets(2)
    predicted = maker.predict(maker.operate(operation, A, B))
    truth = [
        [int(k in PYTHON[operation](set(np.flatnonzero(a)), set(np.flatnonzero(b)))) for k in range(4)]
        for a, b in zip(of_A, of_B, strict=True)
    ]
    assert np.mean(predicted == truth) > 0.9
    assert np.mean(maker.predict(A) == truth) < 0.85


def test_unions_and_intersections_hardly_depend_on_the_order_and_differences_do(maker):
    (A, _), (B, _) = label_sets(1), label_sets(2)
    moved = {
        name: np.square(maker.operate(name, A, B) - maker.operate(name, B, A)).mean() / A.var() for name in OPERATIONS
    }
    assert moved["union"] < 0.1
    assert moved["intersection"] < 0.1
    assert moved["difference"] > 0.5


def test_a_row_comes_back_from_its_two_parts(maker):
    (A, _), (B, _) = label_sets(1), label_sets(2)
    parts = (maker.operate(name, A, B) for name in ("difference", "intersection"))
    again = maker.operate("union", *parts)
    assert np.square(again - A).mean() < 0.1 * A.var()


def test_augmenting_makes_three_rows_of_every_ordered_pair():
    maker = LaSO(8, epochs=2, random_state=0).fit(*label_sets(0))
    X, y = label_sets(3, n=3)
    made, labels = maker.augment(X, y)
    pairs = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert made.shape == (18, 12)
    for number, (name, i, j) in enumerate((name, i, j) for name in OPERATIONS for i, j in pairs):
        np.testing.assert_allclose(made[number], maker.operate(name, X[[i]], X[[j]])[0], atol=1e-9)
        one, two = set(np.flatnonzero(y[i])), set(np.flatnonzero(y[j]))
        assert set(np.flatnonzero(labels[number])) == PYTHON[name](one, two)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_what_is_made_moves_with_the_scale_and_origin_of_the_rows(seed, scale, shift):
    X, y = label_sets(seed, n=60)
    one = LaSO(8, epochs=3, random_state=0).fit(X, y)
    two = LaSO(8, epochs=3, random_state=0).fit(scale * X + shift, y)
    found = two.operate("union", scale * X[:20] + shift, scale * X[20:40] + shift)
    np.testing.assert_allclose(found, scale * one.operate("union", X[:20], X[20:40]) + shift, rtol=1e-5, atol=1e-5)


def test_rows_that_do_not_pair_up_and_unknown_operations_are_refused(maker):
    X, _ = label_sets(1)
    with pytest.raises(ValueError, match="A has 3 rows and B 2"):
        maker.operate("union", X[:3], X[:2])
    with pytest.raises(ValueError, match="one of union, intersection, difference"):
        maker.operate("sum", X, X)
