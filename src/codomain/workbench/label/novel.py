"""Groups of rows that the labels have passed over: a new class, or a corner that nobody looked at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

CHANCE = 0.01  # that fair labels would miss a group by this much
SMALLEST = 5  # rows


@dataclass(frozen=True)
class NewGroup:
    """A group that is likely to be a class of its own.

    Parameters
    ----------
    group : int
        Its number.
    size, labelled : int
        Rows in it, and those of them that have a label.
    expected : float
        Labels that would be in it by chance.
    rejected : float
        Share of its rows that the head does not answer for, 0 to 1.
    rows : list of int
        The three rows nearest to its mean, without those that have a label.
    """

    group: int
    size: int
    labelled: int
    expected: float
    rejected: float
    rows: list[int]


def new_groups(X: Any, groups: NDArray[Any], fair: NDArray[Any], rejected: NDArray[np.bool_]) -> list[NewGroup]:
    """Find groups that hold fewer labels than chance allows and are rejected at least as often as the rest.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_dims)
        Vectors.
    groups : ndarray of shape (n_rows,)
        Group of each row; -1 is no group.
    fair : ndarray of int
        Rows with a label that were drawn at random.
    rejected : ndarray of shape (n_rows,), bool
        Rows that the head does not answer for.

    Returns
    -------
    list of NewGroup
        The largest first.
    """
    sizes = np.bincount(groups[groups >= 0])
    labelled = np.bincount(groups[fair][groups[fair] >= 0], minlength=len(sizes))
    share = np.bincount(groups[groups >= 0], weights=rejected[groups >= 0], minlength=len(sizes)) / np.maximum(sizes, 1)
    missed = binom.cdf(labelled, len(fair), sizes / len(groups)) < CHANCE
    found = []
    for group in np.flatnonzero(missed & (sizes >= SMALLEST) & (share >= rejected.mean()) & (share > 0)):
        members = np.flatnonzero(groups == group)
        free = members[~np.isin(members, fair)]
        vectors = np.asarray(X[free], dtype=np.float32)
        middle = free[np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")[:3]]
        expected = float(len(fair) * sizes[group] / len(groups))
        found.append(NewGroup(int(group), int(sizes[group]), int(labelled[group]), expected, float(share[group]),
                              middle.tolist()))  # fmt: skip
    return sorted(found, key=lambda one: (-one.size, one.group))
