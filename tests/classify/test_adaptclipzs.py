"""What is true of adapters trained on bags of descriptions and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import AdaptCLIPZS, ByDescription
from codomain.classify.adaptclipzs import mean_exponentials
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


def test_what_was_learnt_helps_classes_that_were_not_there():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    X, y, Z, of = task(rng, 40, turn, 2.0)
    A, names, Q, truth = task(rng, 20, turn, 2.0)
    head = AdaptCLIPZS(0.05, random_state=0, epochs=30, learning_rate=1e-2).fit(X, y, Z, of)
    new = head.for_classes(A, names)
    assert new.score(Q, truth) > ByDescription().fit(A, names).score(Q, truth) + 0.2
    assert len(head.classes_) == 40 and len(new.classes_) == 20


def test_without_a_step_a_class_scores_as_the_mean_of_its_texts_probabilities_orders_it():
    X, y, Z, of = task(np.random.default_rng(1), 5, np.eye(6), 0.1)
    head = AdaptCLIPZS(epochs=1, learning_rate=0.0, random_state=0).fit(X, y, Z, of)
    raised = np.exp(unit(Z) @ unit(X).T / 0.01 - 100)  # one softmax over all texts, then the mean of each class
    means = np.stack([(raised / raised.sum(axis=1, keepdims=True))[:, y == c].mean(axis=1) for c in range(5)], axis=1)
    np.testing.assert_array_equal(head.predict(Z), means.argmax(axis=1))


@given(seed=st.integers(0, 1000))
def test_scores_are_logarithms_of_means_one_class_at_a_time(seed):
    rng = np.random.default_rng(seed)
    cosines, which = rng.uniform(-1, 1, size=(6, 9)), rng.permutation(np.arange(9) % 3)
    for row, scores in zip(cosines, mean_exponentials(cosines, which), strict=True):
        expected = [np.log(np.mean(np.exp(row[which == c] * 100))) for c in range(3)]
        np.testing.assert_allclose(scores, expected, atol=1e-9)


def test_classes_without_rows_are_known_by_their_descriptions_alone():
    X, y, Z, of = task(np.random.default_rng(3), 5, np.eye(6), 0.1)
    head = AdaptCLIPZS(epochs=3, learning_rate=1e-3, random_state=0).fit(X, y, Z[of < 3], of[of < 3])
    assert set(head.predict(X)) == {0, 1, 2, 3, 4}
