"""Name the section of a Debian package by the first tokens of its description."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import debian_descriptions
from codomain.tasks.tokens import minilm_tokens

N_TOKENS, N_ROWS, N_SECTIONS, N_CHARACTERS = 16, 130, 10, 200


@cache
def _pool() -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return 130 descriptions of each of the ten largest sections, one of a source, and the sections."""
    first: dict[str, tuple[str, str]] = {}
    for row in debian_descriptions().to_pylist():
        if len(row["text"]) >= 150:  # 150 characters give at least 16 tokens
            first.setdefault(row["source"], (row["text"][:N_CHARACTERS], row["section"]))
    texts, sections = (np.array(some, object) for some in zip(*first.values(), strict=True))
    names, counts = np.unique(sections, return_counts=True)
    rng = np.random.default_rng(0)
    largest = np.sort(names[np.argsort(-counts, kind="stable")[:N_SECTIONS]])
    rows = np.concatenate([rng.permutation(np.flatnonzero(sections == name))[:N_ROWS] for name in largest])
    return tuple(texts[rows]), sections[rows].astype(str)


def section_tokens(
    seed: int, n_train: int
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Split the descriptions of ten sections, 130 of each.

    Parameters
    ----------
    seed : int
        Seed of the split; the descriptions are always the same.
    n_train : int
        Rows of each section to train on; the rest are to test on.

    Returns
    -------
    train, test : pair of ndarray
        Tokens by MiniLM, of shape (n_rows, 16, 384), and sections.
    """
    texts, y = _pool()
    X = minilm_tokens(texts, N_TOKENS)[0].reshape(len(texts), N_TOKENS, -1)
    rng = np.random.default_rng(seed)
    order = np.array([rng.permutation(np.flatnonzero(y == name)) for name in np.unique(y)])
    train, test = order[:, :n_train].ravel(), order[:, n_train:].ravel()
    return (X[train], y[train]), (X[test], y[test])
