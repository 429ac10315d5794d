"""Vectors inside a table: lists, numbers written as text, or one column for each dimension."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.space.checks import is_string, no_column, some

_HINT = re.compile(r"(^|[^a-z])(emb|embed|embedding|embeddings|vec|vector|vectors|feature|features|dense)([^a-z]|$)")
_NUMBERED = re.compile(r"^(.*?)[ _.\-]?(\d+)$")
_WIDE = 8  # lists and runs of columns narrower than this need a telling name


@dataclass
class Found:
    """Vectors in a table, the columns that they used up, and what is wrong with them."""

    vectors: NDArray[np.float32] | None = None
    columns: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


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
    runs = _runs(table)
    if vector == "":
        return Found()
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
    """Return numeric columns numbered without a gap from 0 or 1, by their common start."""
    groups: dict[str, dict[int, str]] = {}
    for name in table.column_names:
        match = _NUMBERED.match(name)
        if match and _is_number(table.schema.field(name).type):
            groups.setdefault(match[1], {})[int(match[2])] = name
    runs = {}
    for start, columns in groups.items():
        order = sorted(columns)
        if len(order) > 1 and order[0] in (0, 1) and order[-1] - order[0] == len(order) - 1:
            runs[start] = tuple(columns[number] for number in order)
    return runs


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _is_list(kind: pa.DataType) -> bool:
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return listed and _is_number(kind.value_type)


def _is_vector(column: pa.ChunkedArray, name: str) -> bool:
    told = bool(_HINT.search(name.lower()))
    if _is_list(column.type):
        widths = pc.list_value_length(column.slice(0, 1000)).drop_null().to_numpy()
        # Mostly one width: vectors, some of them perhaps broken. Many widths: lists of something else.
        return told or (len(widths) > 0 and bool(np.mean(widths == max(_WIDE, np.median(widths))) > 0.5))
    if not is_string(column.type):
        return False
    sample = [parsed for text in column.drop_null().slice(0, 20).to_pylist() if (parsed := _parse(text)) is not None]
    wanted = min(20, len(column.drop_null()))
    return bool(sample) and 2 * len(sample) > wanted and (told or all(len(row) >= _WIDE for row in sample))


def _parse(text: str | None) -> NDArray[np.float64] | None:
    """Return the numbers of '[0.1, 0.2]' or of numpy's '[0.1 0.2]', or None."""
    text = (text or "").strip()
    words = text.lstrip("[(").rstrip("])").replace(",", " ").split()
    try:
        return np.array([float(word) for word in words]) if text else None
    except ValueError:
        return None


def _from_run(table: pa.Table, name: str, columns: Sequence[str]) -> Found:
    out = np.empty((table.num_rows, len(columns)), np.float32)
    with np.errstate(over="ignore"):
        for at, column in enumerate(columns):
            out[:, at] = table[column].to_numpy()
    return Found(out, tuple(columns))


def _from_column(column: pa.ChunkedArray, name: str) -> Found:
    if _is_list(column.type):
        pieces = [_lists(chunk) for chunk in column.chunks]
    elif is_string(column.type):
        pieces = [_strings(column.slice(start, 4096)) for start in range(0, len(column), 4096)]
    else:
        kind = column.type
        return Found(problems=[f"the vector column {name!r} is of type {kind}: lists of numbers are needed"])
    widths = np.concatenate([piece[0] for piece in pieces] or [np.empty(0, np.int64)])
    problems = []
    odd = np.flatnonzero(widths == -2)
    if len(odd):
        problems.append(f"{some(odd)}: {name!r} is no list of numbers there; write it as [0.1, 0.2, ...]")
    found, counts = np.unique(widths[widths > 0], return_counts=True)
    if not len(found):
        return Found(problems=[*problems, f"the column {name!r} holds no vectors"], columns=(name,))
    width = int(found[np.argmax(counts)])
    mixed = np.flatnonzero((widths >= 0) & (widths != width))
    if len(mixed):
        problems.append(
            f"{some(mixed)}: the vector in {name!r} is {', '.join(str(w) for w in np.unique(widths[mixed])[:5])} wide "
            f"and most are {width}: one encoder makes one width, so encode these rows again or drop them"
        )
    if problems:
        return Found(problems=problems, columns=(name,))
    out = np.full((len(column), width), np.nan, np.float32)  # a row without a vector stays NaN, and is named so
    start = 0
    for lengths, values in pieces:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity, and is named so
            out[start : start + len(lengths)][lengths == width] = values.reshape(-1, width)
        start += len(lengths)
    return Found(out, (name,))


def _lists(chunk: Any) -> tuple[NDArray[np.int64], NDArray[Any]]:
    lengths = pc.list_value_length(chunk).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    # flatten() leaves out the values under null lists, which .values would keep.
    return lengths, chunk.flatten().to_numpy(zero_copy_only=False)


def _strings(part: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Parse a few thousand strings in C; only when one of them is odd, one by one."""
    plain = pc.utf8_trim(part, "[]() \t\r\n")
    words = pc.split_pattern_regex(plain, r"[,\s]+")
    words = words.combine_chunks()
    words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    try:
        values = words.flatten().cast(pa.float32()).to_numpy(zero_copy_only=False)
        return pc.list_value_length(words).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), values
    except pa.ArrowInvalid:
        texts = part.to_pylist()
        rows = [_parse(text) for text in texts]
        blank = [text is None or not text.strip() for text in texts]
        lengths = [-1 if empty else -2 if row is None else len(row) for row, empty in zip(rows, blank, strict=True)]
        kept = [row for row in rows if row is not None]
        return np.array(lengths, np.int64), np.concatenate(kept) if kept else np.empty(0)
