"""What is true of codes in memory over vectors on disk and of nothing else."""

import numpy as np
import pytest

from codomain.core import UserError, unit_rows
from codomain.search import BiDR


def pairs(seed=0, n=400, noise=1.0):
    """A query agrees with its document in four of twelve features."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 4))
    return [np.hstack([shared, noise * rng.normal(size=(n, 8))]).astype(np.float32) for _ in range(2)]


def fitted(documents, queries, **changed):
    return BiDR(**{"n_parts": 4, "n_bits": 4, "n_candidates": 20, "random_state": 0, **changed}).fit(documents, queries)


def slowly(model, documents, queries, k):
    """One query at a time: nearest codewords by distance, candidates by decoded product, then plain vectors."""
    X, Q = unit_rows(documents), unit_rows(queries)
    turned = np.split(X @ model.turn_.T, model.n_parts, axis=1)
    spelt = [
        book[((part[:, None] - book) ** 2).sum(axis=2).argmin(axis=1)]
        for part, book in zip(turned, model.codebooks_, strict=True)
    ]
    answers = []
    for query in Q:
        coarse = np.hstack(spelt) @ (model.coarse_turn_ @ query)
        near = np.argsort(-coarse, kind="stable")[: model.n_candidates]
        fine = X[near] @ (model.dense_turn_ @ query)
        answers.append(np.sort(fine)[::-1][:k])
    return np.array(answers)


def test_it_equals_the_two_steps_one_query_at_a_time():
    documents, queries = pairs()
    model = fitted(documents, queries)
    found = model.store(documents).search(queries[:30], 5)
    np.testing.assert_allclose(found.scores, slowly(model, documents, queries[:30], 5), atol=1e-5)
    fine = np.einsum("qd,qkd->qk", unit_rows(queries[:30]) @ model.dense_turn_.T, unit_rows(documents)[found.indices])
    np.testing.assert_allclose(fine, found.scores, atol=1e-5)


class Disk:
    """Vectors that count and remember the rows read from them."""

    def __init__(self, X):
        self.X, self.shape, self.read = X, X.shape, []

    def __getitem__(self, rows):
        self.read.append(rows)
        return self.X[rows]


def test_a_search_reads_only_candidates_and_each_once_in_the_order_of_the_disk():
    documents, queries = pairs()
    disk = Disk(documents)
    store = fitted(documents, queries).store(disk)
    disk.read.clear()
    store.search(queries[:1], 5)
    store.search(queries[:7], 5)
    assert len(disk.read[0]) == 20
    assert len(disk.read) == 2
    assert len(disk.read[1]) <= 140
    assert all(np.all(np.diff(rows) > 0) for rows in disk.read)


def test_a_memory_map_gives_what_the_array_gives_and_blocks_do_not_change_it(tmp_path, monkeypatch):
    documents, queries = pairs()
    model = fitted(documents, queries)
    whole = model.store(documents).search(queries, 5)
    np.save(tmp_path / "vectors.npy", documents)
    monkeypatch.setattr("codomain.search.bidr.BLOCK", 64)
    monkeypatch.setattr("codomain.search.bidr.granular.BLOCK", 64)
    mapped = model.store(np.load(tmp_path / "vectors.npy", mmap_mode="r")).search(queries, 5)
    np.testing.assert_array_equal(mapped.indices, whole.indices)
    np.testing.assert_allclose(mapped.scores, whole.scores, atol=1e-6)


def test_the_second_step_learns_to_find_unseen_partners_among_the_candidates():
    documents, queries = pairs(n=1200, noise=2.0)
    model = fitted(documents[:900], queries[:900], n_candidates=100, epochs=40)
    store = model.store(documents[900:])

    def first(store):
        return np.mean(store.search(queries[900:], 1).indices[:, 0] == np.arange(300))

    learned = first(store)
    model.dense_turn_ = np.eye(12, dtype=np.float32)
    assert learned > 1.5 * first(model.store(documents[900:]))


def test_with_all_documents_as_candidates_the_codes_do_not_matter():
    documents, queries = pairs()
    model = fitted(documents, queries, n_candidates=400, epochs=2)
    found = model.store(documents).search(queries[:20], 10)
    table = unit_rows(queries[:20]) @ model.dense_turn_.T @ unit_rows(documents).T
    np.testing.assert_allclose(found.scores, -np.sort(-table, axis=1)[:, :10], atol=1e-5)


def test_queries_of_another_width_are_mapped():
    documents, queries = pairs(noise=0.1)
    turn = np.random.default_rng(1).normal(size=(12, 5)).astype(np.float32)
    model = fitted(documents, queries @ turn)
    found = model.store(documents).search(queries[:100] @ turn, 10).indices
    assert np.mean((found == np.arange(100)[:, None]).any(axis=1)) > 0.5  # 0.03 by chance


def test_other_widths_too_many_hits_and_missing_queries_are_refused():
    documents, queries = pairs(n=50)
    with pytest.raises(UserError, match="requires y"):
        BiDR(4, n_bits=4).fit(documents, None)
    with pytest.raises(UserError, match="a row for each of 256 codewords"):
        BiDR(4, n_bits=8).fit(documents, queries)
    model = fitted(documents, queries, epochs=1)
    with pytest.raises(UserError, match="12 columns"):
        model.store(documents[:, :5])
    with pytest.raises(UserError, match="12, as in fit"):
        model.store(documents).search(queries[:, :5])
    with pytest.raises(UserError, match="k=21 hits of 20 candidates"):
        model.store(documents).search(queries, 21)
