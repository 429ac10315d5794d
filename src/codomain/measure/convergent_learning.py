"""Test whether the units of two nets are the same units: one by one, a few for each, or group by group."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.linear_model import Lasso
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, OneOf, Paired, Paper, Real, Seed, Trial, UserError, claim


def standardise(Z: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return units with mean 0 and deviation 1, the means and the deviations; a constant unit becomes 0."""
    mean, spread = Z.mean(axis=0, dtype=np.float64), Z.std(axis=0, dtype=np.float64)
    still = spread <= 1e-6 * np.abs(Z).max(axis=0, initial=0)
    spread = np.where(still, 0, spread)
    return (Z - mean) / np.where(still, np.inf, spread), mean, spread


def cluster_units(similarity: NDArray[Any], n_groups: int, random_state: Any) -> NDArray[np.int32]:
    """Cut units into groups by spectral clustering of a symmetric similarity, from 0 to 1 with ones on its diagonal."""
    root = 1 / np.sqrt(similarity.sum(axis=0))
    vectors = np.linalg.eigh(root[:, None] * similarity * root)[1][:, -n_groups:]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    labels: NDArray[np.int32] = KMeans(n_groups, n_init=10, random_state=random_state).fit_predict(vectors)
    return labels


class ConvergentLearning(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Paired):
    r"""Find the units of one net in another, and predict the other's activations from them.

    With standardised units, :math:`C_{ij}` is the correlation of unit i of one net with unit j of the other.
    One-to-one maximises :math:`\sum_i C_{i \pi(i)}` over matchings; one-to-many is the lasso
    :math:`\frac{1}{2n} \|y_j - X w\|^2 + \rho \|w\|_1`; many-to-many cuts all units by their joint :math:`|C|`.

    Parameters
    ----------
    matching : {"one-to-one", "one-to-many", "many-to-many"}, default="one-to-one"
        What stands for a unit of y: one unit of X, a sparse few, or those of its group. The paper only looks at the
        groups. Not in the paper: predicting from them by ridge regression.
    penalty : float, default=0.05
        Weight of the absolute coefficients of standardised units (one-to-many; the paper's rho) or of their squares
        (many-to-many), above 0. Not used one-to-one.
    n_groups : int, default=10
        Groups that the units of both nets are cut into (many-to-many), at most as many as there are units.
    random_state : int, RandomState or None, default=None
        Seed of the clustering (many-to-many).

    Attributes
    ----------
    correlation_ : ndarray of shape (n_features, n_features_out)
        Correlation of each unit of X with each of y, from -1 to 1; 0 for a constant unit.
    map_ : ndarray of shape (n_features, n_features_out)
        Coefficients between standardised units; 0 where a unit of X is not used for a unit of y.
    matched_ : ndarray of shape (n_features_out,) or None
        One-to-one: the unit of X for each unit of y, -1 where X has too few.
    groups_ : ndarray of shape (n_features + n_features_out,) or None
        Many-to-many: the group of each unit of X, then of y.
    mean_ : ndarray of shape (n_features,)
        Means of the units of X.
    scale_ : ndarray of shape (n_features,)
        Their standard deviations, 0 for a constant unit.
    target_mean_ : ndarray of shape (n_features_out,)
        Means of the units of y.
    target_scale_ : ndarray of shape (n_features_out,)
        Their standard deviations.
    best : str
        "high": a higher score is more similar.
    bounds : tuple of float
        Lowest and highest possible score.

    Raises
    ------
    ValueError
        In `fit`, when y is missing, has other rows, a parameter breaks its rule or n_groups exceeds the units.

    Notes
    -----
    Checked against the authors' code (YixuanLi/convergent_learning): correlations between units of two nets, and a
    matching of maximum sum over them. The code predicts units by gradient descent on raw activations with a sweep of
    the penalty; here the lasso is solved on standardised units, so `penalty` is another number than the paper's.
    Second reading: matching and correlations as in the code. About 15 of 64 units are used for a unit; with the
    largest coefficient alone left of them ours falls from 0.876 to 0.584, below the floor (0.646), since the lasso
    shares out what one unit would do.

    References
    ----------
    Li et al. (2015), arXiv:1511.07543.

    Examples
    --------
    >>> A = [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]
    >>> B = [[0.0, 10.0], [5.0, 20.0], [0.0, 30.0]]
    >>> ConvergentLearning().fit(A, B).matched_
    array([1, 0])
    """

    paper = Paper.get("convergent-learning")
    rules: ClassVar = {
        "matching": OneOf("one-to-one", "one-to-many", "many-to-many"),
        "penalty": Real(0, above=True), "n_groups": Int(2), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_groups": 2, "random_state": 0}
    partner = "the other net's activations"
    best: ClassVar = "high"
    bounds: ClassVar = (-1.0, 1.0)

    def __init__(
        self, matching: str = "one-to-one", *, penalty: float = 0.05, n_groups: int = 10, random_state: Any = None
    ) -> None:
        self.matching = matching
        self.penalty = penalty
        self.n_groups = n_groups
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Align X, (n_samples, n_features), with y, (n_samples, n_features_out); row i of both is the same item."""
        A, B = self._pairs(X, y)
        (one, *here), (two, *there) = standardise(A), standardise(B)
        self.mean_, self.scale_ = (part.astype(A.dtype) for part in here)
        self.target_mean_, self.target_scale_ = (part.astype(A.dtype) for part in there)
        across = one.T @ two / len(A)
        self.correlation_ = np.clip(across, -1, 1).astype(A.dtype)
        self.matched_: NDArray[Any] | None = None
        self.groups_: NDArray[Any] | None = None
        self.map_ = self._map(one, two, across).astype(A.dtype)
        self._n_features_out = B.shape[1]
        return self

    def _check_other(self, y: ArrayLike, A: NDArray[Any]) -> NDArray[Any]:
        """Check the other net's activations."""
        B: NDArray[Any] = check_array(y, dtype=A.dtype, ensure_2d=False, input_name="y")
        check_consistent_length(A, B)
        return B[:, None] if B.ndim == 1 else B

    def _map(self, one: NDArray[Any], two: NDArray[Any], across: NDArray[Any]) -> NDArray[Any]:
        """Return the coefficients, (n_features, n_features_out), of the chosen matching."""
        if self.matching == "one-to-many":
            lasso = Lasso(alpha=self.penalty, fit_intercept=False, precompute=True, max_iter=10_000)
            return np.asarray(lasso.fit(one, two).coef_).reshape(across.shape[::-1]).T
        found = np.zeros_like(across)
        if self.matching == "one-to-one":
            mine, theirs = linear_sum_assignment(across, maximize=True)
            found[mine, theirs] = across[mine, theirs]
            self.matched_ = matched = np.full(across.shape[1], -1)
            matched[theirs] = mine
            return found
        if self.n_groups > sum(across.shape):
            raise UserError(
                f"n_groups={self.n_groups} of {sum(across.shape)} units in both nets.",
                needed="at most as many groups as units", todo="lower n_groups",
            )  # fmt: skip
        inside = one.T @ one / len(one)
        joint = np.abs(np.block([[inside, across], [across.T, two.T @ two / len(two)]]))
        np.fill_diagonal(joint, 1)
        self.groups_ = groups = cluster_units(joint, self.n_groups, self.random_state)
        for group in range(self.n_groups):
            mine, theirs = (np.flatnonzero(part == group) for part in np.split(groups, [len(across)]))
            square = inside[np.ix_(mine, mine)] + self.penalty * np.eye(len(mine))
            found[np.ix_(mine, theirs)] = np.linalg.solve(square, across[np.ix_(mine, theirs)])
        return found

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the other net's activations, of shape (n_samples, n_features_out), in their unit."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        spread = np.where(self.scale_ == 0, np.inf, self.scale_)
        answer = ((data - self.mean_) / spread) @ self.map_ * self.target_scale_ + self.target_mean_
        return np.asarray(answer, dtype=data.dtype)

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Mean over the other net's units of the correlation with their prediction; a constant unit gives 0."""
        predicted = self.transform(X)
        one, two = standardise(predicted)[0], standardise(self._check_other(y, predicted))[0]
        return float(np.mean(one * two, axis=0).mean())


@claim(
    ConvergentLearning, unit="correlation of a unit with its prediction on unseen digits, -1 to 1", margin=0.06,
    seconds=40, says="A sparse few units of one net predict a unit of another better than any single one does.",
    premise="all units together predict a unit better than its best single one does, by this much", least=0.05,
    floor="the most correlated unit, which several may share", peer="a ridge regression on all units",
)  # fmt: skip
def few_predict_better_than_one(seed: int) -> Trial:
    """Hidden layers of two digit nets that differ by seed; aligned on training digits, scored on others."""
    from sklearn.linear_model import RidgeCV

    from codomain.tasks import twin_digit_nets

    train, test = twin_digit_nets(seed)
    alive = (train.two.std(axis=0) > 0) & (test.two.std(axis=0) > 0)

    def correlate(predicted: NDArray[Any]) -> NDArray[Any]:
        return (standardise(predicted)[0] * standardise(test.two)[0]).mean(axis=0)[alive]

    sparse, matched = (ConvergentLearning(way).fit(train.one, train.two) for way in ("one-to-many", "one-to-one"))
    ridge = RidgeCV(np.logspace(-3, 3, 13)).fit(train.one, train.two)
    floor = correlate(test.one[:, matched.correlation_.argmax(axis=0)])
    peer = correlate(ridge.predict(test.one))
    return Trial(
        ours=correlate(sparse.transform(test.one)),
        floor=floor,
        peer=peer,
        chance=0.0,
        premise=float((peer - floor).mean()),
        also={
            "units used for a unit": float((sparse.map_ != 0).sum(axis=0)[alive].mean()),
            "correlation with the partner in a one-to-one matching": float(
                correlate(matched.transform(test.one)).mean()
            ),
        },
    )
