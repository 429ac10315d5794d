"""What is true of fluctuating targets, of the weighted loss, and of nothing else."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import MultiGrainedUncertainty
from codomain.search.cir_multigrained_uncertainty import fluctuate, regularise, scale_both
from codomain.search.shared.combiner import start_weights

torch = pytest.importorskip("torch")


def triplets(n=600, seed=0):
    A, B = np.random.default_rng(seed).normal(size=(2, n, 8))
    return A, B, A + B


def test_the_weighted_loss_by_hand():
    # Spread log 2 halves the loss of 3, then adds itself: (1.5 + 0.693) / 2.
    assert regularise(torch.tensor(3.0), torch.tensor(2.0).log()).item() == pytest.approx((1.5 + np.log(2)) / 2)


@given(loss=st.floats(1.1, 50))
def test_the_best_spread_is_the_log_of_the_loss(loss):
    spread = torch.linspace(0, 5, 2001, dtype=torch.float64)
    best = spread[regularise(torch.tensor(loss, dtype=torch.float64), spread).argmin()].item()
    assert best == pytest.approx(np.log(loss), abs=0.003)


@given(seed=st.integers(0, 1000))
def test_without_noise_a_target_is_whitened_and_moved_back_to_its_mean(seed):
    rows = np.random.default_rng(seed).normal(2, 3, size=(4, 6))
    got = fluctuate(torch.tensor(rows), 0.0, torch.Generator().manual_seed(seed)).numpy()
    mean, spread = rows.mean(axis=1, keepdims=True), rows.std(axis=1, keepdims=True)
    np.testing.assert_allclose(got, (rows - mean) / spread + mean, rtol=1e-3, atol=1e-3)


def test_fluctuations_have_the_mean_and_variance_that_the_two_normal_draws_have():
    row, noise = np.array([0.5, -1.0, 2.0, 0.1]), 0.7
    many = torch.tensor(np.tile(row, (200_000, 1)))
    got = fluctuate(many, noise, torch.Generator().manual_seed(0)).numpy()
    whitened = (row - row.mean()) / row.std()
    np.testing.assert_allclose(got.mean(axis=0), whitened + row.mean(), atol=0.02)
    # alpha adds (s sigma)^2 times the whitened entry squared, beta (s sigma)^2.
    np.testing.assert_allclose(got.var(axis=0), (noise * row.std()) ** 2 * (whitened**2 + 1), rtol=0.02)


def test_unseen_triplets_are_found():
    A, B, C = triplets()
    model = MultiGrainedUncertainty(16, n_hidden=32, epochs=40, random_state=0)
    model.fit(A[:400], C[:400], conditions=B[:400])
    scores = model.transform(A[400:], conditions=B[400:]) @ model.transform_targets(C[400:]).T
    assert np.mean(scores.argmax(axis=1) == np.arange(200)) > 0.3  # 0.005 by chance


def test_the_noise_changes_what_is_learned():
    A, B, C = triplets(80)
    one, other = (
        MultiGrainedUncertainty(4, noise=noise, epochs=3, random_state=0).fit(A, C, conditions=B).transform(A, B)
        for noise in (0.0, 2.0)
    )
    assert np.abs(one - other).max() > 1e-3


def test_gradients_reach_a_target_only_through_its_whitened_entries():
    target = torch.tensor([[0.5, -1.0, 2.0, 0.1]], dtype=torch.float64, requires_grad=True)
    near = fluctuate(target, 0.7, torch.Generator().manual_seed(0))
    near.sum().backward()
    along = target.grad.numpy() @ np.ones(4), target.grad.numpy() @ (target - target.mean()).detach().numpy()[0]
    # Whitened entries do not change when the row is moved or stretched: no gradient along either.
    np.testing.assert_allclose(np.ravel(along), 0, atol=1e-4)
    assert np.abs(target.grad.numpy()).max() > 0.01


def test_queries_and_targets_are_trained_at_the_published_length():
    A, B, C = (torch.tensor(part, dtype=torch.float32) for part in triplets(20))
    start = start_weights(dict.fromkeys(("reference", "condition", "target"), 8), 4, 5, np.random.RandomState(0))
    for side in scale_both({name: torch.tensor(part) for name, part in start.items()}, A, B, C):
        np.testing.assert_allclose(side.norm(dim=1), 4, rtol=1e-5)


@cache
def fitted():
    A, B, C = triplets(40)
    return A, B, C, MultiGrainedUncertainty(3, epochs=1, random_state=0).fit(A, C, conditions=B)


@given(factor=st.floats(0.01, 100))
def test_the_length_of_a_row_does_not_matter(factor):
    A, B, C, model = fitted()
    np.testing.assert_allclose(model.transform(factor * A, factor * B), model.transform(A, B), atol=1e-5)
    np.testing.assert_allclose(model.transform_targets(factor * C), model.transform_targets(C), atol=1e-9)


def test_missing_targets_and_other_widths_are_refused():
    A, B, C = triplets(20)
    with pytest.raises(UserError, match="requires y"):
        MultiGrainedUncertainty(2).fit(A, None)
    model = MultiGrainedUncertainty(2, epochs=1).fit(A, C, conditions=B[:, :3])
    with pytest.raises(UserError, match="3 columns, as in fit"):
        model.transform(A, B)
    with pytest.raises(UserError, match="8, as the targets had in fit"):
        model.transform_targets(B[:, :3])
