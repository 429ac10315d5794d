"""Write any table as csv: cells come back as they were typed, and what csv has no form for is JSON text."""

import base64
import json
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.types as t
from pyarrow import csv

from codomain.core import plain
from codomain.space import restore_strings


def write_csv(table: pa.Table, out: Path | IO[bytes]) -> None:
    """Write a table.

    Parameters
    ----------
    table : Table
        Of any types. A null is a blank cell, an empty text a quoted blank one, bytes are base64, and lists, structs and
        maps are JSON.
    out : Path or binary file
        The file.
    """
    columns = [_cells(column, field) for column, field in zip(table.columns, table.schema, strict=True)]
    csv.write_csv(pa.table(columns, names=table.column_names), out)


def _cells(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    kind = column.type
    if t.is_nested(kind):
        return _texts(column, lambda value: json.dumps(plain(value), ensure_ascii=False))
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        return _texts(column, lambda value: base64.b64encode(value).decode())
    return restore_strings(column, field) if field.metadata else column


def _texts(column: pa.ChunkedArray, word: Any) -> pa.ChunkedArray:
    words = [None if value is None else word(value) for chunk in column.chunks for value in chunk.to_pylist()]
    return pa.chunked_array([pa.array(words, pa.string())])
