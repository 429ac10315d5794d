"""Keep the few rows that are farthest from each other."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data

from codomain.core import Int, Method, Paper, Trial, UserError, claim, unit_rows

_ROWS = 1024  # rows of a block that is compared with all others


def largest_cosines(U: NDArray[Any]) -> NDArray[Any]:
    """Return the cosine of each row of length 1 with its nearest other row; of a single row, -1."""
    best = np.full(len(U), -1, U.dtype)
    for start in range(0, len(U) if len(U) > 1 else 0, _ROWS):
        cosines = U[start : start + _ROWS] @ U.T
        cosines[np.arange(len(cosines)), start + np.arange(len(cosines))] = -np.inf
        best[start : start + _ROWS] = cosines.max(axis=1)
    return best


class DivPrune(Method):
    r"""Choose rows greedily, so that the smallest distance between any two of them is large.

    With the cosine distance :math:`d`, the first row is the one farthest from its nearest other,
    :math:`\arg\max_i \min_{j \ne i} d(i, j)`; each next one is the row farthest from those kept,
    :math:`\arg\max_i \min_{j \in K} d(i, j)`. Every row left out is within the last gap of a kept one.

    Parameters
    ----------
    n_kept : int, default=10
        Rows to keep, from 1 to n_samples.

    Attributes
    ----------
    rows_ : ndarray of shape (n_kept,)
        Rows of X that are kept, in the order of choice: its first m are the choice of m.
    gaps_ : ndarray of shape (n_kept,)
        Cosine distance, 0 to 2, of each kept row to the nearest one kept before; of the first, to its nearest row.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or n_kept exceeds n_samples.

    References
    ----------
    Alvar et al. (2025), arXiv:2503.02175.

    Examples
    --------
    >>> fitted = DivPrune(2).fit([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [-1.0, 0.0]])
    >>> fitted.rows_, fitted.gaps_.round(2)
    (array([3, 0]), array([1.6, 2. ]))
    """

    paper = Paper.get("divprune")
    rules: ClassVar = {"n_kept": Int(1)}
    small: ClassVar = {"n_kept": 1}

    def __init__(self, n_kept: int = 10) -> None:
        self.n_kept = n_kept

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Choose among the rows of X, of shape (n_samples, n_features); y is ignored."""
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        if self.n_kept > len(data):
            raise UserError(
                f"n_kept={self.n_kept} with n_samples={len(data)}.",
                needed="at least as many rows as are to be kept",
                todo="lower n_kept or give more rows",
            )
        U = unit_rows(data)
        nearest = largest_cosines(U)  # cosine with the nearest row: at first of all, then of the kept ones
        self.rows_ = np.empty(self.n_kept, np.int64)
        self.gaps_ = np.empty(self.n_kept, data.dtype)
        for place in range(self.n_kept):
            row = int(nearest.argmin())
            self.rows_[place], self.gaps_[place] = row, np.clip(1 - nearest[row], 0, 2)
            cosines = U @ U[row]
            nearest = cosines if place == 0 else np.maximum(nearest, cosines)
            nearest[self.rows_[: place + 1]] = np.inf
        return self


@claim(
    DivPrune, needs=("wordllama",),
    unit="packages among the kept, as a share of the most possible, 0 to 1", margin=0.05, seconds=60,
    says="Ten of a hundred hits kept by max-min diversity come from more packages than the ten nearest.",
    floor="the ten most relevant hits", peer="maximal marginal relevance, half and half",
)  # fmt: skip
def covers_more_packages(seed: int) -> Trial:
    """100 docstrings as queries, each against all others in wordllama's space, whose 100 nearest are the hits."""
    from codomain.data import frozen_docstrings
    from codomain.tasks.docstrings import docstring_views

    packages = np.array(frozen_docstrings()["package"].to_pylist())
    (vectors,) = docstring_views("text")

    def marginal_relevance(relevance: NDArray[Any], hits: NDArray[Any]) -> list[int]:
        cosines, kept = hits @ hits.T, [int(relevance.argmax())]
        while len(kept) < 10:
            worth = 0.5 * relevance - 0.5 * cosines[kept].max(axis=0)
            worth[kept] = -np.inf
            kept.append(int(worth.argmax()))
        return kept

    shares = []
    for query in np.random.default_rng(seed).choice(len(vectors), 100, replace=False):
        relevance = vectors @ vectors[query]
        relevance[query] = -np.inf
        hits = np.argsort(-relevance, kind="stable")[:100]
        most = min(10, len(set(packages[hits])))
        ways = DivPrune(10).fit(vectors[hits]).rows_, range(10), marginal_relevance(relevance[hits], vectors[hits])
        shares.append([len({packages[hits[place]] for place in way}) / most for way in ways])
    return Trial(*np.mean(shares, axis=0))
