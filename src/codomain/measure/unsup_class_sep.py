"""Estimate how well classes separate without seeing a label."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Flag, Int, Method, Paper, Seed, Trial, claim, unit_rows


def component_lifetimes(X: NDArray[Any]) -> NDArray[Any]:
    """Return how long each component of a growing Vietoris-Rips complex lives.

    Every row is born as a component of its own at radius 0; a component dies when an edge joins it to another. Those
    edges are the minimum spanning tree, found here by Prim's algorithm with one row of distances in memory at a time.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows of floats.

    Returns
    -------
    ndarray of shape (n_samples - 1,)
        Lifetimes in the unit of X, shortest first, in the dtype of X.
    """
    # Rows that the tree has not reached; float64 and centred, as squares of near neighbours cancel.
    outside = np.array(X, dtype=np.float64) - X.mean(axis=0, dtype=np.float64)
    squares = np.einsum("ij,ij->i", outside, outside)
    nearest = np.full(len(X), np.inf)
    lifetimes, newest = [], 0
    for _ in range(len(X) - 1):
        row, square = outside[newest].copy(), squares[newest]
        # The last row takes the place of the one that leaves, so the arrays stay packed.
        for part in (outside, squares, nearest):
            part[newest] = part[-1]
        outside, squares, nearest = outside[:-1], squares[:-1], nearest[:-1]
        np.minimum(nearest, squares + square - 2 * (outside @ row), out=nearest)
        newest = int(nearest.argmin())
        lifetimes.append(nearest[newest])
    return np.sort(np.sqrt(np.maximum(np.array(lifetimes), 0))).astype(X.dtype)


class ClassSeparability(Method):
    r"""Score from 0 to 1 how far the rows fall into well separated clumps, without labels.

    Components of the Vietoris-Rips complex live for :math:`p_1 \dots p_{n-1}`, the edges of the
    minimum spanning tree. The score is :math:`1 - \frac{1}{n-1} \sum_i p_i / \max_j p_j`: near 1 when a
    few components outlive all others by far. The lifetimes are the paper's. Not in the paper: their mean in
    units of the longest, an interpretation of its summary. Compare it only between spaces of the same items.

    Parameters
    ----------
    normalise : bool, default=True
        Whether to scale the rows to length 1 first.
    max_samples : int or None, default=2000
        Rows drawn without replacement when X has more, as time grows with their square; None takes all.
    random_state : int, RandomState or None, default=None
        Seed of the draw.

    Attributes
    ----------
    lifetimes_ : ndarray of shape (n_used - 1,)
        Lifetimes, shortest first, in the unit of X, or of length-1 rows when `normalise` is true.
    separability_ : float
        The score, from 0 to 1.
    best : str
        "high": more is better separated.
    bounds : tuple of float
        Lowest and highest possible score.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or X has fewer than 2 rows.

    References
    ----------
    Ghalyan et al. (2023), arXiv:2305.15016.

    Examples
    --------
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> round(ClassSeparability(normalise=False).fit(X).separability_, 3)
    0.593
    """

    paper = Paper.get("unsup-class-sep")
    rules: ClassVar = {"normalise": Flag(), "max_samples": Int(2, none=True), "random_state": Seed()}
    small: ClassVar = {"max_samples": 50, "random_state": 0}
    best: ClassVar[Literal["high"]] = "high"
    bounds: ClassVar = (0.0, 1.0)

    def __init__(self, normalise: bool = True, *, max_samples: int | None = 2000, random_state: Any = None) -> None:
        self.normalise = normalise
        self.max_samples = max_samples
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Measure X, of shape (n_samples, n_features); y is ignored."""
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=2)
        self.lifetimes_ = component_lifetimes(self._draw_rows(data))
        self.separability_ = self._score(self.lifetimes_)
        return self

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Return the separability of other rows, from 0 to 1; y is ignored."""
        check_is_fitted(self)
        data: NDArray[Any] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), ensure_min_samples=2)
        return self._score(component_lifetimes(self._draw_rows(data)))

    def _draw_rows(self, data: NDArray[Any]) -> NDArray[Any]:
        """Draw and scale the rows."""
        if self.max_samples is not None and len(data) > self.max_samples:
            data = data[check_random_state(self.random_state).choice(len(data), self.max_samples, replace=False)]
        return unit_rows(data) if self.normalise else data

    @staticmethod
    def _score(lifetimes: NDArray[Any]) -> float:
        """Return one minus the mean lifetime in units of the longest; 0 when all rows are equal."""
        longest = lifetimes[-1]
        return float(1 - np.mean(lifetimes / longest, dtype=np.float64)) if longest > 0 else 0.0


@claim(
    ClassSeparability, unit="Spearman correlation with Fisher's ratio, -1 to 1", margin=0.10, seconds=60,
    says="Without labels, the score follows how far the classes of a net move apart while it learns.",
    floor="Calinski-Harabasz index of k-means, told the number of classes",
    peer="silhouette of k-means, told the number of classes",
)  # fmt: skip
def follows_training(seed: int) -> Trial:
    """Hidden layer of a digit net, seen on digits that it is not trained on, at nine points of its training."""
    from scipy.stats import spearmanr
    from sklearn.cluster import KMeans
    from sklearn.metrics import calinski_harabasz_score, silhouette_score

    from codomain.measure import fisher_ratio
    from codomain.tasks import digit_net_in_training

    truth, ours, floor, peer = [], [], [], []
    for _, Z, y in digit_net_in_training(seed):
        rows = unit_rows(Z)
        clusters = KMeans(10, n_init=3, random_state=seed).fit_predict(rows)
        truth.append(fisher_ratio(rows, y))
        ours.append(ClassSeparability().fit(Z).separability_)
        floor.append(calinski_harabasz_score(rows, clusters))
        peer.append(silhouette_score(rows, clusters))
    return Trial(*(spearmanr(scores, truth).statistic for scores in (ours, floor, peer)))
