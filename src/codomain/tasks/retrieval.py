"""How well rows find the others of their class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows


def average_precision(Z: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Return the average precision of each row that looks for the others of its class, by cosine.

    Parameters
    ----------
    Z : ndarray of shape (n, n_features)
        Rows.
    labels : ndarray of shape (n,)
        Their classes, all with the same number of rows, at least two.

    Returns
    -------
    ndarray of shape (n,)
        From 0 to 1; an equal score of another class counts as ahead.
    """
    n, size = len(Z), len(Z) // len(np.unique(labels))
    groups = np.argsort(labels, kind="stable").reshape(-1, size)
    others = np.empty((n, size), np.intp)
    others[groups] = groups[:, None]  # each row's class, with itself
    scores = unit_rows(Z) @ unit_rows(Z).T
    np.fill_diagonal(scores, -np.inf)
    hits = -np.sort(-np.take_along_axis(scores, others, 1), axis=1)[:, :-1]
    ranks = np.stack([np.sum(scores >= hit[:, None], axis=1) for hit in hits.T], axis=1)
    return np.asarray(np.mean(np.arange(1, size) / ranks, axis=1))
