"""Comma, semicolon and tab separated values."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from codomain.core import UserError
from codomain.space.checks import list_rows
from codomain.space.kinds import TYPED
from codomain.space.reading.cells import convert_strings, why_text
from codomain.space.reading.tables import Held
from codomain.space.reading.text import check_text

_STEP = 2**24
_NOTES = 5  # columns that are named


def read_csv(path: Path) -> Held:
    """Read separated values; a column is text until all its cells are numbers that come back as they were typed.

    A blank cell is null, and a quoted blank cell ("") an empty text.
    """
    marks = check_text(path)
    comma = "\t" if path.suffixes[:1] == [".tsv"] or path.suffix == ".tsv" else _comma(path)
    notes = [] if comma == "," or path.suffix == ".tsv" else [f"columns are separated by {comma!r}"]
    with _records(path, comma) as (rows, _):
        try:
            names: list[str] = next(rows, [])
        except csv.Error as error:
            raise UserError(f"{path}: the line of names cannot be read: {error}.", todo=_MEND_QUOTES) from None
    if marks.quotes:
        notes += _check_quotes(path, comma, len(names))
    table = _parse(path, comma, names, marks.quotes)
    names = [name or f"column_{number}" for number, name in enumerate(table.column_names)]
    fields, columns, text = [], [], []
    for name, column in zip(names, table.columns, strict=True):
        found, spelled = convert_strings(column)
        fields.append(pa.field(name, found.type, metadata={TYPED: spelled} if spelled else None))
        columns.append(found)
        text += [why] if found is column and (why := why_text(column, name)) else []
    if len(text) > _NOTES:
        text[_NOTES - 1 :] = [f"{len(text) - _NOTES + 1} more columns of numbers stay text for the same reason"]
    return Held(pa.table(columns, pa.schema(fields)), notes=notes + _names_like_data(path, names) + text)


_MEND_QUOTES = 'close each quote, and write a quote inside a quoted value twice: "say ""yes"" here"'


def _comma(path: Path) -> str:
    with pa.input_stream(str(path)) as file:
        start = file.read(2**20).decode("utf-8-sig", "ignore")
    first = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", start), maxsplit=1)[0]
    return max(",;\t|", key=first.count)


@contextmanager
def _records(path: Path, comma: str) -> Iterator[tuple[Any, list[str]]]:
    """Give a strict reader of records, and the list to which it adds the lines that it has read."""
    lines: list[str] = []

    def remember(file: io.TextIOWrapper) -> Iterator[str]:
        for line in file:
            lines.append(line)
            yield line

    before = csv.field_size_limit(sys.maxsize)
    try:
        with pa.input_stream(str(path)) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
            yield csv.reader(remember(file), delimiter=comma, strict=True), lines
    finally:
        csv.field_size_limit(before)


def _check_quotes(path: Path, comma: str, width: int) -> list[str]:
    """Refuse quotes that are not closed, and values that hold lines which were meant as rows."""
    alike, tall, row = [], [], -1  # row -1 is the line of names
    with _records(path, comma) as (rows, lines):
        try:
            for cells in rows:
                if len(lines) > 1:
                    tall.append(row)
                    each = (next(csv.reader([line], delimiter=comma), []) for line in lines)
                    alike += [(row, len(lines))] if width > 1 and all(len(one) == width for one in each) else []
                row += bool(cells)
                lines.clear()
        except csv.Error as error:
            first, last = rows.line_num - len(lines) + 1, rows.line_num
            where = f"line {first:,}" if first == last else f"lines {first:,} to {last:,}"
            raise UserError(
                f"{path}: the quotes of row {row:,} ({where}, counting from 0 after the line of names) are broken: "
                f"{error}. What follows would be swallowed by this value.",
                needed="each quoted value closed before the next comma or line end",
                todo=f"mend row {row:,}: {_MEND_QUOTES}",
            ) from None
    if not alike:
        return []
    found = "; ".join(f"row {row:,} holds {count} lines" for row, count in alike[:5])
    if len(alike) == len(tall) and (width > 2 or max(count for _, count in alike) > 2):
        raise UserError(
            f"{path}: {found} that look like rows of their own, with {width} values each: a quote seems to be missing.",
            needed="each quoted value closed before the next comma or line end",
            todo=f"{_MEND_QUOTES}; when the lines do belong to one value, save the table as parquet or jsonl",
        )
    return [f"{found} inside one value that look like rows of their own: look whether a quote is missing there"]


def _parse(path: Path, comma: str, names: list[str], quotes: bool) -> pa.Table:
    bad: list[Any] = []

    def keep(row: Any) -> str:
        bad.append(row)
        return "skip"

    def parse(threads: bool) -> pa.Table:
        return pa_csv.read_csv(
            pa.input_stream(str(path)),
            read_options=pa_csv.ReadOptions(use_threads=threads, block_size=_STEP),
            parse_options=pa_csv.ParseOptions(delimiter=comma, newlines_in_values=quotes, invalid_row_handler=keep),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""],
                quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip

    table = parse(True)
    if bad:
        bad.clear()
        parse(False)  # one thread knows the row numbers
        first_bad = bad[0]
        raise UserError(
            f"{path}: {len(bad):,} lines have too many or too few values: "
            f"{list_rows(row.number - 2 for row in bad)} (counting from 0 after the header; "
            f"row {first_bad.number - 2} has {first_bad.actual_columns}).",
            needed=f"{first_bad.expected_columns} values in each row, as the header has",
            todo=f"mend these rows; a value with {comma!r} in it goes in double quotes",
        )
    return table


def _names_like_data(path: Path, names: list[str]) -> list[str]:
    """Say so when the first line reads like a row: numbers or long texts where names are expected."""
    numbers = [name for name in names if re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name)]
    long = [name for name in names if len(name.split()) > 8]
    counted = [name for name in numbers if name.isdigit() and int(name) in range(len(names) + 1)]
    if not long and len(numbers) in (0, len(counted)):
        return []
    shown = repr((long or numbers)[0][:60])
    return [
        f"the first line is taken as the names of the columns, and {shown} reads like a row: when there are no names, "
        f"put a line of them on top: (echo column_0{',...' if len(names) > 1 else ''}; cat {path.name}) > named.csv"
    ]
