"""Join what was found by meaning and what was found by words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def fuse(lists: Sequence[tuple[ArrayLike, ArrayLike, float]]) -> NDArray[np.int64]:
    r"""Join ranked lists by how far each row stands above the end of its list.

    A row with score :math:`s` earns :math:`(s - e) / (b - e)` of a list whose best score is :math:`b` and whose end is
    :math:`e`: 1 for the first row, 0 for the end and for a row that is not on the list. Rows are ordered by what they
    earn in all. So a list that has one clear answer outweighs one whose scores hardly differ, which places alone,
    as reciprocal ranks take them, cannot show.

    Parameters
    ----------
    lists : sequence of (rows, scores, end)
        Row numbers, best first, each list without repeats; their scores; the score at which a row would no longer be
        worth listing, not above the last one.

    Returns
    -------
    ndarray of int64
        Every row of any list, best first, ties by lower number.

    Examples
    --------
    >>> fuse([([7, 3], [0.9, 0.8], 0.4), ([3, 5], [12.0, 2.0], 0.0)]).tolist()
    [3, 7, 5]
    """
    shares = earned(lists)
    return np.array(sorted(shares, key=lambda row: (-shares[row], row)), np.int64)


def earned(lists: Sequence[tuple[ArrayLike, ArrayLike, float]]) -> dict[int, float]:
    """Return what every row of any list earned in all, see `fuse`; from 0 to the number of lists."""
    shares: dict[int, float] = {}
    for rows, scores, end in lists:
        some = np.asarray(scores, np.float64)
        best = some.max(initial=end)
        parts = (some - end) / (best - end) if best > end else np.ones(len(some))
        for row, part in zip(np.asarray(rows, np.int64).tolist(), parts.tolist(), strict=True):
            shares[row] = shares.get(row, 0.0) + part
    return shares
