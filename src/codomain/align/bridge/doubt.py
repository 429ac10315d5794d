"""How wrong a bridge is likely to be about each row, learned from pairs that it did not see."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.align.bridge.affine import Bridge, thin_svd
from codomain.align.bridge.bridges import Ridge, Turn
from codomain.core import unit_rows

_COLUMNS = 32  # random directions that estimate a length: its square to within about a quarter


class Doubt:
    r"""The expected error of each row: one minus the cosine with the vector that it should have.

    Three features of a row predict it: how short its bridged vector is, how far it lies from the pairs in A (its
    leverage), and how far the result of a second bridge is from the first. A regression of the logarithm of the error
    on their logarithms is learned from four parts of the pairs, each bridged by a fit of the other three.

    Parameters
    ----------
    random_state : int, default=0
        Seed of the parts and of the random directions.

    Attributes
    ----------
    signs_ : ndarray of shape (n_features_a, 64)
        Directions in A; squared lengths along them are the second and third feature.
    coefficients_ : ndarray of shape (4,)
        Of the three features, and a constant.

    Examples
    --------
    >>> A = np.random.default_rng(0).normal(size=(200, 4))
    >>> B = A * [1, 1, 1, 0] + np.where(abs(A[:, :1]) > 1, A[:, 3:], 0)
    >>> bridge = Ridge().fit(A, B)
    >>> Doubt().fit(A, B, bridge).score(A[:3], bridge.transform(A[:3])).shape
    (3,)
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, A: ArrayLike, B: ArrayLike, bridge: Bridge) -> Self:
        """Learn from the pairs that `bridge` was fitted on.

        Parameters
        ----------
        A, B : array-like of shape (n_pairs, n_features)
            Row i of one is row i of the other; at least eight.
        bridge : Bridge
            The fitted bridge whose errors are to be predicted.
        """
        left, right = np.asarray(A, np.float64), np.asarray(B, np.float64)
        rng = np.random.default_rng(self.random_state)
        parts = rng.permutation(len(left)) % 4
        signs, errors = np.empty((len(left), 3)), np.empty(len(left))
        for held in (parts == part for part in range(4)):
            own = type(bridge)(bridge.stretch).fit(left[~held], right[~held])
            self._choose_directions(left[~held], right[~held], own, rng)
            mapped = own.transform(left[held])
            signs[held], errors[held] = self._signs(left[held], mapped), cosine_error(mapped, right[held])
        self._choose_directions(left, right, bridge, rng)
        table = np.column_stack([signs, np.ones(len(signs))])
        self.coefficients_ = np.linalg.lstsq(table, np.log(np.maximum(errors, 1e-6)), rcond=None)[0]
        # A mean of logarithms is below the logarithm of the mean: correct the mean.
        self.coefficients_[3] += np.log(max(errors.mean(), 1e-6) / np.exp(table @ self.coefficients_).mean())
        return self

    def _choose_directions(self, A: NDArray[Any], B: NDArray[Any], bridge: Bridge, rng: np.random.Generator) -> None:
        """Draw directions: random projections of A's whitened rows, and of the difference of two bridges."""
        self._mean = A.mean(axis=0)
        _, s, Vt = thin_svd(A - self._mean)
        whitened = Vt.T / np.sqrt(s**2 + 0.01 * np.max(s**2, initial=0))
        other = (Turn if not isinstance(bridge, Turn) else Ridge)().fit(A, B)
        differ = bridge.weights_ / bridge.stretch - other.weights_
        self.signs_ = np.hstack([X @ rng.standard_normal((X.shape[1], _COLUMNS)) for X in (whitened, differ)])

    def _signs(self, A: NDArray[Any], mapped: NDArray[Any]) -> NDArray[Any]:
        squares = np.square(A @ self.signs_.astype(A.dtype) - (self._mean @ self.signs_).astype(A.dtype))
        lengths = np.einsum("ij,ij->i", mapped, mapped)
        far, differ = squares[:, :_COLUMNS].sum(axis=1), squares[:, _COLUMNS:].sum(axis=1)
        return np.log(np.column_stack([lengths, far, differ]) + 1e-12)

    def score(self, A: NDArray[Any], mapped: NDArray[Any]) -> NDArray[np.float32]:
        """Predict the error of rows.

        Parameters
        ----------
        A : ndarray of shape (n_samples, n_features_a)
            Rows before the bridge.
        mapped : ndarray of shape (n_samples, n_features_b)
            The same rows bridged, not yet scaled to length 1.

        Returns
        -------
        ndarray of shape (n_samples,), float32
            Expected one minus cosine, from 0 to 2; higher is more doubtful.
        """
        log_error = self._signs(A, mapped) @ self.coefficients_[:3] + self.coefficients_[3]
        return np.clip(np.exp(np.minimum(log_error, 1.0)), 0, 2).astype(np.float32)


def cosine_error(mapped: NDArray[Any], B: NDArray[Any]) -> NDArray[Any]:
    """One minus the cosine of each bridged row with its own vector, from 0 to 2, of shape (n_samples,)."""
    return 1 - np.einsum("ij,ij->i", unit_rows(mapped), unit_rows(B))
