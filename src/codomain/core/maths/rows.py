"""Rows of length 1."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core.errors import UserError

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def unit_rows(X: NDArray[Any]) -> NDArray[Any]:
    """Scale each row to length 1.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows of floats; the dtype is kept.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Rows of length 1; a row of zeros stays a row of zeros.
    """
    # Dividing by the largest entry first keeps the squares of very large or very small rows finite.
    largest = np.max(np.abs(X), axis=1, keepdims=True, initial=0)
    scaled = X / np.where(largest == 0, 1, largest)
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    return np.asarray(scaled / np.where(lengths == 0, 1, lengths), dtype=X.dtype)


def finite_unit_rows(rows: ArrayLike) -> Floats:
    """Scale each row to length 1, in float32; rows that already have length 1 are not copied.

    Raises
    ------
    UserError
        When a row holds NaN or infinity.
    """
    out: Floats = np.ascontiguousarray(rows, dtype=np.float32)
    squares = np.einsum("ij,ij->i", out, out)
    if (np.abs(squares - 1) < 1e-6).all():
        return out
    if not np.isfinite(squares).all() and not np.isfinite(out).all():
        raise UserError(
            "The vectors hold NaN or infinity.",
            needed="finite numbers",
            todo="drop or correct those rows: np.isfinite(X).all(axis=1) marks the good ones",
        )
    return unit_rows(out)
