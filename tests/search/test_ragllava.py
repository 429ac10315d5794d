"""What is true of a judge of candidates, of its bar, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import RagLLaVA
from codomain.search.ragllava.judge import best_threshold, log_odds, start_weights

torch = pytest.importorskip("torch")
CHANCES = st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=12)


def pairs(seed=0, n=500):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, 6))
    return A, A @ rng.normal(size=(6, 5))


def test_judging_by_hand():
    # Product (0.5, 0), apart (0, 1): 2 * 0.5 directly; the hidden unit 3 * 1 - 1 = 2 counts half; 0.25 on top.
    weights = {
        "direct": torch.tensor([2.0, 7.0]),
        "hidden": torch.tensor([[0.0], [0.0], [0.0], [3.0]]), "shift": torch.tensor([-1.0]),
        "out": torch.tensor([0.5]), "bias": torch.tensor([0.25]),
    }  # fmt: skip
    root = 0.5**0.5
    real = torch.ones(1, 1, dtype=torch.bool)
    got = log_odds(weights, torch.tensor([[[root, 0.0]]]), torch.tensor([[[root, 1.0]]]), real, real)
    assert got.item() == pytest.approx(1.0 + 1.0 + 0.25)


def test_each_token_of_a_query_looks_at_the_nearest_ones_of_the_document_and_at_none_that_is_not_there():
    # The first token sees its copy and, e^10 times less, the one across; the second one likewise; the third is none.
    eye, none = torch.eye(2), torch.zeros(2)
    weights = {"direct": torch.ones(2), "hidden": torch.zeros(4, 1), "shift": none[:1], "out": none[:1],
               "bias": none[:1]}  # fmt: skip
    one, other = torch.stack([*eye, none])[None], torch.stack([*eye, none])[None]
    real = torch.tensor([[True, True, False]])
    near = np.exp(10) / (np.exp(10) + 1)
    assert log_odds(weights, one, other, real, real).item() == pytest.approx(near)


def test_empty_tokens_do_not_matter_and_candidates_are_judged_as_pairs():
    rng = np.random.default_rng(5)
    Q, D = rng.normal(size=(40, 3, 6)), rng.normal(size=(40, 4, 5))
    judge = RagLLaVA(4, epochs=2, random_state=0).fit(Q, D)
    longer = [np.concatenate([part, np.zeros((40, 2, part.shape[2]))], axis=1) for part in (Q, D)]
    np.testing.assert_allclose(judge.score_pairs(*longer), judge.score_pairs(Q, D), atol=1e-6)
    lists = rng.integers(40, size=(40, 7))
    found = judge.score_pairs(Q, D, candidates=lists)
    np.testing.assert_allclose(found[:, 3], judge.score_pairs(Q, D[lists[:, 3]]), atol=1e-6)


@given(right=CHANCES, wrong=CHANCES)
def test_no_threshold_has_a_higher_f1(right, wrong):
    right, wrong = np.array(right), np.array(wrong)

    def f1(bar):
        found, amiss = np.sum(right >= bar), np.sum(wrong >= bar)
        precision, recall = found / max(found + amiss, 1), found / len(right)
        return 2 * precision * recall / max(precision + recall, 1e-9)

    assert f1(best_threshold(right, wrong)) == pytest.approx(max(f1(bar) for bar in np.linspace(0, 1, 41)))


def test_the_threshold_lies_half_way_in_the_gap():
    assert best_threshold(np.array([0.9, 0.7]), np.array([0.1, 0.5])) == pytest.approx(0.6)


def test_unseen_pairs_score_above_others_and_the_threshold_lies_between():
    A, B = pairs()
    judge = RagLLaVA(32, epochs=40, random_state=0).fit(A[:400], B[:400])
    right, wrong = judge.score_pairs(A[400:], B[400:]), judge.score_pairs(A[400:], np.roll(B[400:], 1, axis=0))
    assert np.mean(right > wrong) > 0.9
    assert np.mean(right >= judge.threshold_) > 0.7
    assert np.mean(wrong >= judge.threshold_) < 0.2


def test_it_learns_from_the_candidates_that_it_is_given():
    # Twins differ in the last entry alone; only who met a document's twin as a candidate learns to look at it.
    rng = np.random.default_rng(0)
    look, sign = np.repeat(rng.normal(size=(250, 6)), 2, axis=0), np.tile([1.0, -1.0], 250)
    X = np.hstack([look, 0.2 * sign[:, None]])
    twin = np.arange(400) ^ 1
    near = np.stack([twin, *(rng.integers(400, size=(2, 400)))], axis=1)
    unseen, other = X[400:], X[(np.arange(100) ^ 1) + 400]

    def ahead(candidates):
        judge = RagLLaVA(32, epochs=30, noise=0.0, random_state=0).fit(X[:400], X[:400], candidates=candidates)
        return np.mean(judge.score_pairs(unseen, unseen) - judge.score_pairs(unseen, other))

    assert ahead(near) > ahead(None) + 0.1


@given(factor=st.floats(0.01, 100))
def test_the_length_of_a_row_does_not_matter(factor):
    A, B = pairs(1, 12)
    judge = RagLLaVA(3, epochs=1, random_state=0)
    judge.weights_, judge.n_features_in_ = start_weights(6, 5, 3, 4, np.random.RandomState(0)), 6
    np.testing.assert_allclose(judge.score_pairs(factor * A, B / factor), judge.score_pairs(A, B), atol=1e-5)


def test_noise_changes_what_is_learned():
    A, B = pairs(2, 60)
    quiet, loud = (
        RagLLaVA(4, epochs=3, noise=noise, random_state=0).fit(A, B).score_pairs(A, B) for noise in (0.0, 2.0)
    )
    assert np.abs(quiet - loud).max() > 1e-4


def test_what_does_not_fit_is_refused():
    A, B = pairs(n=20)
    with pytest.raises(UserError, match="requires y"):
        RagLLaVA(2).fit(A, None)
    for wrong in (np.full((20, 2), 20), np.zeros((19, 2), int), np.zeros((20, 2))):
        with pytest.raises(UserError, match="20 lists of whole numbers from 0 to 19"):
            RagLLaVA(2).fit(A, B, candidates=wrong)
    with pytest.raises(UserError, match="5, as in fit"):
        RagLLaVA(2, epochs=1).fit(A, B).score_pairs(A, A)
