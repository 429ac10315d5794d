"""Give people their own table back, with what the study found in new columns."""

import shlex
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from codomain.core import UserError, say, written_aside
from codomain.space import LabelsPart, Origin, Space
from codomain.workbench.csv_table import write_csv
from codomain.workbench.encoders import check_studied
from codomain.workbench.found import found_columns, label_columns

_WRITERS = {".parquet": parquet.write_table, ".csv": write_csv}


def export_space(space: Space, out: Path, *, force: bool = False) -> Path:
    """Write the rows with their group, place on the map, flags, and labels where there are any.

    An older file is replaced when the new one is whole, and stays when anything fails.

    Parameters
    ----------
    space : Space
        A studied space.
    out : Path
        A file ending in .parquet or .csv.
    force : bool, default=False
        Replace `out` even when the rows of the space were read from it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        When the ending is another, the space has not been studied, or it was made from this file.
    """
    _check_ending(out)
    _check_origin(space, out, force)
    check_studied(space)
    if (labels := space.parts.find(LabelsPart)) and not labels.fresh:
        say(f"labels are left out, for rows have changed since; to mend it: codomain label {space.path} --ask 0")
    table = space.rows()
    for name, values in found_columns(space).items():
        table = table.append_column(name, values)
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
