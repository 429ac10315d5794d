"""What is true of packing by a probabilistic circuit and of nothing else."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codomain.shrink import PCLossless
from codomain.shrink.pc_lossless import hidden_tree
from codomain.shrink.pc_lossless.hidden_tree import bits_of, learn_tree, walk


def mixed(seed=0, n=300):
    """Four columns: two that chance makes, their sum, and a noisy copy of the first."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(3, size=(2, n))
    return np.column_stack([one, two, one + two, np.where(rng.random(n) < 0.9, one, 2 - one)])


def circuit(seed=0, n_states=2):
    S = mixed(seed)
    return learn_tree(S, S.max(axis=0) + 1, n_states, 5, np.random.RandomState(seed))[0]


def joint(tree):
    """Probability of every row, by the definition: the sum over all values of all hidden variables."""
    d, n_states, n_symbols = tree.emits.shape
    table = np.zeros((n_symbols,) * d)
    for states in product(range(n_states), repeat=d):
        weight = tree.prior[states[tree.order[0]]]
        for column in tree.order[1:]:
            weight *= tree.turns[column, states[tree.parents[column]], states[column]]
        rows = np.ones(())
        for column in range(d):
            rows = np.multiply.outer(rows, tree.emits[column, states[column]])
        table += weight * rows
    return table


@pytest.mark.parametrize("seed", range(3))
def test_bits_are_the_logarithm_of_a_sum_over_all_hidden_states(seed):
    tree, S = circuit(seed), mixed(seed)
    table = joint(tree)
    assert table.sum() == pytest.approx(1)
    np.testing.assert_allclose(bits_of(tree, S), -np.log2(table[tuple(S.T)]))


@pytest.mark.parametrize("seed", range(3))
def test_a_walk_gives_the_conditionals_that_marginals_of_the_whole_table_give(seed):
    tree, S = circuit(seed), mixed(seed, 20)
    table, seen = joint(tree), []

    def look(column, found):
        for row, ours in zip(S, found / found.sum(axis=1, keepdims=True), strict=True):
            part = table[tuple(row[axis] if axis in seen else slice(None) for axis in range(4))]
            rest = [axis for axis in range(4) if axis not in seen]
            wanted = part.sum(axis=tuple(place for place, axis in enumerate(rest) if axis != column))
            np.testing.assert_allclose(ours, wanted / wanted.sum(), atol=1e-3)
        seen.append(column)
        return S[:, column]

    walk(tree, len(S), look)
    assert sorted(seen) == [0, 1, 2, 3]


@pytest.mark.parametrize("d", [4, 16, 64])
def test_a_walk_computes_a_fixed_number_of_messages_for_each_column(d, monkeypatch):
    S = np.random.default_rng(0).integers(3, size=(50, d))
    tree, _ = learn_tree(S, np.full(d, 3), 2, 1, np.random.RandomState(0))
    calls, whole = [], hidden_tree._to_whole
    monkeypatch.setattr(hidden_tree, "_to_whole", lambda message: calls.append(1) or whole(message))
    walk(tree, len(S), lambda column, table: S[:, column])
    assert 3 * d - 2 <= len(calls) <= 5 * d


def test_messages_are_whole_numbers_that_add_up_exactly_in_any_order():
    rng = np.random.default_rng(0)
    message = hidden_tree._to_whole(rng.random((5, 255)) * 10.0 ** rng.integers(-9, 9, size=(5, 1)))
    weights = np.ceil(rng.random((255, 3)) * hidden_tree.FINE)
    exact = message.astype(object) @ weights.astype(object)
    assert np.array_equal(message, np.rint(message)) and message.min() >= 1
    assert np.array_equal(message @ weights, exact.astype(float)) and max(exact.ravel()) < 2**53


def test_rounds_of_learning_never_cost_bits(monkeypatch):
    monkeypatch.setattr(hidden_tree, "EXTRA", 1e-6)
    bits = PCLossless(4, max_iter=15, random_state=0).fit(mixed()).losses_
    assert np.all(np.diff(bits) < 1e-6) and bits[0] - bits[-1] > 0.05


def test_the_tree_of_a_chain_is_the_chain():
    rng = np.random.default_rng(0)
    chain = [rng.integers(4, size=2000)]
    for _ in range(5):
        chain.append(np.where(rng.random(2000) < 0.8, chain[-1], rng.integers(4, size=2000)))
    np.testing.assert_array_equal(PCLossless(2, max_iter=1).fit(np.array(chain).T).parents_[1:], range(5))


@settings(max_examples=30)
@given(
    rows=arrays(np.float32, (12, 3), elements=st.sampled_from([0, -0.0, 1, 2, 0.1, 1e30, -7.25])),
    others=arrays(np.float32, (5, 3), elements=st.floats(-1e6, 1e6, width=32)),
    block=st.integers(1, 6),
)
def test_every_row_comes_back_whether_or_not_its_values_were_seen(rows, others, block):
    model = PCLossless(2, max_iter=2, random_state=0).fit(rows)
    Q = np.concatenate([rows[:3], others])
    back = model.decompress(model.compress(Q, block))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, Q)


def test_the_bytes_are_the_bits_that_the_circuit_allows():
    model = PCLossless(4, random_state=0).fit(mixed())
    Q = mixed(1, 20_000)
    (packed,) = model.compress(Q, len(Q))
    bits = model.bits(Q).sum()
    assert bits <= 8 * len(packed) <= 1.01 * bits


def test_a_column_that_others_tell_costs_almost_nothing():
    rng = np.random.default_rng(0)
    one = rng.integers(4, size=3000)
    X = np.column_stack([one, 3 - one, one // 2])  # 2 bits a row, and 5 when each column stands alone
    model = PCLossless(4, random_state=0).fit(X)
    assert 2 <= model.bits(X).mean() < 2.1


def test_any_block_can_be_read_alone_and_in_any_order():
    X = mixed()
    model = PCLossless(2, random_state=0).fit(X)
    blocks = model.compress(X, 100)
    np.testing.assert_array_equal(model.decompress(blocks[1:2]), X[100:200])
    np.testing.assert_array_equal(model.decompress(blocks[::-1]), np.concatenate([X[200:], X[100:200], X[:100]]))


@pytest.mark.parametrize("place", [0, 4, 6, 10, 14, 25, -40])
def test_a_damaged_block_is_refused(place):
    model = PCLossless(2, random_state=0).fit(mixed())
    block = bytearray(model.compress(mixed(1))[0])
    block[place] ^= 64
    with pytest.raises(ValueError, match="damaged"):
        model.decompress([bytes(block)])
    with pytest.raises(ValueError, match="damaged"):
        model.decompress([b"no block"])


def test_another_models_block_is_refused():
    one, two = (PCLossless(2, random_state=seed).fit(mixed(seed)) for seed in range(2))
    with pytest.raises(ValueError, match="another model packed it"):
        two.decompress(one.compress(mixed()))


def test_no_blocks_and_blocks_of_no_rows_are_refused():
    model = PCLossless(2, random_state=0).fit(mixed())
    with pytest.raises(ValueError, match="There is no block"):
        model.decompress([])
    with pytest.raises(ValueError, match="block=0"):
        model.compress(mixed(), 0)
