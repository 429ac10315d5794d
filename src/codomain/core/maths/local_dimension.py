"""The local dimension of a space at each row, from the distances to its nearest rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def inverse_dimensions(distances: NDArray[Any], *, count_farthest: bool = False) -> NDArray[Any]:
    r"""Estimate the inverse of the local dimension of each row by maximum likelihood (Levina and Bickel, 2005).

    With distances :math:`r_1 \le \dots \le r_k` it is the mean of :math:`\log (r_k / r_i)`. The inverse is returned
    because it can be averaged over rows.

    Parameters
    ----------
    distances : ndarray of shape (n_samples, k), float32 or float64
        Of each row to its nearest others, in any order and unit. Zeros (copies) and nan (not known) are left out.
    count_farthest : bool, default=False
        Whether the mean is over all distances (Amsaleg et al., 2015), of which the farthest adds nothing, or over the
        others, which has less bias.

    Returns
    -------
    ndarray of shape (n_samples,)
        0 where all distances are equal; nan where none, or only the farthest, could be used.

    Examples
    --------
    >>> inverse_dimensions(np.array([[1.0, 1.0, np.e], [0.0, 0.0, 0.0]]))
    array([ 1., nan])
    """
    known = distances > 0  # not so for nan
    shown = np.where(known, distances, 1)
    farthest = np.max(shown, axis=1, keepdims=True, where=known, initial=0)
    total = np.sum(np.log(np.where(known, farthest, 1) / shown), axis=1)
    count = known.sum(axis=1) - (not count_farthest)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
