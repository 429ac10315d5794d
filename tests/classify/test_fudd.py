"""What is true of follow-up differential descriptions and of nothing else."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import ByDescription, FuDD


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def task(seed, n_classes=6, d=5, n=30, share=0.7):
    """Descriptions, classes, differences of a share of the pairs with whose they are, and rows."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(3 * n_classes, d)), np.repeat(np.arange(n_classes), 3)
    pairs = [pair for pair in itertools.permutations(range(n_classes), 2) if rng.random() < share] or [(0, 1)]
    pairs = [pair for pair in pairs for _ in range(rng.integers(1, 4))]
    of, against = np.array(pairs).reshape(-1, 2).T
    return X, y, rng.normal(size=(len(of), d)), of, against, rng.normal(size=(n, d))


@given(seed=st.integers(0, 1000), k=st.integers(1, 8), share=st.floats(0.05, 1))
def test_candidates_are_scored_by_the_mean_of_what_tells_them_from_each_other(seed, k, share):
    X, y, D, of, against, Z = task(seed, share=share)
    head = FuDD(k).fit(X, y, D, of, against)
    found, predicted = head.decision_function(Z), head.predict(Z)
    for z, scores, name in zip(unit(Z[:6]), found, predicted, strict=False):
        means = np.array([unit(X[y == c]).mean(axis=0) for c in range(6)])
        group = sorted(range(6), key=lambda c: -(means[c] @ z))[:k]
        second = {}
        for c in group:
            vectors = [unit(row) for row, a, b in zip(D, of, against, strict=True) if a == c and b in group]
            second[c] = unit(np.mean(vectors, axis=0) if vectors else means[c]) @ z
        np.testing.assert_allclose([scores[c] for c in group], list(second.values()), atol=1e-9)
        assert all(scores[c] < min(second.values()) for c in range(6) if c not in group)
        assert name == max(second, key=second.get)


def test_many_rows_at_once_or_in_small_parts_are_the_same(monkeypatch):
    import codomain.classify.fudd as module

    X, y, D, of, against, Z = task(0, n=300)
    head = FuDD(3).fit(X, y, D, of, against)
    together = head.decision_function(Z)
    monkeypatch.setattr(module, "_CHUNK", 1)
    np.testing.assert_allclose(head.decision_function(Z), together)


def test_without_differences_it_is_classification_by_description():
    X, y, *_, Z = task(1)
    np.testing.assert_allclose(FuDD().fit(X, y).decision_function(Z), ByDescription().fit(X, y).decision_function(Z))


def test_differences_between_other_classes_are_not_looked_at():
    X, y, D, of, against, Z = task(2, share=1)
    z = Z[:1]
    head = FuDD(2).fit(X, y, D, of, against)
    group = set(np.argsort(-head.decision_function(z)[0])[:2])
    inside = np.isin(of, list(group)) & np.isin(against, list(group))
    pairwise = FuDD(2).fit(X, y, D[inside], of[inside], against[inside])
    np.testing.assert_allclose(pairwise.decision_function(z), head.decision_function(z))
    flipped = FuDD(2).fit(X, y, np.where(inside[:, None], -D, D), of, against)
    assert flipped.predict(z) != head.predict(z)


def test_what_is_wanted_is_the_pairs_that_share_a_row():
    X, y, *_, Z = task(3)
    head = FuDD(3).fit(X, y)
    tops = [np.argsort(-scores)[:3].tolist() for scores in head.decision_function(Z[:4])]
    assert set(head.wanted(Z[:4])) == {pair for top in tops for pair in itertools.permutations(top, 2)}


def test_pairs_that_cannot_be_meant_are_refused():
    X, y, D, of, against, _ = task(4)
    with pytest.raises(ValueError, match="is described against itself"):
        FuDD().fit(X, y, D, of, of)
    with pytest.raises(ValueError, match="of holds 9"):
        FuDD().fit(X, y, D, np.where(of == 1, 9, of), against)
    with pytest.raises(ValueError, match=r"against has shape \(1,\)"):
        FuDD().fit(X, y, D, of, [1])
