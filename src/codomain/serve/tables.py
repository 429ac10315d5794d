"""The table of a space with what the study found, or some of its rows, as a file."""

import re
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from codomain.core import UserError
from codomain.search import parse_filter
from codomain.serve.spaces import Opened
from codomain.workbench.csv_table import write_csv

WRITERS = {"csv": write_csv, "parquet": parquet.write_table}
_MOST_RANGES = 10_000


def write_table(
    opened: Opened, file: IO[bytes], kind: str, *, where: str | None = None, rows: str | None = None
) -> None:
    """Write the table of a space with the columns of its study.

    Parameters
    ----------
    opened : Opened
        The space.
    file : binary file
        Open for writing.
    kind : {"csv", "parquet"}
        How to write it.
    where : str, optional
        A condition on columns: only rows that meet it.
    rows : str, optional
        Row numbers and ranges of them, such as "1,2,5-9": only these, in this order.

    Raises
    ------
    UserError
        When the condition or the numbers do not fit, or both are given.
    """
    if where and rows:
        raise UserError("Rows are chosen by a condition and by numbers.", needed="one of where and rows")
    space = opened.space
    if rows:
        chosen = row_numbers(rows, len(space))
        table = space.take(chosen)
        found = {name: values.take(pa.array(chosen)) for name, values in opened.found.items()}
    else:
        table, found = space.rows(), opened.found
    for name, values in found.items():
        table = table.append_column(name, values)
    if where:
        table = table.filter(parse_filter(where, table.schema))
    WRITERS[kind](table, file)


def row_numbers(text: str, count: int) -> NDArray[np.int64]:
    """Return the numbers in a list such as "1,2,5-9".

    Parameters
    ----------
    text : str
        Numbers from 0, and ranges that hold both ends.
    count : int
        Rows that there are.

    Returns
    -------
    ndarray of int64
        As they are written.

    Raises
    ------
    UserError
        When it is no such list, or names a row that is not there.

    Examples
    --------
    >>> row_numbers("7,1-3", 10).tolist()
    [7, 1, 2, 3]
    """
    parts = [re.fullmatch(r"([0-9]{1,12})(?:-([0-9]{1,12}))?", part.strip()) for part in text.split(",")]
    if not all(parts) or len(parts) > _MOST_RANGES:
        raise UserError(f"{text[:80]!r} is no list of rows.", needed="row numbers and ranges, such as 1,2,5-9")
    ends = [(int(part[1]), int(part[2] or part[1])) for part in parts if part]
    highest = max(max(pair) for pair in ends)
    if highest >= count:
        raise UserError(f"Row {highest} is not among the {count:,} rows.", needed=f"numbers from 0 to {count - 1}")
    if sum(max(0, last - first + 1) for first, last in ends) > count:
        raise UserError("The list names more rows than there are.", needed=f"at most {count:,} rows")
    return np.concatenate([np.arange(first, last + 1) for first, last in ends])
