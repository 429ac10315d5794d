"""A real few-shot task for claims: name the package of a docstring."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import frozen_docstrings
from codomain.encode import resolve


def docstring_packages(
    seed: int, n_train: int, n_test: int | None = 10
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Draw docstrings from every package that has at least 30, the same number of each to train on.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_train : int
        Rows per package to train on.
    n_test : int or None, default=10
        Rows per package to test on, together at most 30; None for all that are left.

    Returns
    -------
    X, y, X_test, y_test : ndarray
        Vectors by wordllama's table and names of packages.
    """
    texts, packages = (np.array(frozen_docstrings()[column].to_pylist(), object) for column in ("text", "package"))
    names, counts = np.unique(packages, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(np.flatnonzero(packages == name)) for name in names[counts >= 30]]
    train = np.concatenate([rows[:n_train] for rows in drawn])
    test = np.concatenate([rows[n_train:][:n_test] for rows in drawn])
    Z = resolve("static:wordllama").encode(list(texts[np.concatenate([train, test])]))
    return Z[: len(train)], packages[train].astype(str), Z[len(train) :], packages[test].astype(str)
