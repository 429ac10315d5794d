"""Two spaces brought row to row: which rows are in both, found by their ids, and what was not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import codomain.space
from codomain.core import EncoderIdentity, Matrix, UserError
from codomain.space import Parts, Space

Rows = NDArray[np.int64]
Source = Space | Path | ArrayLike  # a space, the path of one or of a file of vectors, or an array


@dataclass(frozen=True)
class Side:
    """One of the two spaces.

    Parameters
    ----------
    name : str
        What people call it.
    vectors : array-like of shape (n, d)
        Memory-mapped or in memory.
    encoder : EncoderIdentity
        What made them.
    ids : list of str or None
        One a row, where it has ids.
    texts : callable or None
        From row numbers to their texts, where it has texts.
    parts : Parts
        Fresh parts of a study.
    """

    name: str
    vectors: Matrix
    encoder: EncoderIdentity
    ids: list[str] | None = None
    texts: Callable[[Rows], list[str]] | None = None
    parts: Parts = field(default_factory=lambda: Parts({}))


class Picked:
    """Some rows of an array, read only when they are asked for.

    Parameters
    ----------
    vectors : array-like of shape (n, d)
        The whole.
    rows : ndarray of int
        Which, in this order.
    """

    def __init__(self, vectors: Matrix, rows: Rows) -> None:
        self.vectors, self.rows = vectors, rows
        self.shape, self.dtype = (len(rows), vectors.shape[1]), vectors.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        return np.asarray(self.vectors[self.rows[key]])


@dataclass(frozen=True)
class Pairing:
    """Which row of A is which row of B.

    Parameters
    ----------
    rows_a, rows_b : ndarray of int
        Row i of one is row i of the other, in the order of A.
    by_id : bool
        Whether ids said so; else the row numbers did, and nobody has checked.
    only_a, only_b : int
        Rows that the other does not have.
    reordered : bool
        Whether the pairs stand in another order in B.
    """

    rows_a: Rows
    rows_b: Rows
    by_id: bool
    only_a: int
    only_b: int
    reordered: bool

    def __len__(self) -> int:
        return len(self.rows_a)

    def lines(self, a: str, b: str) -> list[str]:
        """Return what a person should know about it."""
        if not self.by_id:
            return [f"{len(self):,} rows paired by row number: without ids in both, nobody has checked that they match"]
        lines = [f"{len(self):,} rows paired by id"]
        lines += [f"{n:,} only in {name}" for n, name in ((self.only_a, a), (self.only_b, b)) if n]
        return lines + (["they stand in another order in B, which the ids put right"] if self.reordered else [])


def side(source: Source, name: str) -> Side:
    """Open one of the two: a space, a file of vectors, or an array.

    Parameters
    ----------
    source : Space, str, Path or array-like
        What a person gave.
    name : str
        What an array is called.

    Returns
    -------
    Side
        Without parts that are about rows of an earlier generation.
    """
    if isinstance(source, str | Path) and ((Path(source) / "HEAD").is_file() or not Path(source).is_file()):
        source = codomain.space.open(source)
    if isinstance(source, Space):
        return _of_space(source)
    if isinstance(source, str | Path):
        found = codomain.space.read(source)
        if found.vectors is None:
            raise UserError(f"{source} holds no vectors.", needed="a space, or a file of vectors",
                            todo=f"codomain study {source}")  # fmt: skip
        roles, table = found.roles, found.rows
        return Side(
            Path(source).name, found.vectors, EncoderIdentity.given(found.vectors.shape[1]),
            [str(value) for value in table[roles.id].to_pylist()] if roles.id else None,
            (lambda rows: _words(table[roles.text].take(rows))) if roles.text else None,
        )  # fmt: skip
    vectors = np.asarray(source)
    if vectors.ndim != 2:
        raise UserError(f"{name} has shape {vectors.shape}.", needed="two dimensions: rows and features")
    return Side(name, vectors, EncoderIdentity.given(vectors.shape[1]))


def _of_space(space: Space) -> Side:
    text = space.roles.text
    fresh = Parts({name: part for name, part in space.parts.items() if part.fresh}, space.path)
    return Side(
        space.path.name, space.vectors, space.encoder, [str(value) for value in space.ids.to_pylist()],
        (lambda rows: _words(space.take(rows, [text])[text])) if text else None, fresh,
    )  # fmt: skip


def _words(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]


def pair(A: Side, B: Side) -> Pairing:
    """Find the rows that both have.

    Parameters
    ----------
    A, B : Side
        The two spaces.

    Returns
    -------
    Pairing
        By id where both have ids, else by row number.

    Raises
    ------
    UserError
        When no id is in both, an id is there twice, or without ids the numbers of rows differ.
    """
    if A.ids is None or B.ids is None:
        n, other = A.vectors.shape[0], B.vectors.shape[0]
        if n != other:
            without = " and ".join(one.name for one in (A, B) if one.ids is None)
            raise UserError(
                f"{A.name} has {n:,} rows and {B.name} has {other:,}, and {without} came without ids.",
                needed="ids in both, or the same rows in the same order", todo="codomain study FILE --id COLUMN",
            )  # fmt: skip
        return Pairing(np.arange(n), np.arange(n), False, 0, 0, False)
    places = [_places(one) for one in (A, B)]
    both = [name for name in places[0] if name in places[1]]
    if not both:
        raise UserError(
            f"No id of {A.name} ({_first_few(A.ids)}) is an id of {B.name} ({_first_few(B.ids)}).",
            needed="the same items in both", todo="name the column that both share when you study them: --id COLUMN",
        )  # fmt: skip
    rows_a, rows_b = (np.array([place[name] for name in both], np.int64) for place in places)
    return Pairing(
        rows_a, rows_b, True, len(A.ids) - len(both), len(B.ids) - len(both), bool((np.diff(rows_b) < 0).any())
    )


def _places(one: Side) -> dict[str, int]:
    assert one.ids is not None
    places = {name: row for row, name in enumerate(one.ids)}
    if len(places) < len(one.ids):
        raise UserError(f"{one.name} has {len(one.ids) - len(places):,} ids more than once.", needed="one id a row")
    return places


def _first_few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (", ..." if len(ids) > 3 else "")
