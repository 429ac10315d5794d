"""What the heads of this room share: class means that are updated with every batch, of old or new classes."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, UserError


class GrowingHead(ClassifierMixin, Method):
    """A classifier that keeps a running mean of each class and meets new classes in any call of `partial_fit`."""

    classes_: NDArray[Any]
    means_: NDArray[Any]
    counts_: NDArray[np.int64]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Forget everything and learn from X, of shape (n_samples, n_features), and y, of shape (n_samples,)."""
        return self._learn(X, y, first=True)

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Learn from more rows, of old or new classes; `classes` is accepted as in scikit-learn and not needed."""
        return self._learn(X, y, first=not hasattr(self, "classes_"))

    def _learn(self, X: ArrayLike, y: ArrayLike, first: bool) -> Self:
        """Add a batch to the means, then update the rest of the head."""
        self._check_params()
        data, labels = validate_data(self, X, y, reset=first, dtype=(np.float64, np.float32))
        if labels.dtype.kind == "f":  # for other labels it would only warn that classes have few rows
            check_classification_targets(labels)
        names, which = np.unique(labels, return_inverse=True)
        if first:
            self.classes_, self.means_ = names[:0], np.zeros((0, data.shape[1]), data.dtype)
            self.counts_ = np.zeros(0, np.int64)
        elif (names.dtype.kind in "OUS") != (self.classes_.dtype.kind in "OUS"):
            raise UserError(
                f"Labels such as {names[0]!r} after labels such as {self.classes_[0]!r}.",
                needed="either numbers or words in every call",
            )
        data = self._to_own_space(data.astype(self.means_.dtype, copy=False), labels)
        known = self.classes_
        self.classes_ = np.union1d(known, names)
        old, new = (np.searchsorted(self.classes_, part) for part in (known, names))
        means = np.zeros((len(self.classes_), data.shape[1]), data.dtype)
        counts = np.zeros(len(self.classes_), np.int64)
        means[old], counts[old] = self.means_, self.counts_
        more = np.bincount(which)
        order = np.argsort(which, kind="stable")
        starts = np.cumsum(more) - more
        batch = np.add.reduceat(data[order], starts, axis=0, dtype=np.float64) / more[:, None]
        counts[new] += more
        means[new] += ((batch - means[new]) * (more / counts[new])[:, None]).astype(means.dtype)
        self.means_, self.counts_ = means, counts
        self._update(data, new[which], is_new=~np.isin(self.classes_, known))
        self.memory_bytes_ = self._memory_bytes()
        return self

    def _to_own_space(self, data: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]:
        """Return the rows in the space of their class's mean, which is this one unless spaces drift."""
        return data

    def _update(self, data: NDArray[Any], which: NDArray[np.intp], is_new: NDArray[np.bool_]) -> None:
        """Learn what a head needs beyond the means; the nearest mean needs nothing."""

    def _memory_bytes(self) -> int:
        """Return the bytes that the head must keep to predict and to go on learning."""
        return self.means_.nbytes + self.counts_.nbytes

    def _check_rows(self, X: ArrayLike) -> NDArray[Any]:
        """Check rows that are to be classified."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return data
