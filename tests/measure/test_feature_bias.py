"""What is true of the shares of variance and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.preprocessing import OneHotEncoder

from codomain.core import UserError
from codomain.measure import FeatureBias


def space(seed=0, n=80, d=5):
    rng = np.random.default_rng(seed)
    y = np.stack([rng.integers(0, 2, n), rng.integers(0, 4, n), rng.integers(0, 3, n)], axis=1)
    Z = rng.standard_normal((n, d)) + np.eye(d)[y[:, 0]] * 2 + y[:, 1:2] * rng.standard_normal(d)
    return Z, y


def test_a_case_by_hand():
    # Deviations are (-3, -1, 1, 3), total 20. The pairs' means are -2 and 2: 4 * 4 = 16 of 20. Odd and even rows have
    # means -1 and 1: 4 of 20. Together they name every row.
    fitted = FeatureBias().fit([[4.0], [6.0], [8.0], [10.0]], [["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]])
    np.testing.assert_allclose(fitted.explained_, [0.8, 0.2])
    assert fitted.explained_together_ == pytest.approx(1)
    assert fitted.bias_ == pytest.approx(0.6)


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_a_share_is_what_a_regression_on_the_one_hot_code_explains(seed):
    Z, y = space(seed)
    fitted = FeatureBias().fit(Z, y)
    for k in range(3):
        code = OneHotEncoder(sparse_output=False).fit_transform(y[:, [k]])
        predicted = LinearRegression().fit(code, Z).predict(code)
        assert fitted.explained_[k] == pytest.approx(r2_score(Z, predicted, multioutput="variance_weighted"))
        np.testing.assert_allclose(fitted.by_unit_[k], r2_score(Z, predicted, multioutput="raw_values"), atol=1e-10)


@given(seed=st.integers(0, 500), size=st.floats(0.01, 100))
@settings(max_examples=20)
def test_rotation_size_shift_and_names_change_no_share(seed, size):
    Z, y = space(seed)
    rotated = size * Z @ ortho_group.rvs(5, random_state=seed) + 3
    one, two = FeatureBias().fit(Z, y), FeatureBias().fit(rotated, 7 - 2 * y)
    np.testing.assert_allclose(two.explained_, one.explained_, atol=1e-9)
    assert two.explained_together_ == pytest.approx(one.explained_together_)


@given(seed=st.integers(0, 500))
@settings(max_examples=20)
def test_combinations_explain_at_least_what_each_feature_does(seed):
    fitted = FeatureBias().fit(*space(seed))
    assert fitted.explained_.max() - 1e-12 <= fitted.explained_together_ <= 1


def test_an_interaction_is_seen_by_the_combinations_only():
    y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5)
    fitted = FeatureBias().fit((y[:, :1] ^ y[:, 1:]).astype(float), y)
    np.testing.assert_allclose(fitted.explained_, 0, atol=1e-12)
    assert fitted.explained_together_ == pytest.approx(1)


def test_what_stands_still_explains_nothing():
    Z, y = space()
    Z[:, 2] = 0.1
    assert (FeatureBias().fit(Z, y).by_unit_[:, 2] == 0).all()
    assert (FeatureBias().fit(np.full((80, 2), 0.1), y).explained_ == 0).all()


def test_the_score_is_minus_the_bias_of_the_rows_given():
    (Z, y), other = space(0), space(1)
    assert FeatureBias().fit(Z, y).score(*other) == -FeatureBias().fit(*other).bias_


def test_rows_without_features_are_refused_in_words():
    with pytest.raises(UserError, match="known features as y"):
        FeatureBias().fit(np.ones((5, 2)), None)
