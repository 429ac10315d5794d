"""What is true of adapters trained on bags of descriptions and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import AdaptCLIPZS, ByDescription
from codomain.classify.shared.contrast import contrastive_loss

torch = pytest.importorskip("torch")


def unit(A):
    return A / np.linalg.norm(A, axis=-1, keepdims=True)


def task(rng, n_classes, turn, loud, n_texts=4, n_rows=20, d=8):
    """Texts and rows of classes: rows are turned, and both sides carry a loud part that says nothing."""
    centres = rng.normal(size=(n_classes, d - 2))
    y, of = np.repeat(np.arange(n_classes), n_texts), np.repeat(np.arange(n_classes), n_rows)

    def noisy(rows):
        return np.hstack([rows + 0.5 * rng.normal(size=rows.shape), loud * rng.normal(size=(len(rows), 2))])

    return noisy(centres[y]), y, noisy(centres[of] @ turn), of


@given(seed=st.integers(0, 1000), temperature=st.floats(0.05, 2))
def test_the_loss_is_the_mean_over_the_bag_one_row_at_a_time(seed, temperature):
    rng = np.random.default_rng(seed)
    R, T = unit(rng.normal(size=(2, 9, 4)))
    label = rng.integers(0, 3, 9)
    total = 0.0
    for A, B in ((R, T), (T, R)):
        for i in range(9):
            logs = A[i] @ B.T / temperature
            logs = logs - np.log(np.exp(logs).sum())
            total -= np.mean([logs[j] for j in range(9) if label[j] == label[i]]) / 9 / 2
    same = torch.from_numpy((label[:, None] == label).astype(float))
    assert contrastive_loss(torch.from_numpy(R), torch.from_numpy(T), same, temperature).item() == pytest.approx(total)


def test_what_was_learnt_helps_classes_that_were_not_there(monkeypatch):
    import codomain.classify.shared.contrast as module

    monkeypatch.setattr(module, "STEP", 1e-2)
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    X, y, Z, of = task(rng, 40, turn, 2.0)
    A, names, Q, truth = task(rng, 20, turn, 2.0)
    head = AdaptCLIPZS(random_state=0, epochs=30).fit(X, y, Z, of)
    new = head.for_classes(A, names)
    assert new.score(Q, truth) > ByDescription().fit(A, names).score(Q, truth) + 0.2
    assert len(head.classes_) == 40 and len(new.classes_) == 20


def test_without_a_step_it_is_classification_by_description(monkeypatch):
    import codomain.classify.shared.contrast as module

    monkeypatch.setattr(module, "STEP", 0.0)
    X, y, Z, of = task(np.random.default_rng(1), 5, np.eye(6), 0.1)
    head = AdaptCLIPZS(epochs=1, random_state=0).fit(X, y, Z, of)
    np.testing.assert_allclose(head.decision_function(Z), ByDescription().fit(X, y).decision_function(Z))


def test_a_score_is_the_mean_of_what_explain_says():
    X, y, Z, of = task(np.random.default_rng(2), 5, np.eye(6), 0.1)
    head = AdaptCLIPZS(epochs=3, random_state=0).fit(X, y, Z, of)
    cosines = head.explain(Z)
    means = np.stack([cosines[:, head.description_classes_ == c].mean(axis=1) for c in range(5)], axis=1)
    np.testing.assert_allclose(means, head.decision_function(Z), atol=1e-9)
    assert np.abs(head.row_turn_).max() > 1e-4


def test_classes_without_rows_are_known_by_their_descriptions_alone():
    X, y, Z, of = task(np.random.default_rng(3), 5, np.eye(6), 0.1)
    head = AdaptCLIPZS(epochs=3, random_state=0).fit(X, y, Z[of < 3], of[of < 3])
    assert set(head.predict(X)) == {0, 1, 2, 3, 4}
