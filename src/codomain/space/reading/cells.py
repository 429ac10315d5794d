"""Cells of text that are numbers: a column becomes numbers only when every cell comes back as it was typed."""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codomain.space.kinds import TYPED

_SAMPLE = 1000  # most columns are settled by their first rows


def convert_strings(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str]:
    """Turn a column of strings into whole numbers, numbers or booleans when nothing is lost by it.

    `007`, `1.10`, `1e3`, `+1`, `1_000`, `NaN` and whole numbers beyond 64 bits are names as well as numbers, so one of
    them keeps the whole column text. Numbers are spelled one way throughout, as Python prints them (2.0) or in the
    shortest way (2).

    Parameters
    ----------
    column : ChunkedArray of strings
        Null where a cell is blank.

    Returns
    -------
    tuple of (ChunkedArray, str)
        The column; how its floats were spelled, "long" (2.0) or "short" (2), and otherwise "".
    """
    filled = column.drop_null()
    if not len(filled) or not _kind(filled.slice(0, _SAMPLE)):
        return column, ""
    kind, spelled = _kind(filled) or (column.type, "")
    return column.cast(kind), spelled


def _kind(filled: pa.ChunkedArray) -> tuple[pa.DataType, str] | None:
    for kind in (pa.int64(), pa.bool_(), pa.float64()):
        try:
            found = filled.cast(kind)
        except pa.ArrowInvalid:
            continue
        if pc.all(pc.equal(found.cast(pa.string()), filled)).as_py():
            return (kind, "short" if kind == pa.float64() else "") if _finite(found) else None
        if kind == pa.float64() and all(map(_is_repr, found.to_pylist(), filled.to_pylist())):
            return kind, "long"
    return None


def _finite(found: pa.ChunkedArray) -> bool:
    return not pa.types.is_floating(found.type) or bool(pc.all(pc.is_finite(found)).as_py())


def _is_repr(value: float, text: str) -> bool:
    return repr(value) == text and math.isfinite(value)


def restore_strings(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    """Return the cells of a column that `convert_strings` made numbers, as they were typed."""
    if pa.types.is_float64(column.type) and (field.metadata or {}).get(TYPED) == b"long":
        words = [None if value is None else repr(value) for value in _values(column)]
        return pa.chunked_array([pa.array(words, pa.string())])
    return column.cast(pa.string())


def as_text_of(table: pa.Table, name: str, schema: pa.Schema) -> pa.ChunkedArray:
    """Return a column, as it was typed where `schema` keeps this column as text."""
    wanted, field = schema.field(name).type, table.schema.field(name)
    was_text = pa.types.is_string(wanted) and TYPED in (field.metadata or {})
    return restore_strings(table[name], field) if was_text else table[name]


def why_text(column: pa.ChunkedArray, name: str) -> str:
    """Say why a column that looks like numbers stays text, or nothing where it does not look like them."""
    filled = column.slice(0, _SAMPLE).drop_null()
    numeric = pc.match_substring_regex(filled, r"^\s*[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
    if not len(filled) or pc.mean(numeric.cast(pa.float64())).as_py() < 0.9:
        return ""
    row, cell = next(
        (row, cell) for row, cell in enumerate(_values(column)) if cell is not None and not _converts(cell)
    )
    return f"{name!r} stays text: {cell!r} (row {row:,}) would not come back as it was typed"


def _converts(cell: str) -> bool:
    return _kind(pa.chunked_array([[cell]])) is not None


def _values(column: pa.ChunkedArray) -> Any:
    return (value for chunk in column.chunks for value in chunk.to_pylist())
