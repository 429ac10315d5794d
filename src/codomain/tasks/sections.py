"""Name the section of Debian that a package is filed under, from what it is for."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import debian_descriptions
from codomain.encode import resolve

N_CHARACTERS = 300


@cache
def _pool() -> tuple[NDArray[Any], NDArray[Any]]:
    """Return texts and sections of one package of each source: others of it say nearly the same."""
    first: dict[str, tuple[str, str]] = {}
    for row in debian_descriptions().to_pylist():
        first.setdefault(row["source"], (row["text"][:N_CHARACTERS], row["section"]))
    texts, sections = zip(*first.values(), strict=True)
    return np.array(texts, object), np.array(sections)


def debian_sections(
    seed: int, n_train: int, n_test: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Draw the same number of packages, no two of one source, from each section that has so many.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_train, n_test : int
        Rows per section.

    Returns
    -------
    X, y, X_test, y_test : ndarray
        Vectors by wordllama's table and sections, such as games or python.
    """
    texts, sections = _pool()
    names, counts = np.unique(sections, return_counts=True)
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    drawn = np.array([rng.permutation(np.flatnonzero(sections == name))[:n] for name in names[counts >= n]])
    train, test = drawn[:, :n_train].ravel(), drawn[:, n_train:].ravel()
    Z = resolve("static:wordllama").encode(list(texts[np.concatenate([train, test])]))
    return Z[: len(train)], sections[train], Z[len(train) :], sections[test]
