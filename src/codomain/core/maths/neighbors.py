"""Lists of nearest rows, which one room makes and several read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Neighbors:
    """The k nearest rows of each row.

    Attributes
    ----------
    indices : ndarray of int32, shape (n_queries, k)
        Row numbers, nearest first.
    scores : ndarray of float32, shape (n_queries, k)
        Their cosines from -1 to 1, or inner products.
    """

    indices: NDArray[np.int32]
    scores: NDArray[np.float32]
