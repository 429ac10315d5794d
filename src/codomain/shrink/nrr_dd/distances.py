"""Train a head from a few rows and, for each row, two distances of a teacher's prediction from the label."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_array
from threadpoolctl import threadpool_limits

from codomain.core import Real, UserError


def halfway_rows(rows: NDArray[Any], n_classes: int) -> NDArray[Any]:
    """Average each row with one of the next class; rows come class after class, the averages in their order."""
    return (rows + np.roll(rows, -(len(rows) // n_classes), axis=0)) / 2


def distance_student(
    rows: ArrayLike, labels: ArrayLike, distances: ArrayLike, *, penalty: float = 0.01
) -> LogisticRegression:
    """Train a logistic head whose divergences from the labels match those of the teacher.

    It minimises the mean squared difference of all distances plus penalty times the squared weights, for rows scaled
    to an overall standard deviation of 1.

    Parameters
    ----------
    rows : array-like of shape (n_rows, n_features)
        `NRRDD.rows_`, in that order.
    labels : array-like of shape (n_rows,)
        `NRRDD.labels_`.
    distances : array-like of shape (n_rows, 2)
        `NRRDD.distances_`, in nats.
    penalty : float, default=0.01
        Weight of the size of the coefficients, above 0.

    Returns
    -------
    LogisticRegression
        A fitted head that takes rows in the unit of `rows`.

    Raises
    ------
    ValueError
        When there are not two distances a row, the labels do not come class after class, or penalty is not above 0.
    """
    Real(0, above=True).check("distance_student", "penalty", penalty)
    S: NDArray[Any] = check_array(rows, dtype=(np.float64, np.float32), input_name="rows")
    classes, which = np.unique(np.asarray(labels), return_inverse=True)
    targets = check_array(distances, dtype=np.float64, input_name="distances")
    n, K = len(S), len(classes)
    if K < 2 or not np.array_equal(which, np.repeat(np.arange(K), n // K)):
        raise UserError("These labels do not come class after class.", needed="NRRDD's rows_ and labels_ in its order")
    if targets.shape != (n, 2):
        raise UserError(
            f"distances of shape {targets.shape}.", needed=f"shape {(n, 2)}", todo="give NRRDD's distances_"
        )
    mean = S.mean(axis=0, dtype=np.float64)
    unit = (S - mean).std() or 1.0
    Z = (np.vstack([S, halfway_rows(S, K)]) - mean) / unit
    own, target = np.tile(np.eye(K)[which], (2, 1)), targets.T.ravel()

    def loss(flat: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        W = flat.reshape(K, -1)  # the last column is the intercept
        log_probabilities = log_softmax(Z @ W[:, :-1].T + W[:, -1], axis=1)
        gap = -(own * log_probabilities).sum(axis=1) - target
        slope = (2 / len(Z)) * gap[:, None] * (np.exp(log_probabilities) - own)
        grad = np.column_stack([slope.T @ Z + 2 * penalty * W[:, :-1], slope.sum(axis=0)])
        return float((gap**2).mean() + penalty * (W[:, :-1] ** 2).sum()), grad.ravel()

    with threadpool_limits(1, user_api="blas"):  # for systems this small, threads take longer to start than to work
        solved = minimize(loss, np.zeros(K * (S.shape[1] + 1)), jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    W = solved.x.reshape(K, -1)
    if K == 2:
        W = W[1:] - W[:1]
    head = LogisticRegression()
    head.classes_, head.n_features_in_ = classes, S.shape[1]
    head.coef_ = (W[:, :-1] / unit).astype(S.dtype)
    head.intercept_ = (W[:, -1] - W[:, :-1] @ mean / unit).astype(S.dtype)
    return head
