"""What is true of moment probing and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.classify import MomentProbing


def token_sets(seed, n=40, tokens=6, d=4):
    """Rows of two classes whose tokens have one mean, but whose first two features move together or apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, tokens, d))
    X[:, :, 1] = X[:, :, 0] * np.where(y, 1, -1)[:, None] + 0.1 * X[:, :, 1]
    X -= X.mean(axis=1, keepdims=True)
    return X.reshape(n, -1), y


def test_a_case_by_hand():
    head = MomentProbing(2, n_heads=1, width=1, epochs=1).fit([[0.0, 1.0, 2.0, 5.0], [0.0, 1.0, 2.0, 5.0]], [0, 1])
    # Tokens (0, 1) and (2, 5) have mean (1, 3) and standard deviation (1, 2), so they are (-1, -1) and (1, 1) and
    # their covariances are all 1. Projections (2, 1) and (0, 3) give 3 * 3 = 9, which the kernel's middle alone meets.
    head.left_, head.right_ = np.array([[[2.0], [1.0]]]), np.array([[[0.0], [3.0]]])
    head.kernel_ = np.arange(9.0).reshape(1, 1, 3, 3)
    np.testing.assert_allclose(head.features([[0.0, 1.0, 2.0, 5.0]]), [[0, 0, 4 * 9]])


def test_features_are_the_definition_written_out():
    X, y = token_sets(0)
    head = MomentProbing(6, n_heads=2, width=3, epochs=2, random_state=0).fit(X, y)
    for row, found in zip(X[:5], head.features(X[:5]), strict=True):
        tokens = [(row[4 * t : 4 * t + 4] - head.centre_) / head.spread_ for t in range(6)]
        mean = sum(tokens) / 6
        pairs = zip(head.left_, head.right_, strict=True)
        S = [sum(np.outer((x - mean) @ A, (x - mean) @ B) for x in tokens) / 6 for A, B in pairs]
        predicted = list(mean)
        for out in range(2):
            for i, j in ((0, 0), (0, 2), (2, 0), (2, 2)):
                near = [(a, b) for a in range(3) for b in range(3) if 0 <= i + a - 1 < 3 and 0 <= j + b - 1 < 3]
                met = [head.kernel_[out, h, a, b] * S[h][i + a - 1, j + b - 1] for h in range(2) for a, b in near]
                predicted.append(sum(met))
        np.testing.assert_allclose(found, predicted, atol=1e-9)


def test_it_tells_classes_apart_whose_token_means_are_all_equal():
    X, y = token_sets(1)
    Q, truth = token_sets(2, n=100)
    head = MomentProbing(6, random_state=0).fit(X, y)
    assert np.abs(head.features(Q)[:, :4]).max() < 1e-9
    assert head.score(Q, truth) > 0.9


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_tokens_does_not_matter(seed):
    X, y = token_sets(seed)
    head = MomentProbing(6, n_heads=2, width=2, epochs=3, random_state=0).fit(X, y)
    permuted = X.reshape(len(X), 6, 4)[:, np.random.default_rng(seed).permutation(6)].reshape(X.shape)
    np.testing.assert_allclose(head.predict_proba(permuted), head.predict_proba(X), atol=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_scale_and_the_origin_of_features_do_not_matter(seed, scale, shift):
    X, y = token_sets(seed)
    one, two = (MomentProbing(6, n_heads=2, epochs=3, random_state=0).fit(Z, y) for Z in (X, scale * X + shift))
    np.testing.assert_allclose(two.predict_proba(scale * X + shift), one.predict_proba(X), atol=1e-6)


def test_training_lowers_the_loss():
    head = MomentProbing(6, random_state=0).fit(*token_sets(3))
    assert head.losses_[-1] < 0.5 * head.losses_[0]


def test_rows_that_cannot_be_cut_into_tokens_are_refused():
    with pytest.raises(ValueError, match="24 features, which cannot be cut into 5"):
        MomentProbing(5).fit(*token_sets(0))
