"""The standard error of a gap between two scores that are no means over rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def bootstrap_error(
    gap: Callable[[NDArray[np.intp]], float], n_rows: int, *, repeats: int = 200, random_state: Any = 0
) -> float:
    """Return the standard error of ours minus floor over rows.

    Parameters
    ----------
    gap : callable
        From numbers of rows, drawn with replacement, to ours minus floor on those rows.
    n_rows : int
        Rows that there are.
    repeats : int, default=200
        Draws.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    float
        Standard deviation of the gap over the draws, in its unit.
    """
    rng = np.random.default_rng(random_state)
    return float(np.std([gap(rng.integers(n_rows, size=n_rows)) for _ in range(repeats)], ddof=1))
