"""Read frozen features with a naive Bayes head, which needs fewer rows than logistic regression."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from codomain.classify.shared.linear import LinearHead
from codomain.core import Paper, Real, Trial, claim


class NaiveBayesHead(LinearHead):
    r"""Read features as independent Gaussians whose variances all classes share, so that the head is linear.

    The score of class :math:`c` with share :math:`\pi_c` and mean :math:`\mu_c` is
    :math:`\log \pi_c + \sum_j (x_j \mu_{cj} - \mu_{cj}^2 / 2) / \sigma_j^2`, :math:`\sigma_j^2` the variance of
    feature :math:`j` about the class means. It comes near its best with a number of rows of the order of the logarithm
    of the number of features, logistic regression of the order of that number; with many rows the latter is better.

    Parameters
    ----------
    shrinkage : float, default=0.0
        How far the variances are drawn towards their mean, 0 to 1: 0 is the paper's head, 1 is the nearest class mean
        with class shares.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    var_ : ndarray of shape (n_features,)
        Variances about the class means, in the square of the unit of X, at least 1e-9 of the feature's own
        variance.
    coef_ : ndarray of shape (n_classes, n_features)
        Weights of the linear score, in the inverse unit of X.
    intercept_ : ndarray of shape (n_classes,)
        What is added to it, without unit.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or y has one class.

    References
    ----------
    Zheng et al. (2023), arXiv:2302.02334.

    Examples
    --------
    >>> head = NaiveBayesHead().fit([[0.0, 3.0], [2.0, 5.0], [8.0, 3.0], [10.0, 5.0]], [0, 0, 1, 1])
    >>> head.predict([[4.9, 100.0], [5.1, -100.0]])
    array([0, 1])
    """

    paper = Paper.get("nb-vs-lr-linear-eval")
    rules: ClassVar = {"shrinkage": Real(0, 1)}

    def __init__(self, shrinkage: float = 0.0) -> None:
        self.shrinkage = shrinkage

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from X, of shape (n_samples, n_features), and y, of shape (n_samples,)."""
        data, which, means = self._training(X, y)
        spread = np.mean(np.square(data - means[which]), axis=0, dtype=np.float64)
        spread = (1 - self.shrinkage) * spread + self.shrinkage * spread.mean()
        # One row per class shows no spread at all: then all features count equally. A constant feature adds nothing.
        least = 1e-9 * data.var(axis=0, dtype=np.float64) if spread.any() else 1
        spread = np.maximum(spread, least)
        spread[spread == 0] = 1
        # From the mean of all rows, so that squares of features far from zero do not cancel.
        origin = data.mean(axis=0, dtype=np.float64)
        W = (means - origin) / spread
        shares = np.bincount(which) / len(which)
        bias = np.log(shares) - 0.5 * np.einsum("ij,ij->i", W, means - origin) - W @ origin
        self.var_, self.coef_, self.intercept_ = (part.astype(data.dtype) for part in (spread, W, bias))
        return self


@claim(
    NaiveBayesHead, needs=("wordllama",),
    unit="mean accuracy with 2, 4 and 8 rows per class, 0 to 1", margin=0.01, seconds=60,
    says="From a few rows per class, naive Bayes reads frozen features better than logistic regression.",
    floor="logistic regression on standardised features", peer="nearest class mean",
)  # fmt: skip
def needs_fewer_rows(seed: int) -> Trial:
    """Docstrings of the largest packages of the standard library by a static encoder."""
    from sklearn.neighbors import NearestCentroid

    from codomain.measure import head_accuracy
    from codomain.tasks.shots import docstring_packages

    ours, floor, peer = [], [], []
    for shots in (2, 4, 8):
        X, y, Q, truth = docstring_packages(seed, shots)
        ours.append(NaiveBayesHead().fit(X, y).score(Q, truth))
        floor.append(head_accuracy(X, y, Q, truth))
        peer.append(NearestCentroid().fit(X, y).score(Q, truth))
    return Trial(*(float(np.mean(scores)) for scores in (ours, floor, peer)))
