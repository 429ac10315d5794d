"""Reading what people hold: tables, arrays and folders, checked as a whole before anything is done."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.space import arrays, tables
from codomain.space.checks import bad_rows, blank_rows, id_problems, nearest, no_column, refuse, some, vector_problems
from codomain.space.columns import find_vectors
from codomain.space.folders import read_folder
from codomain.space.guess import guess_roles
from codomain.space.intake import as_table, free_name, with_first
from codomain.space.manifest import Roles
from codomain.space.tables import Held

_TABLES: dict[str, Callable[[Path], Held]] = {
    ".csv": tables.read_csv, ".tsv": tables.read_csv, ".json": tables.read_json, ".jsonl": tables.read_json,
    ".ndjson": tables.read_json, ".parquet": tables.read_parquet, ".arrow": tables.read_arrow,
    ".feather": tables.read_arrow, ".txt": tables.read_lines,
}  # fmt: skip
_ARRAYS: dict[str, Callable[[Path, str | None], Held]] = {
    ".npy": arrays.read_npy, ".npz": arrays.read_npz, ".safetensors": arrays.read_safetensors,
    ".fvecs": arrays.read_fvecs,
}  # fmt: skip
_MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz"}
_REFUSED = {
    ".pkl": "a pickle runs code when it is read", ".pickle": "a pickle runs code when it is read",
    ".joblib": "a joblib file runs code when it is read", ".pt": "a torch file may run code when it is read",
    ".pth": "a torch file may run code when it is read", ".h5": "HDF5 is not read", ".hdf5": "HDF5 is not read",
    ".xlsx": "a workbook is not read", ".xls": "a workbook is not read", ".faiss": "an index is not rows",
}  # fmt: skip


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
        The file's name without its ending.
    """

    rows: pa.Table
    vectors: NDArray[Any] | None
    roles: Roles
    guesses: list[str]
    name: str

    def __len__(self) -> int:
        return self.rows.num_rows if self.vectors is None else len(self.vectors)


def read(
    source: Any,
    *,
    text: str | None = None,
    label: str | None = None,
    id: str | None = None,
    vector: str | None = None,
    vectors: str | Path | None = None,
    sample: int | None = None,
    drop_empty: bool = False,
) -> Source:
    """Read rows, find their text, label, id and vectors, and check everything.

    Parameters
    ----------
    source : str, Path, Table, dict of columns or data frame
        A csv, tsv, json, jsonl, parquet, arrow, feather, npy, npz, safetensors, fvecs or txt file, a folder of these or
        of .txt and .md documents, or a saved Hugging Face data set.
    text, label, id : str, default=None
        Names of columns; guessed by default, "" for none.
    vector : str, default=None
        The column that holds vectors, the common start of numbered columns, or the array within a file of several.
    vectors : str or Path, default=None
        A file of vectors in the order of the rows.
    sample : int, default=None
        Take this many rows, drawn with a fixed seed and kept in order.
    drop_empty : bool, default=False
        Drop rows with blank text or a vector of zeros instead of refusing them.

    Returns
    -------
    Source
        Ready for `codomain.write`, after encoding when its vectors are None.

    Raises
    ------
    UserError
        Naming every problem, with the rows and what to do.
    """
    held, name = _load_any(source, vector)
    if vectors is not None:
        found = _load(Path(vectors), vector)
        held.vectors = found.vectors if found.vectors is not None else find_vectors(found.table, vector).vectors
        if held.vectors is None:
            raise UserError(f"{vectors} holds no vectors.", needed="a .npy file of shape (rows, width), or the like")
    table = as_table(held.table, held.table.num_rows)
    notes, problems, values = list(held.notes), [], held.vectors
    if values is None and table.num_rows:
        inside = find_vectors(table, vector)
        values, notes, problems = inside.vectors, notes + inside.notes, list(inside.problems)
        # Columns that were meant as vectors are not guessed to be text as well, even when they are damaged.
        table = table.select([column for column in table.column_names if column not in inside.columns])
    for option, column in (("text", text), ("label", label), ("id", id)):
        if column and column not in table.column_names:
            problems.append(f"--{option}: {no_column(column, table.column_names)}")
    asked = Roles(*(c if not c or c in table.column_names else "" for c in (text, label, id)))
    if not table.num_rows:
        refuse(str(name), ["there are 0 rows: at least one is needed", *problems])
    roles, said = guess_roles(table, asked)
    notes += said
    if roles.text is None and values is None and not problems:
        columns = ", ".join(f"{field.name!r} ({field.type})" for field in table.schema)
        raise UserError(
            f"{name} has no column that looks like text, and no vectors. Its columns: {columns}.",
            needed="a column of text, or vectors",
            todo="name one: --text NAME, --vector NAME, or --vectors FILE",
        )
    table, values, dropped = _without_empty(table, values, roles.text, problems if not drop_empty else None)
    notes += [f"{dropped:,} rows without text or with a vector of zeros are left out"] if dropped else []
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


def _load_any(source: Any, vector: str | None) -> tuple[Held, str | Path]:
    if isinstance(source, str | Path):
        return _load(Path(source), vector), Path(source)
    return Held(as_table(source)), "rows"


def _load(path: Path, vector: str | None) -> Held:
    if not path.exists():
        near = nearest(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise UserError(f"{path} does not exist{near}.", needed="a file or a folder")
    if path.is_dir():
        return read_folder(path, vector, _load)
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty: it has 0 bytes.", needed="at least one row")
    suffix = next((s for s in reversed(path.suffixes) if s not in (".gz", ".bz2", ".zst")), "").lower()
    with path.open("rb") as file:
        start = file.read(8)
    suffix = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic) and suffix != ".xlsx"), suffix)
    if suffix in _REFUSED:
        raise UserError(f"{path}: {_REFUSED[suffix]}.", needed="csv, parquet, jsonl, npy or safetensors")
    try:
        if suffix in _ARRAYS:
            return _ARRAYS[suffix](path, vector)
        if suffix in _TABLES:
            return _TABLES[suffix](path)
    except UserError:
        raise
    except Exception as error:  # on a broken file a parser may raise anything, numpy's even a TokenError
        raise UserError(
            f"{path} cannot be read as {suffix}: {error}", todo=f"look at what it is: file {path}"
        ) from error
    raise UserError(
        f"{path} ends in {path.suffix!r}, which is not read.", needed=f"one of {', '.join([*_TABLES, *_ARRAYS])}"
    )


def _without_empty(
    table: pa.Table, values: Any, text: str | None, problems: list[str] | None
) -> tuple[pa.Table, Any, int]:
    """Name rows with nothing in them in `problems`, or, when that is None, drop them."""
    blank = blank_rows(table[text]) if text is not None and values is None else np.empty(0, np.int64)
    if problems is not None:
        if len(blank):
            problems.append(f"{some(blank)}: no text in '{text}': fill it in, or drop these rows with --drop-empty")
        return table, values, 0
    matched = values is not None and values.ndim == 2 and np.dtype(values.dtype).kind in "fiu"
    if matched and len(values) == table.num_rows:
        blank = bad_rows(values)[1]
    if not len(blank):
        return table, values, 0
    kept = np.setdiff1d(np.arange(table.num_rows), blank)
    return _pick(table, kept), None if values is None else values[kept], len(blank)


def _sample(table: pa.Table, values: Any, roles: Roles, size: int) -> tuple[pa.Table, Any, Roles]:
    rows = np.sort(np.random.default_rng(0).choice(table.num_rows, size, replace=False))
    if roles.id is None:  # the row numbers of the whole stay the ids of the sample
        name = free_name(("id", "row"), table.column_names)
        table = with_first(table, name, pa.array(np.arange(table.num_rows)))
        roles = Roles(roles.text, roles.label, name)
    return _pick(table, rows), None if values is None else values[rows], roles


def _pick(table: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    return table.take(pa.array(rows)) if table.num_columns else arrays.no_columns(len(rows))
