"""A real few-shot task for claims: name the package of a docstring."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import frozen_docstrings
from codomain.encode import resolve


def docstring_packages(
    seed: int, n_train: int, n_test: int = 10
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Draw the same number of docstrings from every package that has at least 30.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_train, n_test : int
        Rows per package; together at most 30.

    Returns
    -------
    X, y, X_test, y_test : ndarray
        Vectors by wordllama's table and names of packages.
    """
    texts, packages = (np.array(frozen_docstrings()[column].to_pylist(), object) for column in ("text", "package"))
    names, counts = np.unique(packages, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [rng.permutation(np.flatnonzero(packages == name))[: n_train + n_test] for name in names[counts >= 30]]
    )
    train, test = drawn[:, :n_train].ravel(), drawn[:, n_train:].ravel()
    Z = resolve("static:wordllama").encode(list(texts[np.concatenate([train, test])]))
    return Z[: len(train)], packages[train].astype(str), Z[len(train) :], packages[test].astype(str)
