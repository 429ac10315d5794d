"""What is true of learned exits and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.classify import JEIDNN
from codomain.classify.jei_dnn import calibration_error
from codomain.classify.jei_dnn.gates import balance, exit_shares, should_stop

torch = pytest.importorskip("torch")


def layers(seed, n=200):
    """Rows that a first layer knows half of the time and a second layer always, each two features wide."""
    rng = np.random.default_rng(seed)
    y, easy = np.arange(n) % 2, rng.random(n) < 0.5
    sign = 2.0 * y - 1
    first = np.where(easy, 6 * sign, 0)[:, None] + rng.normal(size=(n, 2))
    second = 6 * sign[:, None] + rng.normal(size=(n, 2))
    return np.stack([first, second], axis=1), y, easy


def test_a_case_by_hand():
    fitted = JEIDNN(epochs=1).fit([[[-1.0], [-1.0]], [[1.0], [1.0]]], ["a", "b"])
    # Log odds x at both layers. The gate asks for a lead above one half, so for p above 3/4, so for |x| above log 3.
    fitted.coef_ = np.array([[[0.0, 1.0]], [[1.0, 0.0]]])  # the second layer says the opposite
    fitted.intercept_, fitted.gates_ = np.zeros((2, 2)), np.array([[0.0, 8.0, 0.0, -4.0]])
    Q = np.array([[1.0, 1.0], [1.2, 1.2], [-1.2, -1.2], [-1.0, -1.0]])[:, :, None]
    np.testing.assert_array_equal(fitted.exits(Q), [1, 0, 0, 1])
    np.testing.assert_array_equal(fitted.predict(Q), ["a", "b", "a", "b"])
    lead = 2 / (1 + np.exp(-1.2)) - 1
    stop = 1 / (1 + np.exp(4 - 8 * lead))
    np.testing.assert_allclose(fitted.exit_probabilities(Q[1:2]), [[stop, 1 - stop]])
    np.testing.assert_array_equal(fitted.costs_, [0.5, 1])


@given(stops=st.lists(st.floats(0, 1), min_size=0, max_size=6))
def test_chances_of_ending_are_those_of_a_walk_through_the_gates(stops):
    shares = exit_shares(torch.tensor([stops], dtype=torch.float64)).numpy()[0]
    left, expected = 1.0, []
    for stop in stops:
        expected.append(left * stop)
        left *= 1 - stop
    np.testing.assert_allclose(shares, [*expected, left], atol=1e-12)


def test_easy_rows_stop_early_and_hard_ones_go_on():
    X, y, _ = layers(0)
    Q, truth, easy = layers(1, n=400)
    fitted = JEIDNN(epochs=400, random_state=0).fit(X, y)
    ends = fitted.exits(Q)
    assert np.mean(ends[easy] == 0) > 0.9
    assert np.mean(ends[~easy] == 1) > 0.7
    assert fitted.score(Q, truth) > 0.9


def test_the_prediction_is_that_of_the_layer_of_the_exit():
    X, y, _ = layers(0)
    fitted = JEIDNN(epochs=400, random_state=0).fit(X, y)
    P, ends = fitted.layer_probabilities(X), fitted.exits(X)
    for row in range(len(X)):
        np.testing.assert_array_equal(fitted.predict_proba(X)[row], P[ends[row], row])
    assert 0 < ends.mean() < 1


@given(totals=st.lists(st.lists(st.floats(0, 9), min_size=4, max_size=4), min_size=1, max_size=5))
def test_gates_are_taught_to_stop_from_the_cheapest_layer_on(totals):
    found = should_stop(torch.tensor(totals, dtype=torch.float64)).tolist()
    assert found == [[row.index(min(row)) <= here for here in range(3)] for row in totals]


@given(pays=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=6))
def test_ones_count_as_much_as_zeros_where_there_are_both(pays):
    targets = torch.tensor(pays, dtype=torch.float64)
    weights = balance(targets)
    assert (weights[targets == 0] == 1).all()
    if 0 < targets.mean() < 1:
        assert weights[targets == 1].sum().item() == pytest.approx((1 - targets).sum().item())


@settings(max_examples=3)
@given(seed=st.integers(0, 1000))
def test_the_dearer_the_net_the_earlier_rows_stop(seed):
    X, y, _ = layers(seed)
    fitted = (JEIDNN(price, epochs=400, random_state=0).fit(X, y) for price in (0, 0.3, 10))
    means = [one.exits(X).mean() for one in fitted]
    assert means[0] >= means[1] > means[2] == 0


def test_rows_with_other_layers_are_refused():
    X, y, _ = layers(0)
    fitted = JEIDNN(epochs=2).fit(X, y)
    with pytest.raises(ValueError, match="1"):
        fitted.predict(X[:, :1])


def test_calibration_is_perfect_where_confidence_is_accuracy():
    right, sure = np.array([1, 1, 1, 0, 1, 0]), np.array([0.75, 0.75, 0.75, 0.75, 0.55, 0.45])
    assert calibration_error(right[:4], sure[:4]) == 0
    assert calibration_error(right, sure) == pytest.approx(0.9 / 6)
