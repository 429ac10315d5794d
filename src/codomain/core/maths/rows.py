"""Small array helpers that more than one room needs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
