"""A probabilistic circuit over tables of symbols: a tree of hidden variables, one behind each column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import depth_first_order, minimum_spanning_tree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BINS = 8  # of a column's symbols, where the tree is chosen
SPREAD = 0.3  # share of noise in the start, since hidden variables with certain symbols cannot learn
EXTRA = 5.0  # rows added to the counts of every state, and of every symbol that a column can hold
SCALE, FINE = 2.0**20, 2.0**16  # whole numbers that messages and the circuit's weights are rounded to


@dataclass(frozen=True)
class HiddenTree:
    """Weights of a circuit: the columns' hidden variables make a tree, and each column hangs on its own.

    Parameters
    ----------
    order, parents : ndarray of int of shape (n_columns,)
        Columns from the root down, depth first, and the parent of each column, below 0 for the root.
    prior : ndarray of shape (n_states,)
        Probabilities of the root's hidden variable.
    turns : ndarray of shape (n_columns, n_states, n_states)
        Probability of a column's state (last) when its parent has a state (middle).
    emits : ndarray of shape (n_columns, n_states, n_symbols)
        Probability of a symbol in each state.
    """

    order: Ints
    parents: Ints
    prior: Floats
    turns: Floats
    emits: Floats


def learn_tree(
    S: Ints, sizes: Ints, n_states: int, max_iter: int, rng: np.random.RandomState
) -> tuple[HiddenTree, Floats]:
    """Learn a circuit from symbols of shape (n, d), below `sizes`; return it with the mean bits of each round."""
    n, d = S.shape
    n_symbols = max(2, int(sizes.max()))  # the range coder needs at least two
    hots = [csr_array((np.ones(n), (column, np.arange(n))), shape=(n_symbols, n)) for column in S.T]
    order, parents = _chow_liu_tree(_bin(S, sizes, BINS))
    # States are ranges of symbols at first, counted in closed form.
    states = np.eye(n_states)[_bin(S, sizes, n_states)]
    possible = np.arange(n_symbols) < sizes[:, None]
    marginals = [_shares(hot.sum(axis=1) + EXTRA * some) for hot, some in zip(hots, possible, strict=True)]
    emits = np.array([_shares((hots[c] @ states[:, c]).T + EXTRA * marginals[c]) for c in range(d)])
    emits = (1 - SPREAD) * emits + SPREAD * np.array(
        [_shares(rng.exponential(size=(n_states, len(m))) * m) for m in marginals]
    )
    pairs = np.array([states[:, max(parents[c], 0)].T @ states[:, c] for c in range(d)])
    turns = _shares(pairs + EXTRA * states.mean(axis=0)[:, None] + 1e-3)
    tree = HiddenTree(order, parents, _shares(states[:, order[0]].sum(axis=0) + EXTRA), turns, emits)
    bits = np.zeros(max_iter)
    for step in range(max_iter):
        tree, bits[step] = _improve(tree, S, hots, marginals)
    return tree, bits


def bits_of(tree: HiddenTree, S: Ints) -> Floats:
    """Return minus the binary logarithm of the probability of each row of symbols, of shape (n,)."""
    return -_pass_upward(tree, S)[2] / np.log(2)


def walk(tree: HiddenTree, n: int, symbols: Callable[[int, NDArray[np.float32]], Ints]) -> None:
    """Visit the columns in order, each with its probabilities given the columns before, for n rows at once.

    `symbols` gets the column and the probabilities, not normalised, of shape (n, n_symbols), and returns the symbols
    of the column. Every message between hidden variables is computed once, so that a row costs n_states * (2 *
    n_states + n_symbols) for each column. All sums are of whole numbers below 2**53, hence exact in any order: two
    machines must agree to the last bit, or a decoder would fail.
    """
    prior, turns, emits = (np.ceil(part * FINE) for part in (tree.prior, tree.turns, tree.emits))
    path: list[int] = []
    outside: dict[int, Floats] = {}  # messages of the columns visited before, to a state, from outside its subtree,
    inside: dict[int, Floats] = {}  # and from inside it
    for column in tree.order:
        parent = int(tree.parents[column])
        while path and path[-1] != parent:  # a subtree is finished: its one message to its parent
            done = path.pop()
            above = int(tree.parents[done])
            inside[above] = _to_whole(inside[above] * _to_whole(inside.pop(done) @ turns[done].T))
            del outside[done]
        path.append(int(column))
        if parent < 0:
            outside[column] = np.tile(_to_whole(prior[None]), (n, 1))
        else:
            outside[column] = _to_whole(_to_whole(outside[parent] * inside[parent]) @ turns[column])
        table = outside[column] @ emits[column]
        inside[column] = _to_whole(emits[column].T[symbols(int(column), table.astype(np.float32))])


def _to_whole(message: Floats) -> Floats:
    """Scale a message to whole numbers from 1 to SCALE + 1."""
    return np.floor(message * (SCALE / message.max(axis=1, keepdims=True))) + 1


def _pass_upward(tree: HiddenTree, S: Ints) -> tuple[list[Floats], list[Floats], Floats]:
    """Return the circuit's values, leaves first: of states, of messages to the parent, and each row's log."""
    logs = np.zeros(len(S))
    own = [tree.emits[column].T[S[:, column]] for column in range(S.shape[1])]
    messages = list(own)
    for column in tree.order[::-1]:
        size = own[column].max(axis=1, keepdims=True)
        own[column] = own[column] / size
        logs += np.log(size[:, 0])
        if (parent := tree.parents[column]) >= 0:
            messages[column] = own[column] @ tree.turns[column].T
            own[parent] = own[parent] * messages[column]
    return own, messages, logs + np.log(own[tree.order[0]] @ tree.prior)


def _improve(tree: HiddenTree, S: Ints, hots: list[Any], marginals: list[Floats]) -> tuple[HiddenTree, float]:
    """Do one round of expectation maximisation; return also the mean bits of a row before it."""
    own, messages, logs = _pass_upward(tree, S)
    outside = dict[int, Floats]()
    turns, emits, prior = tree.turns.copy(), tree.emits.copy(), tree.prior
    for column in tree.order:
        parent = tree.parents[column]
        if parent < 0:
            outside[column] = np.broadcast_to(tree.prior, own[column].shape)
        else:
            rest = outside[parent] * own[parent] / messages[column]
            rest /= rest.sum(axis=1, keepdims=True)
            outside[column] = rest @ tree.turns[column]
        joint = outside[column] * own[column]
        total = joint.sum(axis=1, keepdims=True)
        states = joint / total
        if parent < 0:
            prior = _shares(states.sum(axis=0) + EXTRA)
        else:
            counts = tree.turns[column] * ((rest / total).T @ own[column])
            turns[column] = _shares(counts + EXTRA * states.mean(axis=0))
        emits[column] = _shares((hots[column] @ states).T + EXTRA * marginals[column])
    return HiddenTree(tree.order, tree.parents, prior, turns, emits), float(-logs.mean() / np.log(2))


def _chow_liu_tree(B: Ints) -> tuple[Ints, Ints]:
    """Return Chow and Liu's tree, the spanning tree of most mutual information, in depth-first order."""
    n, d = B.shape
    hot = np.eye(BINS, dtype=np.float32)[B].reshape(n, d * BINS)
    pairs = (hot.T @ hot).astype(np.float64) / n
    one = pairs.diagonal()
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(pairs > 0, pairs * np.log(pairs / np.outer(one, one)), 0)
    shared = terms.reshape(d, BINS, d, BINS).sum(axis=(1, 3))
    edges = minimum_spanning_tree(shared.max() + 1 - shared)  # an edge of weight 0 would be none
    order, parents = depth_first_order(edges, 0, directed=False)
    return order.astype(np.int64), parents.astype(np.int64)


def _bin(S: Ints, sizes: Ints, bins: int) -> Ints:
    """Group symbols into ranges with about equally many rows: numbers below `bins`, in the shape of S."""
    out = np.empty_like(S)
    for column, (symbols, size) in enumerate(zip(S.T, sizes, strict=True)):
        count = np.bincount(symbols, minlength=size)
        middle = (np.cumsum(count) - count / 2) / len(S)
        out[:, column] = symbols if size <= bins else np.minimum(middle * bins, bins - 1).astype(np.int64)[symbols]
    return out


def _shares(counts: Floats) -> Floats:
    """Scale rows to sum 1."""
    shares: Floats = counts / counts.sum(axis=-1, keepdims=True)
    return shares
