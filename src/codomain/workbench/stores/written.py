"""What a store must do, and the check of what it holds before that is put in place."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codomain.core import UserError, unit_rows
from codomain.space import Space
from codomain.workbench.stores.outgoing import BLOCK, Outgoing

SAMPLE, LISTED = 20, 10  # rows that are looked for after an export, and how many neighbours of each
Vectors = NDArray[np.float32]


class Written(NamedTuple):
    """Rows that a store holds, before they are put in place.

    Attributes
    ----------
    total : int
        How many, as the store counts them.
    nearest : callable
        Takes vectors of shape (m, dim) and k; returns for each the ids of the k rows that the store finds nearest.
    """

    total: int
    nearest: Callable[[Vectors, int], list[list[Any]]]


class Store(Protocol):
    """A place that a space can be exported to."""

    @property
    def shown(self) -> str:
        """Its address without a password."""

    def fill(self, rows: Outgoing, *, force: bool) -> AbstractContextManager[Written]:
        """Write the rows aside. They are put in place when the block ends without an error, otherwise removed.

        Raises
        ------
        UserError
            When something is there and `force` is false, or the store refuses.
        """


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    to : str
        The address, without a password.
    rows : int
        Rows written, as the store counts them.
    dim : int
        Width of the vectors.
    recall : float or None
        Share, 0 to 1, of the exact nearest rows that the store finds; None where there are too few rows to ask.
    asked : int
        Rows whose nearest were asked for.
    """

    to: str
    rows: int
    dim: int
    recall: float | None
    asked: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)

    def __str__(self) -> str:
        head = f"{self.to}: {self.rows:,} rows x {self.dim}"
        return head if self.recall is None else f"{head}\nrecall of the store on {self.asked} rows: {self.recall:.3f}"


def write_to(store: Store, space: Space, *, force: bool) -> Exported:
    """Write a space into a store, check it there, and put it in place.

    Parameters
    ----------
    store : Store
        Where to.
    space : Space
        A studied space.
    force : bool
        Whether what is there already is replaced.

    Returns
    -------
    Exported
        What was written, and how well the store finds it again.

    Raises
    ------
    UserError
        When the store refuses, or does not hold as many rows as were written.
    """
    rows = Outgoing(space)
    with store.fill(rows, force=force) as new:
        if new.total != len(space):
            raise UserError(
                f"{store.shown} holds {new.total:,} rows after {len(space):,} were written. They were removed again.",
                todo="type the command again",
            )
        recall, asked = recall_of(new, space)
    return Exported(store.shown, new.total, rows.dim, recall, asked)


def recall_of(new: Written, space: Space) -> tuple[float | None, int]:
    """Return the share of exact nearest neighbours that a store finds, and for how many rows it was asked.

    A row is not its own neighbour. A row as near as the last exact neighbour, within rounding, is as good as that one.
    """
    lengths = np.concatenate([np.abs(block).max(axis=1) for _, block in space.vectors.blocks(BLOCK)])
    some = np.random.default_rng(0).permutation(np.flatnonzero(lengths))[:SAMPLE]
    k = min(LISTED, len(space) - 1)
    if not k or not len(some):
        return None, 0
    Q = unit_rows(space.vectors[some])
    best = np.full((len(some), k), -np.inf, np.float32)
    for start, block in space.vectors.blocks(BLOCK):
        scores = Q @ unit_rows(block).T
        own = (some >= start) & (some < start + len(block))
        scores[own, some[own] - start] = -np.inf
        best = np.sort(np.concatenate([best, scores], axis=1), axis=1)[:, -k:]
    found = [_rows_of(ids, space.ids) for ids in new.nearest(Q, k + 1)]
    rounding = 4 * (space.shape[1] + 8) * 2.0**-24
    hits = [
        np.count_nonzero(unit_rows(space.vectors[near]) @ q >= least - rounding)
        for q, own, least, rows in zip(Q, some, best[:, 0], found, strict=True)
        for near in [rows[rows != own][:k]]
    ]
    return float(np.sum(hits) / (k * len(some))), len(some)


def _rows_of(ids: list[Any], all_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the distinct rows that have these ids, in the order given; ids that no row has are left out."""
    wanted = pa.array(list(dict.fromkeys(ids)), all_ids.type)
    rows = pc.index_in(wanted, value_set=all_ids.combine_chunks()).drop_null()
    return rows.to_numpy().astype(np.int64)


def refusal(shown: str, kind: str) -> UserError:
    """Return the refusal to write over what is there."""
    return UserError(f"{shown} is there already.", needed=f"another {kind}", todo="add --force to replace it")
