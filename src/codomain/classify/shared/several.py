"""What linear classifiers share when rows may have several labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, UserError


class SeveralLabels(ClassifierMixin, Method):
    """Read y in either form, and answer in the form that `fit` was given."""

    coef_: NDArray[Any]
    intercept_: NDArray[Any]

    def __sklearn_tags__(self) -> Any:
        """Say that a row may have several labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _training(self, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Check X and y; return X and an array (n_samples, n_classes), 1 where a row has a label; set `classes_`."""
        self._check_params()
        data, given = validate_data(self, X, y, dtype=(np.float64, np.float32), multi_output=True)
        check_classification_targets(given)
        self._several = type_of_target(given) == "multilabel-indicator"
        if self._several:
            self.classes_ = np.arange(given.shape[1])
            return data, given.astype(data.dtype)
        self.classes_, which = np.unique(column_or_1d(given, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise UserError(f"y holds 1 class, {self.classes_[0]!r}.", needed="at least two classes to tell apart")
        return data, np.eye(len(self.classes_), dtype=data.dtype)[which]

    def _check_rows(self, X: ArrayLike) -> NDArray[Any]:
        """Check rows and return what the classifier reads."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return data

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Scores, 0 between yes and no, (n_samples, n_classes); of two exclusive labels, second minus first."""
        Z = self._check_rows(X)
        scores = Z @ self.coef_.T.astype(Z.dtype) + self.intercept_.astype(Z.dtype)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 and not self._several else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels as `fit` was given them: 0 and 1 of shape (n_samples, n_classes), or the likeliest for each row."""
        scores = self.decision_function(X)
        if self._several:
            return (scores > 0).astype(np.int64)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]
