"""A real few-shot task for claims: name the package of a docstring."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@cache
def _texts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the docstrings and their packages; reading them takes seconds, so once."""
    from codomain.data import stdlib_docstrings

    table = stdlib_docstrings()
    return tuple(table["text"].to_pylist()), tuple(table["package"].to_pylist())


def docstring_packages(
    encoder: Any, seed: int, n_train: int, n_test: int = 10
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Draw the same number of docstrings from every package that has at least 30.

    Parameters
    ----------
    encoder : Encoder
        What makes vectors of texts.
    seed : int
        Seed of the draw.
    n_train, n_test : int
        Rows per package; together at most 30.

    Returns
    -------
    X, y, X_test, y_test : ndarray
        Vectors and names of packages.
    """
    texts, packages = (np.array(part, dtype=object) for part in _texts())
    names, counts = np.unique(packages, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [rng.permutation(np.flatnonzero(packages == name))[: n_train + n_test] for name in names[counts >= 30]]
    )
    train, test = drawn[:, :n_train].ravel(), drawn[:, n_train:].ravel()
    Z = encoder.encode(list(texts[np.concatenate([train, test])]))
    return Z[: len(train)], packages[train].astype(str), Z[len(train) :], packages[test].astype(str)
