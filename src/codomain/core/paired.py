"""The base of every method that learns from pairs: row i of X and row i of y are the same item."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from codomain.core.errors import UserError
from codomain.core.method import Method


class Paired(Method):
    """A method whose `fit` needs y, which may have many columns.

    Attributes
    ----------
    partner : str
        What y holds, in the words of the error for a missing y.
    """

    needs_y = True
    partner: ClassVar[str] = "the other space"

    def __sklearn_tags__(self) -> Any:
        """Declare that y may have many columns."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _need_partner(self, y: ArrayLike | None) -> None:
        """Refuse a `fit` without y."""
        if y is None:
            name = type(self).__name__
            raise UserError(
                f"{name}: requires y to be passed, but the target y is None.", needed=f"{self.partner} as y"
            )

    def _pairs(self, X: ArrayLike, y: ArrayLike, least: int = 1) -> tuple[NDArray[Any], NDArray[Any]]:
        """Check the parameters and both sides; return X, (n, d), and y, (n, d_other), of one float type.

        Parameters
        ----------
        X : array-like of shape (n_pairs, n_features)
            One side.
        y : array-like of shape (n_pairs,) or (n_pairs, n_other_features)
            The other side.
        least : int, default=1
            Pairs that are needed.
        """
        self._check_params()
        self._need_partner(y)
        A: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=least)
        B: NDArray[Any] = check_array(y, dtype=A.dtype, ensure_2d=False, input_name="y")
        check_consistent_length(A, B)
        return A, B[:, None] if B.ndim == 1 else B
