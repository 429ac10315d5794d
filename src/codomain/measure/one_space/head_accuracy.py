"""How accurate a linear head trained on some features is on others."""

from typing import Any

from numpy.typing import ArrayLike


def head_accuracy(X: ArrayLike, y: ArrayLike, X_test: ArrayLike, y_test: ArrayLike) -> float:
    """Train a logistic regression on standardised features and return its accuracy on others.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Features to train on.
    y : array-like of shape (n_samples,)
        Their labels.
    X_test : array-like of shape (n_test, n_features)
        Features to test on, in the same coordinates.
    y_test : array-like of shape (n_test,)
        Their labels.

    Returns
    -------
    float
        Share of the test rows whose label is found, from 0 to 1.

    Examples
    --------
    >>> head_accuracy([[0.0], [1.0]], [0, 1], [[-1.0], [0.1], [2.0], [0.2]], [0, 0, 1, 1])
    0.75
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    head: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(head.fit(X, y).score(X_test, y_test))
