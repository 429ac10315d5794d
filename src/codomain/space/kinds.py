"""Types of columns: which of them a space stores as they are, under which others it keeps the rest, and exact casts."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from codomain.space.checks import is_string, list_rows

TYPED = b"codomain.typed"  # key in a field's metadata: how its numbers were spelled in the text that they came from


def storage_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type under which a space keeps a column.

    Parameters
    ----------
    kind : DataType
        What came.

    Returns
    -------
    DataType or None
        The same where parquet keeps it exactly; else one that holds the same values; None when there is none.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return storage_type(kind.storage_type)
    if t.is_dictionary(kind) or t.is_run_end_encoded(kind):
        return storage_type(kind.value_type)
    if t.is_null(kind) or t.is_string_view(kind):
        return pa.string()
    if t.is_binary_view(kind):
        return pa.binary()
    if t.is_date64(kind):
        return pa.date32()
    if kind == pa.time32("s"):
        return pa.time32("ms")
    if t.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    if t.is_decimal(kind) and kind.scale < 0:
        digits = kind.precision - kind.scale
        return pa.decimal128(digits, 0) if digits <= 38 else pa.decimal256(digits, 0) if digits <= 76 else None
    if t.is_interval(kind) or t.is_union(kind):
        return None
    return _nested_type(kind) if t.is_nested(kind) else kind


def _is_view(kind: pa.DataType) -> bool:
    return bool(t.is_list_view(kind) or t.is_large_list_view(kind))


def _nested_type(kind: pa.DataType) -> pa.DataType | None:
    if t.is_struct(kind):
        found = [None if _is_view(field.type) else storage_type(field.type) for field in kind]
        if not found or None in found:
            return None
        return pa.struct([field.with_type(new) for field, new in zip(kind, found, strict=True)])
    if t.is_map(kind):
        key, item = storage_type(kind.key_type), storage_type(kind.item_type)
        return None if key is None or item is None else pa.map_(key, item, kind.keys_sorted)
    value = storage_type(kind.value_type)
    if value is None or _is_view(kind.value_type) or (t.is_fixed_size_list(kind) and kind.list_size == 0):
        return None
    field = kind.value_field.with_type(value)
    if t.is_fixed_size_list(kind):
        return pa.list_(field, kind.list_size)
    return pa.large_list(field) if t.is_large_list(kind) or t.is_large_list_view(kind) else pa.list_(field)


def to_stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column under the type of `storage_type`.

    Raises
    ------
    ArrowException
        When a value cannot be held by it, or there is no such type.
    """
    kind = column.type
    wanted = storage_type(kind)
    if wanted is None:
        raise pa.ArrowNotImplementedError(f"columns of type {kind} cannot be stored")
    if isinstance(kind, pa.BaseExtensionType):
        return to_stored(pa.chunked_array([chunk.storage for chunk in column.chunks], type=kind.storage_type))
    if t.is_run_end_encoded(kind):
        return to_stored(pc.run_end_decode(column))
    if t.is_dictionary(kind) and (t.is_string_view(kind.value_type) or t.is_binary_view(kind.value_type)):
        # Arrow (pyarrow 26) cannot take from views, which a categorical of polars is made of.
        plain = [pa.DictionaryArray.from_arrays(one.indices, one.dictionary.cast(wanted)) for one in column.chunks]
        return pa.chunked_array(plain, pa.dictionary(kind.index_type, wanted)).cast(wanted)
    if _is_view(kind):
        return pa.chunked_array([_cast_view(chunk) for chunk in column.chunks]).cast(wanted)
    return column if kind == wanted else column.cast(wanted)


def _cast_view(chunk: Any) -> Any:
    """Return a list view as lists; Arrow's own cast leaves out the last offset (pyarrow 26)."""
    missing = chunk.is_null()
    sizes = np.where(missing.to_numpy(zero_copy_only=False), 0, chunk.sizes.to_numpy(zero_copy_only=False))
    large = t.is_large_list_view(chunk.type)
    offsets = np.cumsum([0, *sizes]).astype(np.int64 if large else np.int32)
    return (pa.LargeListArray if large else pa.ListArray).from_arrays(offsets, chunk.flatten(), mask=missing)


def type_notes(before: pa.Schema, after: pa.Schema) -> list[str]:
    """Say which columns are stored under another type than they came in."""
    came = {field.name: field.type for field in before}
    changed = [
        f"{field.name!r} (from {came[field.name]} to {field.type})"
        for field in after
        if came.get(field.name, field.type) != field.type
    ]
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
    return [f"same values under another type: {shown}"] if changed else []


def name_unstorable(schema: pa.Schema) -> list[str]:
    """Name the columns whose type no space can keep."""
    return [f"{field.name!r} of type {field.type}" for field in schema if storage_type(field.type) is None]


def cast_exactly(column: pa.ChunkedArray, kind: pa.DataType, name: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Bring a column to a type when every value comes back as it was.

    Parameters
    ----------
    column : ChunkedArray
        Values of any type.
    kind : DataType
        The type that is wanted.
    name : str
        Of the column, for the words.

    Returns
    -------
    tuple of (ChunkedArray, list of str)
        The column, unchanged where it does not fit, and what is wrong, with rows that count from 0.
    """
    if column.type == kind:
        return column, []
    if column.null_count == len(column) or (is_string(column.type) and _is_blank(column) and not is_string(kind)):
        return pa.chunked_array([pa.nulls(len(column), kind)]), []
    try:
        cast = column.cast(kind)
        lost = _find_lost(column, cast)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        return column, [f"the column {name!r} is of type {column.type} where {kind} is needed: {error}"]
    if lost:
        example, other = column[lost[0]].as_py(), cast[lost[0]].as_py()
        return column, [
            f"{list_rows(lost)}: the column {name!r} is of type {kind}, and {example!r} would become {other!r} there: "
            "write it as the others are, or study all rows anew from one file"
        ]
    return cast, []


def _is_blank(column: pa.ChunkedArray) -> bool:
    return bool(pc.all(pc.equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), "")).as_py())


def _find_lost(column: pa.ChunkedArray, cast: pa.ChunkedArray) -> list[int]:
    """Return the rows that do not come back; a text that became a number must be that number's own spelling."""
    back: Any = cast.cast(column.type)
    if is_string(column.type) and t.is_floating(cast.type):  # 2.0 and 2 are both a spelling of the number 2
        texts, values = column.to_pylist(), cast.to_pylist()
        plain = back.to_pylist()
        return [
            row
            for row, (text, value, short) in enumerate(zip(texts, values, plain, strict=True))
            if text is not None and text not in (repr(value), short)
        ]
    if t.is_floating(column.type) and t.is_floating(cast.type):  # the nearest number of fewer digits is what is meant
        same = pc.or_(pc.is_finite(cast), pc.invert(pc.is_finite(column)))
    else:
        same = pc.equal(back, column)
    return [int(row) for row in (~pc.fill_null(same, True).to_numpy()).nonzero()[0]]
