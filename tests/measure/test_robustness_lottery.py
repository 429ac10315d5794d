"""What is true of the geometry of a head and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group
from sklearn.linear_model import LogisticRegression

from codomain.core import UserError
from codomain.measure import LogitGeometry


def head(seed=0, n=30, d=5, k=4):
    rng = np.random.default_rng(seed)
    return LogitGeometry.of_head(rng.standard_normal((k, d)), rng.standard_normal(k)), rng.standard_normal((n, d))


def test_a_case_by_hand():
    # Weights along the axes; (1, sqrt 3) is 60 degrees from the first and 30 from the second.
    fitted = LogitGeometry.of_head([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], classes=["east", "north"])
    X = [[1.0, np.sqrt(3)], [2.0, 2.0], [3.0, -1.0]]
    np.testing.assert_allclose(fitted.angle_margin(X)[:2], [np.pi / 6, 0], atol=1e-12)
    # The boundary is the diagonal, at distance (x - y) / sqrt 2.
    np.testing.assert_allclose(fitted.boundary_distance(X), [(np.sqrt(3) - 1) / np.sqrt(2), 0, 4 / np.sqrt(2)])
    assert fitted.predict(X)[[0, 2]].tolist() == ["north", "east"]


@given(seed=st.integers(0, 500), scale=st.floats(1e-3, 1e3))
@settings(max_examples=25)
def test_the_terms_rebuild_the_logits_exactly(seed, scale):
    fitted, X = head(seed)
    X[0] = 0
    wanted = scale * X @ fitted.coef_.T + fitted.intercept_
    np.testing.assert_allclose(fitted.terms(scale * X).logits, wanted, atol=1e-12 * scale + 1e-12)


def test_cosines_are_those_of_scipy():
    fitted, X = head()
    np.testing.assert_allclose(fitted.terms(X).cosines, 1 - cdist(X, fitted.coef_, "cosine"), atol=1e-12)


@given(seed=st.integers(0, 500))
@settings(max_examples=15)
def test_a_rotation_of_rows_and_weights_together_changes_no_term(seed):
    fitted, X = head(seed)
    turn = ortho_group.rvs(5, random_state=seed)
    rotated = LogitGeometry.of_head(fitted.coef_ @ turn, fitted.intercept_)
    for one, two in zip(fitted.terms(X), rotated.terms(X @ turn), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-10)
    np.testing.assert_allclose(fitted.boundary_distance(X), rotated.boundary_distance(X @ turn), atol=1e-9)


def test_the_distance_to_the_boundary_is_the_shortest_step_that_changes_the_answer():
    fitted, X = head(n=6)
    for row, found in zip(X, fitted.boundary_distance(X), strict=True):
        own = int(fitted.predict(row[None])[0])
        steps = []
        for other in set(range(4)) - {own}:
            slope = fitted.coef_[own] - fitted.coef_[other]
            lead = slope @ row + fitted.intercept_[own] - fitted.intercept_[other]
            tie = LinearConstraint(slope, -lead, -lead)
            steps.append(np.sqrt(minimize(lambda z: z @ z, np.full(5, 0.1), constraints=tie, method="SLSQP").fun))
        assert found == pytest.approx(min(steps), rel=1e-4)


def test_without_biases_and_with_equal_weights_longer_rows_have_the_same_angles_and_lie_further_in():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((4, 5))
    fitted = LogitGeometry.of_head(W / np.linalg.norm(W, axis=1, keepdims=True), np.zeros(4))
    X = rng.standard_normal((30, 5))
    np.testing.assert_allclose(fitted.angle_margin(3 * X), fitted.angle_margin(X), atol=1e-7)
    np.testing.assert_allclose(fitted.boundary_distance(3 * X), 3 * fitted.boundary_distance(X))
    assert (fitted.angle_margin(X) >= 0).all()


def test_a_bias_can_outvote_the_angle():
    fitted = LogitGeometry.of_head([[1.0, 0.0], [0.0, 1.0]], [0.0, 10.0])
    assert fitted.angle_margin([[1.0, 0.0]])[0] == pytest.approx(-np.pi / 2)


@pytest.mark.parametrize("k", [2, 3])
def test_the_fitted_head_answers_as_logistic_regression_does(k):
    rng = np.random.default_rng(0)
    y = rng.integers(0, k, 200)
    X = rng.standard_normal((200, 4)) + np.eye(4)[y]
    ours, theirs = LogitGeometry(C=0.5).fit(X, y), LogisticRegression(C=0.5).fit(X, y)
    logits = ours.terms(X).logits
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(chances, theirs.predict_proba(X), atol=1e-3)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_heads_that_do_not_fit_are_refused_in_words():
    with pytest.raises(UserError, match="one bias"):
        LogitGeometry.of_head(np.ones((3, 2)), np.zeros(2))
    with pytest.raises(UserError, match="at least two classes"):
        LogitGeometry().fit(np.ones((5, 2)), np.zeros(5))
