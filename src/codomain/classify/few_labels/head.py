"""The head that `codomain label` picks by itself, with the nearest prototype beside it."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from codomain.classify.few_labels.calibrate import balanced, wilson
from codomain.classify.few_labels.candidates import PROTOTYPE, best, candidate_without_check, candidates, pick
from codomain.classify.few_labels.labels import notes, whole_labels
from codomain.classify.few_labels.rows import Rows
from codomain.core import Int, Method, Seed, UserError
from codomain.core.maths.blocks import slices

SMALL = 4e6  # numbers up to which one thread is faster than several that wait for each other
UNLABELLED = 3_000  # rows without a label that are looked at: a graph of them takes a quarter of a second
CHECKED = 5_000  # rows that are scored as if left out: an accuracy good to about a point
BLOCK = 8_192  # rows whose features are in memory at a time


class FewLabelHead(ClassifierMixin, Method):
    r"""Try every head on rows that it has not seen, take the best and make its probabilities honest.

    The heads are the nearest prototype, Gaussians of one shrunk covariance, least squares onto the classes, the same
    through a Gaussian kernel and, where it is quick, logistic regression. All but the last have closed forms both for
    the head and for what each row scores when it is left out. With rows that have no label, there is also least squares
    onto labels handed on along a graph of nearest rows (Zhou et al., 2003), which is usual while labels are few. The
    scores of the head with the best left-out accuracy
    are divided by the one temperature of the least left-out log-loss.

    Parameters
    ----------
    max_cv : int, default=5
        Folds at most of the cross-validation of logistic regression, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the draws of landmarks, of checked rows and of folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    chosen_ : str
        Name of the head.
    scores_ : dict of str to float
        Accuracy of each head on rows that it has not seen, 0 to 1; empty where every class has one row.
    accuracy_ : float
        That of the chosen one, nan where none can be had; being the best of several it is a little too high.
    interval_ : tuple of float
        Its 95 % interval, from the number of checked rows.
    baseline_ : float
        That of the nearest prototype.
    majority_ : float
        That of always saying the commonest class, 0 to 1.
    recalls_ : ndarray of shape (n_classes,)
        Share of the left-out rows of each class that the chosen head finds, 0 to 1; nan for a class of one row.
    balanced_accuracy_ : float
        Their mean: what always saying the commonest class cannot raise. nan where none can be had.
    balanced_interval_ : tuple of float
        Its 95 % interval, from the numbers of checked rows of each class.
    sizes_ : ndarray of shape (n_classes,)
        Rows of each class.
    n_labels_ : int
        Rows of the fit.
    notes_ : list of str
        What a person should know about the labels, in sentences.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, labels are blank or of mixed kinds, or y has one class.

    Examples
    --------
    >>> X = [[1.0, 0.1], [1.0, 0.2], [1.0, 0.0], [0.1, 1.0], [0.2, 1.0], [0.0, 1.0]]
    >>> head = FewLabelHead(random_state=0).fit(X, ["sea", "sea", "sea", "land", "land", "land"])
    >>> head.predict([[0.9, 0.3]])
    array(['sea'], dtype='<U4')
    >>> sorted(head.state()[0])
    ['coef', 'intercept', 'landmarks']
    """

    rules: ClassVar = {"max_cv": Int(2), "random_state": Seed()}
    small: ClassVar = {"random_state": 0}

    def __init__(self, *, max_cv: int = 5, random_state: Any = None) -> None:
        self.max_cv = max_cv
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, unlabelled: ArrayLike | None = None) -> Self:
        """Choose and fit a head for X, of shape (n_samples, n_features), and y, of shape (n_samples,).

        Rows without a label, of shape (n_rows, n_features), help where labels are few and alike rows share a class.
        """
        self._check_params()
        labels = y if y is None else whole_labels(y)
        data, labels = validate_data(self, X, labels, dtype=(np.float64, np.float32))
        self.classes_, which = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise UserError(f"y holds 1 class, {self.classes_[0]!r}.", needed="at least two classes to tell apart")
        rng = check_random_state(self.random_state)
        checked = np.flatnonzero(np.bincount(which)[which] > 1)
        if len(checked) > CHECKED:
            checked = np.sort(rng.choice(checked, CHECKED, replace=False))
        self.n_labels_, self.notes_ = len(labels), notes(data, which, self.classes_)
        more = self._some(unlabelled, data.dtype, rng)
        with threadpool_limits(1 if data.size <= SMALL else None, user_api="blas"):
            if len(checked):
                found = best(candidates(data, which, checked, self.max_cv, rng, more), which[checked])
                winner = pick(found, len(checked), len(self.classes_))
            else:
                winner = candidate_without_check(data, which, rng, more)
                found = {}
        self.scores_ = {name: one.accuracy for name, one in found.items()}
        self.chosen_, self.accuracy_ = winner.name, winner.accuracy
        self.baseline_ = self.scores_.get(PROTOTYPE, float("nan"))
        self.interval_ = wilson(winner.accuracy, len(checked))
        self.sizes_ = np.bincount(which)
        right = winner.fit.left_out.argmax(axis=1) == which[checked] if len(checked) else np.zeros(0, bool)
        self._measure_classes(which[checked], right)
        self._rows = winner.rows
        self._coef, self._intercept = (
            (part / winner.temperature).astype(data.dtype) for part in (winner.fit.coef, winner.fit.intercept)
        )
        return self

    def _measure_classes(self, own: NDArray[np.intp], right: NDArray[np.bool_]) -> None:
        """Say what is found of each class, and what always saying one class would find."""
        there = np.bincount(own, minlength=len(self.classes_))
        hits = np.bincount(own, weights=right, minlength=len(self.classes_))
        self.recalls_ = np.where(there > 0, hits / np.maximum(there, 1), np.nan)
        self.majority_ = float(there.max() / len(own)) if len(own) else float("nan")
        self.balanced_accuracy_, *ends = balanced(hits, there)
        self.balanced_interval_ = (ends[0], ends[1])

    def _some(self, unlabelled: ArrayLike | None, dtype: Any, rng: np.random.RandomState) -> NDArray[Any] | None:
        """Return a draw of the rows without a label, or None without any."""
        if unlabelled is None or np.shape(unlabelled)[0] == 0:
            return None
        rows: NDArray[Any] = validate_data(self, unlabelled, reset=False, dtype=dtype)
        few = len(rows) <= UNLABELLED
        return rows if few else rows[np.sort(rng.choice(len(rows), UNLABELLED, replace=False))]

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Calibrated log-odds up to a constant, (n_samples, n_classes); of two classes, second less first."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        coef, intercept = self._coef.T.astype(data.dtype), self._intercept.astype(data.dtype)
        scores = np.concatenate([self._rows.features(data[rows]) @ coef for rows in slices(len(data), BLOCK)])
        scores += intercept
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Calibrated probabilities from 0 to 1, of shape (n_samples, n_classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        return np.asarray(softmax(scores, axis=1))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Likeliest class of each row, of shape (n_samples,)."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    @property
    def memory_bytes(self) -> int:
        """Bytes that the head needs to predict."""
        check_is_fitted(self)
        return sum(part.nbytes for part in self.state()[0].values())

    def summary(self) -> str:
        """Return one line: the head, its accuracy beside the nearest prototype's, labels and classes."""
        check_is_fitted(self)
        count = f"{self.n_labels_:,} labels, {len(self.classes_):,} classes"
        if not self.scores_:
            return f"{self.chosen_}, accuracy unknown with one row per class, {count}"
        beside = "" if self.chosen_ == PROTOTYPE else f" ({PROTOTYPE} {_short(self.baseline_)})"
        return f"{self.chosen_} {_short(self.accuracy_)}{beside}, {count}"

    def __str__(self) -> str:
        """Return the summary, or the parameters before `fit`."""
        return self.summary() if hasattr(self, "classes_") else repr(self)

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays that predicting needs, and all else as values that JSON can hold."""
        check_is_fitted(self)
        arrays = {"coef": self._coef, "intercept": self._intercept, **self._rows.arrays()}
        params: dict[str, Any] = {
            "classes": self.classes_.tolist(), "classes_dtype": self.classes_.dtype.str, "rows": self._rows.params(),
            "n_features": int(self.n_features_in_), "chosen": self.chosen_, "scores": self.scores_,
            "sizes": self.sizes_.tolist(), "majority": self.majority_ if self.scores_ else None,
            "recalls": [None if np.isnan(share) else share for share in self.recalls_.tolist()],
            "balanced": [self.balanced_accuracy_, *self.balanced_interval_] if self.scores_ else None,
            "n_labels": self.n_labels_, "notes": self.notes_, "interval": list(self.interval_), "max_cv": self.max_cv,
        }  # fmt: skip
        return arrays, params

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]], params: dict[str, Any]) -> Self:
        """Return the head that `state` described: it predicts the same, bit for bit."""
        head = cls(max_cv=params["max_cv"])
        head.classes_ = np.array(params["classes"], dtype=np.dtype(params["classes_dtype"]))
        head.n_features_in_ = params["n_features"]
        head.chosen_, head.scores_ = params["chosen"], dict(params["scores"])
        head.n_labels_, head.notes_ = params["n_labels"], list(params["notes"])
        head.accuracy_ = head.scores_.get(head.chosen_, float("nan"))
        head.baseline_ = head.scores_.get(PROTOTYPE, float("nan"))
        # A head of codomain 0.1 says nothing of its classes. None becomes nan.
        head.sizes_ = np.array(params.get("sizes", [0] * len(head.classes_)), dtype=np.int64)
        head.recalls_ = np.array(params.get("recalls", [None] * len(head.classes_)), dtype=np.float64)
        head.majority_ = float("nan") if params.get("majority") is None else params["majority"]
        head.balanced_accuracy_, *ends = params.get("balanced") or (float("nan"), 0.0, 1.0)
        head.balanced_interval_ = (ends[0], ends[1])
        low, high = params["interval"]
        head.interval_ = (low, high)
        head._coef, head._intercept = np.asarray(arrays["coef"]), np.asarray(arrays["intercept"])
        head._rows = Rows.from_state(arrays, params["rows"])
        return head


def _short(share: float) -> str:
    """Write a share as .81."""
    return f"{share:.2f}".removeprefix("0")
