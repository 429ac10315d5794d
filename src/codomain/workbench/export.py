"""Give people their own table back, with what the study found in new columns, as a file or in a vector store."""

import shlex
from pathlib import Path
from typing import overload

import pyarrow as pa
from pyarrow import parquet

from codomain.core import UserError, say, written_aside
from codomain.space import LabelsPart, Origin, Space
from codomain.workbench.csv_table import write_csv
from codomain.workbench.encoders import check_studied
from codomain.workbench.found import found_columns, label_columns
from codomain.workbench.stores.addresses import FORMS, store_at
from codomain.workbench.stores.written import Exported, write_to
from codomain.workbench.table import table_with

_WRITERS = {".parquet": parquet.write_table, ".csv": write_csv}


@overload
def export_space(
    space: Space, out: Path, *, where: str | None = None, rows: str | None = None, force: bool = False
) -> Path: ...
@overload
def export_space(space: Space, *, to: str, force: bool = False) -> Exported: ...
def export_space(
    space: Space, out: Path | None = None, *, to: str | None = None, where: str | None = None, rows: str | None = None,
    force: bool = False,
) -> Path | Exported:  # fmt: skip
    """Write the rows with their group, place on the map, flags, and labels where there are any.

    What was there before is replaced when the new one is whole, and stays when anything fails.

    Parameters
    ----------
    space : Space
        A studied space.
    out : Path, optional
        A file ending in .parquet or .csv.
    to : str, optional
        Instead of a file, a vector store, which gets the vectors too, scaled to length 1: lance:FOLDER#TABLE,
        qdrant:http://HOST:PORT#COLLECTION, postgres://USER@HOST:PORT/DATABASE#TABLE or faiss:FILE.faiss.
    where : str, optional
        For a file: only rows that meet a condition on columns, also on what the study found.
    rows : str, optional
        For a file: only rows with these numbers, from 0, such as "1,5-9".
    force : bool, default=False
        Replace `out` even when the rows of the space were read from it; replace what is in the store.

    Returns
    -------
    Path or Exported
        The file; or what the store holds, and how well it finds the nearest rows.

    Raises
    ------
    UserError
        When the ending or the address is another, the space has not been studied, it was made from this file, no row
        meets the condition, or the store refuses.
    """
    if (out is None) == (to is None):
        raise UserError(
            "A file or a store is needed, and not both.", needed=f"a file ending in .parquet or .csv, or {FORMS}"
        )
    if to is not None and (where is not None or rows is not None):
        raise UserError("Some rows are written to a file only.", needed="a file with where or rows, and no store")
    if out is not None:
        _check_ending(out)
        _check_origin(space, out, force)
    store = None if to is None else store_at(to)
    check_studied(space)
    if (labels := space.parts.find(LabelsPart)) and not labels.fresh:
        say(f"labels are left out, for rows have changed since; to mend it: codomain label {space.path} --ask 0")
    if store is not None:
        return write_to(store, space, force=force)
    assert out is not None
    table = table_with(space, found_columns(space), where=where, rows=rows)
    if not len(table):
        raise UserError(f"No row meets {where!r}.", needed="a condition that some row meets")
    return _write(table, out)


def export_labels(space: Space, out: Path, *, force: bool = False) -> Path:
    """Write ids and labels, which `codomain label --from` reads again.

    Parameters
    ----------
    space : Space
        A labelled space.
    out : Path
        A file ending in .parquet or .csv.
    force : bool, default=False
        Replace `out` even when the rows of the space were read from it.

    Returns
    -------
    Path
        The file.
    """
    _check_ending(out)
    _check_origin(space, out, force)
    columns = label_columns(space)
    table = pa.table({space.columns[0]: space.ids, **{name: pa.array(values) for name, values in columns.items()}})
    return _write(table, out)


def _write(table: pa.Table, out: Path) -> Path:
    with written_aside(out) as new:
        _WRITERS[out.suffix](table, new)
    return out


def _check_origin(space: Space, out: Path, force: bool) -> None:
    """Refuse to write over a file that the rows came from: by its name, as it may have been edited, or its content."""
    if force or not out.is_file():
        return
    known = {origin.name for origin in space.origins} | {origin.sha256 for origin in space.origins}
    there = Origin.of(out)
    if known & {there.name, there.sha256}:
        raise UserError(
            f"{out} is a file that the rows of {space.path} came from, or has its name: it would be lost.",
            needed="another name",
            todo=f"codomain export {shlex.quote(str(space.path))} {shlex.quote(out.stem)}-studied{out.suffix}, "
            "or add --force to replace it",
        )


def _check_ending(out: Path) -> None:
    if out.suffix not in _WRITERS:
        raise UserError(f"{out} ends in {out.suffix!r}.", needed="a file that ends in .parquet or .csv")
