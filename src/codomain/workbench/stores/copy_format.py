"""Rows in PostgreSQL's binary COPY format, made by whole columns.

The format is PostgreSQL's, from the page of its manual on COPY: a row is its number of fields, then of each field its
length in bytes (-1 for null) and its bytes, the highest byte first. The bytes of a vector are pgvector's: its width and
a zero, of two bytes each, then the numbers.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t
from numpy.typing import NDArray

from codomain.core import UserError, need, plain
from codomain.workbench.stores.outgoing import units_of

BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
_DAY = 10957  # days from 1970 to 2000, where PostgreSQL counts from
_SECOND = _DAY * 86400

Fields = Callable[[pa.Array], pa.Array]  # from values to the bytes of their fields, nulls staying nulls


def sql_type(kind: pa.DataType) -> str:
    """Return the type of PostgreSQL that holds the values of an Arrow type.

    Lists, structs and maps become jsonb, and whole numbers without a sign the next wider type with one.
    """
    return _form(kind)[0]


def rows_of(batch: pa.RecordBatch, names: list[str]) -> bytes:
    """Return a block of rows; its last column holds the vectors.

    Parameters
    ----------
    batch : RecordBatch
        Columns in the order of the table's.
    names : list of str
        Their names, for an error.

    Returns
    -------
    bytes
        The rows without the format's beginning and end.
    """
    pieces: list[pa.Array] = [_repeat(len(batch), batch.num_columns.to_bytes(2))]
    for name, column in zip(names, batch.columns[:-1], strict=False):
        fields = _bytes_of(column, name)
        lengths = pc.binary_length(fields).fill_null(-1).to_numpy(zero_copy_only=False).astype(">i4")
        pieces += [_byte_rows(lengths[:, None]), fields.fill_null(b"")]
    units = units_of(batch)
    head = (4 + 4 * units.shape[1]).to_bytes(4) + units.shape[1].to_bytes(2) + bytes(2)
    pieces += [_repeat(len(batch), head)]
    pieces += [_byte_rows(units.astype(">f4"))]
    joined = pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.large_binary()))
    first, last = joined.offset, joined.offset + len(joined)
    ends = np.frombuffer(joined.buffers()[1], np.int64)[[first, last]]
    return memoryview(joined.buffers()[2])[ends[0] : ends[1]].tobytes()


def _bytes_of(column: pa.Array, name: str) -> pa.Array:
    try:
        return _form(column.type)[1](column).cast(pa.large_binary())
    except pa.ArrowInvalid as error:
        raise UserError(
            f"The column {name!r} of type {column.type} holds what PostgreSQL has no form for: {error}",
            needed="times in whole microseconds",
            todo="round the column, and study the table again",
        ) from error


def _form(kind: pa.DataType) -> tuple[str, Fields]:
    """Return the SQL type of an Arrow type, and what turns its values into fields."""
    if t.is_boolean(kind):
        return "boolean", _numbers(pa.uint8(), "u1")
    if t.is_integer(kind) and kind != pa.uint64():
        bits = kind.bit_width * (2 if t.is_unsigned_integer(kind) else 1)
        name, width = next((name, w) for name, w in (("smallint", 2), ("integer", 4), ("bigint", 8)) if bits <= 8 * w)
        return name, _numbers(getattr(pa, f"int{8 * width}")(), f">i{width}")
    if t.is_floating(kind):
        return ("double precision", _numbers(pa.float64(), ">f8")) if t.is_float64(kind) else \
            ("real", _numbers(pa.float32(), ">f4"))  # fmt: skip
    if t.is_date(kind):
        return "date", lambda column: _numbers(pa.int32(), ">i4", -_DAY)(column.cast(pa.date32()))
    if t.is_timestamp(kind):
        whole = pa.timestamp("us", kind.tz)
        name = "timestamp with time zone" if kind.tz else "timestamp"
        return name, lambda column: _numbers(pa.int64(), ">i8", -_SECOND * 10**6)(column.cast(whole))
    if t.is_time(kind):
        return "time", lambda column: _numbers(pa.int64(), ">i8")(column.cast(pa.time64("us")))
    if t.is_duration(kind):
        return "interval", lambda column: _interval(column.cast(pa.duration("us")))
    if t.is_decimal(kind) or kind == pa.uint64():
        return "numeric", _decimals
    if t.is_nested(kind):
        return "jsonb", _json
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        return "bytea", lambda column: column
    return "text", lambda column: column.cast(pa.large_string())


def _numbers(kind: pa.DataType, stored: str, add: int = 0) -> Fields:
    """Numbers of one width: cast, shift, and turn round the bytes."""

    def fields(column: pa.Array) -> pa.Array:
        values = column.cast(kind).fill_null(0).to_numpy(zero_copy_only=False)
        return _with_nulls(_byte_rows((values + add if add else values).astype(stored)[:, None]), column)

    return fields


def _interval(column: pa.Array) -> pa.Array:
    out = np.zeros((len(column), 2), ">i8")  # microseconds; days and months, which are none
    out[:, 0] = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return _with_nulls(_byte_rows(out), column)


def _decimals(column: pa.Array) -> pa.Array:
    """Digits in base 10,000: rare enough to be left to psycopg, a value at a time."""
    dumper = need("psycopg.types.numeric", "postgres").DecimalBinaryDumper(Decimal)
    digits = pa.decimal128(20, 0) if t.is_integer(column.type) else column.type
    values = column.cast(digits).to_pylist()
    return pa.array([None if value is None else bytes(dumper.dump(value)) for value in values], pa.large_binary())


def _json(column: pa.Array) -> pa.Array:
    """Nested values, a value at a time, after the byte that is the version of jsonb."""
    values = column.to_pylist()
    texts = [
        None if value is None else b"\1" + json.dumps(plain(value), ensure_ascii=False).encode() for value in values
    ]
    return pa.array(texts, pa.large_binary())


def _byte_rows(rows: NDArray[Any]) -> pa.Array:
    """Return the bytes of each row of an array as one value."""
    wide, rows = rows.shape[1] * rows.itemsize, np.ascontiguousarray(rows)
    values = pa.Array.from_buffers(pa.binary(wide), len(rows), [None, pa.py_buffer(rows)])
    return values.cast(pa.large_binary())


def _repeat(count: int, value: bytes) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.large_binary()), count)


def _with_nulls(fields: pa.Array, like: pa.Array) -> pa.Array:
    return fields if not like.null_count else pc.if_else(like.is_null(), pa.scalar(None, fields.type), fields)
