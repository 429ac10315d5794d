"""What can be wrong with rows and vectors, all of it said at once."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.core.maths.blocks import slices

STUDY_FLOOR = 3  # rows: the fewest with which a row has two neighbours to choose between


def list_rows(rows: Iterable[Any]) -> str:
    """Return the first five of a list of rows, and how many there are."""
    rows = list(rows)
    head = ", ".join(str(row) for row in rows[:5])
    return f"{'row' if len(rows) == 1 else 'rows'} {head}" + (f" and {len(rows) - 5:,} more" if len(rows) > 5 else "")


def nearest(name: str, names: Iterable[str]) -> str:
    """Return '; did you mean ...?' for the nearest spelling, or nothing."""
    lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), list(lower), 1)
    return f"; did you mean {lower[close[0]]!r}?" if close else ""


def no_column(name: str, names: Sequence[str]) -> str:
    """Return the sentence for a column that is not there."""
    return f"there is no column {name!r}; the columns are {', '.join(map(repr, names))}{nearest(name, names)}"


def refuse(what: str, problems: Sequence[str]) -> None:
    """Raise one error that lists every problem, or do nothing when there is none.

    Raises
    ------
    UserError
        With one line a problem.
    """
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise UserError(
            f"{what} cannot be used as it is: {count} (rows count from 0).\n"
            + "\n".join(f"- {line}" for line in problems),
            todo="mend what is listed and type the command again; nothing has been written",
        )


def vector_problems(vectors: Any, rows: int | None = None, *, zeros: bool = True) -> list[str]:
    """Say what is wrong with vectors.

    Parameters
    ----------
    vectors : array-like of shape (n, d) with shape, dtype and slicing
        Read block by block.
    rows : int or None, default=None
        How many rows they must match.
    zeros : bool, default=True
        Whether vectors of zeros count as wrong.

    Returns
    -------
    list of str
        One sentence a problem.
    """
    shape, kind = tuple(vectors.shape), np.dtype(vectors.dtype)
    if kind.kind not in "fiu":
        return [f"the vectors are of type {kind}, not numbers: save them as float32 (X.astype('float32'))"]
    if len(shape) != 2:
        todo = "X.reshape(len(X), -1) makes one row each" if len(shape) > 2 else "one row for each vector is needed"
        return [f"the vectors have shape {shape} where (rows, width) is needed: {todo}"]
    problems = []
    if rows is not None and shape[0] != rows:
        problems.append(f"there are {shape[0]:,} vectors and {rows:,} rows: give both in the same order and length")
    if 0 in shape:
        return [*problems, f"the vectors have shape {shape}: at least one row and one column are needed"]
    broken, zero = bad_rows(vectors)
    if len(broken):
        problems.append(
            f"{list_rows(broken)}: the vector has NaN, infinity or no value: encode them again or drop them"
        )
    if zeros and len(zero):
        problems.append(f"{list_rows(zero)}: the vector is all zeros, so it points nowhere: drop them (--drop-empty)")
    return problems


def bad_rows(vectors: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows with something that is no finite float32, and rows of zeros, as two integer arrays."""
    broken, zero = [], []
    step = max(1, 2**21 // max(1, vectors.shape[1]))
    for rows in slices(vectors.shape[0], step):
        with np.errstate(over="ignore", invalid="ignore"):
            block = np.asarray(vectors[rows]).astype(np.float32, copy=False)
            squares = np.einsum("ij,ij->i", block, block)
        # The sum of squares finds the suspects in one pass; only they are looked at entry by entry.
        suspects = np.flatnonzero(~np.isfinite(squares))
        broken.append(rows.start + suspects[~np.isfinite(block[suspects]).all(axis=1)])
        suspects = np.flatnonzero(squares == 0)
        zero.append(rows.start + suspects[~block[suspects].any(axis=1)])
    return np.concatenate(broken), np.concatenate(zero)


def id_problems(ids: pa.ChunkedArray, name: str, there: pa.ChunkedArray | None = None) -> list[str]:
    """Say what is wrong with a column of ids: its type, blanks, duplicates, also of ids that are `there` already."""
    if not (pa.types.is_integer(ids.type) or is_string(ids.type)):
        return [f"the id column {name!r} is of type {ids.type}: ids are whole numbers or strings; take another (--id)"]
    problems = []
    blank = blank_rows(ids)
    if len(blank):
        problems.append(f"{list_rows(blank)}: the id in {name!r} is blank: fill it in, or use row numbers (--id '')")
    old = 0 if there is None else len(there)
    both = ids if there is None else pa.chunked_array([*there.chunks, *ids.chunks])
    codes = both.combine_chunks().dictionary_encode()
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    numbers = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    first = np.zeros(len(numbers), bool)
    first[np.unique(numbers, return_index=True)[1]] = True
    again = np.setdiff1d(np.flatnonzero(~first[old:]), blank)
    if len(again):
        names = ", ".join(repr(ids[int(row)].as_py()) for row in again[:5])
        problems.append(
            f"{list_rows(again)}: the id in {name!r} is there already ({names}): "
            "make ids unique, take another column (--id NAME) or use row numbers (--id '')"
        )
    return problems


def blank_rows(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return rows that are null or, for strings, hold nothing but spaces."""
    blank = pc.is_null(column)
    if is_string(column.type):
        blank = pc.or_(blank, pc.equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), ""))
    return np.flatnonzero(blank.to_numpy(zero_copy_only=False) if isinstance(blank, pa.Array) else blank.to_numpy())


def study_problems(vectors: Any) -> list[str]:
    """Say why vectors of shape (n, d) cannot be studied, though they can be stored.

    Returns
    -------
    list of str
        Empty when they can: a study needs 3 rows that are not all the same.
    """
    if len(vectors) < STUDY_FLOOR:
        there = f"there {'is 1 row' if len(vectors) == 1 else f'are {len(vectors)} rows'}"
        return [f"{there}: a study needs at least {STUDY_FLOOR}, so that a row has neighbours to compare"]
    first = np.asarray(vectors[0:1])
    blocks = (np.asarray(vectors[rows]) for rows in slices(len(vectors), 65_536))
    if all(np.array_equal(block, np.broadcast_to(first, block.shape)) for block in blocks):
        return [f"all {len(vectors):,} vectors are the same: there is nothing to tell apart; check how they were made"]
    return []


def is_string(kind: pa.DataType) -> bool:
    """Whether a column type is text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
