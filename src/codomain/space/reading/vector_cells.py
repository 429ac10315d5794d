"""Vectors in the cells of one column: lists, structs, bytes, and the ways in which programs print them."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t
from numpy.typing import NDArray

from codomain.space.checks import is_string

_STEP = 4096  # strings parsed at once
_HEAD = r"^\s*(?:[a-z]+\.)?(?:tensor|array)\("
_TAIL = r"(?s)\]\s*,\s*(?:dtype|device|requires_grad|grad_fn|size|layout|shape)\s*=.*$"
_BRACKETS = "[](){} \t\r\n"
_OTHERS = (
    b"\x80\x02",
    b"\x80\x03",
    b"\x80\x04",
    b"\x80\x05",
    b"\x93NUMPY",
    b"PK",
    b"\x1f\x8b",
    b"x\x9c",
)  # pickles, zips
_Piece = tuple[NDArray[np.int64], NDArray[Any]]  # widths of some rows (-1 no value, -2 no vector), and their numbers


@dataclass
class Cells:
    """What the cells of a column hold, in pieces, and what was decided while reading."""

    pieces: list[_Piece]
    notes: list[str] = field(default_factory=list)

    @property
    def widths(self) -> NDArray[np.int64]:
        """Width of each row's vector; -1 where there is no value, -2 where it is no vector."""
        return np.concatenate([piece[0] for piece in self.pieces] or [np.empty(0, np.int64)])


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is one number."""
    return bool(t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind))


def read_cells(column: pa.ChunkedArray) -> Cells | str:
    """Read the vectors in a column, or say in a few words why there are none.

    Parameters
    ----------
    column : ChunkedArray
        Lists of numbers (also inside a list of one), structs of numbers, bytes of float32, float64 or float16, or text
        as numpy, torch, Postgres and JSON print lists.

    Returns
    -------
    Cells or str
        The vectors; or the reason, which names the type.
    """
    kind = column.type
    if is_string(kind):
        return Cells([_strings(column.slice(start, _STEP)) for start in range(0, len(column), _STEP)])
    if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind):
        return _blobs(column)
    if t.is_struct(kind):
        if not kind.num_fields or not all(is_number(field.type) for field in kind):
            return f"its cells are {kind}, where each field would have to be a number"
        return Cells([_struct(chunk) for chunk in column.chunks])
    if not (t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind)):
        return f"it is of type {kind}, where lists of numbers are needed"
    pieces = [_lists(chunk) for chunk in column.chunks]
    return next((piece for piece in pieces if isinstance(piece, str)), None) or Cells(pieces)  # type: ignore[arg-type]


def why_not(column: pa.ChunkedArray) -> str:
    """Say why the cells of a column are no vectors, by its first cell that is none."""
    cells = read_cells(column.slice(0, 1000))
    if isinstance(cells, str):
        return cells
    odd = np.flatnonzero(cells.widths == -2)
    if not len(odd):
        return "it is empty" if column.null_count == len(column) else "its lists are too short or of many widths"
    text = str(column[int(odd[0])].as_py())
    if "..." in text:
        return f"{text[:60]!r} leaves numbers out (...), as numpy prints long arrays: write X.tolist() instead"
    return f"{text[:60]!r} is no list of numbers, such as [0.1, 0.2]"


def _lists(chunk: Any) -> _Piece | str:
    lengths = pc.list_value_length(chunk).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    inner = chunk.flatten()  # leaves out the values under null lists, which .values would keep
    kind = inner.type
    if t.is_nested(kind) and not (t.is_struct(kind) or t.is_map(kind)):
        if (lengths > 1).any():
            return (
                f"row {int(np.argmax(lengths > 1)):,} holds {lengths.max():,} lists, where one vector a row is needed"
            )
        found = _lists(inner)
        if isinstance(found, str):
            return found
        widths = np.where(lengths == 0, 0, -1)
        widths[lengths == 1] = found[0]
        return widths, found[1]
    if is_string(kind) or t.is_decimal(kind):
        try:
            inner = inner.cast(pa.float64())
        except pa.ArrowInvalid as error:
            return f"its lists are of type {kind}, and not all are numbers: {error}"
    elif not is_number(kind):
        return f"its cells are {chunk.type}, where lists of numbers are needed"
    return lengths, inner.to_numpy(zero_copy_only=False)


def _struct(chunk: Any) -> _Piece:
    fields = [part.cast(pa.float64()).to_numpy(zero_copy_only=False) for part in chunk.flatten()]
    there = chunk.is_valid().to_numpy(zero_copy_only=False)
    return np.where(there, len(fields), -1), np.stack(fields, axis=1)[there].ravel()


def _blobs(column: pa.ChunkedArray) -> Cells | str:
    blobs = column.to_pylist()
    there = [blob for blob in blobs if blob is not None]
    if not there:
        return "it is empty"
    sizes, counts = np.unique([len(blob) for blob in there], return_counts=True)
    size = int(sizes[np.argmax(counts)])
    alike = b"".join(blob for blob in there[:1000] if len(blob) == size)
    kind = next(
        (kind for kind in ("<f4", "<f8", "<f2") if size and size % int(kind[2]) == 0 and _sane(alike, kind)), None
    )
    if kind is None:
        return f"its cells are bytes ({there[0][:8].hex(' ')} ...), and neither float32, float64 nor float16 numbers"
    step = int(kind[2])
    widths = [-1 if blob is None else -2 if len(blob) % step else len(blob) // step for blob in blobs]
    values = np.frombuffer(b"".join(blob for blob in there if len(blob) % step == 0), kind)
    note = f"its cells are bytes, read as {np.dtype(kind).name}"
    return Cells([(np.array(widths, np.int64), values)], [note])


def _sane(data: bytes, kind: str) -> bool:
    """Whether bytes read as numbers of a type look like the entries of vectors: neither huge nor vanishing."""
    values = np.abs(np.frombuffer(data, kind).astype(np.float64))
    values = values[values != 0]
    if data.startswith(_OTHERS) or not len(values):
        return False
    return bool(np.mean((values > 1e-8) & (values < 1e5)) > 0.99 and 1e-4 < np.median(values) < 1e3)


def parse(text: str | None) -> NDArray[np.float64] | None:
    """Return the numbers of '[0.1, 0.2]', numpy's '[0.1 0.2]', torch's 'tensor([0.1, 0.2])' or '{0.1;0.2}', or None."""
    plain = re.sub(_TAIL, "]", re.sub(_HEAD, "", text or "")).strip(_BRACKETS)
    if not plain:
        return np.empty(0) if text and text.strip() else None
    if "_" in plain or ("," in plain and ";" in plain):  # 1_0 is a name; 0,5;0,7 may be two numbers or four
        return None
    words = re.split(r"\s*[,;]\s*|\s+", plain)
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return None


def _strings(part: pa.ChunkedArray) -> _Piece:
    """Parse a few thousand strings in C; only when one of them is odd, one by one."""
    if pc.any(pc.match_substring(part, "=")).as_py() or pc.any(pc.match_substring_regex(part, _HEAD)).as_py():
        part = pc.replace_substring_regex(pc.replace_substring_regex(part, _HEAD, ""), _TAIL, "]")
    plain = pc.utf8_trim(part, _BRACKETS)
    both = pc.and_(pc.match_substring(plain, ","), pc.match_substring(plain, ";"))
    try:
        if pc.any(both).as_py():
            raise pa.ArrowInvalid("commas and semicolons")
        words = pc.split_pattern_regex(plain, r"\s*[,;]\s*|\s+").combine_chunks()
        words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
        values = words.flatten().cast(pa.float32()).to_numpy(zero_copy_only=False)
        return pc.list_value_length(words).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), values
    except pa.ArrowInvalid:
        texts = part.to_pylist()
        rows = [parse(text) for text in texts]
        blank = [text is None or not text.strip() for text in texts]
        lengths = [-1 if empty else -2 if row is None else len(row) for row, empty in zip(rows, blank, strict=True)]
        kept = [row for row in rows if row is not None]
        return np.array(lengths, np.int64), np.concatenate(kept) if kept else np.empty(0)
