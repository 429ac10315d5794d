"""What classifiers share that are fitted to vectors of descriptions instead of labelled rows."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, UserError, unit_rows
from codomain.core.maths.means import class_means


class WordsHead(ClassifierMixin, Method):
    """A classifier whose score of a class is the product of a row of length 1 with its prototype."""

    classes_: NDArray[Any]
    descriptions_: NDArray[Any]
    description_classes_: NDArray[Any]
    prototypes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from description vectors X, (n_descriptions, n_features), and the class of each, y."""
        which = self._keep_descriptions(X, y)
        self.prototypes_ = class_means(self.descriptions_, which, len(self.classes_))
        return self

    def _keep_descriptions(self, X: ArrayLike, y: ArrayLike) -> NDArray[np.intp]:
        """Check and keep the descriptions; return the class of each by number."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        if labels.dtype.kind == "f":  # for other labels it would only warn that classes have few rows
            check_classification_targets(labels)
        self.classes_, which = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise UserError(
                f"y holds 1 class, {self.classes_.tolist()[0]!r}.", needed="at least two classes to tell apart"
            )
        self.descriptions_, self.description_classes_ = unit_rows(data), self.classes_[which]
        return which

    def _check_rows(self, Z: ArrayLike) -> NDArray[Any]:
        """Check rows to be labelled and scale them to length 1."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, Z, reset=False, dtype=(np.float64, np.float32))
        return unit_rows(data)

    def explain(self, Z: ArrayLike) -> NDArray[Any]:
        """Cosine to every description, from -1 to 1, of shape (n_samples, n_descriptions)."""
        rows = self._check_rows(Z)
        return np.clip(rows @ self.descriptions_.T.astype(rows.dtype), -1, 1)

    def _scores(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the score of every class, of shape (n_samples, n_classes)."""
        return np.asarray(rows @ self.prototypes_.T.astype(rows.dtype))

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Score of each class, (n_samples, n_classes); of two classes, the second minus the first."""
        scores = self._scores(self._check_rows(X))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Class of the highest score, of shape (n_samples,)."""
        scores = self._scores(self._check_rows(X))
        return self.classes_[scores.argmax(axis=1)]

    def _check_vectors(self, rows: ArrayLike | None, what: str, n_rows: int | None = None) -> NDArray[Any]:
        """Check more vectors of the same space, given by name, and scale them to length 1."""
        width = self.descriptions_.shape[1]
        found = np.asarray(rows, dtype=self.descriptions_.dtype)
        if found.ndim != 2 or found.shape[1] != width or (n_rows is not None and len(found) != n_rows):
            count = "any number of" if n_rows is None else n_rows
            raise UserError(f"{what} has shape {found.shape}.", needed=f"{count} rows of {width} features")
        if not np.isfinite(found).all():
            raise UserError(f"{what} holds values that are not finite.", needed="finite numbers")
        return unit_rows(found)

    def _class_numbers(self, labels: ArrayLike, what: str, n_rows: int) -> NDArray[np.intp]:
        """Return the number of the class of each label."""
        names = np.asarray(labels)
        if names.shape != (n_rows,):
            raise UserError(f"{what} has shape {names.shape}.", needed=f"one class for each of {n_rows} rows")
        unknown = np.setdiff1d(names, self.classes_)
        if len(unknown):
            raise UserError(f"{what} holds {unknown.tolist()[0]!r}, which is not in y.", needed="classes of y")
        return np.searchsorted(self.classes_, names)

    def _labelled_rows(
        self, which: NDArray[np.intp], rows: ArrayLike | None, row_classes: ArrayLike | None
    ) -> tuple[NDArray[Any], NDArray[np.intp]]:  # fmt: skip
        """Return labelled rows at length 1 and their classes by number; the descriptions when there are none."""
        if (rows is None) != (row_classes is None):
            raise UserError("One of rows and row_classes is missing.", needed="both or neither")
        if rows is None or row_classes is None:
            return self.descriptions_, which
        seen = self._check_vectors(rows, "rows")
        return seen, self._class_numbers(row_classes, "row_classes", len(seen))
