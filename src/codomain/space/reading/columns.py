"""Vectors inside a table: lists, numbers written as text, or one column for each dimension."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.space.checks import is_string, list_rows, no_column
from codomain.space.reading.vector_cells import is_number, parse, read_cells, why_not

_HINT = re.compile(r"(^|[^a-z])(emb|embed|embedding|embeddings|vec|vector|vectors|feature|features|dense)([^a-z]|$)")
_NAMED = re.compile(r"(^|[ _.-])(emb|embs|embedding|embeddings|vec|vecs|vector|vectors)$")
_NUMBERED = re.compile(r"^(.*?)[ _.\-]?(\d+)$")
_WIDE = 8  # lists and runs of columns narrower than this need a telling name


@dataclass
class Found:
    """Vectors in a table, the columns that they used up, what is wrong with them, and columns that only sound so."""

    vectors: NDArray[np.float32] | None = None
    columns: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)  # columns named like vectors, and why they are none
    not_text: set[str] = field(default_factory=set)  # columns that no one means as the text


def find_vectors(table: pa.Table, vector: str | None) -> Found:
    """Find the vectors among a table's columns.

    Parameters
    ----------
    table : Table
        What was read.
    vector : str or None
        Name of the column, or the common start of numbered columns.

    Returns
    -------
    Found
        Empty when there are none.
    """
    found = Found() if vector == "" else _find(table, vector, _runs(table))
    for name in set(table.column_names) - set(found.columns):
        column, named = table[name], bool(_NAMED.search(name.lower()))
        if is_number(column.type) or not (named or is_string(column.type)):
            continue
        vectors = _is_vector(column, name)
        if named and not vectors:
            found.unread[name] = why_not(column)
        if named or vectors:
            found.not_text.add(name)
    for name, why in sorted(found.unread.items()):
        found.notes.append(f"{name!r} is named like vectors and cannot be read as such: {why}")
    return found


def _find(table: pa.Table, vector: str | None, runs: dict[str, tuple[str, ...]]) -> Found:
    if vector is not None:
        if vector in table.column_names:
            return _from_column(table[vector], vector)
        if vector in runs:
            return _from_run(table, vector, runs[vector])
        return Found(problems=[f"--vector: {no_column(vector, table.column_names)}"])
    lists = [name for name in table.column_names if _is_vector(table[name], name)]
    wide = [name for name, columns in runs.items() if len(columns) >= _WIDE]
    both = lists + wide
    told = [name for name in both if _HINT.search(name.lower())]
    both = told or both
    if not both:
        return Found()
    if len(both) > 1:
        raise UserError(
            f"Several columns could be the vectors: {', '.join(map(repr, both))}.",
            needed="one of them",
            todo="name it: --vector NAME",
        )
    found = _from_column(table[both[0]], both[0]) if both[0] in lists else _from_run(table, both[0], runs[both[0]])
    found.notes[:0] = [f"vectors: {_what(found)}; another: --vector NAME"] if found.vectors is not None else []
    return found


def _what(found: Found) -> str:
    width = 0 if found.vectors is None else found.vectors.shape[1]
    first, last = found.columns[0], found.columns[-1]
    if first == last:
        return f"'{first}' (lists of {width} numbers)"
    return f"{width} columns from '{first}' to '{last}'"


def _runs(table: pa.Table) -> dict[str, tuple[str, ...]]:
    """Return columns of numbers, numbered without a gap from 0 or 1, by their common start."""
    groups: dict[str, dict[int, str]] = {}
    for name in table.column_names:
        match = _NUMBERED.match(name)
        if match and _holds_numbers(table[name]):
            groups.setdefault(match[1], {})[int(match[2])] = name
    runs = {}
    for start, columns in groups.items():
        order = sorted(columns)
        if len(order) > 1 and order[0] in (0, 1) and order[-1] - order[0] == len(order) - 1:
            runs[start] = tuple(columns[number] for number in order)
    return runs


def _holds_numbers(column: pa.ChunkedArray) -> bool:
    """Whether a column holds one number a row; text as well, for csv keeps 0.50 as it was typed."""
    if not is_string(column.type):
        return is_number(column.type)
    rows = [parse(text) for text in column.slice(0, 20).drop_null().to_pylist()]
    return bool(rows) and all(row is not None and len(row) == 1 for row in rows)


def _is_vector(column: pa.ChunkedArray, name: str) -> bool:
    kind, told = column.type, bool(_HINT.search(name.lower()))
    sample = column.slice(0, 1000).drop_null()
    if not len(sample) or is_number(kind):
        return False
    if is_string(kind):
        parsed = [row for text in sample.slice(0, 20).to_pylist() if (row := parse(text)) is not None]
        parsed = [row for row in parsed if len(row) != 1]  # one number is a number
        enough = 2 * len(parsed) > min(20, len(sample))
        return enough and (told or all(len(row) >= _WIDE for row in parsed))
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not told and not (listed and is_number(kind.value_type)):
        return False  # structs, bytes and lists of lists need a telling name
    cells = read_cells(sample)
    if isinstance(cells, str):
        return False
    widths = cells.widths[cells.widths >= 0]
    # Mostly one width: vectors, some of them perhaps broken. Many widths: lists of something else.
    return told or (len(widths) > 0 and bool(np.mean(widths == max(_WIDE, np.median(widths))) > 0.5))


def _from_run(table: pa.Table, name: str, columns: Sequence[str]) -> Found:
    out = np.empty((table.num_rows, len(columns)), np.float32)
    with np.errstate(over="ignore"):
        for at, column in enumerate(columns):
            try:
                out[:, at] = table[column].cast(pa.float64()).to_numpy()
            except pa.ArrowInvalid as error:
                return Found(problems=[f"the numbers in {column!r}: {error}"], columns=tuple(columns))
    return Found(out, tuple(columns))


def _from_column(column: pa.ChunkedArray, name: str) -> Found:
    cells = read_cells(column)
    if isinstance(cells, str):
        return Found(problems=[f"the vector column {name!r} cannot be read: {cells}"])
    widths, problems = cells.widths, []
    odd = np.flatnonzero(widths == -2)
    if len(odd):
        why = why_not(column.slice(int(odd[0]), 1))
        problems.append(f"{list_rows(odd)}: {name!r} is no list of numbers there: {why}")
    found, counts = np.unique(widths[widths > 0], return_counts=True)
    if not len(found):
        return Found(problems=[*problems, f"the column {name!r} holds no vectors"], columns=(name,))
    width = int(found[np.argmax(counts)])
    mixed = np.flatnonzero((widths >= 0) & (widths != width))
    if len(mixed):
        problems.append(
            f"{list_rows(mixed)}: the vector in {name!r} is {', '.join(str(w) for w in np.unique(widths[mixed])[:5])} "
            f"wide and most are {width}: one encoder makes one width, so encode these rows again or drop them"
        )
    if problems:
        return Found(problems=problems, columns=(name,))
    out = np.full((len(column), width), np.nan, np.float32)  # a row without a vector stays NaN, and is named so
    start = 0
    for lengths, values in cells.pieces:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity, and is named so
            out[start : start + len(lengths)][lengths == width] = values.reshape(-1, width)
        start += len(lengths)
    return Found(out, (name,), notes=cells.notes)
