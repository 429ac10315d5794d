"""Read labels by id from a file, or from a column of the space; everything that is wrong is said at once."""

from pathlib import Path

import pyarrow as pa

from codomain.core import UserError
from codomain.space import (
    Roles,
    Space,
    as_table,
    guess_roles,
    is_string,
    list_rows,
    load,
    nearest,
    no_column,
    refuse,
)
from codomain.workbench.label.classes import classes_of, whole_floats
from codomain.workbench.label.given import Given

_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
_SHOWN = 20  # contradictions that are listed


def from_column(space: Space, column: str, merge: bool | None = None) -> Given:
    """Read the labels that the space's own rows carry; `merge` is that of `classes_of`."""
    if column not in space.columns:
        raise UserError(no_column(column, space.columns), todo="name one with --column")
    words, notes = classes_of(space.rows([column])[column], column, merge)
    labels = {row: word for row, word in enumerate(words) if word}
    return Given.of(labels, [f"labels: column {column!r} of the space; others: --from FILE", *notes])


def from_file(space: Space, path: Path, column: str | None = None, merge: bool | None = None) -> Given:
    """Read labels by id from a csv, tsv, json, jsonl or parquet file.

    Parameters
    ----------
    space : Space
        Whose rows the ids name.
    path : Path
        The file.
    column : str, optional
        The column with labels; guessed, and said, when left out.
    merge : bool, optional
        As `classes_of` takes it.

    Returns
    -------
    Given
        One label a row.

    Raises
    ------
    UserError
        Naming every problem with its rows: no ids, contradictory labels, labels that are no classes.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder.", needed="a file of ids and labels")
    if path.exists() and path.suffix.lower() not in _ENDINGS:
        raise UserError(f"{path} ends in {path.suffix!r}.", needed=f"one of {', '.join(_ENDINGS)}")
    held = load(path)
    table = as_table(held.table)
    key = _id_column(space, table, path)
    column, notes = (column, []) if column else _label_column(table, key, path)
    if column not in table.column_names:
        raise UserError(f"{path}: {no_column(column, table.column_names)}", todo="name one with --column")
    words, said = classes_of(table[column], column, merge)
    if not (is_string(table[key].type) or pa.types.is_integer(table[key].type)):
        raise UserError(
            f"{path}: the ids in {key!r} are of type {table[key].type}.",
            needed="ids are whole numbers or strings",
            todo="write them as text, as they stand in the space",
        )
    ids = table[key].cast(pa.string()).to_pylist()
    row_of = {str(value): row for row, value in enumerate(space.ids.to_pylist())}
    labels: dict[int, str] = {}
    line_of: dict[int, int] = {}
    strange, problems = [], []
    for line, (name, word) in enumerate(zip(ids, words, strict=True)):
        row = row_of.get(name or "")
        if not word:
            continue
        if row is None:
            strange.append(line)
        elif labels.setdefault(row, word) != word:
            before = f"row {line_of[row]} labels it {labels[row]!r}"
            problems.append(f"row {line} labels the id {name!r} {word!r}, and {before}: keep one")
        else:
            line_of.setdefault(row, line)
    refuse(str(path), problems[:_SHOWN] + [f"and {len(problems) - _SHOWN:,} more"] * (len(problems) > _SHOWN))
    if strange:
        said.append(f"{list_rows(strange)} of {path.name}: no such id in the space, left out")
    if not labels:
        there = ", ".join(repr(value) for value in space.ids[:3].to_pylist())
        raise UserError(
            f"{path} labels no row of {space.path}: {'; '.join(said)}.", needed=f"ids such as {there}, with labels"
        )
    return Given.of(labels, [*held.notes, *notes, *said])


def _id_column(space: Space, table: pa.Table, path: Path) -> str:
    key = space.columns[0]
    if key in table.column_names:
        return key
    raise UserError(
        f"{path} has no column {key!r}, which is what names a row of {space.path}; its columns are "
        f"{', '.join(map(repr, table.column_names))}{nearest(key, table.column_names)}",
        needed=f"the ids of the space in a column {key!r}",
        todo="rename the column that has them",
    )


def _label_column(table: pa.Table, key: str, path: Path) -> tuple[str, list[str]]:
    others = [name for name in table.column_names if name != key]
    hinted = guess_roles(whole_floats(table.select(others)), Roles(text="", id=""))[0].label if others else None
    found = others[0] if len(others) == 1 else hinted
    if found is None:
        which = ", ".join(map(repr, others)) or "there is only the id"
        raise UserError(f"{path} does not say which column has the labels: {which}.", todo="name one with --column")
    return found, [f"label column: {found!r}; another: --column NAME"]
