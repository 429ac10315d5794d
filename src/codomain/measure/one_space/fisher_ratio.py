"""How far labelled classes stand apart."""

import numpy as np
from numpy.typing import ArrayLike


def fisher_ratio(X: ArrayLike, y: ArrayLike) -> float:
    """Return the spread between the classes' means over the spread inside the classes.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Labels, at least two different ones.

    Returns
    -------
    float
        Trace of the between-class scatter over the trace of the within-class scatter: 0 when all means agree,
        infinite when every class is a single point.

    Examples
    --------
    >>> fisher_ratio([[0.0], [2.0], [10.0], [12.0]], ["a", "a", "b", "b"])
    25.0
    """
    data = np.asarray(X, dtype=np.float64)
    names, which = np.unique(np.asarray(y), return_inverse=True)
    sizes = np.bincount(which)
    means = np.stack([data[which == label].mean(axis=0) for label in range(len(names))])
    between = float(sizes @ np.square(means - data.mean(axis=0)).sum(axis=1))
    within = float(np.square(data - means[which]).sum())
    return between / within if within else np.inf
