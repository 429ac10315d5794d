"""Learning curves: what is measured, and what is carried on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score

from codomain.classify import GDA, learning_curve
from codomain.classify.few_labels.curve import power_law
from codomain.core import UserError


def digits(n, seed=0):
    X, y = load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))
    return X[rows[:n]], y[rows[:n]], X[rows[n:]], y[rows[n:]]


@given(st.floats(0.5, 4), st.floats(0, 1))
def test_a_power_law_is_found_again(drop, power):
    n = np.array([10, 20, 40, 80, 160])
    np.testing.assert_allclose(power_law(n, drop * n**-power), (drop, power), atol=1e-9)


def test_an_error_that_rises_is_taken_as_still():
    assert power_law(np.array([10, 20, 40]), np.array([0.2, 0.3, 0.4])) == pytest.approx((0.4, 0.0))


def test_more_labels_are_never_expected_to_hurt():
    X, y, *_ = digits(150)
    curve = learning_curve(GDA, X, y)
    gains = [curve.gain(k) for k in (0, 10, 100, 1000)]
    assert gains == sorted(gains)
    assert gains[0] == 0
    assert all(0 <= gain <= 100 for gain in curve.per_class_gain(40).values())


def test_it_learns_more_from_more():
    X, y, *_ = digits(150)
    curve = learning_curve(GDA, X, y)
    assert np.all(np.diff(curve.n) > 0)
    assert curve.accuracy[-1] > curve.accuracy[0]
    assert np.all((curve.low <= curve.accuracy) & (curve.accuracy <= curve.high))
    assert set(curve.per_class) == set(range(10))


def test_accuracy_and_shares_found_are_counted_on_the_same_rows():
    X, y, *_ = digits(150)
    curve = learning_curve(GDA, X, y)
    weighted = sum(curve.sizes[c] * found for c, found in curve.per_class.items()) / 150
    assert weighted == pytest.approx(curve.accuracy[-1])


def test_doubling_is_foretold_within_a_few_points_on_digits():
    misses = []
    for seed in range(4):
        X, y, Q, truth = digits(320, seed)
        curve = learning_curve(GDA, X[:160], y[:160], random_state=seed)
        one, two = (GDA().fit(X[:n], y[:n]).score(Q, truth) for n in (160, 320))
        misses.append(curve.gain(160) - 100 * (two - one))
    assert np.mean(np.abs(misses)) < 3


def test_a_head_that_cannot_learn_is_flat_and_says_so():
    X, y, *_ = digits(100)
    curve = learning_curve(lambda: DummyClassifier(strategy="constant", constant=3), X, y)
    assert curve.flat
    assert "less than a point" in curve.says[-1]


def test_it_names_the_class_that_wants_labels():
    X, y, *_ = digits(150)
    kept = (y != 8) | (np.cumsum(y == 8) <= 4)
    curve = learning_curve(GDA, X[kept], y[kept])
    assert not curve.flat
    gains = curve.per_class_gain(40)
    assert max(gains, key=gains.get) == 8
    assert "40 more of class 8 buy about" in curve.says[2]


def test_the_default_head_is_the_one_that_picks_itself():
    X, y, *_ = digits(60)
    assert learning_curve(None, X, y).accuracy[-1] > 0.7


def test_a_class_of_one_row_is_never_asked_for():
    X, y, *_ = digits(100)
    y = np.append(y, 99)
    curve = learning_curve(GDA, np.concatenate([X, X[:1]]), y)
    assert 99 not in curve.per_class
    assert curve.sizes[99] == 1


def test_too_few_labels_are_refused_in_words():
    with pytest.raises(UserError, match="too few for a learning curve"):
        learning_curve(GDA, np.eye(4), [0, 0, 1, 1])
    with pytest.raises(UserError, match="blank"):
        learning_curve(GDA, np.eye(4), ["a", "", "b", "b"])


def uneven(n, seed=0, rare=0.15):
    """Two classes that differ in two of 64 features, one of them rare."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < rare
    X = rng.standard_normal((n, 64))
    X[:, :2] += np.outer(y, [1.0, 0.8])
    return X.astype(np.float32), np.where(y, "rare", "common")


def test_advice_on_uneven_classes_is_by_balanced_accuracy():
    X, y = uneven(600)
    curve = learning_curve(GDA, X, y)
    Q, truth = uneven(5000, seed=1)
    gained = [balanced_accuracy_score(truth, GDA().fit(*uneven(n)).predict(Q)) for n in (600, 1200)]
    assert curve.uneven and curve.accuracy[-1] < curve.majority == max((y == "rare").mean(), (y == "common").mean())
    assert not curve.flat and "of balanced accuracy" in curve.says[1]
    assert curve.gain(600) == pytest.approx(100 * (gained[1] - gained[0]), abs=4)
    assert curve.balanced_low < gained[0] < curve.balanced_high


def test_a_head_that_says_the_commonest_class_alone_has_not_learned_and_is_not_called_flat():
    X, y = uneven(120)
    curve = learning_curve(lambda: DummyClassifier(strategy="most_frequent"), X, y)
    assert curve.balanced[-1] == 0.5 and not curve.learned and not curve.flat
    assert "not known" in curve.says[-1] and "Always saying the commonest class is right for 8" in curve.says[0]
