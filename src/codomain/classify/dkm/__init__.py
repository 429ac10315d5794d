"""Classify with a stack of kernels whose Gram matrices learn from the labels."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.classify.dkm.maths import Deep, score, train
from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim


class DKM(ClassifierMixin, Method):
    r"""Learn the Gram matrices of the hidden layers of an infinitely wide Bayesian net.

    From :math:`G_0 = X X^\top / d`, matrices :math:`G_1 \dots G_L` maximise
    :math:`\log p(Y \mid G_L) - \sum_l \nu\, \mathrm{KL}(N(0, G_l) \,\|\, N(0, K(G_{l-1})))`, where a net of infinite
    width has :math:`G_l = K(G_{l-1})`. Each K is squared exponential, a function of inner products.

    Gram matrices are learned for `n_landmarks` rows and extended to the others, so a step costs
    n_samples * n_landmarks^2. Y has a column for each class, 1 in the class and 0 elsewhere, minus its mean; with
    Gaussian noise the likelihood has a bound in closed form. Not in the paper: that noise, the start and the steps of
    Adam.

    Parameters
    ----------
    n_landmarks : int, default=48
        Rows that the landmarks start from before they move; at most n_samples are used.
    n_layers : int, default=2
        Learned Gram matrices, the paper's L; 0 gives a sparse Gaussian process.
    weight_of_prior : float or None, default=1.0
        Pull of each Gram matrix to the kernel of the previous one, the paper's nu over the number of classes: how wide
        layers are compared with the output. None fixes them there and learns only the kernels' scales and the
        landmarks.
    epochs : int, default=80
        Steps, each on all rows at once.
    learning_rate : float, default=0.05
        Length of a step.
    random_state : int, RandomState or None, default=None
        Seed of the rows drawn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    centre_ : ndarray of shape (n_features,)
        Mean of the rows, in the unit of X.
    size_ : float
        Their overall standard deviation, in the unit of X; rows are centred and divided by it.
    deep_ : tuple of ndarray
        Landmarks, triangular factors of the Gram matrices, log length scales, log variances of signal and noise.
    coef_ : ndarray of shape (n_landmarks, n_classes)
        Weights of the last layer's codes.
    intercept_ : ndarray of shape (n_classes,)
        Frequencies of the classes, 0 to 1.
    losses_ : ndarray of shape (epochs,)
        The objective, negated, in nats per row and class.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or y has one class.

    References
    ----------
    Yang et al. (2021), arXiv:2108.13097.

    Examples
    --------
    >>> X, y = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]] * 3, ["same", "same", "other", "other"] * 3
    >>> DKM(4, random_state=0).fit(X, y).predict([[0.1, 0.1], [0.9, 0.1]])
    array(['same', 'other'], dtype='<U5')
    """

    paper = Paper.get("dkm")
    rules: ClassVar = {
        "n_landmarks": Int(1), "n_layers": Int(0), "weight_of_prior": Real(0, above=True, none=True),
        "epochs": Int(1), "learning_rate": Real(0, above=True), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_landmarks": 8, "epochs": 30, "random_state": 0}

    def __init__(
        self, n_landmarks: int = 48, *, n_layers: int = 2, weight_of_prior: float | None = 1.0, epochs: int = 80,
        learning_rate: float = 0.05, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_landmarks = n_landmarks
        self.n_layers = n_layers
        self.weight_of_prior = weight_of_prior
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from X, of shape (n_samples, n_features), and labels y."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        check_classification_targets(labels)
        self.classes_, which = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise UserError(f"y holds 1 class, {self.classes_[0]!r}.", needed="at least two classes to tell apart")
        marks = np.eye(len(self.classes_))[which]
        self.centre_ = data.mean(axis=0)
        self.size_ = float((data - self.centre_).std()) or 1.0
        self.intercept_ = marks.mean(axis=0).astype(data.dtype)
        rng = check_random_state(self.random_state)
        rows = self._scale(data)
        start = rows[rng.permutation(len(rows))[: self.n_landmarks]]
        deep, weights, losses = train(
            rows, marks - marks.mean(axis=0), start, self.n_layers, self.weight_of_prior, self.epochs,
            self.learning_rate, rng,
        )  # fmt: skip
        self.deep_ = tuple(part.astype(data.dtype) for part in deep)
        self.coef_, self.losses_ = weights.astype(data.dtype), np.array(losses, dtype=data.dtype)
        return self

    def _scale(self, data: NDArray[Any]) -> NDArray[np.float64]:
        return (data.astype(np.float64) - self.centre_) / self.size_

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Posterior mean of each class's column, (n_samples, n_classes); of two classes, the second minus the first."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        deep = Deep(*(part.astype(np.float64) for part in self.deep_))
        scores = (score(self._scale(data), deep, self.coef_.astype(np.float64)) + self.intercept_).astype(data.dtype)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Class of the highest mean, of shape (n_samples,)."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]


def kernel_ridge(X: NDArray[Any], targets: NDArray[Any], Q: NDArray[Any]) -> NDArray[Any]:
    """Predict targets of Q by kernel ridge regression, both constants chosen by leaving one row of X out."""
    from sklearn.metrics.pairwise import rbf_kernel

    tried = []
    for gamma in 0.1 * np.logspace(-1, 1, 5):
        values, turn = np.linalg.eigh(rbf_kernel(X, gamma=gamma))
        for penalty in np.logspace(-3, 0, 4):
            inverse = (turn / (values + penalty)) @ turn.T
            weights = inverse @ targets
            tried.append((np.mean((weights / np.diag(inverse)[:, None]) ** 2), gamma, weights))
    _, gamma, weights = min(tried, key=lambda one: one[0])
    return np.asarray(rbf_kernel(Q, X, gamma=gamma) @ weights)


@claim(
    DKM, needs=("torch",),
    unit="accuracy, 0 to 1", margin=0.005, seconds=60,
    says="Gram matrices that learn from 300 digits read new digits better than those of an infinitely wide net.",
    floor="the same layers held at their infinitely wide prior, scales and landmarks learned",
    peer="kernel ridge regression with the squared exponential kernel, both constants by leaving one row out",
)  # fmt: skip
def learns_its_kernel(seed: int) -> Trial:
    """Learn from 300 scanned digits as they are and read 1,497 others."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, digits = load_digits(return_X_y=True)
    X, Q, y, truth = train_test_split(pixels / 16, digits, train_size=300, stratify=digits, random_state=seed)
    return Trial(
        ours=float(DKM(random_state=seed).fit(X, y).score(Q, truth)),
        floor=float(DKM(weight_of_prior=None, random_state=seed).fit(X, y).score(Q, truth)),
        peer=float(np.mean(kernel_ridge(X, np.eye(10)[y], Q).argmax(axis=1) == truth)),
    )
