"""Predict the label nearest to all labels that a head finds likely, even a label that it has never seen."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Method, Paper, Real, Trial, UserError, claim, unit_rows


class Loki(ClassifierMixin, Method):
    r"""Replace the likeliest label by the Fréchet mean of the labels in a space that relates them.

    A head gives probabilities :math:`p_i` of the labels that it was trained on. With distances :math:`d` between all
    labels, the prediction is the label :math:`y`, seen or not, of least :math:`\sum_i p_i\, d(y, y_i)^2`. The head
    here is logistic regression on standardised features; distances are Euclidean between the vectors that `fit` is
    given for the labels or, without any, between the class means of the standardised features.

    Parameters
    ----------
    C : float, default=1.0
        Weight of the training errors of the head, above 0.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        All labels that can be predicted, sorted.
    head_ : Pipeline
        The fitted head, which knows only the labels of y.
    squares_ : ndarray of shape (n_seen, n_classes)
        Squared distances from the labels of y, sorted, to all labels, in the squared unit of the labels' vectors.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, y has one class, or labels and their vectors do not fit y.

    References
    ----------
    Roberts et al. (2023), arXiv:2307.12226.

    Examples
    --------
    >>> head = Loki().fit([[0.0], [1.0], [4.0], [5.0]], [0, 0, 4, 4], labels=[0, 2, 4], label_vectors=[[0], [2], [4]])
    >>> head.predict([[0.0], [2.5], [5.0]])
    array([0, 2, 4])
    """

    paper = Paper.get("loki")
    rules: ClassVar = {"C": Real(0, above=True)}

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(
        self, X: ArrayLike, y: ArrayLike, labels: ArrayLike | None = None, label_vectors: ArrayLike | None = None
    ) -> Self:
        """Train the head on X and y; `labels` are all that may be predicted, with their `label_vectors`."""
        self._check_params()
        data, target = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(target)
        seen, which = np.unique(target, return_inverse=True)
        if len(seen) < 2:
            raise UserError(f"y holds 1 class, {seen[0]!r}.", needed="at least two classes to tell apart")
        if (labels is None) != (label_vectors is None):
            raise UserError("One of labels and label_vectors is missing.", needed="both or neither")
        self.head_ = make_pipeline(StandardScaler(), LogisticRegression(C=self.C, max_iter=1000)).fit(data, target)
        if labels is None or label_vectors is None:
            members = np.eye(len(seen), dtype=data.dtype)[:, which]
            self.classes_ = seen
            places = members @ self.head_[0].transform(data) / members.sum(axis=1, keepdims=True)
        else:
            self.classes_, places = self._label_vectors(labels, label_vectors, seen)
        squares = euclidean_distances(places, squared=True)
        self.squares_ = squares[np.searchsorted(self.classes_, seen)].astype(data.dtype)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Minus the expected squared distance to each label, (n_samples, n_classes); of two, second minus first."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        scores = -(self.head_.predict_proba(data) @ self.squares_).astype(data.dtype)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Label of least expected squared distance, of shape (n_samples,)."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    @staticmethod
    def _label_vectors(labels: ArrayLike, vectors: ArrayLike, seen: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return labels sorted and their vectors in that order."""
        names, places = np.asarray(labels), np.asarray(vectors, dtype=np.float64)
        classes, first = np.unique(names, return_index=True)
        if names.ndim != 1 or len(classes) != len(names) or places.ndim != 2 or len(places) != len(names):
            raise UserError(
                f"labels of shape {names.shape} and label_vectors of shape {places.shape}.",
                needed="different labels, each with one row of label_vectors",
            )
        missing = np.setdiff1d(seen, classes)
        if len(missing):
            raise UserError(f"labels lack {missing[0]!r}, which y holds.", needed="every label of y among labels")
        return classes, places[first]


@claim(
    Loki, needs=("wordllama",),
    unit="minus the mean squared distance from the predicted name to the true one, -4 to 0", margin=0.02, seconds=60,
    says="Where a third of the packages was never seen, the Fréchet mean errs less far than the likeliest label.",
    floor="the likeliest label of the same head", peer="the name nearest to the docstring by cosine",
)  # fmt: skip
def errs_less_far(seed: int) -> Trial:
    """Docstrings: a head trained on 28 packages and tested on all; the vectors of their names give the distances."""
    from codomain.encode import resolve
    from codomain.tasks.shots import docstring_packages

    encoder = resolve("static:wordllama")
    X, y, Q, truth = docstring_packages(seed, 20)
    packages = np.unique(y)
    names = unit_rows(encoder.encode(list(packages)))
    known = np.isin(y, np.random.default_rng(seed).permutation(packages)[:28])
    ours = Loki().fit(X[known], y[known], packages, names)
    predicted = ours.predict(Q), ours.head_.predict(Q), packages[(unit_rows(Q) @ names.T).argmax(axis=1)]
    squares = euclidean_distances(names, squared=True)
    true = np.searchsorted(packages, truth)
    return Trial(*(-float(squares[np.searchsorted(packages, part), true].mean()) for part in predicted))
