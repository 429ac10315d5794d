"""What the linear heads of this room share."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, UserError, unit_rows


class LinearHead(ClassifierMixin, Method):
    """A classifier whose score of a class is the product of a row with `coef_` plus `intercept_`."""

    normalise = False
    classes_: NDArray[Any]
    coef_: NDArray[Any]
    intercept_: NDArray[Any]

    def _check_training(
        self, X: ArrayLike, y: ArrayLike, *, allow_nd: bool = False
    ) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Check X and y; return the rows, which may have more axes, and the class of each by number."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32), allow_nd=allow_nd)
        if labels.dtype.kind == "f":  # for other labels it would only warn that classes have few rows
            check_classification_targets(labels)
        self.classes_, which = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise UserError(f"y holds 1 class, {self.classes_[0]!r}.", needed="at least two classes to tell apart")
        return data, which

    def _training(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[Any]]:
        """Check X and y; return the rows, the class of each by number, and the class means."""
        data, which = self._check_training(X, y)
        data = self._scale(data)
        members = np.eye(len(self.classes_), dtype=data.dtype)[:, which]
        return data, which, members @ data / members.sum(axis=1, keepdims=True)

    def _scale(self, data: NDArray[Any]) -> NDArray[Any]:
        """Scale the rows to length 1 if `normalise` is set."""
        return unit_rows(data) if self.normalise else data

    def _scores(self, X: ArrayLike) -> NDArray[Any]:
        """Return the score of every class, of shape (n_samples, n_classes)."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return self._scale(data) @ self.coef_.T.astype(data.dtype) + self.intercept_.astype(data.dtype)

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Log of the joint density up to a constant, (n_samples, n_classes); of two classes, second minus first."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Probabilities from 0 to 1, of shape (n_samples, n_classes), under the model."""
        return np.asarray(softmax(self._scores(X), axis=1))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Likeliest class of each row, of shape (n_samples,)."""
        scores = self._scores(X)
        return self.classes_[scores.argmax(axis=1)]
