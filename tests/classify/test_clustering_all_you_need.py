"""What is true of transductive prototypes and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.classify import TransductivePrototypes
from codomain.classify.clustering_all_you_need import affinity


def clumps(seed, n=40, d=3, classes=3):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % classes
    return rng.normal(size=(n, d)) + 2 * rng.normal(size=(classes, d))[truth], truth


def few(truth, each=1):
    labels = np.full(len(truth), -1)
    for c in np.unique(truth):
        labels[np.flatnonzero(truth == c)[:each]] = c
    return labels


def test_a_case_by_hand():
    # Without neighbours and with one turn: soft labels of the row at 1 from prototypes at 0 and 4, then means.
    fitted = TransductivePrototypes(0, normalise=False, temperature=8.0, max_iter=1).fit(
        [[0.0], [4.0], [1.0]], [5, 7, -1]
    )
    share = 1 / (1 + np.exp((1 - 9) / 8))  # of class 5, at squared distance 1 against 9
    np.testing.assert_allclose(fitted.prototypes_, [[share / (1 + share)], [(4 + 1 - share) / (2 - share)]])
    far = np.square(1 - fitted.prototypes_.ravel())
    np.testing.assert_allclose(fitted.label_distributions_[2], np.exp(-far / 8) / np.exp(-far / 8).sum(), rtol=1e-12)


@given(seed=st.integers(0, 1000), pull=st.floats(0, 20), temperature=st.floats(0.01, 5), k=st.integers(0, 8))
def test_the_objective_never_rises(seed, pull, temperature, k):
    X, truth = clumps(seed)
    fitted = TransductivePrototypes(
        k, normalise=False, weight_of_neighbors=pull, temperature=temperature, tol=0.0, max_iter=30
    ).fit(X, few(truth))
    assert np.all(np.diff(fitted.objective_) <= 1e-9)


@given(seed=st.integers(0, 1000))
def test_the_objective_is_the_papers_sum_written_out(seed):
    X, truth = clumps(seed, n=12)
    fitted = TransductivePrototypes(3, normalise=False, weight_of_neighbors=0.7, temperature=0.4).fit(X, few(truth))
    Y, M, W = fitted.label_distributions_, fitted.prototypes_, affinity(X, 3).toarray()
    total = 0.0
    for i in range(12):
        for c in range(3):
            total += Y[i, c] * np.sum((X[i] - M[c]) ** 2)
            total += 0.4 * Y[i, c] * np.log(Y[i, c]) if Y[i, c] > 0 else 0
        for j in range(12):
            total -= 0.35 * W[i, j] * (Y[i] @ Y[j])
    assert fitted.objective_[-1] == pytest.approx(total / 12)


@given(seed=st.integers(0, 1000), k=st.integers(1, 9))
def test_the_affinity_is_symmetric_and_positive_semi_definite(seed, k):
    W = affinity(clumps(seed, n=20)[0], k).toarray()
    np.testing.assert_allclose(W, W.T)
    assert np.linalg.eigvalsh(W).min() > -1e-9


def test_given_labels_stay_even_where_neighbours_disagree():
    X = np.concatenate([np.zeros((9, 1)), 10 + np.zeros((9, 1))]) + np.arange(18)[:, None] / 100
    y = np.full(18, -1)
    y[[0, 8, 17]] = [0, 1, 1]  # row 8 lies among the zeros
    fitted = TransductivePrototypes(normalise=False, weight_of_neighbors=50.0).fit(X, y)
    np.testing.assert_array_equal(fitted.transduction_[[0, 8, 17]], [0, 1, 1])
    np.testing.assert_array_equal(fitted.label_distributions_[8], [0, 1])


def test_unlabelled_rows_move_the_prototypes_to_the_middle_of_their_clump():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (100, 2)), rng.normal(8, 1, (100, 2))])
    y = np.full(200, -1)
    y[[X[:100, 0].argmax(), 100 + X[100:, 0].argmin()]] = [0, 1]  # the two least typical rows
    fitted = TransductivePrototypes(normalise=False).fit(X, y)
    np.testing.assert_allclose(fitted.prototypes_, [X[:100].mean(axis=0), X[100:].mean(axis=0)], atol=0.05)
    np.testing.assert_array_equal(fitted.transduction_, np.repeat([0, 1], 100))


def test_neighbours_carry_a_label_along_a_chain_that_prototypes_cut():
    angle = np.linspace(0, np.pi, 40)
    one = np.column_stack([np.cos(angle), np.sin(angle)])
    moons = np.concatenate([one, [1, 0.4] - one])
    y = np.full(80, -1)
    y[[20, 60]] = [0, 1]
    truth = np.repeat([0, 1], 40)
    without, pulled = (
        TransductivePrototypes(4, normalise=False, weight_of_neighbors=weight).fit(moons, y).transduction_
        for weight in (0.0, 2.0)
    )
    assert np.mean(pulled == truth) > np.mean(without == truth)


def test_single_rows_get_the_class_of_the_nearest_prototype():
    X, truth = clumps(3, n=60)
    names = np.array(["", "sea", "land", "air"])
    fitted = TransductivePrototypes(normalise=False).fit(X, names[few(truth, 5) + 1])
    assert fitted.classes_.tolist() == ["air", "land", "sea"]
    expected = [
        min(zip(fitted.prototypes_, fitted.classes_, strict=True), key=lambda one: np.sum((row - one[0]) ** 2))[1]
        for row in 1.3 * X
    ]
    assert fitted.predict(1.3 * X).tolist() == expected
    assert len(set(expected)) == 3
    assert np.mean(fitted.predict(X) == names[truth + 1]) > 0.8


def test_words_are_labels_and_an_empty_word_is_none():
    fitted = TransductivePrototypes(1, normalise=False).fit([[0.0], [1.0], [9.0], [10.0]], ["a", "", "", "b"])
    assert fitted.transduction_.tolist() == ["a", "a", "b", "b"]
    assert fitted.predict([[2.0]]).tolist() == ["a"]


def test_no_label_at_all_and_too_many_neighbours_are_refused():
    with pytest.raises(ValueError, match="no label of any class"):
        TransductivePrototypes(1).fit(np.eye(3), [-1, -1, -1])
    with pytest.raises(ValueError, match=r"n_neighbors=3 with n_samples=3"):
        TransductivePrototypes(3).fit(np.eye(3), [0, -1, 1])
