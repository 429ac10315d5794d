"""Give people some rows of their own table, with what the study found of them."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.search import parse_filter
from codomain.space import Space
from codomain.workbench.encoders import check_studied
from codomain.workbench.export import _check_ending, _check_origin, _write
from codomain.workbench.found import found_columns


def export_rows(
    space: Space, out: Path, *, where: str | None = None, rows: str | None = None, force: bool = False
) -> Path:
    """Write some rows with their group, place on the map, flags, and labels where there are any.

    Parameters
    ----------
    space : Space
        A studied space.
    out : Path
        A file ending in .parquet or .csv.
    where : str, optional
        A condition on columns of the table or on what the study found, as `codomain.search.parse_filter` reads it.
    rows : str, optional
        Row numbers from 0 and ranges of them that hold both ends, such as "1,5-9". With a condition, rows of both.
    force : bool, default=False
        Replace `out` even when the rows of the space were read from it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UserError
        When condition or numbers do not fit, or as `export_space` does.
    """
    _check_ending(out)
    _check_origin(space, out, force)
    check_studied(space)
    found = found_columns(space)
    if rows is None:
        table = space.rows()
    else:
        chosen = row_numbers(rows, len(space))
        table = space.take(chosen)
        found = {name: values.take(pa.array(chosen)) for name, values in found.items()}
    for name, values in found.items():
        table = table.append_column(name, values)
    if where is not None:
        table = table.filter(parse_filter(where, table.schema))
    if not len(table):
        raise UserError(f"No row meets {where!r}.", needed="a condition that some row meets")
    return _write(table, out)


def row_numbers(text: str, count: int) -> NDArray[np.int64]:
    """Return the numbers in a list such as "1,5-9", in order and each once.

    Parameters
    ----------
    text : str
        Numbers from 0, and ranges that hold both ends.
    count : int
        Rows that there are.

    Returns
    -------
    ndarray of int64
        In rising order.

    Raises
    ------
    UserError
        When it is no such list, or names a row that is not there.

    Examples
    --------
    >>> row_numbers("7,1-3,2", 10).tolist()
    [1, 2, 3, 7]
    """
    chosen = np.zeros(count, bool)
    for part in text.split(","):
        ends = re.fullmatch(r"\s*([0-9]{1,15})(?:-([0-9]{1,15}))?\s*", part)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if last < first:
            raise UserError(f"{part[:80]!r} is neither a row number nor a range of them.", needed="such as 1,5-9")
        if last >= count:
            raise UserError(f"Row {last:,} is not among the {count:,} rows.", needed=f"numbers from 0 to {count - 1}")
        chosen[first : last + 1] = True
    return np.flatnonzero(chosen)
