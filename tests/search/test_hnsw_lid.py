"""What is true of local intrinsic dimension and of insertion in its order, and of nothing else."""

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group

from codomain.core import UserError
from codomain.search import LIDOrder, hnsw_lid


def links_of(index):
    return faiss.vector_to_array(faiss.downcast_index(index.index).hnsw.neighbors)


def test_a_case_by_hand():
    # Row 0 has neighbours at 1 and 2, row 2 at 1 and 2, so 2 / log 2; row 1 has both at 1, so no end.
    fitted = LIDOrder(2, normalise=False).fit([[0.0], [1.0], [2.0]])
    np.testing.assert_allclose(fitted.lid_, [2 / np.log(2), np.inf, 2 / np.log(2)])
    np.testing.assert_array_equal(fitted.order_, [1, 0, 2])
    lowest_first = LIDOrder(2, normalise=False, descending=False).fit([[0.0], [1.0], [2.0]])
    np.testing.assert_array_equal(lowest_first.order_, [0, 2, 1])


@given(seed=st.integers(0, 1000), n_neighbors=st.integers(2, 10), normalise=st.booleans())
def test_it_is_the_likelihood_written_out_over_all_pairs(seed, n_neighbors, normalise):
    X = np.random.default_rng(seed).normal(size=(30, 3))
    rows = X / np.linalg.norm(X, axis=1, keepdims=True) if normalise else X
    slow = []
    for row, distances in enumerate(cdist(rows, rows)):
        near = sorted(np.delete(distances, row))[:n_neighbors]
        slow.append(-1 / np.mean([np.log(distance / near[-1]) for distance in near]))
    np.testing.assert_allclose(LIDOrder(n_neighbors, normalise=normalise).fit(X).lid_, slow, rtol=1e-6)


@given(seed=st.integers(0, 1000), size=st.floats(0.01, 100))
def test_no_rotation_shift_or_rescaling_changes_it(seed, size):
    X = np.random.default_rng(seed).normal(size=(40, 3))
    moved = size * X @ ortho_group.rvs(3, random_state=seed) + size
    one, two = (LIDOrder(8, normalise=False).fit(rows).lid_ for rows in (X, moved))
    np.testing.assert_allclose(one, two, rtol=1e-5)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_it_finds_the_dimension_of_a_flat_patch_in_a_larger_space(dimension):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(3000, dimension)) @ ortho_group.rvs(20, random_state=0)[:dimension]
    assert np.median(LIDOrder(50, normalise=False).fit(X).lid_) == pytest.approx(dimension, rel=0.15)


def test_a_row_on_a_line_comes_after_a_row_in_a_cloud():
    rng = np.random.default_rng(0)
    line, cloud = np.zeros((300, 8)), 50 + rng.normal(size=(300, 8))
    line[:, 0] = rng.uniform(size=300)
    order = LIDOrder(30, normalise=False).fit(np.concatenate([line, cloud])).order_
    assert np.mean(order[:300] >= 300) > 0.99


def test_copies_count_for_nothing():
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 3)), 4, axis=0)
    np.testing.assert_array_equal(LIDOrder(3, normalise=False).fit(X).lid_, 0)
    far = np.array([[0.0], [0.0], [1.0], [2.0], [4.0], [8.0], [9.0]])
    # The copy of row 0 is no neighbour: 1 and 2 remain.
    assert LIDOrder(3, normalise=False).fit(far).lid_[0] == pytest.approx(2 / np.log(2))


def test_blocks_do_not_change_the_answer(monkeypatch):
    X = np.random.default_rng(0).normal(size=(50, 4))
    whole = LIDOrder(5).fit(X).lid_
    monkeypatch.setattr(hnsw_lid, "_BLOCK", 60)
    np.testing.assert_array_equal(LIDOrder(5).fit(X).lid_, whole)


def test_more_neighbours_than_rows_are_refused():
    with pytest.raises(UserError, match="n_neighbors=10 with n_samples=10"):
        LIDOrder(10).fit(np.eye(10))
    with pytest.raises(UserError, match="the rows of fit"):
        LIDOrder(3).fit(np.eye(10)).insert(np.eye(10)[:5])


def test_an_index_gives_rows_of_x_back_and_is_the_same_each_time():
    X = 3 * np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    fitted = LIDOrder(10).fit(X)
    one, two = fitted.insert(X), fitted.insert(X)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    distances, rows = one.search(unit[:50], 1)
    np.testing.assert_array_equal(rows.ravel(), np.arange(50))
    np.testing.assert_allclose(distances, 0, atol=1e-5)
    np.testing.assert_array_equal(links_of(one), links_of(two))


def test_the_order_reaches_the_graph():
    X = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    first, last = (LIDOrder(10, descending=way).fit(X) for way in (True, False))
    for fitted in (first, last):
        index = fitted.insert(X, links=8)
        np.testing.assert_array_equal(faiss.vector_to_array(index.id_map), fitted.order_)
    assert not np.array_equal(links_of(first.insert(X)), links_of(last.insert(X)))
