"""Intervals from leaving out a tenth of the rows at a time (the jackknife)."""

from collections.abc import Sequence

import numpy as np

FOLDS = 10


def jackknife_interval(
    value: float, parts: Sequence[float], bounds: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float]:
    """Interval of 95 % from the values with one fold of the rows left out at a time."""
    if len(parts) < FOLDS:
        return value, value
    spread = float(np.sqrt((len(parts) - 1) / len(parts) * np.sum((np.asarray(parts) - np.mean(parts)) ** 2)))
    low, high = value - 2.262 * spread, value + 2.262 * spread  # t with 9 degrees of freedom
    return max(low, bounds[0]), min(high, bounds[1])
