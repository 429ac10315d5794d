"""Entropic optimal transport by Sinkhorn's iterations, in the log domain."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp


def sinkhorn(
    scores: ArrayLike,
    *,
    rows: ArrayLike | None = None,
    columns: ArrayLike | None = None,
    temperature: float = 0.05,
    n_iter: int = 50,
) -> NDArray[Any]:
    r"""Return the plan that moves mass from rows to columns where scores are high.

    Maximises :math:`\langle P, S \rangle + \tau H(P)` subject to the given row and column sums.

    Parameters
    ----------
    scores : array-like of shape (n, m)
        Similarities, higher is closer; float32 stays float32.
    rows, columns : array-like of shape (n,) and (m,), optional
        Mass of each row and column, above 0, each adding up to 1; uniform when left out.
    temperature : float, default=0.05
        Weight of the entropy, in the unit of the scores: small gives hard plans.
    n_iter : int, default=50
        Iterations; each ends with the column sums, so these are exact and the row sums nearly so.

    Returns
    -------
    ndarray of shape (n, m)
        Shares of the whole mass, adding up to 1.
    """
    S = np.asarray(scores)
    S = S if S.dtype == np.float32 else S.astype(np.float64)
    n, m = S.shape
    log_rows = np.log(np.full(n, 1 / n) if rows is None else np.asarray(rows)).astype(S.dtype)
    log_columns = np.log(np.full(m, 1 / m) if columns is None else np.asarray(columns)).astype(S.dtype)
    logits = S / S.dtype.type(temperature)
    v = np.zeros(m, dtype=S.dtype)
    for _ in range(n_iter):
        u = log_rows - logsumexp(logits + v, axis=1)
        v = log_columns - logsumexp(logits + u[:, None], axis=0)
    return np.asarray(np.exp(logits + u[:, None] + v), dtype=S.dtype)
