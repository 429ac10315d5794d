from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from codomain.cluster import groups
from codomain.cluster.engine.groups import links
from codomain.cluster.engine.modularity import communities
from codomain.core import UserError


def lists(X, k=15):
    U = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)
    cosine = (U @ U.T).astype(np.float32)
    np.fill_diagonal(cosine, -np.inf)
    order = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return SimpleNamespace(indices=order.astype(np.int32), scores=np.take_along_axis(cosine, order, axis=1))


def blobs(n_groups, each, d=32, spread=0.3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_groups), each)
    return rng.normal(size=(n_groups, d))[y] + spread * rng.normal(size=(len(y), d)), y


def modularity(W, labels):
    """By its definition, over all pairs."""
    A = W.toarray()
    degree = A.sum(axis=1)
    same = labels[:, None] == labels[None, :]
    return float(((A - np.outer(degree, degree) / A.sum()) * same).sum() / A.sum())


@pytest.mark.parametrize("seed", range(3))
def test_planted_groups_are_found_without_being_told_their_number(seed):
    X, y = blobs(6, 100, seed=seed)
    found = groups(lists(X), random_state=seed)
    assert adjusted_rand_score(y, found.labels) == 1.0
    assert (found.stability > 0.85).all()
    assert found.coverage == 1.0


def test_groups_are_numbered_by_size():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 200, 120])
    X = 5 * np.eye(3, 16)[y] + 0.3 * rng.normal(size=(380, 16))
    found = groups(lists(X))
    assert found.sizes.tolist() == [200, 120, 60]
    assert (found.labels == np.array([2, 0, 1])[y]).all()


def test_noise_is_reported_as_unstable():
    X = np.random.default_rng(0).normal(size=(1000, 64))
    assert np.median(groups(lists(X)).stability) < 0.4


def test_stability_is_one_for_separate_parts_and_low_for_arbitrary_cuts():
    rng = np.random.default_rng(1)
    blob, _ = blobs(1, 800, d=16, spread=1.0)
    far = 50 * np.eye(16)[0] + rng.normal(size=(40, 16))
    X = np.concatenate([blob - blob.mean(axis=0), far])
    found = groups(lists(X))
    apart = found.labels[-1]
    assert (found.labels[-40:] == apart).all()
    assert found.stability[apart] > 0.8 > np.median(found.stability)


def test_the_same_seed_gives_the_same_groups():
    near = lists(np.random.default_rng(0).normal(size=(400, 8)))
    one, two = groups(near, random_state=3), groups(near, random_state=3)
    assert (one.labels == two.labels).all()
    assert (one.stability == two.stability).all()


def test_modularity_is_not_below_that_of_networkx():
    X, _ = blobs(8, 60, d=6, spread=0.7)
    W = links(lists(X))
    ours = modularity(W, communities(W, resolution=1.0, rng=np.random.RandomState(0)))
    graph = nx.from_scipy_sparse_array(W)
    theirs = max(nx.community.modularity(graph, nx.community.louvain_communities(graph, seed=s)) for s in range(3))
    assert ours > theirs - 0.01


def test_link_weights_follow_their_definition():
    near = lists(np.random.default_rng(0).normal(size=(40, 3)), k=5)
    sets = [{i, *row} for i, row in enumerate(near.indices.tolist())]
    positive = [
        {j for j, s in zip(row, score, strict=True) if s > 0}
        for row, score in zip(near.indices.tolist(), near.scores, strict=True)
    ]
    sets = [{i, *p} for i, p in enumerate(positive)]
    wanted = np.zeros((40, 40))
    for i in range(40):
        for j in range(40):
            listed = (j in positive[i]) + (i in positive[j])
            wanted[i, j] = len(sets[i] & sets[j]) / len(sets[i] | sets[j]) * listed / 2
    assert np.allclose(links(near).toarray(), wanted)


def test_strength_is_the_share_of_neighbours_in_the_same_group():
    near = lists(np.random.default_rng(0).normal(size=(300, 8)))
    found = groups(near)
    wanted = [np.mean(found.labels[near.indices[i]] == found.labels[i]) for i in range(300)]
    assert np.allclose(found.strength, wanted)


def test_identical_rows_are_one_group():
    found = groups(lists(np.ones((100, 4))))
    assert (found.labels == 0).all()


def test_copies_stay_together():
    X = np.random.default_rng(0).normal(size=(300, 16))
    X[100:140] = X[7]
    found = groups(lists(X))
    assert len(set(found.labels[100:140].tolist())) == 1
    assert found.labels[100] == found.labels[7]


def test_rows_without_any_link_are_in_no_group_and_all_others_are():
    X, _ = blobs(3, 50)
    X[[4, 70]] = 0
    found = groups(lists(X))
    assert np.flatnonzero(found.labels == -1).tolist() == [4, 70]
    assert found.coverage == pytest.approx(148 / 150)
    assert (found.strength[[4, 70]] == 0).all()


def test_a_small_group_joins_its_closest_neighbours():
    near = lists(np.random.default_rng(0).normal(size=(500, 8)))
    assert groups(near, smallest=60).sizes.min() >= 60
    assert groups(near, smallest=60).coverage == 1.0


def test_higher_resolution_gives_more_groups():
    near = lists(np.random.default_rng(0).normal(size=(600, 8)))
    few, some, many = (len(groups(near, resolution=r, smallest=2).sizes) for r in (0.2, 1.0, 4.0))
    assert few < some < many


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_handful_of_rows_works(n):
    found = groups(lists(np.abs(np.random.default_rng(n).normal(size=(n, 4))) + 1, k=n - 1))
    assert found.labels.shape == (n,)
    assert (found.labels == (0 if n > 1 else -1)).all()


def test_one_neighbour_each_works():
    X, y = blobs(2, 40)
    found = groups(lists(X, k=1), smallest=2)
    assert found.coverage == 1.0
    assert all(len(set(y[found.labels == g])) == 1 for g in range(len(found.sizes)))


def test_no_row_at_all_works():
    empty = SimpleNamespace(indices=np.zeros((0, 3), dtype=np.int32), scores=np.zeros((0, 3), dtype=np.float32))
    assert groups(empty).labels.shape == (0,)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 60), st.integers(1, 8))
def test_every_group_is_large_enough_connected_and_numbered_without_gaps(seed, n, k):
    near = lists(np.random.default_rng(seed).normal(size=(n, 5)), k=min(k, n - 1))
    found = groups(near, smallest=3)
    W = links(near)
    assert set(found.labels.tolist()) - {-1} == set(range(len(found.sizes)))
    assert (np.diff(found.sizes) <= 0).all()
    for g in range(len(found.sizes)):
        rows = np.flatnonzero(found.labels == g)
        assert len(rows) >= 3
        assert sparse.csgraph.connected_components(W[rows][:, rows], directed=False)[0] == 1


def test_a_list_that_names_a_row_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="row 9 of 2"):
        groups(SimpleNamespace(indices=np.array([[9], [0]]), scores=np.ones((2, 1))))


@pytest.mark.parametrize("wrong", [{"resolution": 0}, {"smallest": 0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        groups(lists(np.eye(3), k=2), **wrong)


def test_lists_of_two_shapes_are_refused():
    with pytest.raises(UserError, match="one shape"):
        groups(SimpleNamespace(indices=np.zeros((3, 2), dtype=np.int32), scores=np.ones((3, 1))))
