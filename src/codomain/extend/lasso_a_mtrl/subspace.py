"""Linear tasks that share a subspace: learning it, and drawing rows from the tasks that a target needs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Task = tuple[NDArray[Any], NDArray[Any]]
_SWEEPS = 10  # of alternating least squares


def ridge(X: NDArray[Any], y: NDArray[Any], penalty: float) -> NDArray[Any]:
    """Return coefficients of y on X; the penalty is in units of the mean squared length of a column."""
    return _solve(X.T @ X, X.T @ y, penalty)


def _solve(squares: NDArray[Any], products: NDArray[Any], penalty: float) -> NDArray[Any]:
    """Solve normal equations (..., d, d) and (..., d); the penalty is in units of the mean of their diagonal."""
    d = squares.shape[-1]
    lift = penalty * (np.trace(squares, axis1=-2, axis2=-1) / d + 1e-12)  # 1e-12 is for tasks without any spread
    lifted = squares + lift[..., None, None] * np.eye(d)
    return np.asarray(np.linalg.solve(lifted, products[..., None])[..., 0])


def shared_subspace(tasks: Sequence[Task], width: int) -> NDArray[Any]:
    """Return an orthonormal basis (n_features, width) in which all tasks are linear, by alternating least squares."""
    squares, products = np.stack([X.T @ X for X, _ in tasks]), np.stack([X.T @ y for X, y in tasks])
    n_tasks, d = products.shape
    # Start from separate solutions, weighted by the root of their rows.
    separate = _solve(squares, products, 0.1) * np.sqrt([[len(X)] for X, _ in tasks])
    basis = np.linalg.svd(separate.T, full_matrices=True)[0][:, :width]
    with threadpool_limits(1, user_api="blas"):  # for systems this small more threads cost more than the work
        for _ in range(_SWEEPS):
            heads = _solve(basis.T @ squares @ basis, products @ basis, 1e-6)
            pairs = (heads[:, :, None] * heads[:, None]).reshape(n_tasks, -1)
            left = (squares.reshape(n_tasks, -1).T @ pairs).reshape(d, d, width, width).transpose(0, 2, 1, 3)
            right = (products.T @ heads).ravel()
            found = _solve(left.reshape(d * width, d * width), right, 1e-6)
            basis = np.linalg.qr(found.reshape(d, width))[0]
    return np.asarray(basis)


def centre(task: Task) -> Task:
    """Subtract the means from rows and answers."""
    X, y = task
    return X - X.mean(axis=0), y - y.mean()


def draw_in_rounds(
    target: Task, sources: Sequence[Task], shares_of: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]], *,
    width: int, budget: int, least: int, burn_in: int, rounds: int, rng: np.random.RandomState,
    known: NDArray[Any] | None = None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:  # fmt: skip
    """Draw source rows in rounds, each as large as all before, by shares computed from the heads found so far.

    Parameters
    ----------
    target : pair of ndarray
        Centred rows and answers.
    sources : sequence of pair of ndarray
        Rows and answers that may be drawn from, not centred.
    shares_of : callable
        Maps source heads (width, n_sources) and the target's head (width,) to the share of each source.
    width, budget, least, burn_in, rounds : int
        Dimensions of the subspace, rows to draw in all, rows of every source at least, rounds that draw evenly, and
        rounds in all.
    rng : RandomState
        Draws the rows.
    known : ndarray of shape (n_sources,), default=None
        Shares of all rounds; None lets `shares_of` find them.

    Returns
    -------
    basis, shares, counts : ndarray
        Subspace, the last shares, and rows drawn from each source.
    """
    orders = [rng.permutation(len(y)) for _, y in sources]
    shares = np.full(len(sources), 1 / len(sources)) if known is None else known
    counts = np.full(len(sources), least)
    for past in range(rounds):
        spend = budget / 2 ** (rounds - 1) * (2 ** (past - 1) if past else 1)
        spend = spend if past else max(spend - counts.sum(), 0)  # the least of every source is part of the budget
        more = np.round(spend * shares).astype(np.int64)
        counts = np.minimum(counts + more, [len(order) for order in orders])
        drawn = [centre((X[o[:n]], y[o[:n]])) for (X, y), o, n in zip(sources, orders, counts, strict=True)]
        basis = shared_subspace(drawn, width)
        if known is None and past + 1 >= burn_in:
            heads = np.stack([ridge(X @ basis, y, 1e-6) for X, y in drawn], axis=1)
            shares = shares_of(heads, ridge(target[0] @ basis, target[1], 1e-6))
    return basis, shares, counts
