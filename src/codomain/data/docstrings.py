"""The docstrings of one Python's standard library, frozen, so that claims are measured on the same rows everywhere."""

from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from codomain.core.sealed import Seal, check
from codomain.data.identity import hash_files

PATH = Path(__file__).parent / "snapshots" / "docstrings.parquet"
SHA256 = "2dc7d9623276cd113fed640bd789d209ee7700cd49617f00d678c2b182c81494"
_SEAL = Seal(412_278, SHA256, (SHA256,))


@cache  # a table cannot be changed
def frozen_docstrings(min_characters: int = 20) -> pa.Table:
    """Return the docstrings of CPython 3.11.7's standard library, whatever Python is running.

    Parameters
    ----------
    min_characters : int, default=20
        Leave out shorter docstrings; none has fewer than 20.

    Returns
    -------
    pyarrow.Table
        5,738 rows with the columns of `stdlib_docstrings`, in its order.

    Raises
    ------
    DamagedError
        When the file in the package is not the one that was sealed.
    """
    check(PATH, _SEAL, todo="pip install --force-reinstall --no-deps codomain")
    table = parquet.read_table(PATH)
    return table.filter(pc.greater_equal(pc.utf8_length(table["text"]), min_characters))


def identity() -> str:
    """Return a hash of the snapshot, 16 hex digits."""
    return hash_files(PATH)
