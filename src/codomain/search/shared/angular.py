"""How far the rows of a space are from right angles to each other."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

from codomain.core import UserError, unit_rows

_BLOCK = 1 << 22  # numbers in memory at once


class MeanAngularMargin(NamedTuple):
    """Mean difference, in radians, between the angle of two rows and a right angle.

    Attributes
    ----------
    value : float
        From 0, all at right angles, to pi / 2, all on one line.
    low, high : float
        Interval that holds the mean over all pairs of these rows in 95 of 100 draws; the value itself when no pair
        was left out.
    n_pairs : int
        Pairs used.
    """

    value: float
    low: float
    high: float
    n_pairs: int


def mean_angular_margin(Z: ArrayLike, *, max_pairs: int = 200_000, random_state: Any = None) -> MeanAngularMargin:
    r"""Measure how evenly rows spread over directions: lower means easier to tell apart.

    :math:`\mathrm{mean}_{i < j} |\arccos(\cos(z_i, z_j)) - \pi / 2|`. GNN-Coder (arXiv:2502.15202) introduces a mean
    angular margin, lower for spaces that discriminate better. Not in the paper: this formula; only name and direction
    come from there, so do not compare values with those printed there. Random directions have not 0 but about
    :math:`\sqrt{2 / (\pi d)}` in d dimensions: compare only spaces of equal width.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
        At least two rows, none of zeros.
    max_pairs : int, default=200_000
        Pairs drawn when there are more; else all are taken.
    random_state : int, RandomState or None, default=None
        Seed of the draw.

    Returns
    -------
    MeanAngularMargin
        In radians.

    Raises
    ------
    UserError
        When a row is zero, as it has no direction, or `max_pairs` is below 2.

    Examples
    --------
    >>> mean_angular_margin([[1.0, 0.0], [0.0, 2.0]]).value
    0.0
    """
    data: NDArray[Any] = check_array(Z, dtype=(np.float64, np.float32), ensure_min_samples=2)
    if not data.any(axis=1).all():
        raise UserError(f"Row {int(np.argmin(data.any(axis=1)))} is zero.", needed="rows with a direction")
    if max_pairs < 2:
        raise UserError(f"max_pairs={max_pairs}.", needed="at least 2, to estimate how much pairs differ")
    n = len(data)
    sampled = n * (n - 1) // 2 > max_pairs
    if sampled:
        random = check_random_state(random_state)
        one = random.randint(n, size=max_pairs)
        other = (one + random.randint(1, n, size=max_pairs)) % n
    else:
        one, other = np.triu_indices(n, 1)
    unit, step = unit_rows(data), max(1, _BLOCK // data.shape[1])
    away = np.concatenate(
        [
            np.abs(np.arcsin(np.clip(np.einsum("ij,ij->i", unit[a], unit[b], dtype=np.float64), -1, 1)))
            for a, b in ((one[at : at + step], other[at : at + step]) for at in range(0, len(one), step))
        ]
    )
    value = float(away.mean())
    error = 1.96 * float(away.std(ddof=1)) / len(away) ** 0.5 if sampled else 0.0
    return MeanAngularMargin(value, value - error, value + error, len(away))
