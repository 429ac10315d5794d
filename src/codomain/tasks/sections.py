"""Name the section of Debian that a package is filed under, from what it is for: rows for three test beds."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import debian_descriptions
from codomain.encode import resolve

N_CHARACTERS = 300


@cache
def one_of_each_source(n_characters: int, least: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return texts and sections of one package of each source, as others of it say nearly the same.

    Texts have `n_characters` at most, and those of fewer than `least` are left out.
    """
    first: dict[str, tuple[str, str]] = {}
    for row in debian_descriptions().to_pylist():
        if len(row["text"]) >= least:
            first.setdefault(row["source"], (row["text"][:n_characters], row["section"]))
    texts, sections = zip(*first.values(), strict=True)
    return np.array(texts, object), np.array(sections)


@cache
def largest_sections(
    n_sections: int, n_rows: int, n_characters: int, least: int = 0
) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return `n_rows` texts of each of the largest sections, always the same, and their sections."""
    texts, sections = one_of_each_source(n_characters, least)
    names, counts = np.unique(sections, return_counts=True)
    rng = np.random.default_rng(0)
    largest = np.sort(names[np.argsort(-counts, kind="stable")[:n_sections]])
    rows = np.concatenate([rng.permutation(np.flatnonzero(sections == name))[:n_rows] for name in largest])
    return tuple(texts[rows]), sections[rows]


def split_sections(y: NDArray[Any], seed: int, n_train: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on, `n_train` of each section, and the others; sections have equally many."""
    rng = np.random.default_rng(seed)
    order = np.array([rng.permutation(np.flatnonzero(y == name)) for name in np.unique(y)])
    return order[:, :n_train].ravel(), order[:, n_train:].ravel()


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
    texts, sections = one_of_each_source(N_CHARACTERS)
    names, counts = np.unique(sections, return_counts=True)
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    drawn = np.array([rng.permutation(np.flatnonzero(sections == name))[:n] for name in names[counts >= n]])
    train, test = drawn[:, :n_train].ravel(), drawn[:, n_train:].ravel()
    Z = resolve("static:wordllama").encode(list(texts[np.concatenate([train, test])]))
    return Z[: len(train)], sections[train], Z[len(train) :], sections[test]
