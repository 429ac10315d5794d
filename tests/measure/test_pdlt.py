"""What is true of predicted preactivations and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from codomain.measure import Criticality
from codomain.measure.pdlt import ACTIVATIONS, critical_variances, measure_random_nets


def test_relu_and_linear_nets_by_hand():
    # relu: <z^4> on half a line is 3/2, <z^2> is 1/2, so V grows by 4 (3/2 - 1/4) = 5 K^2 a layer; linear by 2.
    X = [[3.0, 4.0]]
    relu = Criticality(5, n_hidden=50).fit(X)
    np.testing.assert_allclose(relu.kurtosis_, 3 * 5 * np.arange(5) / 50, atol=1e-9)
    np.testing.assert_allclose(relu.variances_, 2 * 12.5)  # flat at criticality
    linear = Criticality(5, n_hidden=50, activation="linear").fit(X)
    np.testing.assert_allclose(linear.kurtosis_, 3 * 2 * np.arange(5) / 50, atol=1e-9)


def test_off_criticality_variance_explodes_or_dies_by_the_gain():
    for weight in (1.0, 3.0):
        predicted = Criticality(6, weight_variance=weight).fit([[1.0, 1.0]]).variances_
        np.testing.assert_allclose(predicted[1:] / predicted[:-1], weight / 2)


def test_tanh_and_gelu_follow_the_laws_of_the_book():
    # tanh: K falls as 1 / (2 layer) and V / K^2 grows by 2/3 a layer, far down.
    deep = Criticality(3000, n_hidden=10_000, activation="tanh").fit([[1.0]])
    assert deep.kurtosis_[-1] * 10_000 / 3 / 3000 == pytest.approx(2 / 3, rel=0.02)
    assert Criticality(3000, n_hidden=10**9, activation="tanh").fit([[1.0]]).variances_[-1] * 6000 == pytest.approx(
        1, rel=0.02
    )
    weight, bias = critical_variances("gelu")
    fixed = (3 + np.sqrt(17)) / 2
    flat = Criticality(20, n_hidden=10**9, activation="gelu").fit([[np.sqrt((fixed - bias) / weight)]])
    np.testing.assert_allclose(flat.variances_, fixed, rtol=1e-6)


@given(st.sampled_from(sorted(ACTIVATIONS)), st.floats(0.05, 5), st.floats(0.2, 3), st.floats(0, 1))
@settings(max_examples=25)
def test_the_second_layer_is_its_definition_by_numerical_integration(activation, size, weight, bias):
    predicted = Criticality(2, n_hidden=7, activation=activation, weight_variance=weight, bias_variance=bias)
    predicted.fit([[np.sqrt(size)]])
    K = bias + weight * size
    act = ACTIVATIONS[activation][0]

    def mean(power):
        """Average of a power of the activation at variance K."""
        parts = [(-12, 0), (0, 12)]
        return sum(quad(lambda u: act(np.float64(np.sqrt(K) * u)) ** power * norm.pdf(u), *part)[0] for part in parts)

    second = bias + weight * mean(2)
    assert predicted.variances_[1] == pytest.approx(second, rel=1e-6)
    assert predicted.kurtosis_[1] == pytest.approx(3 * weight**2 * (mean(4) - mean(2) ** 2) / second**2 / 7, rel=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_real_random_nets_agree_where_the_width_is_large_against_the_depth(activation):
    row = np.array([0.3, -0.6, 0.2])
    theory = Criticality(4, n_hidden=40, activation=activation).fit(row[None])
    variances, tails = measure_random_nets(row, theory, 4000, np.random.default_rng(0))
    np.testing.assert_allclose(theory.variances_, variances, rtol=0.03)
    np.testing.assert_allclose(theory.kurtosis_[1:], tails[1:], rtol=0.2, atol=0.04)


def test_the_first_correction_of_the_variance_is_nearer_to_narrow_nets_than_infinite_width():
    row = np.array([2.0, 2.0])
    theory = Criticality(4, n_hidden=10, activation="tanh").fit(row[None])
    wide = Criticality(4, n_hidden=10**9, activation="tanh").fit(row[None])
    seen, _ = measure_random_nets(row, theory, 10_000, np.random.default_rng(0))
    assert np.abs(theory.variances_ - seen)[-1] < np.abs(wide.variances_ - seen)[-1] / 2


def test_rows_are_followed_one_by_one_and_blocks_do_not_show(monkeypatch):
    X = np.random.default_rng(0).normal(size=(9, 4))
    theory = Criticality(4, activation="tanh").fit(X)
    whole = theory.transform(X), theory.excess_kurtosis(X)
    monkeypatch.setattr("codomain.measure.pdlt.BLOCK", 2)
    np.testing.assert_allclose(theory.transform(X), whole[0])
    np.testing.assert_allclose(theory.excess_kurtosis(X), whole[1])
    one = Criticality(4, activation="tanh").fit(X[3:4])
    np.testing.assert_allclose(one.variances_, whole[0][3])
    np.testing.assert_allclose(one.kurtosis_, whole[1][3])
