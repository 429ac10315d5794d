"""What is true of rows aligned with matched descriptions and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import GIST
from codomain.classify.gist import best_matches
from codomain.classify.shared.contrast import adapt, contrastive_loss

torch = pytest.importorskip("torch")


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def task(seed, n_classes=4, d=6, n=40):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, 10)])
    of = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    return rng.normal(size=(len(y), d)), y, rng.normal(size=(n, d)), of


@given(seed=st.integers(0, 1000), k=st.integers(1, 6))
def test_a_row_is_matched_to_the_best_descriptions_of_its_own_class(seed, k):
    X, y, Z, of = task(seed)
    found = best_matches(unit(Z), of, unit(X), y, k)
    expected = []
    for i, (z, label) in enumerate(zip(unit(Z), of, strict=True)):
        own = [j for j in range(len(X)) if y[j] == label]
        expected += [(i, j) for j in sorted(own, key=lambda j: -(unit(X)[j] @ z))[:k]]
    assert [tuple(pair) for pair in found] == expected


@given(seed=st.integers(0, 1000), temperature=st.floats(0.05, 2))
def test_on_single_pairs_the_loss_is_the_cross_entropy_of_finding_the_partner_both_ways(seed, temperature):
    rng = np.random.default_rng(seed)
    R, T = unit(rng.normal(size=(2, 7, 4)))
    scores, partner = torch.from_numpy(R @ T.T / temperature), torch.arange(7)
    both = sum(torch.nn.functional.cross_entropy(one, partner) for one in (scores, scores.T)) / 2
    found = contrastive_loss(torch.from_numpy(R), torch.from_numpy(T), torch.eye(7, dtype=torch.float64), temperature)
    assert found.item() == pytest.approx(both.item())


def test_without_a_step_it_is_the_linear_probe():
    from sklearn.linear_model import LogisticRegression

    X, y, Z, of = task(0)
    head = GIST(epochs=1, learning_rate=0.0, random_state=0).fit(X, y, Z, of)
    probe = LogisticRegression(C=10.0, max_iter=1000).fit(unit(Z), of)
    np.testing.assert_allclose(head.decision_function(Z), probe.decision_function(unit(Z)))


def test_it_answers_with_the_class_of_the_highest_score_under_its_own_name():
    X, y, Z, of = task(3)
    Z = unit(Z) + 2 * unit(np.eye(4, 6))[of]  # rows that can be told apart
    names = np.array(["wren", "owl", "crow", "auk"])
    head = GIST(epochs=2, random_state=0).fit(X, names[y], Z, names[of])
    assert head.classes_.tolist() == ["auk", "crow", "owl", "wren"]
    scores = head.probe_.predict_proba(adapt(unit(Z), head.row_turn_))
    expected = [head.classes_[max(range(4), key=row.__getitem__)] for row in scores]
    assert head.predict(Z).tolist() == expected
    assert set(expected) == set(names)
    assert np.mean(head.predict(Z) == names[of]) > 0.9


def test_training_brings_matched_pairs_together():
    X, y, Z, of = task(1)
    head = GIST(epochs=30, random_state=0).fit(X, y, Z, of)
    rows, texts = head.matches_.T

    def gap(cosines):
        return cosines[rows, texts].mean() - cosines.mean()

    assert gap(head.explain(Z)) > gap(unit(Z) @ unit(X).T) + 0.01
    assert head.losses_[-1] < head.losses_[0]


def test_a_class_without_rows_is_named():
    X, y, Z, of = task(2)
    with pytest.raises(ValueError, match="class 3 has no row"):
        GIST().fit(X, y, Z, of % 3)
