"""Join what was found by meaning and what was found by words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARPNESS = 2.0  # from 1 to 12 it changes the share of right first hits by .015; docs/evidence/search.md


def fuse(lists: Sequence[tuple[ArrayLike, ArrayLike, float]]) -> NDArray[np.int64]:
    r"""Join ranked lists by how far each row stands above the end of its list, and each list by how clear it is.

    A row with score :math:`s` stands at :math:`p = (s - e) / (b - e)` of a list whose best score is :math:`b` and whose
    end is :math:`e`, and earns in proportion to :math:`\exp(2p)`. What a list gives is shared among its rows and as
    many that stand at its end as the longest list is longer, so that a list with one clear answer gives it up to 1,
    and one whose scores hardly differ gives little to each. Rows are ordered by what they earn in all.

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
    at_end, longest = np.exp(-SHARPNESS), max((len(np.asarray(rows)) for rows, _, _ in lists), default=0)
    for rows, scores, end in lists:
        some = np.asarray(scores, np.float64)
        if not len(some):
            continue
        best = some.max(initial=end)
        parts = (some - end) / (best - end) if best > end else np.ones(len(some))
        weights = np.exp(SHARPNESS * (parts - 1))
        weights *= (1 + (longest - 1) * at_end) / (weights.sum() + (longest - len(weights)) * at_end)
        for row, weight in zip(np.asarray(rows, np.int64).tolist(), weights.tolist(), strict=True):
            shares[row] = shares.get(row, 0.0) + weight
    return shares
