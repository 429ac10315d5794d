"""What is true of sketches by landmark tokens and of nothing else."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import unit_rows
from codomain.search import MaxSimSketch, max_sim
from codomain.search.anncur import _best_products


def sets(seed=0, n=200, d=8, most=6):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(1, most + 1, n))])
    topic = np.repeat(rng.normal(size=(n, d)), np.diff(offsets), axis=0)
    return unit_rows(topic + 0.7 * rng.normal(size=(offsets[-1], d))), offsets


def exact(asked, cuts, tokens, offsets):
    return np.array([max_sim(asked[a:b], tokens, offsets) for a, b in pairwise(cuts)])


def test_a_case_by_hand():
    """Two documents of one token on the axes; the landmark e1 comes near the first and not the second."""
    tokens = np.eye(2)
    sketch = MaxSimSketch(2, penalty=1e-9, random_state=0).fit(tokens)
    documents = sketch.transform(tokens)
    queries = sketch.encode_sets([[0.6, 0.0], [0.0, 0.8]], [0, 1, 2], query=True)
    np.testing.assert_allclose(queries @ documents.T, [[0.6, 0], [0, 0.8]], atol=1e-6)


def test_nearness_is_the_best_inner_product_of_a_loop():
    tokens, offsets = sets()
    asked = sets(1)[0][:7]
    loop = [[max(q @ p for p in tokens[a:b]) for a, b in pairwise(offsets)] for q in asked]
    np.testing.assert_allclose(_best_products(asked, tokens, offsets[:-1]), loop, atol=1e-12)


def test_with_every_token_a_landmark_it_is_max_sim_of_the_sampled_documents():
    tokens, offsets = sets(n=40)
    sketch = MaxSimSketch(300, n_landmarks=300, penalty=1e-9, random_state=0).fit(tokens, offsets=offsets)
    asked, cuts = sets(5, n=10)
    products = sketch.encode_sets(asked, cuts, query=True) @ sketch.encode_sets(tokens, offsets).T
    np.testing.assert_allclose(products, exact(asked, cuts, tokens, offsets), atol=1e-3)


def test_documents_and_queries_that_it_has_not_seen_are_ranked_better_than_by_their_means():
    rng = np.random.default_rng(0)
    centres = unit_rows(rng.normal(size=(40, 16)))  # a document speaks of several things, a query of two

    def draw_sets(n, most):
        offsets = np.concatenate([[0], np.cumsum(rng.integers(2, most + 1, n))])
        about = centres[rng.integers(0, 40, offsets[-1])]
        return unit_rows(about + 0.1 * rng.normal(size=about.shape)), offsets

    tokens, offsets = draw_sets(900, 10)
    cut = 600
    sketch = MaxSimSketch(16, random_state=0).fit(tokens[: offsets[cut]], offsets=offsets[: cut + 1])
    new, starts = tokens[offsets[cut] :], offsets[cut:] - offsets[cut]
    asked, cuts = draw_sets(60, 2)
    truth = exact(asked, cuts, new, starts).argsort(axis=1)[:, -10:]

    def recall(scores):
        found = scores.argsort(axis=1)[:, -10:]
        return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(truth, found, strict=True)])

    means, pooled = (unit_rows(np.add.reduceat(X, at[:-1])) for X, at in ((new, starts), (asked, cuts)))
    ours = recall(sketch.encode_sets(asked, cuts, query=True) @ sketch.encode_sets(new, starts).T)
    assert sketch.encode_sets(new, starts).shape == (300, 16)
    assert ours > recall(pooled @ means.T) + 0.05


@given(seed=st.integers(0, 50))
def test_the_order_of_tokens_in_a_set_and_copies_of_them_change_nothing(seed):
    tokens, offsets = sets(n=30)
    sketch = MaxSimSketch(6, n_landmarks=20, random_state=0).fit(tokens, offsets=offsets)
    some = np.random.default_rng(seed).permutation(tokens[:5])
    twice = np.concatenate([some, some])
    one, two = (sketch.encode_sets(rows, [0, len(rows)]) for rows in (tokens[:5], twice))
    np.testing.assert_allclose(one, two, atol=1e-9)


def test_its_size_is_that_of_what_it_holds():
    tokens, offsets = sets(n=30)
    sketch = MaxSimSketch(6, n_landmarks=20, n_documents=10, random_state=0).fit(
        tokens.astype(np.float32), offsets=offsets
    )
    assert len(sketch.landmarks_) == 20
    assert len(sketch.sample_starts_) == 10
    assert sketch.memory_bytes_ > sketch.sample_.nbytes + sketch.landmarks_.nbytes


def test_offsets_that_do_not_cut_the_tokens_are_refused():
    with pytest.raises(ValueError, match="offsets"):
        MaxSimSketch().fit(np.eye(3), offsets=[0, 2])
