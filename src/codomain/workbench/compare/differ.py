"""Where two spaces of the same rows differ: row by row, and group by group."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import slices, unit_rows
from codomain.measure import shared_neighbors

_BLOCK = 512
_PIECE = 0.2  # share of a group that counts as a piece of it
_FEWEST = 10  # rows of a group below which its mean says little


@dataclass(frozen=True)
class GroupChange:
    """What became of one group of A in B.

    Parameters
    ----------
    id : int
        The group's number in A.
    name : str
        Its name.
    size : int
        Its rows among those compared.
    overlap : float
        Mean share of their nearest rows that they keep, 0 to 1.
    low, high : float
        Interval of that mean, 95 %, from the spread of the rows.
    fate : str
        "kept", "split", "merged" or "scattered".
    into : list of (str, float)
        Groups of B that hold at least a fifth of its rows, and their shares of it; "no group" among them.
    """

    id: int
    name: str
    size: int
    overlap: float
    low: float
    high: float
    fate: str
    into: list[tuple[str, float]]

    @property
    def says(self) -> str:
        """What happened, in words."""
        pieces = ", ".join(f"{share:.0%} in {name}" for name, share in self.into) or "no group has a fifth of it"
        rest = {"merged": ", among others", "scattered": ", the rest in smaller pieces" if self.into else ""}
        return f"{self.fate}: {pieces}{rest.get(self.fate, '')}"


@dataclass(frozen=True)
class RowChanges:
    """How far each row's neighbourhood changed.

    Parameters
    ----------
    overlap : ndarray of shape (n,)
        Share of its nearest rows in A that are its nearest rows in B, 0 to 1.
    drift : ndarray of shape (n,)
        How far its old neighbours went, the mean of both directions: 0 when they are as near as the new ones, 1 when
        they are as far as any row is.
    order : ndarray of shape (n,)
        Rows that differ most first: by overlap, then by drift.
    """

    overlap: NDArray[np.float64]
    drift: NDArray[np.float64]
    order: NDArray[np.int64]


def row_changes(A: NDArray[Any], B: NDArray[Any], lists_a: NDArray[Any], lists_b: NDArray[Any]) -> RowChanges:
    """Compare the nearest rows of every row.

    Parameters
    ----------
    A, B : ndarray of shape (n, d)
        The rows in both spaces.
    lists_a, lists_b : ndarray of int, shape (n, k)
        Their nearest rows.

    Returns
    -------
    RowChanges
        One entry a row.
    """
    overlap = shared_neighbors(lists_a, lists_b)
    drift = (_excess_distance(A, lists_a, lists_b) + _excess_distance(B, lists_b, lists_a)) / 2
    return RowChanges(overlap, drift, np.lexsort((-drift, overlap)))


def _excess_distance(X: NDArray[Any], own: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """How much farther than a row's own list another list is, where 1 is as far as any two rows are."""
    U = unit_rows(np.asarray(X, np.float32))
    total = U.sum(axis=0, dtype=np.float64)
    usual = float((total @ total - len(U)) / (len(U) * (len(U) - 1)))
    near, far = np.empty(len(U)), np.empty(len(U))
    for rows in slices(len(U), _BLOCK):
        for out, lists in ((near, own), (far, other)):
            out[rows] = np.einsum("ikd,id->ik", U[lists[rows]], U[rows]).mean(axis=1)
    return np.clip((near - far) / np.maximum(near - usual, 1e-6), 0, 2)


def group_changes(
    labels_a: NDArray[Any], labels_b: NDArray[Any], names_a: dict[int, str], names_b: dict[int, str],
    overlap: NDArray[Any],
) -> list[GroupChange]:  # fmt: skip
    """Say of every group of A how much of its neighbourhoods is left, and where its rows are in B.

    A group is "kept" when one group of B and it share more than half of the rows that either has; "split" when it has
    several pieces in groups of B; "merged" when most of it is in one group of B that is mostly others; else
    "scattered".

    Parameters
    ----------
    labels_a, labels_b : ndarray of int, shape (n,)
        Each row's group in either space, -1 for none.
    names_a, names_b : dict of int to str
        What the groups are called.
    overlap : ndarray of shape (n,)
        Share of nearest rows that each row keeps.

    Returns
    -------
    list of GroupChange
        Those with at least ten rows; surely changed ones first: by the upper end of the interval.
    """
    found = []
    sizes_b = np.bincount(labels_b + 1)
    for label in np.unique(labels_a[labels_a >= 0]):
        inside = labels_a == label
        size, shares = int(inside.sum()), overlap[inside]
        if size < _FEWEST:
            continue
        counts = np.bincount(labels_b[inside] + 1, minlength=len(sizes_b))
        pieces = [number for number in np.argsort(-counts, kind="stable") if counts[number] >= _PIECE * size]
        grouped = [number for number in pieces if number > 0]  # 0 stands for no group
        fate = "scattered"
        if grouped:
            best = grouped[0]
            union = size + sizes_b[best] - counts[best]
            fate = "kept" if counts[best] > 0.5 * union else "split" if len(grouped) > 1 else "merged"
            fate = "scattered" if fate == "merged" and counts[best] <= 0.5 * size else fate
        mean, wide = float(shares.mean()), float(1.96 * shares.std(ddof=1) / np.sqrt(size))
        found.append(GroupChange(
            int(label), names_a[int(label)], size, mean, max(mean - wide, 0.0), min(mean + wide, 1.0), fate,
            [(names_b[int(n) - 1] if n else "no group", float(counts[n] / size)) for n in pieces],
        ))  # fmt: skip
    return sorted(found, key=lambda change: change.high)
