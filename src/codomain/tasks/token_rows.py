"""Name the package of a docstring by its first tokens."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import frozen_docstrings
from codomain.tasks.tokens import minilm_tokens

N_TOKENS, N_ROWS = 16, 40


@cache
def _pool() -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return 40 docstrings of each of ten packages, and the packages."""
    table = frozen_docstrings()
    texts, packages = (np.array(table[column].to_pylist(), object) for column in ("text", "package"))
    long = np.array([len(text) >= 150 for text in texts])  # 150 characters give at least 16 tokens
    names, counts = np.unique(packages[long], return_counts=True)
    rng = np.random.default_rng(0)
    largest = names[np.argsort(-counts, kind="stable")[:10]]
    rows = np.concatenate(
        [rng.permutation(np.flatnonzero(long & (packages == name)))[:N_ROWS] for name in np.sort(largest)]
    )
    return tuple(texts[rows]), packages[rows].astype(str)


def docstring_tokens(
    seed: int, n_train: int
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Split the docstrings of ten packages, 40 of each.

    Parameters
    ----------
    seed : int
        Seed of the split; the docstrings are always the same.
    n_train : int
        Rows of each package to train on; the rest are to test on.

    Returns
    -------
    train, test : pair of ndarray
        Tokens by MiniLM, of shape (n_rows, 16 * 384), and packages.
    """
    texts, y = _pool()
    X = minilm_tokens(texts, N_TOKENS)[0].reshape(len(texts), -1)
    rng = np.random.default_rng(seed)
    order = np.array([rng.permutation(np.flatnonzero(y == name)) for name in np.unique(y)])
    train, test = order[:, :n_train].ravel(), order[:, n_train:].ravel()
    return (X[train], y[train]), (X[test], y[test])
