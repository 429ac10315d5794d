"""Name the section of a Debian package by what each of MiniLM's layers says of its description."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from codomain.tasks.sections import largest_sections, split_sections
from codomain.tasks.text_layers import text_layers

N_ROWS, N_SECTIONS, N_CHARACTERS, N_TOKENS = 220, 20, 120, 20


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
    texts, y = largest_sections(N_SECTIONS, N_ROWS, N_CHARACTERS)
    layers = text_layers(texts, max_tokens=N_TOKENS)[1:]
    train, test = split_sections(y, seed, n_train)
    axes = [PCA(n_axes, random_state=0).fit(layer[train]) for layer in layers]
    X = np.stack([axis.transform(layer) for axis, layer in zip(axes, layers, strict=True)], axis=1)
    return (X[train], y[train]), (X[test], y[test])
