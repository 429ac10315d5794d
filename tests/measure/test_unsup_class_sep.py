"""What is true of the label-free separability score and of nothing else."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group

from codomain.measure import ClassSeparability, fisher_ratio, head_accuracy
from codomain.measure.unsup_class_sep import component_lifetimes


def cloud(seed, n=40, d=3):
    return np.random.default_rng(seed).normal(size=(n, d))


def score(X, **parameters):
    return ClassSeparability(**parameters).fit(X).separability_


def test_a_case_by_hand():
    # Edges of the tree are 1, 1 and 9, so the score is 1 - (1 + 1 + 9) / 3 / 9.
    fitted = ClassSeparability(normalise=False).fit([[0.0], [10.0], [1.0], [11.0]])
    np.testing.assert_allclose(fitted.lifetimes_, [1, 1, 9])
    assert fitted.separability_ == pytest.approx(1 - 11 / 27)


@given(seed=st.integers(0, 1000), n=st.integers(2, 40), d=st.integers(1, 6))
def test_lifetimes_are_the_heights_at_which_single_linkage_merges(seed, n, d):
    X = cloud(seed, n, d)
    np.testing.assert_allclose(component_lifetimes(X), np.sort(linkage(X, "single")[:, 2]), atol=1e-7)


def test_lifetimes_are_the_edges_of_networkx_minimum_spanning_tree():
    X = np.round(cloud(5), 1)  # rounding makes ties
    tree = nx.minimum_spanning_tree(nx.from_numpy_array(squareform(pdist(X))))
    edges = sorted(weight for _, _, weight in tree.edges(data="weight"))
    np.testing.assert_allclose(component_lifetimes(X), edges, atol=1e-7)


def test_copies_of_a_row_live_for_no_time():
    X = np.repeat(100 + cloud(0, 10), 2, axis=0).astype(np.float32)
    assert np.sum(component_lifetimes(X) < 1e-5) == 10


@given(seed=st.integers(0, 1000), size=st.floats(1e-3, 1e3))
def test_no_rotation_shift_or_rescaling_changes_the_score(seed, size):
    X = cloud(seed)
    moved = size * X @ ortho_group.rvs(3, random_state=seed) + 3 * size
    assert score(moved, normalise=False) == pytest.approx(score(X, normalise=False), abs=1e-6)


@given(seed=st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(seed):
    X = cloud(seed)
    assert score(X) == pytest.approx(score(np.random.default_rng(seed).permutation(X)), abs=1e-9)


def test_two_clumps_score_higher_the_further_apart_they_are_and_one_in_the_limit():
    X, side = cloud(0), np.repeat([[0.0], [1.0]], 20, axis=0) * [1, 0, 0]
    scores = [score(X + gap * side, normalise=False) for gap in (10, 20, 40, 1000)]
    assert scores == sorted(scores)
    assert scores[-1] == pytest.approx(1 - 1 / 39, abs=0.01)


def test_evenly_spaced_rows_score_nothing():
    assert score(np.arange(10.0)[:, None], normalise=False) == pytest.approx(0)


def test_equal_rows_score_nothing():
    assert score(np.ones((5, 2))) == 0


def test_other_rows_are_scored_like_the_ones_it_was_fitted_on():
    X = cloud(0)
    assert ClassSeparability().fit(cloud(1)).score(X) == score(X)


def test_more_rows_than_max_samples_are_drawn_without_copies():
    fitted = ClassSeparability(normalise=False, max_samples=15, random_state=0).fit(np.arange(40.0)[:, None] ** 2)
    assert len(fitted.lifetimes_) == 14
    assert fitted.lifetimes_.min() > 0
    assert len(ClassSeparability(max_samples=None).fit(cloud(0)).lifetimes_) == 39


@given(seed=st.integers(0, 1000))
def test_the_score_stays_in_its_bounds(seed):
    low, high = ClassSeparability.bounds
    assert low <= score(cloud(seed)) <= high


def test_fishers_ratio_is_the_share_that_an_analysis_of_variance_explains():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [10, 20, 30])
    X = rng.normal(size=(60, 4)) + (y == "c")[:, None]
    total = np.square(X - X.mean(axis=0)).sum()
    within = sum(len(part) * part.var(axis=0).sum() for part in (X[y == name] for name in "abc"))
    assert fisher_ratio(X, y) == pytest.approx((total - within) / within)
    assert fisher_ratio([[0.0], [1.0]], [0, 1]) == np.inf


def test_a_head_reads_what_it_was_trained_on_and_guesses_on_noise():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 2)) + 20 * y[:, None]
    assert head_accuracy(X, y, X, y) == 1
    assert head_accuracy(X, y, -X + 20, y) == 0
