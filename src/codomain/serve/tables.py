"""The table of a space with what the study found, or some of its rows, as a file."""

from typing import IO

from pyarrow import parquet

from codomain.serve.spaces import Opened
from codomain.workbench.csv_table import write_csv
from codomain.workbench.table import table_with

WRITERS = {"csv": write_csv, "parquet": parquet.write_table}


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
        Row numbers and ranges of them, such as "1,2,5-9": only these. With a condition, rows of both.

    Raises
    ------
    UserError
        When the condition or the numbers do not fit.
    """
    WRITERS[kind](table_with(opened.space, opened.found, where=where or None, rows=rows or None), file)
