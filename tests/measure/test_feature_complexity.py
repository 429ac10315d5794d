"""What is true of the information that simple decoders can use and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from codomain.core import UserError
from codomain.measure import FeatureComplexity


def bits(repeats=10):
    X = np.array([[a, b, c] for a in (-1.0, 1) for b in (-1.0, 1) for c in (-1.0, 1)])
    return np.tile(X, (repeats, 1))


def test_a_case_by_hand():
    # A bit is all there in the inputs; the parity of two bits is not, but is once a layer has multiplied them.
    # The majority of three bits is (a + b + c) / 2 - abc / 2, so the bits tell 3/4 of it.
    X = bits(200)
    features = np.stack([X[:, 0], X[:, 0] * X[:, 1], np.sign(X.sum(axis=1))], axis=1)
    found = FeatureComplexity(penalty=1e-9, random_state=0).fit_layers([X, features[:, 1:2]], features)
    np.testing.assert_allclose(found.information_, [[1, 0, 0.75], [0, 1, 0]], atol=0.01)
    np.testing.assert_allclose(found.complexity_, [0.5, 0.5, 0.625], atol=0.01)


@given(seed=st.integers(0, 300))
@settings(max_examples=15)
def test_information_is_what_scikit_learns_ridge_tells_of_unseen_rows(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 4)) * [1, 5, 0.1, 1]
    y = X @ rng.standard_normal((4, 2)) + rng.standard_normal((60, 2))
    folds = KFold(5, shuffle=True, random_state=seed)
    # Each fold trains on 48 rows, and scikit-learn's penalty is set against a sum.
    predicted = cross_val_predict(make_pipeline(StandardScaler(), Ridge(48 * 0.1)), X, y, cv=folds)
    base = np.empty_like(y)
    for train, test in folds.split(X):
        base[test] = y[train].mean(axis=0)
    wanted = 1 - np.square(y - predicted).sum(axis=0) / np.square(y - base).sum(axis=0)
    found = FeatureComplexity(0.1, random_state=seed).fit(X, y)
    np.testing.assert_allclose(found.information_[0], np.maximum(wanted, 0), atol=1e-9)
    np.testing.assert_allclose(found.complexity_, 1 - found.information_[0])


@given(seed=st.integers(0, 300), size=st.floats(0.01, 100))
@settings(max_examples=15)
def test_size_and_shift_of_units_and_features_change_nothing(seed, size):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((50, 4))
    y = X[:, :1] + rng.standard_normal((50, 2))
    one, two = (FeatureComplexity(random_state=0).fit(*pair) for pair in ((X, y), (size * X + 2, 3 - size * y)))
    np.testing.assert_allclose(two.complexity_, one.complexity_, atol=1e-7)


def test_a_layer_that_is_no_news_makes_a_feature_neither_simpler_nor_more_complex_than_its_mean():
    X, rng = bits(), np.random.default_rng(0)
    y, noise = X[:, 0] + 0.5 * X[:, 1] * X[:, 2], rng.standard_normal((80, 3))
    single = FeatureComplexity(random_state=0).fit(X, y).complexity_[0]
    twice = FeatureComplexity(random_state=0).fit_layers([X, X], y).complexity_[0]
    drowned = FeatureComplexity(random_state=0).fit_layers([X, noise], y).complexity_[0]
    assert twice == pytest.approx(single)
    assert drowned > single + 0.2


def test_what_stands_still_tells_and_holds_no_information():
    X = bits()
    found = FeatureComplexity(random_state=0).fit(np.full((80, 2), 0.1), np.stack([X[:, 0], np.ones(80)], axis=1))
    assert (found.complexity_ == 1).all()
    assert FeatureComplexity(random_state=0).fit(X, np.full(80, 0.1)).information_[0, 0] == 0


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(UserError, match="No layers"):
        FeatureComplexity().fit_layers([], np.ones(5))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        FeatureComplexity().fit_layers([np.ones((5, 2)), np.ones((6, 2))], np.ones(5))
    with pytest.raises(UserError, match="features as y"):
        FeatureComplexity().fit(np.ones((5, 2)), None)
