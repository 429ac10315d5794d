"""Draw pairs of rows that share a subject."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def draw_partners(groups: NDArray[Any], random: Any) -> NDArray[np.int64]:
    """Draw for each row another row of its group; -1 where the group has no other."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    begins = np.cumsum([0, *counts[:-1]])
    at = np.empty(len(groups), np.int64)
    at[order] = np.arange(len(groups)) - begins[place[order]]
    step = (random.random_sample(len(groups)) * (counts[place] - 1)).astype(np.int64) + 1
    found = order[begins[place] + (at + step) % counts[place]]
    return np.where(counts[place] > 1, found, -1)
