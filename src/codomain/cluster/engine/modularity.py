"""Group the nodes of a graph by modularity: more links inside than chance would put there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

SWEEPS = 40  # a sweep moves half of the nodes that may want to move; real graphs need 10 to 25


def membership(labels: NDArray[Any]) -> sparse.csr_array:
    """Return a table of shape (n_nodes, n_groups) with a 1 where a node is in a group."""
    n = len(labels)
    return sparse.csr_array((np.ones(n), labels, np.arange(n + 1)), shape=(n, int(labels.max()) + 1))


def renumber(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the groups of nodes, of shape (n_nodes,), numbered from 0 without gaps."""
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _move(
    W: sparse.csr_array, labels: NDArray[np.int64], resolution: float, rng: np.random.RandomState
) -> NDArray[np.int64]:
    """Let nodes change to the neighbouring group that raises modularity most, until few want to."""
    n = len(labels)
    degree = W.sum(axis=1)
    scale = resolution / degree.sum()
    inside = W.diagonal()
    waiting = np.ones(n, dtype=bool)
    for _ in range(SWEEPS):
        candidates = np.flatnonzero(waiting)
        # Half at a time: when everybody moves at once, two neighbours can swap places for ever.
        chosen = candidates[rng.random_sample(len(candidates)) < 0.5] if len(candidates) > 1 else candidates
        if not len(chosen):
            break
        towards = W[chosen] @ membership(labels)
        volume = np.bincount(labels, weights=degree, minlength=towards.shape[1])
        pulls = np.diff(towards.indptr)
        node, group = np.repeat(chosen, pulls), towards.indices
        own = group == labels[node]
        gain = towards.data - own * inside[node] - scale * degree[node] * (volume[group] - own * degree[node])
        # A node whose own group holds none of its links has no entry there: staying is worth what it costs.
        linked = pulls > 0
        starts = towards.indptr[:-1][linked]
        staying = -scale * degree[chosen] * (volume[labels[chosen]] - degree[chosen])
        place = np.repeat(np.arange(len(chosen)), pulls)
        staying[place[own]] = gain[own]
        best = np.maximum.reduceat(gain, starts)
        winner = np.full(len(chosen), n)
        is_best = gain >= np.repeat(best, pulls[linked])
        np.minimum.at(winner, place[is_best], group[is_best])
        moves = np.zeros(len(chosen), dtype=bool)
        moves[linked] = best > staying[linked] + 1e-9 * degree[chosen][linked]
        labels = labels.copy()
        labels[chosen[moves]] = winner[moves]
        waiting[chosen] = False
        touched = W[chosen[moves]].indices
        waiting[touched] = True
        if moves.sum() < 0.0005 * n:
            break
    return labels


def communities(W: sparse.csr_array, *, resolution: float, rng: np.random.RandomState) -> NDArray[np.int64]:
    """Group nodes by modularity: move, contract, repeat, then move again on the way back down.

    Parameters
    ----------
    W : csr_array of shape (n_nodes, n_nodes)
        Symmetric link weights of at least 0.
    resolution : float
        Above 1 for more and smaller groups.
    rng : RandomState
        Order of the moves.

    Returns
    -------
    ndarray of shape (n_nodes,), int64
        Group of each node; nodes without a link stay alone.
    """
    labels = np.arange(W.shape[0])
    if W.nnz == 0:
        return labels
    graphs, parents = [W], []
    while True:
        found = renumber(_move(graphs[-1], np.arange(graphs[-1].shape[0]), resolution, rng))
        if found.max() + 1 == len(found):
            break
        member = membership(found)
        parents.append(found)
        graphs.append(sparse.csr_array(member.T @ graphs[-1] @ member))
    labels = np.arange(graphs[-1].shape[0])
    for graph, parent in zip(reversed(graphs[:-1]), reversed(parents), strict=True):
        labels = _move(graph, labels[parent], resolution, rng)
    return renumber(labels)
