"""The best rows by inner product, exactly, block by block; equal scores by lower row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from codomain.core.maths.blocks import unit_blocks
from codomain.core.maths.rows import Floats, Ints


def exact_top(
    X: Any, Q: Floats, k: int, *, own: Ints, project: Callable[[Floats], Floats] | None = None
) -> tuple[Floats, Ints]:
    """Return the best k rows by inner product for each query, without its own row.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Read block by block.
    Q : ndarray of shape (n_queries, n_features)
        Rows of length 1.
    k : int
        Rows for each query; at most n_samples - 1.
    own : ndarray of shape (n_queries,)
        Row of X that each query is, -1 when it is none.
    project : callable, default=None
        Applied to queries and rows first.

    Returns
    -------
    scores, rows : ndarrays of shape (n_queries, k)
        Best first; equal scores by lower row.
    """
    project = project or (lambda rows: rows)
    Q = project(Q)
    scores = np.full((len(Q), k), -np.inf, dtype=np.float32)
    rows = np.full((len(Q), k), -1, dtype=np.int64)
    for start, block in unit_blocks(X):
        S = Q @ project(block).T
        inside = np.flatnonzero((own >= start) & (own < start + len(block)))
        S[inside, own[inside] - start] = -np.inf
        scores, rows = keep_best(scores, rows, S, start)
    return scores, rows


def keep_best(scores: Floats, rows: Ints, S: Floats, start: int) -> tuple[Floats, Ints]:
    """Return the best k of those so far and a block's scores S, whose first row has the number `start`."""
    n, k = scores.shape
    bar = scores[:, -1:]
    if S.shape[1] > k:  # only what would enter the block's own best k can enter the best k of all
        best = np.partition(S, -k, axis=1)[:, -k, None]
        who, where = np.nonzero((S >= best) & (S > bar))
    else:
        who, where = np.nonzero(S > bar)
    if not len(who):
        return scores, rows
    owner = np.concatenate([np.repeat(np.arange(n), k), who])
    score = np.concatenate([scores.ravel(), S[who, where]])
    row = np.concatenate([rows.ravel(), where + start])
    order = np.lexsort((row, -score, owner))
    rank = np.arange(len(order)) - np.searchsorted(owner[order], np.arange(n))[owner[order]]
    order = order[rank < k]
    return score[order].reshape(-1, k), row[order].reshape(-1, k)


def drop_own(rows: Ints, own: Ints, k: int) -> Ints:
    """Drop each query's own row from its list and keep k; a list without it loses its last."""
    order = np.argsort(rows == own[:, None], axis=1, kind="stable")[:, :k]
    return np.take_along_axis(rows, order, axis=1)
