"""The nearest rows of every row of an array, for a room that is given an array where it works on lists."""

from typing import Any

import numpy as np

from codomain.core.errors import UserError
from codomain.core.maths.blocks import slices
from codomain.core.maths.neighbors import Neighbors
from codomain.core.maths.rows import finite_unit_rows
from codomain.core.maths.top import exact_top

_QUERIES = 4096  # rows whose lists are made at once


def nearest_rows(X: Any, k: int = 15) -> Neighbors:
    """List the nearest rows of every row by cosine, comparing all with all in float32.

    `codomain.search.neighbors` does the same several times faster on many rows, and settles in float64 what float32
    cannot tell apart; make the lists there once when several rooms read them.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Vectors: an array, a memory map, or anything with `shape` and slices.
    k : int, default=15
        Length of each list; of fewer rows, all the others.

    Returns
    -------
    Neighbors
        Indices and scores of shape (n_samples, k), best first, a row never in its own list.

    Raises
    ------
    UserError
        When X is no array of numbers with two dimensions and at least two rows, or a value is not finite.
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) != 2 or np.dtype(X.dtype).kind not in "fiu":
        raise UserError(f"X has shape {tuple(X.shape)} and type {X.dtype}.", needed="numbers, of shape (n, d)")
    n = X.shape[0]
    if n < 2:
        raise UserError(f"X has {n} row{'' if n == 1 else 's'}.", needed="at least two, to be neighbours")
    k = min(k, n - 1)
    indices, scores = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
    for rows in slices(n, _QUERIES):
        own = np.arange(rows.start, min(rows.stop, n))
        scores[rows], indices[rows] = exact_top(X, finite_unit_rows(X[rows]), k, own=own)
    return Neighbors(indices, scores)
