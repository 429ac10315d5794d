"""What is true of the Gaussian head and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, ortho_group
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from codomain.classify import GDA
from codomain.classify.gda_clip import shrunk_precision


def clumps(seed, n=30, d=4, classes=3):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 2 * rng.normal(size=(classes, d))[y], y


def test_a_case_by_hand():
    # Means 1 and 9; four residuals of size 1, so (n - 1) S = 4 and tr S = 4 / 3: the precision is 1 / (16 / 3).
    fitted = GDA(normalise=False).fit([[0.0], [2.0], [8.0], [10.0]], [0, 0, 1, 1])
    np.testing.assert_allclose(fitted.coef_, [[3 / 16], [27 / 16]])
    np.testing.assert_allclose(fitted.intercept_, [-3 / 32, -243 / 32])
    np.testing.assert_allclose(fitted.decision_function([[7.0]]), [24 / 16 * 7 - 240 / 32])


def test_probabilities_are_bayes_rule_over_scipys_gaussians():
    X, y = clumps(0)
    means = np.array([X[y == c].mean(axis=0) for c in range(3)])
    covariance = np.linalg.inv(shrunk_precision(X - means[y]))
    density = np.array([multivariate_normal(mean, covariance).pdf(X) for mean in means]).T
    probabilities = GDA(normalise=False).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities, density / density.sum(axis=1, keepdims=True), rtol=1e-6)


def test_with_plenty_of_rows_it_is_scikit_learns_linear_discriminant_analysis():
    X, y = clumps(1, n=30_000)
    peer = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(X, y)
    assert np.mean(GDA(normalise=False).fit(X, y).predict(X) == peer.predict(X)) > 0.995


@given(seed=st.integers(0, 1000), size=st.floats(1e-2, 1e2))
def test_no_rotation_and_no_rescaling_changes_what_it_says(seed, size):
    X, y = clumps(seed)
    turn = ortho_group.rvs(4, random_state=seed)
    one, two = (GDA(normalise=False).fit(Z, y).predict_proba(Z) for Z in (X, size * X @ turn))
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_fewer_rows_than_features_still_give_a_precision():
    X, y = clumps(2, n=6, d=50)
    fitted = GDA().fit(X, y)
    assert np.isfinite(fitted.coef_).all()
    assert fitted.score(X, y) == 1


def test_names_alone_decide_where_the_shots_weigh_nothing():
    X, y = clumps(3)
    names = np.random.default_rng(0).normal(size=(3, 4))
    cosines = X @ names.T / np.linalg.norm(X, axis=1)[:, None] / np.linalg.norm(names, axis=1)
    predicted = GDA(weight_of_shots=0).fit(X, y, names).predict(X)
    np.testing.assert_array_equal(predicted, cosines.argmax(axis=1))
    assert np.any(predicted != GDA().fit(X, y).predict(X))


def test_scores_with_names_are_the_weighted_sum():
    X, y = clumps(4)
    names = np.random.default_rng(1).normal(size=(3, 4))
    shots, mixed = GDA().fit(X, y), GDA(temperature=0.5, weight_of_shots=3).fit(X, y, names)
    zero = GDA(temperature=0.5, weight_of_shots=0).fit(X, y, names)
    np.testing.assert_allclose(
        mixed.decision_function(X), 3 * shots.decision_function(X) + zero.decision_function(X), atol=1e-9
    )


def test_names_of_another_shape_are_refused():
    X, y = clumps(0)
    with pytest.raises(ValueError, match=r"shape \(2, 4\).*\n?.*shape \(3, 4\)"):
        GDA().fit(X, y, np.ones((2, 4)))


def test_rows_that_never_stray_leave_the_euclidean_metric():
    fitted = GDA(normalise=False).fit([[0.0, 0.0], [0.0, 0.0], [2.0, 4.0]], [0, 0, 1])
    np.testing.assert_allclose(fitted.coef_, [[0, 0], [2, 4]])
