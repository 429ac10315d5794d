"""What a method learns to tell of labels or numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target


def as_targets(y: NDArray[Any], dtype: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Turn labels into centred columns, one for each class; leave numbers as they are."""
    if type_of_target(y) in {"binary", "multiclass"}:
        classes, which = np.unique(y, return_inverse=True)
        return (np.eye(len(classes)) - 1 / len(classes)).astype(dtype)[which.ravel()], classes
    return y.reshape(len(y), -1).astype(dtype), None
