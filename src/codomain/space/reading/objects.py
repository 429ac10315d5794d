"""JSON: one object a line, a list of objects, or an object of columns."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from codomain.core import UserError
from codomain.space.checks import list_rows
from codomain.space.reading import bounds
from codomain.space.reading.bounds import check_bytes
from codomain.space.reading.tables import Held
from codomain.space.reading.text import check_text, read_text, split_lines

_STEP = 2**26
DEEPEST = 32  # levels of lists and objects within a row: Arrow's own limit, beyond which its parser ends the process
_STRING = re.compile(rb'"(?:[^"\\\n]|\\.)*+"?')
_NAME = re.compile(rb'"((?:[^"\\\n]|\\.)*+)"\s*:')
_EXACT = 2**53  # above this a float skips whole numbers


def read_json(path: Path) -> Held:
    """Read one object a line, a list of objects, or an object of columns."""
    check_text(path)
    with pa.input_stream(str(path)) as file:
        start = file.read(4096).decode("utf-8-sig", "ignore").lstrip()
    if not start.startswith("[") and path.suffix != ".json":
        return _lines(path)
    text = read_text(path)
    try:
        value = _load(text)
    except json.JSONDecodeError as error:
        if "\n{" in text:
            return _lines(path)
        raise UserError(f"{path} is not JSON: {error}.", needed="a list of objects, or one object a line") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}.", needed="a list of objects") from None
    if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        return _columns(path, value)
    return _rows(path, value if isinstance(value, list) else [value], "item")


def _load(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice in one object")
    return found


def _lines(path: Path) -> Held:
    n_rows, marks = _check_depth(path)
    if 8 * n_rows * marks > bounds.LEAST:  # else it cannot be too much
        names = _count_names(path)
        check_bytes(path, 8 * names * n_rows, f"a table of its {names:,} names and {n_rows:,} rows")
    options = pa_json.ReadOptions(block_size=_STEP)

    def parse(schema: Any = None) -> pa.Table:
        parsing = pa_json.ParseOptions(explicit_schema=schema)
        return pa_json.read_json(pa.input_stream(str(path)), read_options=options, parse_options=parsing)

    try:
        table = parse()
        dates = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]  # dates stay as they were typed
        table = parse(pa.schema([(name, pa.string()) for name in dates])) if dates else table
        if not any(_may_be_cut(chunk) for column in table.columns for chunk in column.chunks):
            return Held(table)
    except pa.ArrowInvalid:
        pass  # Python's parser knows the line
    rows = []
    for number, line in enumerate(split_lines(read_text(path)), 1):
        if line.strip():
            try:
                rows.append(_load(line))
            except (ValueError, RecursionError) as error:
                raise UserError(
                    f"{path}, line {number:,} is not JSON: {error}.", needed="one object a line", todo="mend it"
                ) from None
    return _rows(path, rows, "line")


def _may_be_cut(array: Any) -> bool:
    """Whether floats among these are so large that they may be whole numbers which have lost their last digits."""
    kind = array.type
    if pa.types.is_struct(kind):
        return any(map(_may_be_cut, array.flatten()))
    if pa.types.is_list(kind):
        return _may_be_cut(array.flatten())
    return pa.types.is_float64(kind) and bool(pc.any(pc.greater_equal(pc.abs(array), float(_EXACT))).as_py())


def _count_names(path: Path) -> int:
    """Count the different names at all levels: each of them is a column of as many cells as there are rows."""
    found: set[bytes] = set()
    with pa.input_stream(str(path)) as raw, io.BufferedReader(raw) as file:
        while lines := file.readlines(2**20):
            found.update(_NAME.findall(b"".join(lines)))
    return len(found)


def _check_depth(path: Path) -> tuple[int, int]:
    """Refuse rows so deep that Arrow's parser ends the process; like it, this counts across the ends of lines.

    Returns
    -------
    tuple of (int, int)
        How many lines there are, and how many names in all.
    """
    depth, before, names = 0, 0, 0
    with pa.input_stream(str(path)) as raw, io.BufferedReader(raw) as file:
        while lines := file.readlines(2**20):
            plain = np.frombuffer(_STRING.sub(b"", b"".join(lines)), np.uint8)
            steps = np.isin(plain, [*b"[{"]).astype(np.int32) - np.isin(plain, [*b"]}"])
            depths = depth + np.cumsum(steps, dtype=np.int64)
            depths -= np.minimum(np.minimum.accumulate(depths), 0)  # a bracket too many opens none
            if depths.max(initial=0) > DEEPEST:
                line = before + int(np.count_nonzero(plain[: np.argmax(depths > DEEPEST)] == 10)) + 1
                raise UserError(
                    f"{path}, line {line:,}: its lists and objects are nested more than {DEEPEST} deep.",
                    needed=f"at most {DEEPEST} levels, and one object a line",
                    todo="write the inner ones as a string of JSON",
                )
            depth = int(depths[-1]) if len(depths) else depth
            before += len(lines)
            names += int(np.count_nonzero(plain == ord(":")))
    return before, names


def _rows(path: Path, rows: list[Any], what: str) -> Held:
    odd = [number for number, row in enumerate(rows) if not isinstance(row, dict)]
    if odd:
        raise UserError(
            f"{path}: {list_rows(odd)} {'is' if len(odd) == 1 else 'are'} no JSON object.",
            needed=f'an object such as {{"text": "..."}} in each {what}',
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_bytes(path, 8 * len(names) * len(rows), f"a table of its {len(names):,} names and {len(rows):,} rows")
    return _columns(path, {name: [row.get(name) for row in rows] for name in names})


def _columns(path: Path, values: dict[str, list[Any]]) -> Held:
    notes = []
    for name, column in values.items():
        whole = [v for v in column if isinstance(v, int) and not isinstance(v, bool)]
        large = max(map(abs, whole), default=0)
        if large >= 2**63 or (large > _EXACT and any(isinstance(value, float) for value in column)):
            if all(value is None or isinstance(value, int | float) for value in column):
                values[name] = [None if value is None else str(value) for value in column]
                notes.append(
                    f"{name!r} is kept as text: it holds whole numbers that no column of numbers holds exactly"
                )
    return Held(_make(path, lambda: pa.table(values)), notes=notes)


def _make(path: Path, build: Callable[[], pa.Table]) -> pa.Table:
    try:
        return build()
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"{path}: its rows do not make a table: {error}",
            needed="one type in each column",
            todo="write all values of a column as strings, or all as numbers",
        ) from error
