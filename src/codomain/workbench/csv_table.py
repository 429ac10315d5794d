"""Write any table as csv: what csv has no form for is JSON text."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv


def write_csv(table: pa.Table, out: Path) -> None:
    """Write a table.

    Parameters
    ----------
    table : Table
        Lists, structs and maps become JSON text.
    out : Path
        The file.
    """
    columns = [_texts(column) if pa.types.is_nested(column.type) else column for column in table.columns]
    csv.write_csv(pa.table(columns, names=table.column_names), out)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    def word(value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, default=str)

    return pa.chunked_array([pa.array(map(word, column.to_pylist()), pa.string())])
