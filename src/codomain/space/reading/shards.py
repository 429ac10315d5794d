"""Several files as one table: columns of the same name brought to one type without losing anything."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from codomain.core import UserError
from codomain.space.intake import as_table
from codomain.space.kinds import TYPED
from codomain.space.reading.arrays import no_columns
from codomain.space.reading.cells import convert_strings, restore_strings
from codomain.space.reading.tables import Held

_TYPED = (".csv", ".tsv")  # where a number is a text that looked like one
_EXACT = 2**53  # above this a float skips whole numbers


def join_files(held: list[Held], paths: list[Path]) -> Held:
    """Return what several files of one kind hold as one table, in the order of their names."""
    if len(held) == 1:
        return held[0]
    notes = [f"{len(paths)} files are taken as one table, by name from {paths[0].name} to {paths[-1].name}"]
    notes += dict.fromkeys(note for one in held for note in one.notes)
    arrays = [one.vectors for one in held if one.vectors is not None]
    if arrays and len(arrays) < len(held):
        raise UserError(f"{paths[0].parent}: some of its files hold vectors and some none.", needed="files of one kind")
    widths = sorted({array.shape[1:] for array in arrays})
    if len(widths) > 1:
        raise UserError(f"{paths[0].parent}: its arrays have rows of shapes {widths}.", needed="rows of one width")
    vectors = np.concatenate(arrays) if arrays else None
    tables = [as_table(one.table, one.table.num_rows) for one in held]
    if not any(table.num_columns for table in tables):
        return Held(no_columns(sum(table.num_rows for table in tables)), vectors, notes)
    return Held(join_tables(paths[0].parent, tables, typed_text=paths[0].suffix in _TYPED), vectors, notes)


def join_tables(path: Path, tables: list[pa.Table], *, typed_text: bool = False) -> pa.Table:
    """Join tables, one below the other.

    Parameters
    ----------
    path : Path
        Where they come from, for the words.
    tables : list of Table
        A column that one of them lacks, or has only nulls in, is null there.
    typed_text : bool, default=False
        Whether their numbers were text in the files: a column that is text in one of them is then text in all.

    Returns
    -------
    Table
        All rows.

    Raises
    ------
    UserError
        When two types of a column have none in common, or a number would lose its last digits in it.
    """
    tables = [_nulls_of_any_type(table) for table in tables]
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    kinds = {name: {x.schema.field(name).type for x in tables if name in x.column_names} for name in names}
    mixed = [name for name in names if typed_text and len(kinds[name] - {pa.null()}) > 1]
    tables = [_texts(table, mixed) for table in tables]
    for name in names:
        floats = any(t.is_floating(kind) for kind in kinds[name])
        if name not in mixed and floats and any(_large(x[name]) for x in tables if name in x.column_names):
            raise UserError(
                f"{path}: {name!r} holds fractions in one file and whole numbers beyond 2^53 in another.",
                needed="one type in each column",
                todo="write this column as text in all of them",
            )
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise UserError(f"{path}: its files do not make one table: {error}", needed="one set of columns") from error
    for name in mixed:
        found, spelled = convert_strings(table[name])
        field = pa.field(name, found.type, metadata={TYPED: spelled} if spelled else None)
        table = table.set_column(table.column_names.index(name), field, found)
    return table


def _nulls_of_any_type(table: pa.Table) -> pa.Table:
    for at, name in enumerate(table.column_names):
        if table.num_rows and table[name].null_count == table.num_rows:
            table = table.set_column(at, name, pa.nulls(table.num_rows))
    return table


def _texts(table: pa.Table, names: list[str]) -> pa.Table:
    for name in set(names) & set(table.column_names):
        at = table.column_names.index(name)
        table = table.set_column(at, name, restore_strings(table[name], table.schema.field(name)))
    return table


def _large(column: pa.ChunkedArray) -> bool:
    if not t.is_integer(column.type) or not len(column):
        return False
    span = pc.min_max(column)
    low, high = span["min"].as_py(), span["max"].as_py()
    return high is not None and max(abs(low), abs(high)) > _EXACT
