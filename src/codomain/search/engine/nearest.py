"""The rows nearest to a direction: candidates in float32, then exact cosines."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.core.maths.blocks import slices
from codomain.space import Space

Rows = NDArray[np.int64]
_LOOKED_AT, _RUNS = 4096, 64  # rows that tell what a question usually scores; runs they are read in, to read few blocks
_BLOCK = 4096  # rows compared at a time: the second of two looks at them finds them in the processor's cache


class Index(Protocol):
    """What finds near rows faster than comparing with all of them."""

    def search(self, Q: NDArray[np.float32], k: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return scores and row numbers, both of shape (n_queries, k); -1 where there is none."""


def nearest(
    space: Space,
    q: NDArray[np.float32] | None,
    deep: int,
    allowed: NDArray[np.bool_] | None,
    index: Index | None,
    own: Rows,
) -> tuple[Rows, NDArray[np.float32]]:
    """Return the nearest allowed rows, best first, with their cosines."""
    if q is None:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    if index is not None and allowed is None:
        rows = np.asarray(index.search(q[None], min(deep + len(own), len(space)))[1][0], np.int64)
        rows = np.setdiff1d(rows[rows >= 0], own)
    elif allowed is not None and np.count_nonzero(allowed) * 8 < len(space):
        rows = np.flatnonzero(allowed)
    else:
        scores = np.concatenate([_dots(block, q) for _, block in space.vectors.blocks(_BLOCK)])
        if allowed is not None:
            scores[~allowed] = -np.inf
        most = min(deep, len(scores) if allowed is None else int(np.count_nonzero(allowed)))
        if not most:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        # All rows within rounding of the last place, so that the exact cosines decide.
        rounding = 2 * (len(q) + 8) * 2.0**-24
        rows = np.flatnonzero(scores >= np.partition(scores, -most)[-most] - np.float32(rounding))
    cosines = cosines_of(space, q, rows)
    best = np.lexsort((rows, -cosines))[:deep]
    return rows[best], cosines[best]


def mean_and_spread(space: Space, q: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation of a direction's cosines with 4,096 rows, taken in runs from all over the space."""
    n, runs = len(space), 1 if len(space) <= _LOOKED_AT else _RUNS
    length = min(n, _LOOKED_AT) // runs
    starts = np.linspace(0, n - length, runs).astype(np.int64)
    some = np.concatenate([_dots(np.asarray(space.vectors[start : start + length]), q) for start in starts.tolist()])
    return float(some.mean(dtype=np.float64)), float(some.std(dtype=np.float64))


def _dots(block: NDArray[np.float32], q: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines of a block of rows with a vector of length 1."""
    # Row by row: a matrix product would wake BLAS's threads for a block that is read once, and wait for them.
    with np.errstate(over="ignore"):  # which the next line notices
        lengths = np.sqrt(np.vecdot(block, block))
    if not (1e-15 < lengths.min() and lengths.max() < 1e15):  # squares left float32's range
        return np.asarray(unit_rows(np.asarray(block)) @ q, np.float32)
    return np.asarray(np.vecdot(block, q) / lengths, np.float32)


def cosines_of(space: Space, q: NDArray[np.float32], rows: Rows) -> NDArray[np.float32]:
    """Exact cosines, the same for equal rows wherever they lie."""
    scores = np.empty(len(rows), np.float32)
    for some in slices(len(rows)):
        part = unit_rows(np.asarray(space.vectors[rows[some]], np.float64))
        scores[some] = np.round(np.einsum("ij,j->i", part, q.astype(np.float64)), 12)
    return np.clip(scores, -1, 1)
