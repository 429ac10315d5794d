"""What is true of a net of differences and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.align import DeltaEdit
from codomain.align.deltaedit import change_loss
from codomain.align.shared.compatible import run_net
from codomain.core import unit_rows


def rows(seed=0, n=300):
    """Features at length 1, and codes that are a linear map of them."""
    X = unit_rows(np.random.default_rng(seed).normal(size=(n, 5)))
    return X, X @ np.random.default_rng(99).normal(size=(5, 3))


def test_it_learns_the_map_between_differences():
    X, codes = rows()
    fitted = DeltaEdit(epochs=150, random_state=0).fit(X[:200], codes[:200])
    here, there = np.arange(200, 250), np.arange(250, 300)
    predicted = fitted.move(X[here], codes[here], X[here], X[there])
    true = codes[there] - codes[here]
    assert np.mean((unit_rows(predicted) * unit_rows(true)).sum(axis=1)) > 0.97


@given(seed=st.integers(0, 200), length=st.floats(0.01, 100))
@settings(max_examples=15)
def test_only_the_direction_of_the_difference_counts_and_lengths_do_not(seed, length):
    X, codes = rows(seed, n=30)
    fitted = DeltaEdit(8, epochs=1, random_state=0).fit(X, codes)
    one = fitted.move(X, codes, X, X[::-1])
    np.testing.assert_allclose(fitted.move(length * X, codes, length * X, length * X[::-1]), one, atol=1e-6)
    # Items of another kind, both moved by the same offset at a right angle, have the same difference before scaling.
    middle = unit_rows(X + X[::-1])
    apart = unit_rows(X - X[::-1])
    half = np.linalg.norm(X - X[::-1], axis=1, keepdims=True) / 2
    np.testing.assert_allclose(fitted.move(X, codes, middle + half * apart, middle - half * apart), one, atol=1e-6)
    assert np.abs(one - fitted.move(X, codes, X[::-1], X)).max() > 1e-6


def test_the_code_itself_counts():
    rng = np.random.default_rng(0)
    X, codes = unit_rows(rng.normal(size=(400, 2))), rng.normal(size=(400, 1))
    # The code has nothing to do with the features: only the code that is left tells which way it will change.
    fitted = DeltaEdit(epochs=60, random_state=0).fit(X, codes)
    up, down = fitted.move(X[:2], [[-3.0], [3.0]], X[2:4], X[4:6]).ravel()
    assert up > 1 > -1 > down


def test_the_loss_is_squared_error_plus_one_minus_cosine():
    torch = pytest.importorskip("torch")
    predicted, true = np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 2.0]])
    # Squared errors 16 and 5; cosines 3/5 and 0.
    found = change_loss(torch.from_numpy(predicted), torch.from_numpy(true))
    assert float(found) == pytest.approx(10.5 + 0.7)


def test_transform_is_a_move_from_the_mean_row_and_the_mean_code():
    X, codes = rows(n=50)
    fitted = DeltaEdit(8, epochs=2, random_state=0).fit(X, codes)
    by_hand = run_net(fitted._net, np.hstack([np.zeros((50, 3)), np.tile(fitted.mean_, (50, 1)),
                                              unit_rows(X - fitted.mean_)]))  # fmt: skip
    np.testing.assert_allclose(fitted.transform(X), fitted.spread_ * by_hand, atol=1e-12)


def test_rescaling_the_codes_rescales_the_prediction():
    X, codes = rows(n=50)
    one, ten = (DeltaEdit(8, epochs=2, random_state=0).fit(X, size * codes).transform(X) for size in (1, 10))
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-6)


def test_items_and_codes_of_another_shape_are_refused():
    X, codes = rows(n=20)
    fitted = DeltaEdit(8, epochs=1).fit(X, codes)
    with pytest.raises(ValueError, match=r"before is \(19, 5\) and after \(20, 5\)"):
        fitted.move(X, codes, X[1:], X)
    with pytest.raises(ValueError, match=r"codes is \(20, 2\)"):
        fitted.move(X, codes[:, :2], X, X)
