"""What is true of moment probing and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from codomain.classify import MomentProbing

SMALL = {"n_heads": 3, "width": 7, "random_state": 0}


def token_sets(seed, n=40, tokens=6, d=4):
    """Rows of two classes whose tokens have one mean, but whose first two features move together or apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, tokens, d))
    X[:, :, 1] = X[:, :, 0] * np.where(y, 1, -1)[:, None] + 0.1 * X[:, :, 1]
    return X - X.mean(axis=1, keepdims=True), y


def convolve(images, kernel):
    """Slide a kernel over images (n_channels, side, side) in steps of 2, by the definition."""
    out, steps = len(kernel), range(0, images.shape[1] - 2, 2)
    return np.array(
        [[[np.sum(images[:, i : i + 3, j : j + 3] * kernel[o]) for j in steps] for i in steps] for o in range(out)]
    )


def test_features_are_the_definition_written_out():
    X, y = token_sets(0)
    head = MomentProbing(**SMALL, epochs=2).fit(X, y)
    for row, found in zip(X[:5], head.features(X[:5]), strict=True):
        tokens = (row - head.centre_) / head.spread_
        heads = (tokens @ head.projection_ + head.shift_).reshape(6, 3, 7)
        heads -= heads.mean(axis=2, keepdims=True)
        heads = heads / np.sqrt(np.mean(heads**2, axis=2, keepdims=True) + 1e-5) * head.scale_ + head.offset_
        heads -= heads.mean(axis=(0, 2), keepdims=True)
        S = np.array([sum(np.outer(token[h], token[h + 1]) for token in heads) / 6 for h in range(2)])
        S /= np.linalg.norm(S, axis=1, keepdims=True)
        fewer = convolve(S, head.kernel_)
        fewer = fewer * (1 + erf(fewer / np.sqrt(2))) / 2
        expected = [*tokens.mean(axis=0), *convolve(fewer, head.second_kernel_).ravel()]
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_score_is_the_mean_of_that_of_two_linear_layers():
    X, y = token_sets(0)
    head = MomentProbing(**SMALL, epochs=1).fit(X, y)
    seen = head.features(X)
    of_mean, of_moments = 2 * head.coef_[:, :4], 2 * head.coef_[:, 4:]
    both = (seen[:, :4] @ of_mean.T + seen[:, 4:] @ of_moments.T) / 2 + head.intercept_
    np.testing.assert_allclose(head.predict_proba(X), np.exp(both) / np.exp(both).sum(axis=1, keepdims=True))


def test_it_tells_classes_apart_whose_token_means_are_all_equal():
    X, y = token_sets(1)
    Q, truth = token_sets(2, n=100)
    head = MomentProbing(width=16, random_state=0).fit(X, y)
    assert np.abs(head.features(Q)[:, :4]).max() < 1e-9
    assert head.score(Q, truth) > 0.9


@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_tokens_does_not_matter(seed):
    X, y = token_sets(seed)
    head = MomentProbing(**SMALL, epochs=3).fit(X, y)
    permuted = X[:, np.random.default_rng(seed).permutation(6)]
    np.testing.assert_allclose(head.predict_proba(permuted), head.predict_proba(X), atol=1e-9)


@settings(max_examples=5)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_scale_and_the_origin_of_features_do_not_matter(seed, scale, shift):
    X, y = token_sets(seed)
    one, two = (MomentProbing(**SMALL, epochs=3).fit(Z, y) for Z in (X, scale * X + shift))
    np.testing.assert_allclose(two.predict_proba(scale * X + shift), one.predict_proba(X), atol=1e-6)


def test_rows_of_one_token_may_have_two_axes():
    X, y = token_sets(3)
    flat, one = X[:, 0], X[:, :1]
    heads = [MomentProbing(**SMALL, epochs=2).fit(rows, y) for rows in (flat, one)]
    np.testing.assert_array_equal(heads[0].predict_proba(flat), heads[1].predict_proba(one))


def test_training_lowers_the_loss():
    head = MomentProbing(width=16, random_state=0).fit(*token_sets(3))
    assert head.losses_[-1] < 0.5 * head.losses_[0]


def test_another_number_of_tokens_is_refused():
    X, y = token_sets(0)
    head = MomentProbing(**SMALL, epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="5"):
        head.predict(X[:, :5])
    with pytest.raises(ValueError, match=r"Rows of shape \(6,\)"):
        head.predict(X[:, :, 0])
