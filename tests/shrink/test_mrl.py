"""What is true of nested heads and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from codomain.shrink import Matryoshka, truncate


def hidden_groups(seed=0, n=240, groups=12, loud=3.0):
    """Rows whose neighbours depend on six quiet columns, behind six loud ones of pure noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % groups
    centres = np.random.default_rng(9).normal(size=(groups, 6))
    return np.hstack([loud * rng.normal(size=(n, 6)), centres[y] + 0.1 * rng.normal(size=(n, 6))]), y


def purity(Z, y):
    """Share of rows whose nearest other row has the same label."""
    near = NearestNeighbors(n_neighbors=2).fit(Z).kneighbors(Z, return_distance=False)[:, 1]
    return np.mean(y[near] == y)


def test_a_cut_by_hand():
    np.testing.assert_allclose(truncate([[3.0, 4.0, 12.0], [0.0, 0.0, 1.0]], 2), [[0.6, 0.8], [0, 0]])
    assert truncate(np.ones((1, 3), np.float32), 1).dtype == np.float32


@given(seed=st.integers(0, 1000), size=st.floats(1e-3, 1e3), width=st.integers(1, 12))
def test_a_prefix_is_the_whole_output_cut_and_no_row_length_matters(seed, size, width):
    X = hidden_groups(seed, n=40)[0]
    head = Matryoshka((3, 12), epochs=1, random_state=0).fit(X)
    np.testing.assert_allclose(head.transform(size * X, width=width), truncate(head.transform(X), width), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(head.transform(X, width=width), axis=1), 1)


def test_the_head_is_the_matrix_that_it_shows():
    X = hidden_groups()[0]
    head = Matryoshka((2, 5), epochs=2, random_state=0).fit(X)
    np.testing.assert_allclose(head.transform(X), normalize(normalize(X) @ head.components_.T), atol=1e-12)


def test_hardly_trained_it_keeps_the_directions_of_a_singular_value_decomposition():
    X = hidden_groups()[0] * np.arange(1, 13)
    head = Matryoshka((4,), epochs=1, random_state=0).fit(X[:200])  # one batch: one step of 0.001
    svd = TruncatedSVD(4, algorithm="arpack", random_state=0).fit(normalize(X[:200]))
    overlap = np.linalg.svd(normalize(head.components_) @ svd.components_.T)[1]
    assert overlap.min() > 0.99
    assert not np.allclose(np.abs(head.components_), np.abs(svd.components_), atol=1e-4)


def test_the_loss_of_the_first_step_is_the_cross_entropy_of_two_softmaxes_at_every_width():
    X = normalize(np.random.default_rng(0).normal(size=(9, 4)))
    head = Matryoshka((1, 3), n_neighbors=1, temperature=0.5, epochs=1, random_state=0).fit(X)
    # One batch of all rows and one neighbour each: the order of the rows does not change the mean.
    V = np.linalg.eigh(X.T @ X)[1][:, ::-1]
    near = NearestNeighbors(n_neighbors=2).fit(X).kneighbors(X, return_distance=False)[:, 1]
    total = 0.0
    for width in (1, 3):
        Z = normalize(X @ V[:, :width])
        for i in range(9):
            others = [j for j in range(9) if near[j] != i]
            p = np.exp([X[i] @ X[near[j]] / 0.5 for j in others])
            q = np.exp([Z[i] @ Z[near[j]] / 0.5 for j in others])
            total -= (p / p.sum() * np.log(q / q.sum())).sum() / 9
    assert head.losses_[0] == pytest.approx(total)


def test_training_lowers_the_loss_at_every_width_together():
    X = hidden_groups(n=600)[0]
    losses = Matryoshka((2, 4, 12), epochs=30, random_state=0).fit(X).losses_
    assert losses[-5:].mean() < losses[:5].mean()


def test_labels_bring_quiet_columns_to_the_front():
    X, y = hidden_groups(n=600)
    Q, truth = hidden_groups(1, n=600)
    with_labels = Matryoshka((3, 12), epochs=150, random_state=0).fit(X, y)
    without_labels = Matryoshka((3, 12), epochs=5, random_state=0).fit(X)
    assert purity(with_labels.transform(Q, width=3), truth) > 2 * purity(without_labels.transform(Q, width=3), truth)


def test_without_widths_it_halves_down_to_an_eighth():
    assert Matryoshka(epochs=1).fit(hidden_groups()[0]).widths_ == (1, 3, 6, 12)


def test_names_of_columns_are_as_many_as_the_widest_width():
    assert len(Matryoshka((2, 5), epochs=1).fit(hidden_groups()[0]).get_feature_names_out()) == 5


@pytest.mark.parametrize("width", [0, 4, 1.5, True])
def test_a_width_that_is_not_there_is_refused(width):
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match="width="):
        truncate(X, width)
    with pytest.raises(ValueError, match=r"a width from 1 to 3"):
        Matryoshka((1, 3), epochs=1).fit(X).transform(X, width=width)


def test_more_columns_or_neighbours_than_there_are_are_refused():
    X = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(ValueError, match="A width of 4 with 3 columns"):
        Matryoshka((2, 4)).fit(X)
    with pytest.raises(ValueError, match="n_neighbors=20 with n_samples=20"):
        Matryoshka(n_neighbors=20).fit(X)
