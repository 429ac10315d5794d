"""Measure how complex a feature is: how little of it a simple decoder can read, layer by layer."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import KFold
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import validate_data
from threadpoolctl import threadpool_limits

from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim

Folds = Sequence[tuple[NDArray[Any], NDArray[Any]]]


def usable_information(Z: NDArray[Any], target: NDArray[Any], penalty: float, folds: Folds) -> NDArray[np.float64]:
    """Return the share of each target's variance that a ridge regression on Z explains on unseen rows, 0 to 1."""
    left, whole = np.zeros(target.shape[1]), np.zeros(target.shape[1])
    for train, test in folds:
        mean, spread = Z[train].mean(axis=0, dtype=np.float64), Z[train].std(axis=0, dtype=np.float64)
        still = spread <= 1e-6 * np.abs(Z[train]).max(axis=0, initial=0)
        spread[still] = np.inf  # a constant unit tells nothing
        A, B = (Z[train] - mean) / spread, (Z[test] - mean) / spread
        base = target[train].mean(axis=0, dtype=np.float64)
        square = A.T @ A / len(A) + penalty * np.eye(A.shape[1])
        predicted = B @ np.linalg.solve(square, A.T @ (target[train] - base) / len(A))
        left += np.square(target[test] - base - predicted).sum(axis=0)
        whole += np.square(target[test] - base).sum(axis=0)
    return np.clip(1 - np.divide(left, whole, out=np.ones_like(left), where=whole > 0), 0, 1)


class FeatureComplexity(Paired):
    r"""Measure a feature's complexity by the information that simple decoders can use in each layer of a net.

    With linear decoders of fixed Gaussian noise the V-information of layer l about a feature z of variance 1 is
    :math:`I_l = 1 - \min_w E (z - w^\top h_l)^2`; the complexity over L layers is
    :math:`1 - \frac{1}{L} \sum_l I_l`: a feature that can be read from the first layer on has 0.

    Parameters
    ----------
    penalty : float, default=1e-3
        Weight of the squared coefficients of standardised units against the mean squared error, above 0.
    max_cv : int, default=5
        Folds at most; information is measured on rows that the decoder has not seen.
    random_state : int, RandomState or None, default=None
        Seed of the folds.

    Attributes
    ----------
    information_ : ndarray of shape (n_layers, n_outputs)
        Share of each feature's variance that each layer's decoder explains, 0 to 1; 0 for a constant feature.
    complexity_ : ndarray of shape (n_outputs,)
        One minus the mean information over the layers, 0 to 1.
    best : str
        "low": simpler.
    bounds : tuple of float
        Lowest and highest possible complexity.

    Raises
    ------
    ValueError
        When y is missing or has other rows, there are fewer than two rows, or a parameter breaks its rule.

    Notes
    -----
    Checked against the abstract only: usable information of each layer and complexity as what is missing of it over
    the layers. The linear decoders and their penalty are not in the abstract. The features are planted, so that their
    complexity is known; the paper looks at those of a net on ImageNet. Second reading: with the last layer alone in
    place of all of them ours falls from 0.979 to 0.028, as a net unfolds what is complex at its end; the floor
    (0.771) can only guess between parities of two and of three bits. Passes until a net has learnt a feature, the
    peer, order them as well.

    References
    ----------
    Fel et al. (2024), arXiv:2407.06076.

    Examples
    --------
    >>> bits = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 10)
    >>> features = np.stack([bits[:, 0], bits[:, 0] != bits[:, 1]], axis=1)
    >>> FeatureComplexity(random_state=0).fit(bits, features).complexity_.round(1)
    array([0., 1.])
    """

    paper = Paper.get("feature-complexity")
    rules: ClassVar = {"penalty": Real(0, above=True), "max_cv": Int(2), "random_state": Seed()}
    small: ClassVar = {"random_state": 0}
    partner = "the features"
    best: ClassVar = "low"
    bounds: ClassVar = (0.0, 1.0)

    def __init__(self, penalty: float = 1e-3, *, max_cv: int = 5, random_state: Any = None) -> None:
        self.penalty = penalty
        self.max_cv = max_cv
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Measure features y, (n_samples,) or (n_samples, n_outputs), by one layer X, (n_samples, n_features)."""
        self._check_params()
        self._need_partner(y)
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=2)
        return self._measure([data], y)

    def fit_layers(self, layers: Sequence[ArrayLike], y: ArrayLike) -> Self:
        """Measure features y by the layers of a net, each (n_samples, its units), the first one first."""
        self._check_params()
        if not len(layers):
            raise UserError("No layers.", needed="the activations of at least one layer")
        checked = [check_array(layer, dtype=(np.float64, np.float32), ensure_min_samples=2) for layer in layers]
        check_consistent_length(*checked)
        return self._measure(checked, y)

    def _measure(self, layers: list[NDArray[Any]], y: ArrayLike) -> Self:
        """Set the information of every layer and the complexity."""
        features: NDArray[Any] = check_array(y, dtype=layers[0].dtype, ensure_2d=False, input_name="y")
        check_consistent_length(layers[0], features)
        features = features.reshape(len(features), -1)
        cut = KFold(min(self.max_cv, len(features)), shuffle=True, random_state=self.random_state)
        folds = list(cut.split(features))  # the same for every layer
        found = np.stack([usable_information(layer, features, self.penalty, folds) for layer in layers])
        self.information_ = found.astype(layers[0].dtype)
        self.complexity_ = (1 - found.mean(axis=0)).astype(layers[0].dtype)
        return self


@claim(
    FeatureComplexity, unit="share of pairs of features of unequal complexity in the right order, 0 to 1", margin=0.08,
    seconds=60, rows="fresh",
    says="Information gathered over all layers ranks majorities, parities of two and parities of three bits.",
    premise="the trained net tells the worst feature in this share of all rows", least=0.95,
    floor="accuracy of a linear probe on the input",
    peer="passes until the net tells the feature in 0.95 of rows",
)  # fmt: skip
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]  # its products are small
def ranks_planted_complexity(seed: int) -> Trial:
    """All 1,024 rows of 10 bits; ten nets of three hidden layers each predict twelve features of them."""
    from itertools import product

    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import cross_val_score
    from sklearn.neural_network import MLPClassifier

    from codomain.tasks.hidden_layers import hidden_layers

    rng = np.random.default_rng(seed)
    X = np.array(list(product([-1.0, 1.0], repeat=10)))
    degree = np.repeat([1, 2, 3], 4)
    more, less = np.nonzero(degree[:, None] > degree)

    def share_ordered(ranking: NDArray[Any]) -> float:
        """Share of pairs of which the more complex one has the higher number; a half for equal ones."""
        return float(np.mean((np.sign(ranking[more] - ranking[less]) + 1) / 2))

    scores, right = [], []
    for number in range(10):
        drawn = [rng.permutation(10)[:3] for _ in degree]
        signs = [
            X[:, bits].sum(axis=1) if d == 1 else X[:, bits[:d]].prod(axis=1)
            for d, bits in zip(degree, drawn, strict=True)
        ]
        y = (np.stack(signs, axis=1) > 0).astype(int)
        net = MLPClassifier((64, 64, 64), batch_size=128, learning_rate_init=3e-3, random_state=10 * seed + number)
        learnt, hits = np.full(len(degree), np.inf), np.zeros(len(degree))
        for epoch in range(60):
            net.partial_fit(X, y, classes=np.arange(len(degree)))
            hits = (net.predict(X) == y).mean(axis=0)
            learnt = np.where((hits >= 0.95) & np.isinf(learnt), epoch + 1, learnt)
        found = FeatureComplexity(random_state=seed).fit_layers([X, *hidden_layers(net, X)], y)
        learnt[np.isinf(learnt)] = 61
        folds = KFold(5, shuffle=True, random_state=10 * seed + number)
        probe = np.array([cross_val_score(RidgeClassifier(), X, column, cv=folds).mean() for column in y.T])
        scores.append([share_ordered(ranking) for ranking in (found.complexity_, -probe, learnt)])
        right.append(hits.min())
    ours, floor, peer = np.mean(scores, axis=0)
    return Trial(ours, floor, peer, chance=0.5, premise=float(min(right)))
