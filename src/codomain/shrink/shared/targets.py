"""Targets of a method, from labels or from numbers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from codomain.core import Method


def read_targets(method: Method, X: ArrayLike, y: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Check X and y; return rows, targets (the rows themselves when y is None), and the classes if y holds labels."""
    dtypes = (np.float64, np.float32)
    if y is None:
        data: NDArray[Any] = validate_data(method, X, dtype=dtypes)
        return data, data, None
    data, y = validate_data(method, X, y, dtype=dtypes, multi_output=True)
    return data, *as_targets(y, data.dtype)


def as_targets(y: NDArray[Any], dtype: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Turn labels into centred columns, one for each class; leave numbers as they are."""
    if type_of_target(y) in {"binary", "multiclass"}:
        classes, which = np.unique(y, return_inverse=True)
        return (np.eye(len(classes)) - 1 / len(classes)).astype(dtype)[which.ravel()], classes
    return y.reshape(len(y), -1).astype(dtype), None
