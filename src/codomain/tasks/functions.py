"""Functions of Python's standard library to be found by what they do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit

from codomain.data import frozen_functions


def held_out_packages(seed: int, most: tuple[int, int]) -> list[tuple[list[str], list[str]]]:
    """Return sources and summaries of functions: those to learn from, then those of a held-out fifth of the packages.

    `most` is the number of functions drawn for each. No package is in both, so near copies are not either.
    """
    packages, summaries, sources = (column.to_pylist() for column in frozen_functions().columns)
    split = GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(sources, groups=packages)
    parts = []
    for rows, count in zip(next(split), most, strict=True):
        some = np.random.default_rng(seed).permutation(rows)[:count]
        parts.append(([sources[row] for row in some], [summaries[row] for row in some]))
    return parts


def reciprocal_ranks(queries: NDArray[Any], answers: NDArray[Any]) -> NDArray[np.float64]:
    """1 / rank of answer i for query i by inner product; an equal score counts as ahead."""
    scores = queries @ answers.T
    return np.asarray(1 / np.sum(scores >= np.diagonal(scores)[:, None], axis=1))
