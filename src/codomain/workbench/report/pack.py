"""Pack a study's rows into text that is safe and small inside one HTML file."""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.core import EXACT, plain
from codomain.workbench.report.columns import LONGEST_NAME

FILE_BUDGET = 24_500_000  # bytes of the whole file
TEXT_BUDGET = 12_000_000  # bytes of gzip for the rows' words, so that 50,000 rows stay under 25 MB after base64
COLUMN_BUDGET = 4_000_000  # bytes of gzip, of these, for the user's columns
TEXT_LENGTHS = (300, 200, 120, 60, 30)


def pack(content: bytes) -> str:
    """Return bytes as base64 of gzip: letters, digits, + / and =, so nothing in it can end a script element.

    Parameters
    ----------
    content : bytes
        Anything.

    Returns
    -------
    str
        The same bytes for the same content, whatever the date.
    """
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()


def pack_json(value: object) -> str:
    """Return a JSON value, packed; half of a surrogate pair becomes a question mark."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return pack(text.encode("utf-8", "replace"))


def pack_integers(values: ArrayLike) -> tuple[str, str]:
    """Pack whole numbers in the narrowest type that holds them.

    Parameters
    ----------
    values : array-like of int
        Any shape; it is flattened row by row.

    Returns
    -------
    tuple of str
        The name of the typed array in JavaScript, and the packed bytes.
    """
    data = np.asarray(values).ravel()
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    for dtype, name in (("u1", "Uint8Array"), ("i2", "Int16Array"), ("<u2", "Uint16Array"), ("<i4", "Int32Array")):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return name, pack(data.astype(np.dtype(dtype).newbyteorder("<")).tobytes())
    raise ValueError(f"Integers from {low} to {high} do not fit 32 bits.")


def pack_reals(values: ArrayLike) -> tuple[str, str, float, float]:
    """Pack real numbers as 65,536 even steps between the lowest and the highest.

    Parameters
    ----------
    values : array-like of float
        Any shape; it is flattened row by row, and what is not finite counts as the lowest.

    Returns
    -------
    tuple
        The name of the typed array in JavaScript, the packed bytes, the lowest value and the size of a step.
    """
    data = np.asarray(values, dtype=np.float64).ravel()
    finite = data[np.isfinite(data)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    step = (high - low) / 65535 or 1.0
    steps = np.rint((np.nan_to_num(data, nan=low, posinf=high, neginf=low) - low) / step)
    return "Uint16Array", pack(steps.astype("<u2").tobytes()), low, step


def cut(text: object, length: int) -> str:
    """Return at most `length` characters, the last of them an ellipsis when something is missing."""
    whole = "" if text is None else str(text)
    return whole if len(whole) <= length else whole[: length - 1] + "…"


def pack_words(
    texts: Sequence[str], columns: Mapping[str, Sequence[Any]], budget: int | None = None
) -> tuple[str, str, int]:
    """Pack texts and columns, cut as far as the budget needs.

    Parameters
    ----------
    texts : sequence of str
        One text a row, or none at all.
    columns : mapping of str to sequence
        The user's columns; numbers stay numbers.
    budget : int, optional
        Bytes of gzip for both; `TEXT_BUDGET` when it is not given.

    Returns
    -------
    tuple
        Packed texts, packed columns, and the length in characters at which they were cut.
    """
    budget = TEXT_BUDGET if budget is None else budget
    for length in TEXT_LENGTHS:
        words = pack_json([cut(text, length) for text in texts])
        table = pack_json({name: _cells(column, max(length, LONGEST_NAME)) for name, column in columns.items()})
        if (len(words) + len(table)) * 3 // 4 <= budget:
            break
    return words, table, length


def packed_size(column: Sequence[Any]) -> int:
    """Return the bytes of gzip that a column takes."""
    return len(pack_json(_cells(column, TEXT_LENGTHS[0]))) * 3 // 4


def _cells(column: Sequence[Any], length: int) -> list[Any]:
    """Return a column that is text as a whole when one of its whole numbers has to be."""
    large = any(isinstance(value, int) and abs(value) > EXACT for value in column)
    return [_cell(str(value) if large and value is not None else value, length) for value in column]


def _cell(value: Any, length: int) -> Any:
    value = plain(value) if not isinstance(value, Mapping | list | tuple | np.ndarray) else json.dumps(plain(value))
    return cut(value, length) if isinstance(value, str) else value


def fill_missing(indices: NDArray[Any] | None, n: int) -> NDArray[Any] | None:
    """Return neighbour lists in which a missing neighbour is n, so that they fit unsigned integers."""
    if indices is None:
        return None
    return np.where((indices < 0) | (indices >= n), n, indices)
