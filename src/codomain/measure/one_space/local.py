"""What neighbour lists tell about a space: hubs, intrinsic dimension, rows that are too close."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import inverse_dimensions, unit_rows
from codomain.core.maths.blocks import slices

_TOO_CLOSE = 1e-5  # squared distance below which float32 cosines are only rounding


def neighbor_lists(U: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k nearest other rows of each row of length 1, and their cosines, both of shape (n_samples, k)."""
    import faiss  # compares and selects in one pass

    scores, found = faiss.knn(U, U, k + 1, metric=faiss.METRIC_INNER_PRODUCT)
    own = found == np.arange(len(U))[:, None]
    own[~own.any(axis=1), -1] = True  # a row with many copies, or of zeros, may be missing from its own list
    return found[~own].reshape(len(U), k), scores[~own].reshape(len(U), k)


def neighbor_scores(U: NDArray[np.float32], own: NDArray[np.int64], X: Any, k: int) -> NDArray[np.float32]:
    """Return the cosines of rows of length 1, numbered `own`, with their k nearest other rows of all X, in blocks."""
    import faiss

    best = np.full((len(U), k), -np.inf, np.float32)
    for block in slices(X.shape[0], 16_384):
        rows = unit_rows(np.asarray(X[block], np.float32))
        scores, found = faiss.knn(U, rows, min(k + 1, len(rows)), metric=faiss.METRIC_INNER_PRODUCT)
        scores[found + block.start == own[:, None]] = -np.inf
        best = -np.sort(-np.concatenate([best, scores], axis=1), axis=1)[:, :k]
    return best


def count_lists(indices: NDArray[Any]) -> NDArray[np.int64]:
    """Count in how many lists each row is."""
    return np.bincount(np.asarray(indices).ravel(), minlength=len(indices))


def skewness(counts: NDArray[Any]) -> float:
    """Third standardised moment; 0 when all are equal."""
    centred = counts - counts.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    return float(np.mean(centred**3) / spread**3) if spread > 0 else 0.0


def distances(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Chords between rows of length 1 from their cosines; nan where float32 cannot distinguish them from 0."""
    squares = 2 - 2 * np.asarray(scores, np.float64)
    return np.sqrt(np.where(squares < _TOO_CLOSE, np.nan, squares))


def two_nn_logs(far: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Logarithms of the ratio of the second to the first distance, of rows that have both.

    On a manifold of dimension D, :math:`-\log(1 - F(\mu)) = D \log \mu` whatever the density (Facco et al., 2017).
    """
    ratio = np.log(far[:, 1] / far[:, 0])
    return ratio[np.isfinite(ratio)]


def two_nn_dimension(logs: NDArray[np.float64]) -> float:
    """Slope through the origin of the relation that `two_nn_logs` states, without the largest tenth."""
    logs = np.sort(logs)
    empirical = -np.log1p(-np.arange(1, len(logs) + 1) / (len(logs) + 1))
    kept = slice(0, max(2, int(0.9 * len(logs))))
    steepness = float(np.square(logs[kept]).sum())
    return float((logs[kept] * empirical[kept]).sum() / steepness) if steepness > 0 else 0.0


def likelihood_inverses(far: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of the local dimension of each row whose distances are all known."""
    return np.asarray(inverse_dimensions(far[np.isfinite(far).all(axis=1)]))


def likelihood_dimension(inverses: NDArray[np.float64]) -> float:
    """One dimension for all rows: the inverses are averaged, which has less bias than averaging dimensions."""
    middle = float(np.mean(inverses))
    return 1 / middle if middle > 0 else 0.0


def crowded_rows(scores: NDArray[Any], dimension: float) -> NDArray[np.bool_]:
    r"""Rows whose nearest row is nearer than the density around them explains.

    Among k rows spread evenly in dimension D, the nearest lies within a share x of the farthest with probability
    :math:`1 - (1 - x^D)^{k-1}`; a row is crowded when that is below one in 2 n. Exact copies are not counted. A
    clump of more than k near copies hides its own density, so the density of the densest tenth is not used.
    """
    gaps = np.sqrt(np.maximum(2 - 2 * np.asarray(scores, np.float64), 0))
    near, far = gaps[:, 0], gaps[:, -1]
    far = np.maximum(far, np.quantile(far, 0.1))
    share = np.divide(near, far, out=np.ones_like(near), where=far > 0)
    chance = -np.expm1((scores.shape[1] - 1) * np.log1p(-(np.minimum(share, 1 - 1e-12) ** max(dimension, 1.0))))
    return np.asarray((chance < 0.5 / len(scores)) & (near**2 >= _TOO_CLOSE / 10))
