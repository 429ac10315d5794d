"""What is true of a net of differences and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.align import DeltaEdit
from codomain.core import unit_rows


def rows(seed=0, n=300):
    """Features, and codes that are a linear map of them."""
    X = np.random.default_rng(seed).normal(size=(n, 5))
    return X, X @ np.random.default_rng(99).normal(size=(5, 3))


def test_it_learns_the_map_between_differences_and_an_offset_of_the_other_kind_does_no_harm():
    X, codes = rows()
    fitted = DeltaEdit(epochs=150, random_state=0).fit(X[:200], codes[:200])
    here, there = np.arange(200, 250), np.arange(250, 300)
    texts = X + 50  # the other kind of item lies far off, with the same differences
    predicted = fitted.move(X[here], texts[here], texts[there])
    true = codes[there] - codes[here]
    assert np.mean((unit_rows(predicted) * unit_rows(true)).sum(axis=1)) > 0.97
    assert np.linalg.norm(predicted - true) < 0.3 * np.linalg.norm(true)


@given(seed=st.integers(0, 200), offset=st.floats(-1e3, 1e3))
@settings(max_examples=15)
def test_only_the_difference_of_the_two_items_counts(seed, offset):
    X, codes = rows(seed, n=30)
    fitted = DeltaEdit(8, epochs=1, random_state=0).fit(X, codes)
    np.testing.assert_allclose(
        fitted.move(X, X, X[::-1]), fitted.move(X, X + offset, X[::-1] + offset), atol=1e-6
    )  # fmt: skip
    assert np.abs(fitted.move(X, X, X[::-1]) - fitted.move(X, X, 2 * X[::-1])).max() > 1e-6


def test_the_row_itself_counts_where_the_map_is_bent():
    X = np.random.default_rng(0).uniform(-2, 2, size=(800, 1))
    fitted = DeltaEdit(epochs=200, random_state=0).fit(X, X**2)
    up = fitted.move([[-1.5], [0.5]], before=[[0.0], [0.0]], after=[[1.0], [1.0]]).ravel()
    np.testing.assert_allclose(up, [0.25 - 2.25, 2.25 - 0.25], atol=0.4)


def test_transform_is_a_move_from_the_mean_row():
    X, codes = rows(n=50)
    fitted = DeltaEdit(8, epochs=2, random_state=0).fit(X, codes)
    mean = np.tile(X.mean(axis=0), (50, 1))
    np.testing.assert_allclose(fitted.transform(X), fitted.move(mean, np.zeros_like(X), X), atol=1e-12)


def test_rescaling_the_codes_rescales_the_prediction():
    X, codes = rows(n=50)
    one, ten = (DeltaEdit(8, epochs=2, random_state=0).fit(X, size * codes).transform(X) for size in (1, 10))
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-6)


def test_items_of_another_shape_are_refused():
    X, codes = rows(n=20)
    fitted = DeltaEdit(8, epochs=1).fit(X, codes)
    with pytest.raises(ValueError, match=r"before is \(19, 5\) and after \(20, 5\)"):
        fitted.move(X, X[1:], X)
