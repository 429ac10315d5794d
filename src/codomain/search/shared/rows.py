"""Rows as torch and faiss take them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows


def unit_float32(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Scale rows to length 1, in float32 and in C order."""
    return np.ascontiguousarray(unit_rows(rows), np.float32)
