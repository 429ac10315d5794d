"""Classes that arrive in steps, and the head that each step trains as if it were the only one."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier


def class_steps(y: NDArray[Any], seed: int, sizes: list[int]) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of each step, the classes drawn into steps at random.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    seed : int
        Seed of the draw.
    sizes : list of int
        Number of classes in each step; the last step takes what is left.

    Yields
    ------
    ndarray of int
        Rows whose class arrives in this step, in random order.
    """
    rng = np.random.default_rng(seed)
    for names in np.split(rng.permutation(np.unique(y)), np.cumsum(sizes)[:-1]):
        yield rng.permutation(np.flatnonzero(np.isin(y, names)))


def fine_tune(
    X: NDArray[Any], y: NDArray[Any], steps: list[NDArray[np.intp]], seed: int, loss: str, *, n_stored: int = 0
) -> SGDClassifier:
    """Return a linear head that visits each step's rows 20 times and then only the rows that it stored.

    Parameters
    ----------
    X, y : ndarray
        Rows and labels of all steps.
    steps : list of ndarray of int
        Rows of each step.
    seed : int
        Seed of the descent.
    loss : str
        "log_loss" or "hinge".
    n_stored : int, default=0
        Rows of each class that are stored when its step ends; later steps visit them so often that all classes count
        equally.

    Returns
    -------
    SGDClassifier
        The head after the last step.
    """
    head = SGDClassifier(loss=loss, random_state=seed)
    rng = np.random.default_rng(seed)
    stored = np.zeros(0, np.intp)
    for rows in steps:
        names, counts = np.unique(y[rows], return_counts=True)
        often = round(counts.mean() / n_stored) if n_stored else 0
        seen = np.concatenate([rows, np.repeat(stored, often)])
        for _ in range(20):
            seen = rng.permutation(seen)
            head.partial_fit(X[seen], y[seen], classes=np.unique(y))
        stored = np.concatenate([stored, *(rows[y[rows] == name][:n_stored] for name in names)])
    return head
