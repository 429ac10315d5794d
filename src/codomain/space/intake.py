"""Rows and vectors as people hold them, brought to the form that a space stores."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.core.npy import npy_chunks
from codomain.space.kinds import TYPED, name_unstorable, to_stored

ROW_GROUP = 10_000


def as_table(rows: Any, count: int | None = None) -> pa.Table:
    """Return rows as a plain Arrow table.

    Parameters
    ----------
    rows : Table, dict of columns, data frame of pandas or polars, list of dict, list of str or None
        Anything that offers the Arrow stream interface is taken too.
    count : int or None, default=None
        How many rows there are when `rows` is None.

    Returns
    -------
    Table
        Without dictionaries, extension types and the metadata of other tools.

    Raises
    ------
    UserError
        When it is none of these, or two columns have one name.
    """
    table = raw_table(rows, count)
    twice = sorted(name for name, count in Counter(table.column_names).items() if count > 1)
    if twice:
        raise UserError(f"Two columns are called {', '.join(map(repr, twice))}.", todo="give each column its own name")
    if "__index_level_0__" in table.column_names and "index" not in table.column_names:  # a pandas index
        table = table.rename_columns(["index" if n == "__index_level_0__" else n for n in table.column_names])
    if not table.num_columns:
        return table  # rebuilding it would lose its length
    if odd := name_unstorable(table.schema):
        raise UserError(
            f"No space can keep the columns {', '.join(odd)}.",
            needed="numbers, texts, dates, times, bytes, lists, structs or maps",
            todo="leave them out, or write their values as text",
        )
    fields, columns = [], []
    for field in table.schema:
        try:
            columns.append(to_stored(table[field.name]))
        except pa.ArrowException as error:
            raise UserError(f"The column {field.name!r} of type {field.type} cannot be kept: {error}") from error
        spelled = (field.metadata or {}).get(TYPED)
        fields.append(pa.field(field.name, columns[-1].type, metadata={TYPED: spelled} if spelled else None))
    return pa.table(columns, pa.schema(fields))


def raw_table(rows: Any, count: int | None = None) -> pa.Table:
    """Return rows as an Arrow table with the types that they came in; see `as_table`."""
    try:
        return _table(rows, count)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise UserError(f"These rows do not make a table: {error}", needed=_NEEDED) from error


_NEEDED = "a pyarrow Table, a dict of columns of one length, a data frame of pandas or polars, or a list of dicts"


def _table(rows: Any, count: int | None) -> pa.Table:
    if rows is None:
        return pa.table({"row": pa.nulls(count or 0)}).select([])  # no columns, but a length
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, Mapping):
        return pa.table({str(name): _column(values) for name, values in rows.items()})
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.table(rows)
    if hasattr(rows, "to_arrow"):
        return rows.to_arrow()
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes):
        listed = list(rows)
        if listed and all(isinstance(row, str) for row in listed):
            return pa.table({"text": listed})
        if listed and all(isinstance(row, Mapping) for row in listed):
            names = list(
                dict.fromkeys(name for row in listed for name in row)
            )  # from_pylist knows the first row's only
            return pa.table({str(name): pa.array([row.get(name) for row in listed]) for name in names})
    raise TypeError(f"{type(rows).__name__} came")


def _column(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.ndim > 1:
        return list(values)
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)


def as_vectors(vectors: Any) -> Any:
    """Return vectors as something with shape, dtype and slicing, without copying a memory map."""
    if hasattr(vectors, "blocks") or isinstance(vectors, np.ndarray):
        return vectors
    if hasattr(vectors, "detach"):  # a tensor
        vectors = vectors.detach().cpu().numpy()
    try:
        return np.asarray(vectors)
    except ValueError as error:
        raise UserError(
            f"These vectors do not make an array: {error}",
            needed="vectors of one width, shape (rows, width)",
            todo="look for a row of another length",
        ) from error


def text_hashes(texts: Iterable[str | None]) -> NDArray[np.bytes_]:
    """Return the content hash of each text, of shape (n,): blake2b of 16 bytes in hex, dtype S32."""
    return _hashes((text or "").encode("utf-8", "surrogatepass") for text in texts)


def _hashes(items: Iterable[Any]) -> NDArray[np.bytes_]:
    return np.array([hashlib.blake2b(item, digest_size=16).hexdigest() for item in items], dtype="S32")


def hash_blocks(table: pa.Table, vectors: Any, text: str | None, hash_column: str) -> Iterator[pa.Table]:
    """Yield the table in row groups, with the content hash of each row as its last column.

    The hash is over the text when there is one, else over the float32 bytes of the vector.
    """
    for start in range(0, table.num_rows, ROW_GROUP):
        block = table.slice(start, ROW_GROUP)
        if text is not None:
            found = text_hashes(map(_text, block[text].to_pylist()))
        else:
            found = _hashes(np.ascontiguousarray(vectors[start : start + block.num_rows], dtype="<f4"))
        column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(found), [None, pa.py_buffer(found)])
        yield block.append_column(hash_column, column)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def file_chunks(value: Any, name: str) -> tuple[str, Iterable[Any]]:
    """Return the suffix a value must be sealed under, and its bytes."""
    if isinstance(value, np.ndarray):
        return ".npy", npy_chunks(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "", [value]
    if isinstance(value, str):
        return "", [value.encode()]
    raise UserError(
        f"{name!r} is a {type(value).__name__}, which has no safe form on disk.",
        needed="an array, a dict or list for JSON, bytes, or the path of a file",
    )


def free_name(wanted: Iterable[str], taken: Iterable[str]) -> str:
    """Return the first of the wanted names that is free, else the last of them with a number."""
    names, used = list(wanted), set(taken)
    numbers = (f"{names[-1]}_{number}" for number in range(1, len(used) + 2))
    return next(name for name in [*names, *numbers] if name not in used)


def plain_name(name: str, what: str) -> str:
    """Return a name that is safe as a file name everywhere, or say what is wrong with it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise UserError(f"{name!r} cannot name {what}.", needed="letters, digits, dots, dashes, at most 100 of them")
    return name


def prepend(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return the table with one more column, the first."""
    return table.add_column(0, name, values)
