"""Which rows a plain head labels rightly: scores by row, for claims."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from codomain.core import unit_rows
from codomain.core.maths.top import exact_top


def head_hits(X: ArrayLike, y: ArrayLike, Q: ArrayLike, truth: ArrayLike) -> NDArray[np.bool_]:
    """Train a logistic regression on standardised X, (n, d), and return whether it labels each row of Q, (n_test,)."""
    head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(np.asarray(X), np.asarray(y))
    return np.asarray(head.predict(np.asarray(Q)) == np.asarray(truth))


def nearest_hits(X: ArrayLike, y: ArrayLike, Q: ArrayLike, truth: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each row of Q, (n_test, d), has the label of its nearest row of X by cosine, (n_test,)."""
    base, rows = (unit_rows(np.asarray(one, dtype=np.float32)) for one in (X, Q))
    nearest = exact_top(base, rows, 1, own=np.full(len(rows), -1))[1][:, 0]
    return np.asarray(np.asarray(y)[nearest] == np.asarray(truth))


def majority_share(truth: ArrayLike) -> float:
    """Return the share of the commonest label: what always saying it scores."""
    return float(np.unique(np.asarray(truth), return_counts=True)[1].max() / len(np.asarray(truth)))
