"""A person's own table, or some rows of it, with what the study found in columns behind."""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.search import parse_filter
from codomain.space import Space


def table_with(
    space: Space, found: Mapping[str, pa.Array], *, where: str | None = None, rows: str | None = None
) -> pa.Table:
    """Return rows of a space with more columns.

    Parameters
    ----------
    space : Space
        An open space.
    found : mapping of str to pyarrow.Array
        Columns of n values each, as `found_columns` gives them.
    where : str, optional
        A condition on columns of the table or on these, as `codomain.search.parse_filter` reads it.
    rows : str, optional
        What `row_numbers` reads. With a condition, rows of both.

    Returns
    -------
    pyarrow.Table
        In the order of the space.

    Raises
    ------
    UserError
        When the condition or the numbers do not fit.
    """
    if rows is None:
        table = space.rows()
    else:
        chosen = row_numbers(rows, len(space))
        table = space.take(chosen)
        found = {name: values.take(pa.array(chosen)) for name, values in found.items()}
    for name, values in found.items():
        table = table.append_column(name, values)
    return table if where is None else table.filter(parse_filter(where, table.schema))


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
