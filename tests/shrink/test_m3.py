"""What is true of queries over a bank and of nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codomain.core import unit_rows
from codomain.shrink import M3
from codomain.shrink.m3 import attention_weights, cosine_gradients, spread_rows

torch = pytest.importorskip("torch")


def mixtures(seed=0, n=200, wide=20):
    """Rows between a few far corners: what a bank can bring back."""
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(5, 0.3), size=n) @ unit_rows(rng.normal(size=(5, wide)))


def test_attention_by_hand():
    # Scores (0, ln 3): weights 1/4 and 3/4.
    np.testing.assert_allclose(attention_weights(np.array([[1.0]]), np.array([[0.0, np.log(3)]])), [[0.25, 0.75]])


def test_the_bank_takes_what_is_farthest_by_hand():
    angles = np.array([0.0, 0.1, 0.2, 2.0, -1.5])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    chosen = spread_rows(rows, 3)
    assert set(chosen[1:]) == {3, 4}
    assert chosen[0] in {0, 1, 2}


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_the_gradient_from_inner_products_is_torchs_from_rows(seed):
    rng = np.random.default_rng(seed)
    rows, bank = (unit_rows(rng.normal(size=(n, 6))) for n in (5, 4))
    Q, keys = rng.normal(size=(5, 2)), rng.normal(size=(2, 4))
    scores = torch.tensor(Q @ keys, requires_grad=True)
    cosine = torch.nn.functional.cosine_similarity(
        scores.softmax(dim=1) @ torch.from_numpy(bank), torch.from_numpy(rows)
    )
    cosine.sum().backward()
    ours, up = cosine_gradients(Q, keys, bank @ bank.T, rows @ bank.T)
    np.testing.assert_allclose(ours, cosine.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(up, scores.grad.numpy(), atol=1e-9)


def test_two_numbers_bring_back_rows_that_two_principal_components_cannot():
    X = mixtures()
    memory = M3(2, n_anchors=20, max_steps=300).fit(X)
    back = memory.inverse_transform(memory.transform(X))
    U, S, V = np.linalg.svd(X, full_matrices=False)
    flat = unit_rows(U[:, :2] * S[:2] @ V[:2])
    assert (back * unit_rows(X)).sum(axis=1).mean() > (flat * unit_rows(X)).sum(axis=1).mean() + 0.05
    assert memory.cosines_[-1] > memory.cosines_[0]


def test_what_comes_back_is_inside_the_bank_and_new_rows_are_brought_back_too():
    X, new = mixtures(), mixtures(n=230)[200:]
    memory = M3(3, n_anchors=15, max_steps=200).fit(X)
    back = memory.inverse_transform(memory.transform(new))
    weights = np.linalg.lstsq(memory.bank_.T, back.T, rcond=None)[0]
    np.testing.assert_allclose(memory.bank_.T @ weights, back.T, atol=1e-8)
    blind = memory.inverse_transform(np.zeros((len(new), 3)))
    assert (back * unit_rows(new)).sum() > (blind * unit_rows(new)).sum() + 0.1 * len(new)


@given(st.floats(0.01, 100))
@settings(max_examples=10)
def test_the_length_of_a_row_does_not_matter(size):
    X = mixtures(n=30)
    memory = M3(2, n_anchors=5, max_steps=5).fit(X)
    np.testing.assert_allclose(memory.transform(size * X), memory.transform(X), atol=1e-6)


def test_a_bank_larger_than_the_rows_and_queries_longer_than_rows_are_refused():
    with pytest.raises(ValueError, match="n_anchors=256 with n_samples=30"):
        M3().fit(mixtures(n=30))
    with pytest.raises(ValueError, match="n_components=30 with n_features=20"):
        M3(30, n_anchors=5).fit(mixtures())
    with pytest.raises(ValueError, match="Z has shape"):
        M3(2, n_anchors=5, max_steps=1).fit(mixtures()).inverse_transform(np.zeros((3, 4)))
