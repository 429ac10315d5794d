"""The base of every bridge: an affine map between two spaces, learned from pairs."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from codomain.core import UserError

Floats = NDArray[np.float64]


def thin_svd(A: Floats) -> tuple[Floats, Floats, Floats]:
    """Return singular vectors and values of A without the zero ones; from its smaller Gram matrix, for speed."""
    tall = len(A) >= A.shape[1]
    squares, X = np.linalg.eigh(A.T @ A if tall else A @ A.T)
    real = squares > 1e-12 * max(float(squares[-1]), 0.0)
    s, X = np.sqrt(squares[real])[::-1], X[:, real][:, ::-1]
    return (A @ X / s, s, X.T) if tall else (X, s, (X.T @ A) / s[:, None])


class Bridge(TransformerMixin, BaseEstimator):
    r"""An affine map :math:`a \mapsto a W + b` learned from pairs.

    A regression shrinks rows towards the mean of B, the more the less it can predict. Among bridged rows that hardly
    changes a ranking; mixed with true vectors, such rows are near to every query and far from those that should find
    them. A stretch above 1 compensates for it.

    Parameters
    ----------
    stretch : float, default=1.0
        Factor on the distance of bridged rows from the mean of B, above 0.

    Attributes
    ----------
    weights_ : ndarray of shape (n_features_a, n_features_b)
        The W above.
    offset_ : ndarray of shape (n_features_b,)
        The b above, in the unit of B.
    """

    name: ClassVar[str] = ""

    def __init__(self, stretch: float = 1.0) -> None:
        self.stretch = stretch

    def fit(self, A: ArrayLike, B: ArrayLike) -> Self:
        """Learn the map of A, (n_pairs, n_features_a), onto B, (n_pairs, n_features_b); row i of both is one pair.

        Raises
        ------
        UserError
            When the rows do not match, are fewer than two, or hold NaN or infinity; or the stretch is not above 0.
        """
        left, right = np.asarray(A, np.float64), np.asarray(B, np.float64)
        if left.ndim != 2 or right.ndim != 2 or len(left) != len(right) or len(left) < 2:
            raise UserError(
                f"A of shape {left.shape} and B of shape {right.shape} are no pairs.",
                needed="two arrays of as many rows, at least two, where row i of one is row i of the other",
            )
        if not (np.isfinite(left).all() and np.isfinite(right).all()):
            raise UserError("The pairs hold NaN or infinity.", todo="drop those rows, or encode them again")
        if not self.stretch > 0:
            raise UserError(f"stretch={self.stretch}.", needed="a number above 0")
        weights, offset = self._learn(left, right)
        middle = right.mean(axis=0)
        self.weights_, self.offset_ = self.stretch * weights, middle + self.stretch * (offset - middle)
        return self

    @abstractmethod
    def _learn(self, A: Floats, B: Floats) -> tuple[Floats, Floats]:
        """Return weights and offset."""

    def transform(self, A: ArrayLike) -> NDArray[Any]:
        """Rows of A in the space of B, of shape (n_samples, n_features_b); float32 stays float32."""
        rows = np.asarray(A)
        kind = rows.dtype if rows.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        mapped: NDArray[Any] = rows.astype(kind, copy=False) @ self.weights_.astype(kind, copy=False)
        mapped += self.offset_.astype(kind, copy=False)
        return mapped
