"""What is true of evenly used learned codes and of nothing else."""

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from codomain.core import UserError, sinkhorn, unit_rows
from codomain.search import RepCONC
from codomain.search.shared.codes import assign_evenly, code_entropy, flat_index, learn, warm_start


def cloud(seed, n=300, d=6):
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return unit_rows(rows).astype(np.float32)


def decoded(coder, X):
    """Rows as the codebooks spell them, part by part."""
    codes = coder.transform(X)
    return np.hstack([book[codes[:, part]] for part, book in enumerate(coder.codebooks_)])


def fitted(X, **changed):
    return RepCONC(**{"n_parts": 3, "n_bits": 3, "epochs": 3, "random_state": 0, **changed}).fit(X)


def test_codes_are_the_nearest_codewords_one_by_one():
    X = cloud(0)
    coder = fitted(X)
    turned = X[:40] @ coder.turn_.T
    by_hand = [
        [
            int(np.argmin(((part - book) ** 2).sum(axis=1)))
            for part, book in zip(np.split(row, 3), coder.codebooks_, strict=True)
        ]
        for row in turned
    ]
    np.testing.assert_array_equal(coder.transform(X[:40]), by_hand)


@pytest.mark.parametrize("width", [6, 7, 8])
def test_the_index_ranks_by_inner_product_of_the_turned_query_with_decoded_rows(width):
    X, Q = cloud(0, d=width), cloud(1, 20, d=width)  # three parts divide 6 columns only
    coder = fitted(X)
    scores, rows = coder.index(X).search(Q, 300)
    table = (Q @ coder.turn_.T) @ decoded(coder, X).T
    np.testing.assert_allclose(scores, -np.sort(-table, axis=1), atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(table, rows, 1), scores, atol=1e-5)


def test_inverted_lists_give_the_same_scores_and_all_rows_when_all_lists_are_read():
    X, Q = cloud(0), cloud(1, 20)
    coder = fitted(X)
    lists = coder.index(X, n_lists=5)
    whole = coder.index(X).search(Q, 10)[0]
    faiss.downcast_index(lists.index).nprobe = 5
    np.testing.assert_allclose(lists.search(Q, 10)[0], whole, atol=1e-5)
    faiss.downcast_index(lists.index).nprobe = 1
    assert np.mean(lists.search(Q, 10)[0] < whole - 1e-6) > 0.1


def test_the_index_takes_the_bytes_it_says():
    X = cloud(0)
    coder = fitted(X)
    assert coder.bytes_per_row_ == 2  # 3 parts of 3 bits are 9 bits
    more = [len(faiss.serialize_index(coder.index(rows))) for rows in (X[:100], X[:200])]
    assert more[1] - more[0] == 100 * coder.bytes_per_row_


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), crowd=st.floats(0.05, 0.9))
def test_even_assignment_spreads_rows_that_crowd_on_one_codeword(seed, crowd):
    # Most rows stand nearest to codeword 0 by a hair, which takes them all when left alone.
    rng = np.random.default_rng(seed)
    gaps = rng.uniform(0.5, 1, size=(2, 160, 8)).astype(np.float32)
    gaps[:, : int(160 * crowd), 0] = 0.45
    nearest, even = gaps.argmin(axis=2), assign_evenly(gaps)
    for part in range(2):
        most = [np.bincount(codes[part], minlength=8).max() for codes in (nearest, even)]
        assert most[1] <= max(most[0], 45)
    assert code_entropy(even.T, 8) >= code_entropy(nearest.T, 8) - 0.05


def test_even_assignment_keeps_rows_that_are_even_already():
    gaps = np.tile(1 - np.repeat(np.eye(4, dtype=np.float32), 10, axis=0), (2, 1, 1))
    np.testing.assert_array_equal(assign_evenly(gaps), np.tile(np.repeat(np.arange(4), 10), (2, 1)))


def test_the_even_assignment_is_the_largest_entry_of_the_plan_of_optimal_transport():
    gaps = np.random.default_rng(1).uniform(size=(3, 40, 8)).astype(np.float32)
    codes = assign_evenly(gaps, temperature=0.1, n_iter=300)
    for part, code in zip(gaps, codes, strict=True):
        near = (part.min() + part.max() - 2 * part) / (part.max() - part.min())
        plan = sinkhorn(near.astype(float), temperature=0.1, n_iter=300)  # in the log domain
        np.testing.assert_array_equal(code, plan.argmax(axis=1))


def test_the_published_temperature_neither_overflows_nor_empties():
    gaps = np.zeros((1, 64, 8), np.float32)
    gaps[0, :, 1:] = 1  # all rows on one codeword, and all others as far as can be
    codes = assign_evenly(gaps)
    assert np.isfinite(codes).all() and codes.max() < 8


def test_entropy_is_that_of_scipy_over_the_shares():
    codes = np.random.default_rng(0).integers(0, 5, size=(50, 3))
    shares = [np.unique(part, return_counts=True)[1] / 50 for part in codes.T]
    assert code_entropy(codes, 8) == pytest.approx(np.mean([entropy(part, base=2) for part in shares]))
    coder = fitted(cloud(0))
    assert code_entropy(coder.transform(cloud(0)), 8) == pytest.approx(coder.entropy_)


def test_learned_codes_find_unseen_partners_where_most_features_are_noise():
    # Planted: a query agrees with its document in four features; distortion spends its bits on the twelve others.
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(1000, 4))
    queries, documents = (np.hstack([shared, 2 * rng.normal(size=(1000, 12))]).astype(np.float32) for _ in range(2))

    def batch(rows):
        return queries[rows], documents[rows], np.arange(len(rows)), np.zeros((len(rows), len(rows)), bool)

    start = warm_start(documents[:800], 4, 4, 0)
    learned = learn(*start, None, batch, 800, assign=None, temperature=1.0, epochs=200, random=np.random.RandomState(0))

    def found(turn, codebooks):
        index = flat_index(turn, codebooks)
        index.add(documents[800:])
        return np.mean(index.search(queries[800:], 10)[1] == np.arange(200)[:, None]) * 10

    assert found(*learned[:2]) > 2 * found(*start)


def test_gradients_pass_straight_through_to_the_map_and_reach_the_codebooks():
    X = cloud(0, 64)
    turn, codebooks = warm_start(X, 2, 3, 0)

    def batch(rows):
        none = np.zeros((len(rows), len(rows)), bool)
        return X[rows], X[rows], np.arange(len(rows)), none

    learned = learn(turn, codebooks, None, batch, 64, assign=None, temperature=0.05, epochs=1,
                   random=np.random.RandomState(0))  # fmt: skip
    assert not np.allclose(learned[0], turn)
    assert not np.allclose(learned[1], codebooks)
    np.testing.assert_array_equal(learned[2], learned[0])
    apart = learn(turn, codebooks, turn, batch, 64, assign=None, temperature=0.05, epochs=1,
                  random=np.random.RandomState(0))  # fmt: skip
    assert not np.allclose(apart[2], apart[0])


def test_fewer_rows_than_codewords_fewer_features_than_parts_and_too_many_lists_are_refused():
    X = cloud(0, 10, 4)
    with pytest.raises(UserError, match="n_bits=4 with n_samples=10"):
        RepCONC(2, n_bits=4).fit(X)
    with pytest.raises(UserError, match="n_parts=5 with n_features=4"):
        RepCONC(5, n_bits=3).fit(X)
    with pytest.raises(UserError, match="n_neighbors=10 with n_samples=10"):
        RepCONC(2, n_bits=3).fit(X)
    with pytest.raises(UserError, match="n_lists=11 for 10 rows"):
        fitted(X, n_parts=2, n_bits=3, n_neighbors=3).index(X, n_lists=11)
