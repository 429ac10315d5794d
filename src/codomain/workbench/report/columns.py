"""What kind of values a column holds, so that the page can colour, size and filter by it."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from codomain.core import EXACT

LONGEST_NAME = 80  # characters of a category's name
_MOST_NAMES = 5000
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?")

Kind = dict[str, Any]


def describe_column(values: Sequence[Any] | pa.ChunkedArray) -> Kind:
    """Say what a column holds, from its Arrow type and, where that is text, from its values.

    Parameters
    ----------
    values : sequence or pyarrow.ChunkedArray
        One value a row; None where there is none. A sequence is read as Arrow reads it.

    Returns
    -------
    dict
        "kind" is "number", "date", "category" or "text". A number has "whole" when it is an integer, and "nan" when
        some value is not a number, which no condition of `parse_filter` finds. A date has "form": "day", "moment", or
        "text" when it is a date written out, to which only whole days are compared; and "zone" when the moments have
        one. A category of true and false has "truth".
    """
    array = _as_arrow(values)
    if array is None:
        return {"kind": "text"}
    kind = array.type
    if types.is_dictionary(kind):
        array = array.cast(kind.value_type)
        kind = array.type
    if types.is_boolean(kind):
        return {"kind": "category", "truth": True}
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return _describe_numbers(array)
    if types.is_date(kind):
        return {"kind": "date", "form": "day"}
    if types.is_timestamp(kind):
        return {"kind": "date", "form": "moment"} | ({"zone": True} if kind.tz else {})
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _describe_texts(array)
    return {"kind": "text"}


def _as_arrow(values: Sequence[Any] | pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return the column as Arrow has it, or None when it has no one type."""
    if isinstance(values, pa.ChunkedArray):
        return values
    try:
        return pa.chunked_array([pa.array(values)])
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError):
        return None


def _describe_numbers(array: pa.ChunkedArray) -> Kind:
    if types.is_float16(array.type):  # Arrow has few functions for halves
        array = array.cast(pa.float32())
    ends = pc.min_max(array).as_py()
    if ends["min"] is None:
        return {"kind": "text"}
    whole = types.is_integer(array.type)
    if whole and max(abs(ends["min"]), abs(ends["max"])) > EXACT:  # JavaScript has it as a text
        return {"kind": "text"}
    odd = types.is_floating(array.type) and not pc.all(pc.is_finite(array)).as_py()
    return {"kind": "number"} | ({"whole": True} if whole else {}) | ({"nan": True} if odd else {})


def _describe_texts(array: pa.ChunkedArray) -> Kind:
    names = pc.unique(array).drop_null()
    if not len(names):
        return {"kind": "text"}
    first = names[:1000].to_pylist()
    if all(_ISO.fullmatch(name) for name in first) and all(_ISO.fullmatch(name) for name in names.to_pylist()):
        return {"kind": "date", "form": "text"}
    few = len(names) <= min(_MOST_NAMES, max(30, len(array) // 2))
    short = few and pc.max(pc.utf8_length(names)).as_py() <= LONGEST_NAME
    return {"kind": "category" if short else "text"}


def plain_values(values: Sequence[Any] | pa.ChunkedArray, kind: Kind) -> list[Any]:
    """Return a column as a list, its dates as ISO texts and its long texts cut.

    Parameters
    ----------
    values : sequence or pyarrow.ChunkedArray
        One value a row.
    kind : dict
        What `describe_column` says of it.

    Returns
    -------
    list
        One plain value a row.
    """
    array = _as_arrow(values)
    if array is not None and kind.get("form") in ("day", "moment"):
        fine = array.cast(pa.timestamp("us", array.type.tz), safe=False) if kind["form"] == "moment" else array
        return [None if value is None else value.isoformat() for value in fine.to_pylist()]
    listed = values.to_pylist() if isinstance(values, pa.ChunkedArray) else list(values)
    if kind["kind"] == "text" and isinstance(values, pa.ChunkedArray):
        return [cut_cell(value) for value in listed]
    return listed


def cut_cell(value: object) -> object:
    """Return a text's first characters, and what is no text as it is."""
    if isinstance(value, str) and len(value) > LONGEST_NAME:
        return value[: LONGEST_NAME - 1] + "…"
    return value


def fit_columns(
    columns: Mapping[str, Sequence[Any] | pa.ChunkedArray], budget: int, size: Callable[[Sequence[Any]], int]
) -> tuple[dict[str, list[Any]], dict[str, Kind], list[str]]:
    """Take columns in their order as long as they fit.

    Parameters
    ----------
    columns : mapping of str to sequence or pyarrow.ChunkedArray
        The user's columns.
    budget : int
        Bytes that they may take, packed.
    size : callable
        Packed bytes of a list of values.

    Returns
    -------
    tuple
        Values and kind of each column that fits, and the names of the others. A column that is too large does not keep
        smaller ones behind it out.
    """
    taken: dict[str, list[Any]] = {}
    kinds: dict[str, Kind] = {}
    left_out: list[str] = []
    for name, values in columns.items():
        kind = describe_column(values)
        listed = plain_values(values, kind)
        budget -= (needed := size(listed))
        if budget < 0:
            budget += needed
            left_out.append(name)
        else:
            taken[name], kinds[name] = listed, kind
    return taken, kinds, left_out
