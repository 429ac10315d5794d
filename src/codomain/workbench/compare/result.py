"""What comparing two spaces found, and of every row and group how far it changed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import Neighbors, slices, unit_rows
from codomain.measure import Measures
from codomain.space import GroupsPart
from codomain.workbench.compare.differ import GroupChange, RowChanges, group_changes
from codomain.workbench.compare.join import Pairing, Side


@dataclass(frozen=True)
class Found:
    """What comparing two spaces found.

    Parameters
    ----------
    A, B : Side
        The two spaces.
    pairing : Pairing
        Which rows are in both.
    measures : Measures
        How alike they are, over all pairs.
    refused : dict of str to str
        Measures that these rows do not allow, and why.
    verdict, why : str
        The answer in plain words, and what it follows from.
    notes : list of str
        What a person should know about the pairs and the encoders.
    rows : ndarray of int
        Pairs that were compared row by row.
    lists : tuple of two ndarrays of shape (n_rows, 10)
        Their nearest rows in A and in B, as numbers among `rows`.
    changes : RowChanges
        How far each of them changed.
    random_state : int, default=0
        Seed of groups and maps that no study made.
    """

    A: Side
    B: Side
    pairing: Pairing
    measures: Measures
    refused: dict[str, str]
    verdict: str
    why: str
    notes: list[str]
    rows: NDArray[np.int64]
    lists: tuple[NDArray[Any], NDArray[Any]]
    changes: RowChanges
    random_state: int = 0

    @cached_property
    def ids(self) -> list[str]:
        """The compared rows' ids, or row numbers."""
        chosen = self.pairing.rows_a[self.rows].tolist()
        return [str(row) if self.A.ids is None else self.A.ids[row] for row in chosen]

    @cached_property
    def texts(self) -> list[str]:
        """Their texts, from whichever side has them; empty without."""
        for one, chosen in ((self.A, self.pairing.rows_a), (self.B, self.pairing.rows_b)):
            if one.texts:
                return one.texts(chosen[self.rows])
        return []

    def vectors(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the compared rows in both spaces."""
        sides = ((self.A, self.pairing.rows_a), (self.B, self.pairing.rows_b))
        one, two = (np.asarray(side_.vectors[chosen[self.rows]], np.float32) for side_, chosen in sides)
        return one, two

    @cached_property
    def groups(self) -> tuple[tuple[NDArray[Any], dict[int, str]], tuple[NDArray[Any], dict[int, str]]]:
        """Groups and their names in A and in B: those of a study where there is one, else found here."""
        X = self.vectors()
        sides = ((self.A, self.pairing.rows_a), (self.B, self.pairing.rows_b))
        one, two = (
            _groups(side_, chosen[self.rows], x, lists, self.texts, self.random_state)
            for (side_, chosen), x, lists in zip(sides, X, self.lists, strict=True)
        )
        return one, two

    @cached_property
    def group_changes(self) -> list[GroupChange]:
        """What became of every group of A, surely changed ones first."""
        (labels_a, names_a), (labels_b, names_b) = self.groups
        return group_changes(labels_a, labels_b, names_a, names_b, self.changes.overlap)

    def row(self, number: int) -> dict[str, Any]:
        """Return what is known of one compared row, with both its lists."""

        def name_rows(rows: NDArray[Any]) -> list[dict[str, str]]:
            return [{"id": self.ids[r]} | ({"text": self.texts[r]} if self.texts else {}) for r in rows.tolist()]

        return {
            "id": self.ids[number], **({"text": self.texts[number]} if self.texts else {}),
            "overlap": float(self.changes.overlap[number]), "drift": float(self.changes.drift[number]),
            "nearest_in_a": name_rows(self.lists[0][number]), "nearest_in_b": name_rows(self.lists[1][number]),
        }  # fmt: skip

    def to_dict(self, rows: int = 20) -> dict[str, Any]:
        """Return one record as JSON can hold it, with the rows that differ most."""
        return {
            "a": self.A.name, "b": self.B.name, "verdict": self.verdict, "why": self.why, "notes": self.notes,
            "pairs": len(self.pairing), "only_in_a": self.pairing.only_a, "only_in_b": self.pairing.only_b,
            "paired_by_id": self.pairing.by_id, "reordered": self.pairing.reordered,
            "measures": [measure.to_dict() for measure in self.measures], "refused": self.refused,
            "rows_compared": len(self.rows), "rows": [self.row(int(row)) for row in self.changes.order[:rows]],
            "groups": [vars(change) | {"says": change.says} for change in self.group_changes],
        }  # fmt: skip


def _groups(
    one: Side, chosen: NDArray[Any], X: NDArray[Any], lists: NDArray[Any], texts: list[str], seed: int
) -> tuple[NDArray[Any], dict[int, str]]:
    if part := one.parts.find(GroupsPart):
        return part.labels[chosen], {group["id"]: group["name"] for group in part.groups}
    from codomain.cluster import groups, name_groups

    found = groups(Neighbors(lists, _cosines(X, lists)), random_state=seed)
    names = name_groups(texts or None, found.labels, X=X)
    return found.labels, {number: name.name for number, name in enumerate(names)}


def _cosines(X: NDArray[Any], lists: NDArray[Any]) -> NDArray[np.float32]:
    U = unit_rows(X)
    return np.concatenate([np.einsum("ikd,id->ik", U[lists[rows]], U[rows]) for rows in slices(len(U), 512)])
