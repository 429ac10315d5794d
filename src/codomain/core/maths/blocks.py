"""Many rows, a block at a time, for memory maps and wide products."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from codomain.core.maths.rows import Floats, finite_unit_rows

BLOCK = 8192  # rows read at a time unless the caller says otherwise


def slices(n: int, step: int = BLOCK) -> Iterator[slice]:
    """Yield the slices that cut n rows into blocks.

    Parameters
    ----------
    n : int
        Rows.
    step : int, default=8192
        Rows of a block, from 1; the last block may have fewer.

    Yields
    ------
    slice
        Start and stop, in order; none when there is no row.

    Examples
    --------
    >>> list(slices(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def unit_blocks(X: Any, step: int = BLOCK) -> Iterator[tuple[int, Floats]]:
    """Yield (number of the first row, rows of length 1 in float32) of an array, a memory map or a space's vectors."""
    return ((rows.start, finite_unit_rows(np.asarray(X[rows]))) for rows in slices(X.shape[0], step))
