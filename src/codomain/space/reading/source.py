"""Reading what people hold: tables, arrays and folders, checked as a whole before anything is done."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from codomain.core import UserError
from codomain.space.checks import bad_rows, blank_rows, id_problems, list_rows, no_column, refuse, vector_problems
from codomain.space.intake import as_table, free_name, prepend
from codomain.space.kinds import type_notes
from codomain.space.manifest import Roles
from codomain.space.reading import arrays
from codomain.space.reading.columns import Found, find_vectors
from codomain.space.reading.guess import guess_roles
from codomain.space.reading.in_memory import InMemory, as_matrix, hold
from codomain.space.reading.loading import load
from codomain.space.reading.tables import Held

BLANK_SHARE = 0.05  # rows without text up to this share are left out and counted; more of them are refused


@dataclass(frozen=True)
class Source:
    """Rows that are fit for a space.

    Parameters
    ----------
    rows : Table
        The person's own columns; none for bare vectors.
    vectors : ndarray of shape (n, d) or None
        A memory map where the file allows it; None when the text is still to be encoded.
    roles : Roles
        Which columns are text, label and id.
    guesses : list of str
        One sentence for each thing that was decided.
    name : str
        The file's name without its ending; what kind of object it was, where there is no file.
    """

    rows: pa.Table
    vectors: NDArray[Any] | None
    roles: Roles
    guesses: list[str]
    name: str

    def __len__(self) -> int:
        return self.rows.num_rows if self.vectors is None else len(self.vectors)


def read(
    source: str | Path | InMemory | Held,
    *,
    text: str | None = None,
    label: str | None = None,
    id: str | None = None,
    vector: str | None = None,
    vectors: str | Path | ArrayLike | None = None,
    rows: InMemory | None = None,
    sample: int | None = None,
    drop_empty: bool = False,
) -> Source:
    """Read rows, find their text, label, id and vectors, and check everything.

    Parameters
    ----------
    source : str, Path, data frame, Table, Dataset, list of texts, list of dict, dict of columns, or array
        A csv, tsv, json, jsonl, parquet, arrow, feather, npy, npz, safetensors, fvecs or txt file, a folder of these or
        of .txt and .md documents, or a saved Hugging Face data set; a data frame of pandas or polars, a table of
        pyarrow or anything else that hands itself over as Arrow, a Dataset of `datasets`, texts, or vectors of shape
        (n, d). The index of a pandas frame is its first column, apart from the usual one that counts from 0.
    text, label, id : str, default=None
        Names of columns; guessed by default, "" for none. Several columns with commas between, "Title,Review Text",
        are joined line by line into a new column of that name, which is then the text.
    vector : str, default=None
        The column that holds vectors, the common start of numbered columns, or the array within a file of several.
    vectors : str, Path or array of shape (n, d), default=None
        Vectors in the order of the rows.
    rows : data frame, Table, Dataset, list of texts, list of dict or dict of columns, default=None
        What stands beside `source` when that is an array.
    sample : int, default=None
        Take this many rows, drawn with a fixed seed and kept in order.
    drop_empty : bool, default=False
        Drop rows with blank text or a vector of zeros, however many there are. By default rows with blank text are
        left out, and said, up to a share of 5 %; more of them, and any vector of zeros, are refused.

    Returns
    -------
    Source
        Ready for `codomain.write`, after encoding when its vectors are None.

    Raises
    ------
    UserError
        Naming every problem, with the rows and what to do.
    """
    held, name = _load_any(source, vector, rows)
    if vectors is not None:
        held.vectors = _load_beside(Path(vectors), vector) if isinstance(vectors, str | Path) else as_matrix(vectors)
    table = as_table(held.table, held.table.num_rows)
    notes, problems, values = [*held.notes, *type_notes(held.table.schema, table.schema)], [], held.vectors
    inside = Found()
    if table.num_rows and table.num_columns:
        inside = find_vectors(table, vector if values is None else "")
        values, notes, problems = inside.vectors if values is None else values, notes + inside.notes, inside.problems
        # Columns that were meant as vectors are not guessed to be text as well, even when they are damaged.
        table = table.select([column for column in table.column_names if column not in inside.columns])
    if text:
        table = _join_texts(table, text, notes)
    for option, column in (("text", text), ("label", label), ("id", id)):
        if column and column not in table.column_names:
            problems.append(f"--{option}: {no_column(column, table.column_names)}")
    asked = Roles(*(c if not c or c in table.column_names else "" for c in (text, label, id)))
    if not table.num_rows:
        refuse(str(name), ["there are 0 rows: at least one is needed", *problems])
    roles, said = guess_roles(table, asked, inside.not_text)
    notes += said
    if roles.text is None and values is None and not problems:
        columns = ", ".join(f"{field.name!r} ({field.type})" for field in table.schema)
        why = "".join(f" {column!r} is no vector: {reason}." for column, reason in inside.unread.items())
        raise UserError(
            f"{name} has no column that looks like text, and no vectors. Its columns: {columns}.{why}",
            needed="a column of text, or vectors",
            todo="name one: --text NAME, --vector NAME, or --vectors FILE",
        )
    table, values = _drop_empty(table, values, roles, drop_empty, problems, notes)
    if values is not None:
        problems += vector_problems(values, table.num_rows)
    elif not table.num_rows:
        problems.append("no row is left: every one is empty")
    if roles.id is not None:
        problems += id_problems(table[roles.id], roles.id)
    refuse(str(name), problems)
    if sample is not None and sample < table.num_rows:
        table, values, roles = _sample(table, values, roles, sample)
        notes.append(f"a sample of {sample:,} rows, drawn with a fixed seed")
    return Source(table, values, roles, notes, Path(str(name)).stem)


def _load_beside(path: Path, vector: str | None) -> Any:
    held = load(path, vector)
    if held.vectors is not None:
        return held.vectors
    found = find_vectors(as_table(held.table, held.table.num_rows), vector)
    refuse(str(path), found.problems)
    if found.vectors is None:
        raise UserError(f"{path} holds no vectors.", needed="a .npy file of shape (rows, width), or the like")
    return found.vectors


def _join_texts(table: pa.Table, text: str, notes: list[str]) -> pa.Table:
    """Add the column that `text` asks for when it names several."""
    names = [name.strip() for name in text.split(",")]
    if text in table.column_names or len(names) < 2 or not set(names) <= set(table.column_names):
        return table
    try:
        parts = [table[name].cast(pa.string()) for name in names]
    except pa.ArrowException as error:
        raise UserError(f"--text {text}: these columns cannot be joined: {error}", needed="columns of text") from error
    rows = zip(*(part.to_pylist() for part in parts), strict=True)
    joined = ["\n".join(cell for cell in row if cell and not cell.isspace()) or None for row in rows]
    notes.append(f"text: {' and '.join(map(repr, names))}, joined line by line in a new column {text!r}")
    return table.append_column(text, pa.array(joined, pa.string()))


def _load_any(
    source: str | Path | InMemory | Held, vector: str | None, rows: InMemory | None
) -> tuple[Held, str | Path]:
    if isinstance(source, str | Path):
        if rows is not None:
            raise UserError(
                f"rows= came beside the file {source}.", needed="rows= beside an array",
                todo=f"give the rows first, and the file as vectors={str(source)!r}",
            )  # fmt: skip
        return load(Path(source), vector), Path(source)
    held = source if isinstance(source, Held) else hold(source, rows=rows)
    return replace(held), held.name  # the caller's own stays as it is


def _drop_empty(
    table: pa.Table, values: Any, roles: Roles, drop: bool, problems: list[str], notes: list[str]
) -> tuple[pa.Table, Any]:
    """Leave out rows with nothing in them, and say so; too many that nobody asked to drop are a problem."""
    what, blank = f"without text in {roles.text!r}", np.empty(0, np.int64)
    if values is None and roles.text is not None:
        blank = blank_rows(table[roles.text])
        if not drop and BLANK_SHARE * table.num_rows < len(blank):
            problems.append(
                f"{list_rows(blank)}: no text in {roles.text!r}, and that is {len(blank) / table.num_rows:.0%} of all "
                f"rows (up to {BLANK_SHARE:.0%} are left out): fill it in, or drop these rows with --drop-empty"
            )
            return table, values
    elif drop and values is not None and values.ndim == 2 and np.dtype(values.dtype).kind in "fiu":
        what, blank = "with a vector of zeros", bad_rows(values)[1] if len(values) == table.num_rows else blank
    if not len(blank):
        return table, values
    rest = "" if roles.id else "; the others are numbered from 0 without them"
    notes.append(f"{len(blank):,} of {table.num_rows:,} rows {what} are left out ({list_rows(blank)}){rest}")
    kept = np.setdiff1d(np.arange(table.num_rows), blank)
    return _pick(table, kept), None if values is None else values[kept]


def _sample(table: pa.Table, values: Any, roles: Roles, size: int) -> tuple[pa.Table, Any, Roles]:
    rows = np.sort(np.random.default_rng(0).choice(table.num_rows, size, replace=False))
    if roles.id is None:  # the row numbers of the whole stay the ids of the sample
        name = free_name(("id", "row"), table.column_names)
        table = prepend(table, name, pa.array(np.arange(table.num_rows)))
        roles = Roles(roles.text, roles.label, name)
    return _pick(table, rows), None if values is None else values[rows], roles


def _pick(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    return table.take(pa.array(rows)) if table.num_columns else arrays.no_columns(len(rows))
