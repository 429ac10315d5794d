"""Name the section of a Debian package by what each of MiniLM's layers says of its description."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from codomain.data import debian_descriptions
from codomain.tasks.text_layers import text_layers

N_ROWS, N_SECTIONS, N_CHARACTERS, N_TOKENS = 220, 20, 120, 20


@cache
def _pool() -> tuple[tuple[str, ...], NDArray[Any]]:
    """Return 220 descriptions of each of the 20 largest sections, one of a source, and the sections."""
    first: dict[str, tuple[str, str]] = {}
    for row in debian_descriptions().to_pylist():
        first.setdefault(row["source"], (row["text"][:N_CHARACTERS], row["section"]))
    texts, sections = (np.array(some, object) for some in zip(*first.values(), strict=True))
    names, counts = np.unique(sections, return_counts=True)
    rng = np.random.default_rng(0)
    largest = np.sort(names[np.argsort(-counts, kind="stable")[:N_SECTIONS]])
    rows = np.concatenate([rng.permutation(np.flatnonzero(sections == name))[:N_ROWS] for name in largest])
    return tuple(texts[rows]), sections[rows].astype(str)


def section_layers(
    seed: int, n_train: int, n_axes: int
) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    """Split the descriptions of 20 sections, 220 of each.

    Parameters
    ----------
    seed : int
        Seed of the split; the descriptions are always the same.
    n_train : int
        Rows of each section to train on; the rest are to test on.
    n_axes : int
        Principal axes of each layer's training rows that are kept.

    Returns
    -------
    train, test : pair of ndarray
        Means of the token states that leave each layer, (n_rows, 6, n_axes), and sections.
    """
    texts, y = _pool()
    layers = text_layers(texts, max_tokens=N_TOKENS)[1:]
    rng = np.random.default_rng(seed)
    order = np.array([rng.permutation(np.flatnonzero(y == name)) for name in np.unique(y)])
    train, test = order[:, :n_train].ravel(), order[:, n_train:].ravel()
    axes = [PCA(n_axes, random_state=0).fit(layer[train]) for layer in layers]
    X = np.stack([axis.transform(layer) for axis, layer in zip(axes, layers, strict=True)], axis=1)
    return (X[train], y[train]), (X[test], y[test])
