"""What is true of fixed-dimensional encodings, of exact MaxSim, and of nothing else."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codomain.core import UserError
from codomain.search import MUVERA, max_sim, muvera


def draw(seed, lengths, dim=6):
    tokens = np.random.default_rng(seed).normal(size=(sum(lengths), dim))
    return tokens / np.linalg.norm(tokens, axis=1, keepdims=True), np.cumsum([0, *lengths])


def slowly(encoder, tokens, offsets, query):
    """The definition: one set, one repetition, one cell, one token at a time."""
    answers = []
    for start, end in pairwise(offsets):
        answer = []
        for repeat in range(encoder.n_repeats):
            hashes = [
                tuple(normal @ token > 0 for normal in encoder.hyperplanes_[repeat].T) for token in tokens[start:end]
            ]
            for cell in range(2**encoder.n_hyperplanes):
                name = tuple(bool(cell & 2**bit) for bit in range(encoder.n_hyperplanes))
                here = [token for token, hashed in zip(tokens[start:end], hashes, strict=True) if hashed == name]
                value = np.sum(here, axis=0) if here else np.zeros(tokens.shape[1])
                if not query and here:
                    value = value / len(here)
                elif not query:
                    apart = [sum(a != b for a, b in zip(hashed, name, strict=True)) for hashed in hashes]
                    value = tokens[start + apart.index(min(apart))]
                answer.append(value if encoder.projections_ is None else value @ encoder.projections_[repeat])
        whole = np.concatenate(answer) / encoder.n_repeats**0.5
        answers.append(whole if encoder.last_ is None else whole @ encoder.last_)
    return np.array(answers)


def test_a_case_by_hand():
    # One hyperplane, x = 0: the first two tokens of the document share a cell, so the query (1, 0) meets their mean.
    encoder = MUVERA(1, n_repeats=1, width=None, random_state=0).fit([[1.0, 0.0]])
    encoder.hyperplanes_ = np.array([[[1.0], [0.0]]])
    tokens = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    np.testing.assert_allclose(encoder.encode_sets(tokens, [0, 3]), [[-1.0, 0.0, 0.8, 0.4]])
    np.testing.assert_allclose(encoder.encode_sets(tokens, [0, 3], query=True), [[-1.0, 0.0, 1.6, 0.8]])
    # A document on one side only fills the other cell with its first token there; a query leaves it empty.
    np.testing.assert_allclose(encoder.encode_sets(tokens[:2], [0, 2]), [[1.0, 0.0, 0.8, 0.4]])
    np.testing.assert_allclose(encoder.encode_sets(tokens[:2], [0, 2], query=True), [[0.0, 0.0, 1.6, 0.8]])


@given(
    seed=st.integers(0, 1000), lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), query=st.booleans(),
    n_hyperplanes=st.integers(0, 4), width=st.sampled_from([None, 1, 3]), n_components=st.sampled_from([None, 5]),
)  # fmt: skip
def test_it_equals_the_definition_token_by_token(seed, lengths, query, n_hyperplanes, width, n_components):
    tokens, offsets = draw(seed, lengths)
    encoder = MUVERA(n_hyperplanes, n_repeats=2, width=width, n_components=n_components, random_state=seed).fit(tokens)
    got = encoder.encode_sets(tokens, offsets, query=query)
    np.testing.assert_allclose(got, slowly(encoder, tokens, offsets, query), atol=1e-12)


def test_blocks_do_not_change_the_answer(monkeypatch):
    tokens, offsets = draw(0, [3, 9, 1, 5, 2, 2])
    encoder = MUVERA(2, random_state=0).fit(tokens)
    whole, scores = encoder.encode_sets(tokens, offsets), max_sim(tokens[:4], tokens, offsets)
    for most in (1, 24, 3000):  # one set, few tokens, few sets at once
        monkeypatch.setattr(muvera, "_BLOCK", most)
        np.testing.assert_allclose(encoder.encode_sets(tokens, offsets), whole, atol=1e-12)
    monkeypatch.setattr("codomain.search.shared.sets._PRODUCTS", 24)
    np.testing.assert_allclose(max_sim(tokens[:4], tokens, offsets), scores, atol=1e-12)


@given(seed=st.integers(0, 1000), lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_without_projections_it_never_exceeds_max_sim_and_equals_it_for_documents_of_one_token(seed, lengths):
    tokens, offsets = draw(seed, lengths)
    asked, _ = draw(seed + 1, [4])
    encoder = MUVERA(3, n_repeats=2, width=None, random_state=seed).fit(tokens)
    query = encoder.encode_sets(asked, [0, 4], query=True)[0]
    assert np.all(encoder.encode_sets(tokens, offsets) @ query <= max_sim(asked, tokens, offsets) + 1e-9)
    ones = np.arange(len(tokens) + 1)
    np.testing.assert_allclose(encoder.transform(tokens) @ query, max_sim(asked, tokens, ones), atol=1e-9)


def test_projections_are_right_on_average():
    tokens, offsets = draw(0, [3, 5, 4], dim=4)
    asked, _ = draw(1, [2], dim=4)
    # One cell, so that all seeds agree on the cells; then only the projections are random.
    products = []
    for width, n_components in ((None, None), (8, None), (None, 40)):
        draws = [
            MUVERA(0, n_repeats=2, width=width, n_components=n_components, random_state=seed).fit(tokens)
            for seed in range(1 if n_components == width else 600)
        ]
        each = [e.encode_sets(tokens, offsets) @ e.encode_sets(asked, [0, 2], query=True)[0] for e in draws]
        products.append(np.mean(each, axis=0))
    np.testing.assert_allclose(products[1], products[0], atol=0.05)
    np.testing.assert_allclose(products[2], products[0], atol=0.05)


def test_more_cells_come_nearer_to_max_sim_where_documents_hold_unlike_tokens():
    # Planted: every document holds noisy copies of some of ten directions, the query clean copies of three.
    rng = np.random.default_rng(0)
    topics = np.linalg.qr(rng.normal(size=(32, 10)))[0].T
    held = np.concatenate([rng.choice(10, 6, replace=False) for _ in range(60)])
    tokens, offsets = topics[held] + 0.05 * rng.normal(size=(360, 32)), np.arange(0, 361, 6)
    exact = max_sim(topics[:3], tokens, offsets)
    errors, agreements = [], []
    for n_hyperplanes in (0, 3, 6):
        encoder = MUVERA(n_hyperplanes, n_repeats=30, width=None, random_state=0).fit(tokens)
        guess = encoder.encode_sets(tokens, offsets) @ encoder.encode_sets(topics[:3], [0, 3], query=True)[0]
        errors.append(np.abs(guess - exact).mean())
        agreements.append(np.corrcoef(guess, exact)[0, 1])
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 2
    assert agreements[-1] > 0.95


@given(seed=st.integers(0, 1000))
def test_queries_add_up(seed):
    tokens, _ = draw(seed, [7])
    encoder = MUVERA(3, n_repeats=3, random_state=0).fit(tokens)
    parts = encoder.encode_sets(tokens, [0, 3, 7], query=True)
    np.testing.assert_allclose(parts.sum(axis=0), encoder.encode_sets(tokens, [0, 7], query=True)[0], atol=1e-12)


@given(seed=st.integers(0, 1000), lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_max_sim_is_its_definition_for_all_sets_and_for_chosen_ones(seed, lengths):
    tokens, offsets = draw(seed, lengths)
    asked, _ = draw(seed + 1, [3])
    slow = [sum(max(q @ p for p in tokens[a:b]) for q in asked) for a, b in pairwise(offsets)]
    np.testing.assert_allclose(max_sim(asked, tokens, offsets), slow)
    rows = np.random.default_rng(seed).integers(0, len(lengths), 4)
    np.testing.assert_allclose(max_sim(asked, tokens, offsets, rows=rows), np.array(slow)[rows])
    assert max_sim(asked, tokens, offsets, rows=[]).shape == (0,)


@pytest.mark.parametrize("offsets", [[0, 3], [0, 2, 2, 4], [1, 4], [4], [0.0, 4.0], [[0, 4]], [0, 5, 4]])
def test_offsets_that_do_not_cut_the_tokens_are_refused(offsets):
    tokens, _ = draw(0, [4])
    with pytest.raises(UserError, match="rise from 0 to 4"):
        MUVERA(random_state=0).fit(tokens).encode_sets(tokens, offsets)
    with pytest.raises(UserError, match="rise from 0 to 4"):
        max_sim(tokens, tokens, offsets)


def test_max_sim_refuses_other_widths_and_rows_that_are_not_there():
    tokens, offsets = draw(0, [2, 2])
    with pytest.raises(UserError, match="of one width"):
        max_sim(tokens[:, :3], tokens, offsets)
    with pytest.raises(UserError, match="0 to 1"):
        max_sim(tokens, tokens, offsets, rows=[2])
