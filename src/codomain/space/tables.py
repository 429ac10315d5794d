"""Tables in files: csv, tsv, json, jsonl, parquet, arrow and feather."""

import codecs
import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from codomain.core import UserError
from codomain.space.checks import some

_STEP = 2**24
_EMPTY = ["", "NA", "N/A", "null", "NULL", "None", "none", "-"]


@dataclass
class Held:
    """What a file holds: a table, vectors, and what was decided while reading."""

    table: pa.Table
    vectors: Any = None
    notes: list[str] = field(default_factory=list)


def check_text(path: Path) -> None:
    """Refuse a file that is not UTF-8 text, naming the byte and the line."""
    decoder, offset, lines = codecs.getincrementaldecoder("utf-8")(), 0, 1
    with pa.input_stream(str(path)) as file:
        while True:
            piece = file.read(2**20)
            if offset == 0 and piece[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise UserError(f"{path} is UTF-16 text.", needed="UTF-8", todo=_recode(path, "UTF-16"))
            nul, pending = piece.find(b"\0"), len(decoder.getstate()[0])
            try:
                decoder.decode(piece if nul < 0 else piece[:nul], final=not piece)
            except UnicodeDecodeError as error:
                bad, line = offset - pending + error.start, lines + piece.count(b"\n", 0, error.start)
                byte = error.object[error.start]
                raise UserError(
                    f"{path} is not UTF-8 text: byte {bad:,} (line {line:,}) is 0x{byte:02x}.",
                    needed="UTF-8 text",
                    todo=f"{_recode(path, 'LATIN1')} when it comes from an older Windows program",
                ) from None
            if nul >= 0:
                raise UserError(
                    f"{path} is not text: byte {offset + nul:,} (line {lines + piece.count(0x0A, 0, nul):,}) is 0x00.",
                    needed=f"text, as the name ending in {path.suffix} says",
                    todo="look at what it is: file " + str(path),
                )
            if not piece:
                return
            offset += len(piece)
            lines += piece.count(b"\n")


def _recode(path: Path, encoding: str) -> str:
    return f"iconv -f {encoding} -t UTF-8 {path} > {path.stem}-utf8{path.suffix}"


def read_csv(path: Path) -> Held:
    """Read comma, semicolon or tab separated values; everything is text until a whole column is numbers."""
    check_text(path)
    with pa.input_stream(str(path)) as file:
        first = file.read(2**16).decode("utf-8-sig", "ignore").splitlines()[:1] or [""]
    unquoted = re.sub(r'"[^"]*"', "", first[0])
    comma = "\t" if path.suffix == ".tsv" else max(",;\t|", key=unquoted.count)
    notes = [] if comma == "," or path.suffix == ".tsv" else [f"columns are separated by {comma!r}"]
    names = next(csv.reader(first, delimiter=comma), [])
    bad: list[Any] = []

    def keep(row: Any) -> str:
        bad.append(row)
        return "skip"

    def parse(threads: bool) -> pa.Table:
        return pa_csv.read_csv(
            pa.input_stream(str(path)),
            read_options=pa_csv.ReadOptions(use_threads=threads, block_size=_STEP),
            parse_options=pa_csv.ParseOptions(delimiter=comma, newlines_in_values=True, invalid_row_handler=keep),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )

    table = parse(True)
    if bad:
        bad.clear()
        parse(False)  # one thread knows the row numbers
        first_bad = bad[0]
        raise UserError(
            f"{path}: {len(bad):,} lines have too many or too few values: "
            f"{some(row.number - 2 for row in bad)} (counting from 0 after the header; "
            f"row {first_bad.number - 2} has {first_bad.actual_columns}).",
            needed=f"{first_bad.expected_columns} values in each row, as the header has",
            todo=f"mend these rows; a value with {comma!r} in it goes in double quotes",
        )
    names = [name or f"column_{number}" for number, name in enumerate(table.column_names)]
    return Held(pa.table([numbers(column) for column in table.columns], names=names), notes=notes)


def numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn a column of strings into whole numbers, numbers or booleans when nothing is lost by it."""
    if not pa.types.is_string(column.type):
        return column
    for part in (column.slice(0, 1000), column):  # most columns are settled by their first rows
        blank = pc.is_in(part, pa.array(_EMPTY))
        filled = pc.if_else(blank, pa.scalar(None, pa.string()), part)
        if filled.null_count == len(filled):
            if part is column:
                return column
            continue
        for kind in (pa.int64(), pa.float64(), pa.bool_()):
            try:
                found = filled.cast(kind)
            except pa.ArrowInvalid:
                continue
            # 007 is a name, not the number 7; 0 and 1 stay whole numbers because int64 comes first.
            if kind == pa.int64() and not pc.all(pc.equal(found.cast(pa.string()), filled)).as_py():
                continue
            if kind == pa.float64() and pc.any(pc.match_substring_regex(filled, r"^[+-]?0\d")).as_py():
                continue
            break
        else:
            return column
    return found


def read_json(path: Path) -> Held:
    """Read one object a line, a list of objects, or an object of columns."""
    check_text(path)
    with pa.input_stream(str(path)) as file:
        start = file.read(4096).decode("utf-8-sig", "ignore").lstrip()
    if start.startswith("[") or path.suffix == ".json":
        with pa.input_stream(str(path)) as file:
            text = file.read().decode("utf-8-sig")
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            if "\n{" in text:
                return Held(_lines(path))
            raise UserError(f"{path} is not JSON: {error}.", needed="a list of objects, or one object a line") from None
        rows = value if isinstance(value, list) else [value]
        if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
            return Held(_make(path, lambda: pa.table(value)))
        _objects(path, rows, "item")
        return Held(_make(path, lambda: pa.Table.from_pylist(rows)))
    return Held(_lines(path))


def _lines(path: Path) -> pa.Table:
    options = pa_json.ReadOptions(block_size=_STEP * 4)

    def parse(schema: Any = None) -> pa.Table:
        parsing = pa_json.ParseOptions(explicit_schema=schema)
        return pa_json.read_json(pa.input_stream(str(path)), read_options=options, parse_options=parsing)

    try:
        table = parse()
        dates = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]  # dates stay as they were typed
        return parse(pa.schema([(name, pa.string()) for name in dates])) if dates else table
    except pa.ArrowInvalid:
        rows = []
        with pa.input_stream(str(path)) as file:
            for number, line in enumerate(file.read().decode("utf-8-sig").splitlines(), 1):
                if line.strip():
                    try:
                        rows.append(json.loads(line))
                    except json.JSONDecodeError as error:
                        raise UserError(
                            f"{path}, line {number:,} is not JSON: {error}.", needed="one object a line", todo="mend it"
                        ) from None
        _objects(path, rows, "line")
        return _make(path, lambda: pa.Table.from_pylist(rows))


def _objects(path: Path, rows: list[Any], what: str) -> None:
    odd = [number for number, row in enumerate(rows) if not isinstance(row, dict)]
    if odd:
        raise UserError(
            f"{path}: {some(odd)} {'is' if len(odd) == 1 else 'are'} no JSON object.",
            needed=f'an object such as {{"text": "..."}} in each {what}',
        )


def _make(path: Path, build: Callable[[], pa.Table]) -> pa.Table:
    try:
        return build()
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"{path}: its rows do not make a table: {error}",
            needed="one type in each column",
            todo="write all values of a column as strings, or all as numbers",
        ) from error


def read_parquet(path: Path) -> Held:
    """Read a parquet file."""
    # ParquetFile reads this file and no neighbour: read_table would take folder names for columns.
    return Held(pq.ParquetFile(path, page_checksum_verification=True).read())


def read_arrow(path: Path) -> Held:
    """Read an Arrow file (feather is one) or stream, as a memory map."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid:
        table = pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
    # Arrow takes offsets in a file at their word: one flipped bit in them would end the process.
    table.validate(full=True)
    return Held(table)


def read_lines(path: Path) -> Held:
    """Read a text file, a row for each line that is not blank."""
    check_text(path)
    lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    return Held(pa.table({"text": pa.array([line for line in lines if line], pa.string())}), notes=["one row a line"])
