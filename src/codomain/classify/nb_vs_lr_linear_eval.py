"""Read frozen features with a naive Bayes head, which needs fewer rows than logistic regression."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

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

    Notes
    -----
    Checked against the authors' code (ML-GSAI/Revisiting-Dis-vs-Gen-Classifiers): shares of the classes, means and
    variances pooled over the classes give the same predictions as there. That code adds 1e-9 to each variance; here
    that much of a feature's own variance is its least one. Not in the paper: shrinkage, which is off. Second reading:
    the formulas are those of pooled naive Bayes, without opening that code again; with one variance for all features,
    in two of the sizes and both numbers of classes, the head misses Bayes' rule with 2,000 rows where it needed 5 to
    48. The claim shows fewer rows, not the two orders of growth: the floor's rows grow with a power of about one half
    of the number of features, and ours fall.

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


def rows_needed(head: Any, seed: int, n_features: int, n_classes: int, most: int) -> int:
    """Return with how many rows a head first errs on at most 0.01 of test rows more than Bayes' rule, or `most`.

    The paper's simulation: normal features without correlation, half of them of variance n_features and half of 1; all
    features have mean -1 in the first class, 1 in the second, 2, 4 ... in others.
    """
    rng = np.random.default_rng(seed)
    spread = np.sqrt(np.repeat([n_features, 1.0], [n_features // 2, n_features - n_features // 2]))
    means = np.array([-1.0, *2.0 ** np.arange(n_classes - 1)])[:, None]

    def draw(n: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
        y = np.arange(n) % n_classes
        return (means[y] + spread * rng.normal(size=(n, n_features))).astype(np.float32), y

    (X, y), (Q, truth) = draw(most), draw(2000)
    best = np.mean(np.argmin(np.square((Q[:, None] - means) / spread).sum(axis=2), axis=1) == truth)
    rows = 2 * n_classes
    with threadpool_limits(1, user_api="blas"):  # for systems this small more threads cost more than the work
        while rows < most and np.mean(head.fit(X[:rows], y[:rows]).predict(Q) == truth) < best - 0.01:
            rows = int(np.ceil(1.2 * rows))
    return min(rows, most)


@claim(
    NaiveBayesHead, needs=("wordllama",),
    unit="minus the logarithm to base 10 of the rows needed to err on 0.01 more than Bayes' rule, below 0", margin=0.4,
    seconds=60, rows="fresh",
    says="Naive Bayes needs fewer rows than logistic regression where features are independent within the classes.",
    premise="share of the simulations in which logistic regression, with enough rows, comes as near to Bayes' rule",
    least=0.9,
    floor="logistic regression with the penalty of the authors' simulation, 1",
    peer="the same on standardised features",
)  # fmt: skip
def needs_fewer_rows(seed: int) -> Trial:
    """Repeat the authors' simulation with 40, 100 and 200 features, two and three classes; docstrings beside it.

    Not as published: rows grow by a fifth instead of in steps of log n, and 2,000 rows are tested instead of 10,000.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from codomain.measure import head_accuracy
    from codomain.tasks.shots import docstring_packages

    sizes, kinds, most = (40, 100, 200), (2, 3), 2000
    plain = LogisticRegression(max_iter=1000)
    heads = NaiveBayesHead(), plain, make_pipeline(StandardScaler(), plain)
    # (heads, sizes, kinds)
    needed = np.array(
        [
            [[rows_needed(head, 10 * seed + kind, size, kind, most) for kind in kinds] for size in sizes]
            for head in heads
        ]
    )
    X, y, Q, truth = docstring_packages(seed, 4)
    growth = [np.polyfit(np.log(sizes), np.log(some).mean(axis=1), 1)[0] for some in needed[:2]]
    ours, floor, peer = (-np.log10(some).ravel() for some in needed)
    return Trial(
        ours, floor, peer, chance=-float(np.log10(most)), premise=float(np.mean(needed[1] < most)),
        also={
            "power of the number of features by which its rows grow": float(growth[0]),
            "the floor's power": float(growth[1]),
            "accuracy on docstrings, four rows a package": NaiveBayesHead().fit(X, y).score(Q, truth),
            "the floor's on docstrings, standardised": head_accuracy(X, y, Q, truth),
        },
    )  # fmt: skip
