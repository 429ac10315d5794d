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


def fine_tune(X: NDArray[Any], y: NDArray[Any], steps: list[NDArray[np.intp]], seed: int, loss: str) -> SGDClassifier:
    """Return a linear head that visits each step's rows 20 times and then never again.

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

    Returns
    -------
    SGDClassifier
        The head after the last step.
    """
    head = SGDClassifier(loss=loss, random_state=seed)
    for rows in steps:
        for _ in range(20):
            head.partial_fit(X[rows], y[rows], classes=np.unique(y))
    return head
