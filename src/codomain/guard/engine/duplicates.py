"""Copies and near copies, with a threshold that comes from the space itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from codomain.core.maths.blocks import slices

BLOCK = 16_384  # rows hashed at a time
NEAR_RATE = 1 / 2000  # rows that have a near copy by chance, at most
FINEST = 1e-3  # float32 cosines cannot tell shorter distances apart
HALF = 0.5  # nobody calls two rows near copies when they are further apart than this share of the usual distance


def distances(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """Distance between rows of length 1 with these cosines, 0 to 2, same shape."""
    return np.sqrt(np.clip(2 - 2 * scores, 0, 4)).astype(np.float32)


def same_vector(X: Any) -> NDArray[np.int64]:
    """Find rows with the same vector.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Vectors; only slices of rows are asked for.

    Returns
    -------
    ndarray of shape (n_samples,)
        Number of the first row with each row's vector; its own number for a row that has its vector alone.
    """
    n = len(X)
    first = _first_with(_row_keys(X), n)
    # Equal keys of 64 bits are equal rows in all likelihood; the rows themselves decide.
    for block in slices(n, BLOCK):
        later = block.start + np.flatnonzero(first[block] != np.arange(block.start, block.stop))
        if len(later):
            differs = np.any(np.asarray(X[later]) != np.asarray(X[first[later]]), axis=1)
            first[later[differs]] = later[differs]
    return first


def same_text(texts: Sequence[Any]) -> NDArray[np.int64]:
    """Find rows with the same text, in Unicode's composed form (NFC) and without white space around it.

    Parameters
    ----------
    texts : sequence of length n_samples
        The rows' texts.

    Returns
    -------
    ndarray of shape (n_samples,)
        Number of the first row with each row's text.
    """
    known: dict[str, int] = {}
    found = (known.setdefault(normalize("NFC", str(text)).strip(), row) for row, text in enumerate(texts))
    return np.fromiter(found, np.int64, len(texts))


def within_rounding(first: NDArray[np.int64], indices: NDArray[Any], scores: NDArray[Any]) -> NDArray[np.int64]:
    """Join families of vectors with neighbours that float32 cannot tell from them; shapes as those of `near_copies`.

    An encoder gives one text, or two that it reads alike, vectors that differ in their last bits when they are encoded
    in other company.
    """
    row, entry = np.nonzero((indices >= 0) & (distances(scores) <= FINEST))
    return _group_links(len(first), (np.arange(len(first)), first), (row, indices[row, entry]))


def either(one: NDArray[np.int64], two: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join two kinds of family: the first row of all that hang together, of shape (n_samples,)."""
    rows = np.arange(len(one))
    return _group_links(len(one), (rows, one), (rows, two))


def _group_links(n: int, *links: tuple[NDArray[Any], NDArray[Any]]) -> NDArray[np.int64]:
    rows, others = (np.concatenate(ends) for ends in zip(*links, strict=True))
    graph = sparse.coo_array((np.ones(len(rows), dtype=np.int8), (rows, others)), shape=(n, n))
    return _first_with(connected_components(graph, directed=False)[1], n)


def _row_keys(X: Any) -> NDArray[np.uint64]:
    rng = np.random.default_rng(0)
    keys, factors = np.empty(len(X), dtype=np.uint64), None
    for block in slices(len(X), BLOCK):
        # Adding 0 turns -0.0, which equals 0.0, into the same bits.
        bits = (np.ascontiguousarray(X[block]) + 0).view(np.uint8)
        bits = bits.reshape(len(bits), -1)
        words = bits.view(np.uint32 if bits.shape[1] % 4 == 0 else np.uint8)
        if factors is None:
            factors = rng.integers(1, 2**64, size=words.shape[1], dtype=np.uint64) | np.uint64(1)
        keys[block] = np.einsum("ij,j->i", words, factors, dtype=np.uint64, casting="unsafe")
    return keys


def _first_with(keys: NDArray[Any], n: int) -> NDArray[np.int64]:
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    return first[code].astype(np.int64) if n else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Near:
    """Which listed neighbours are near copies, and the rule that decided.

    Parameters
    ----------
    pairs : ndarray of shape (n_samples, k), bool
        Whether each listed neighbour is a near copy of its row.
    others : ndarray of shape (n_samples, k), bool
        Whether each listed neighbour is a real one that is not an exact copy.
    reach : ndarray of shape (n_samples,), float32
        Distance to the last listed neighbour, no shorter than the shortest tenth in the space.
    share : float
        Near copies are closer than this share of `reach`, 0 to 0.5; 0 when the lists were too short to tell.
    dimension : float
        Directions in which the rows locally spread, estimated from how distances grow along the lists.
    """

    pairs: NDArray[np.bool_]
    others: NDArray[np.bool_]
    reach: NDArray[np.float32]
    share: float
    dimension: float


def near_copies(indices: NDArray[np.int32], scores: NDArray[np.float32], first: NDArray[np.int64]) -> Near:
    r"""Mark neighbours that are closer than crowding explains.

    Where rows spread evenly in m dimensions, the nearest of k neighbours is within a share r of the k-th with
    probability :math:`1 - (1 - r^m)^{k-1}`. The share is set so that fewer than one row in 2,000 has such
    a neighbour by chance.

    Parameters
    ----------
    indices, scores : ndarray of shape (n_samples, k)
        Neighbour lists, best first; cosines.
    first : ndarray of shape (n_samples,)
        Family of each row, as `either` gives it: rows with one text or one vector are no near copies.

    Returns
    -------
    Near
        The marks and the rule.
    """
    n, k = indices.shape
    others = (indices >= 0) & (first[indices] != first[:, None])
    far = distances(scores)
    listed = others.sum(axis=1)
    last = np.where(listed > 0, np.max(np.where(others, far, 0), axis=1, initial=0), np.nan)
    judged = (listed >= 5) & (last > 0)
    nothing = Near(np.zeros((n, k), dtype=bool), others, np.zeros(n, dtype=np.float32), 0.0, 0.0)
    if judged.sum() < 20:
        return nothing
    # Levina and Bickel's estimate per row; the lowest quarter rather than the middle, to be slow to accuse.
    logs = np.where(others & (far > 0), np.log(np.maximum(last[:, None], 1e-12) / np.maximum(far, 1e-12)), 0)
    spread = (listed - 2)[judged] / np.maximum(logs.sum(axis=1)[judged], 1e-9)
    dimension = float(np.quantile(spread, 0.25))
    typical = float(np.median(listed[judged]))
    share = min(HALF, (NEAR_RATE / (typical - 1)) ** (1 / dimension))
    # Where a whole list is near copies, its own reach is short: the space lends it a longer one.
    floor = float(np.quantile(last[judged], 0.1))
    reach = np.maximum(np.nan_to_num(last, nan=0.0), floor).astype(np.float32)
    limit = share * np.minimum(reach[:, None], reach[indices])
    pairs = others & (far < limit) & (limit > FINEST)
    if share * np.median(reach) < FINEST:
        return nothing
    return Near(pairs, others, reach, share, dimension)
