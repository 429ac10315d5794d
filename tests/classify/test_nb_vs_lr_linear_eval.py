"""What is true of the naive Bayes head and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestCentroid

from codomain.classify import NaiveBayesHead


def clumps(seed, n=40, d=5, classes=3):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return rng.normal(size=(n, d)) * rng.uniform(0.2, 3, d) + rng.normal(size=(classes, d))[y], y


def test_a_case_by_hand():
    # Means 1 and 9 and variance 1; shares 1/3 and 2/3 once two more rows sit on either side of 9.
    fitted = NaiveBayesHead().fit([[0.0], [2.0], [8.0], [10.0], [8.0], [10.0]], [0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(fitted.var_, [1])
    # Log odds of 5, half way between the means, are those of the shares.
    np.testing.assert_allclose(fitted.decision_function([[5.0], [6.0]]), np.log(2) + np.array([0, 8]))


def test_probabilities_are_the_product_of_scipys_gaussians():
    X, y = clumps(0)
    means = np.array([X[y == c].mean(axis=0) for c in range(3)])
    spread = np.sqrt(np.mean((X - means[y]) ** 2, axis=0))
    joint = np.array([np.mean(y == c) * norm(means[c], spread).pdf(X).prod(axis=1) for c in range(3)]).T
    np.testing.assert_allclose(NaiveBayesHead().fit(X, y).predict_proba(X), joint / joint.sum(axis=1, keepdims=True))


def test_it_is_scikit_learns_gaussian_naive_bayes_where_classes_share_their_variances():
    X = np.array([[0.0, 0], [2, 6], [10, 1], [12, 7], [-5, 30], [-3, 36]])
    y = np.repeat([0, 1, 2], 2)
    Q = np.random.default_rng(0).normal(size=(50, 2)) * 10
    peer = GaussianNB(var_smoothing=1e-12).fit(X, y).predict_proba(Q)
    np.testing.assert_allclose(NaiveBayesHead().fit(X, y).predict_proba(Q), peer, atol=1e-6)


@given(seed=st.integers(0, 1000), sizes=st.lists(st.floats(1e-2, 1e2), min_size=5, max_size=5))
def test_no_rescaling_of_single_features_and_no_shift_changes_what_it_says(seed, sizes):
    X, y = clumps(seed)
    one, two = (NaiveBayesHead().fit(Z, y).predict_proba(Z) for Z in (X, (X + 7) * np.array(sizes)))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_fully_shrunk_with_equal_shares_it_is_the_nearest_mean():
    X, y = clumps(1, n=60)
    Q, _ = clumps(2, n=300)
    predicted = NaiveBayesHead(1.0).fit(X, y).predict(Q)
    np.testing.assert_array_equal(predicted, NearestCentroid().fit(X, y).predict(Q))
    assert np.any(predicted != NaiveBayesHead().fit(X, y).predict(Q))


def test_float32_far_from_zero_loses_no_class():
    X, y = clumps(3)
    near = NaiveBayesHead().fit(X, y).predict(X)
    far = (X + 1000).astype(np.float32)
    assert np.mean(NaiveBayesHead().fit(far, y).predict(far) == near) > 0.97


def test_a_still_feature_says_nothing_and_one_that_splits_the_classes_says_all():
    X, y = clumps(4)
    one, two = (NaiveBayesHead().fit(Z, y).predict_proba(Z) for Z in (X, np.column_stack([X, np.full(len(X), 7.0)])))
    np.testing.assert_allclose(one, two, atol=1e-9)
    noise = np.random.default_rng(0).normal(size=(40, 1))
    assert (
        NaiveBayesHead().fit(np.column_stack([noise, y * 1e-3]), y).score(np.column_stack([-noise, y * 1e-3]), y) == 1
    )


def test_one_row_per_class_is_enough():
    X = np.eye(3) * 5
    np.testing.assert_array_equal(NaiveBayesHead().fit(X, [0, 1, 2]).predict(X), [0, 1, 2])


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes"):
        NaiveBayesHead().fit([[0.0], [1.0]], [1, 1])
