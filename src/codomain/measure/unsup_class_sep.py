"""Estimate how well classes separate without seeing a label."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

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

    Notes
    -----
    Checked against the abstract only, and a summary of the paper's fourth version: lifetimes of the components of the
    Vietoris-Rips complex over the longest of them, and rivals from clustering. The formula of its score was not to be
    seen; ours is the mean, turned round. Second reading: none of the rankings can lose, because separability rises
    with almost every pass, and the number of passes would rank as well as any index; that is why the premise is
    false. On two nets, labels in another order turn the correlation from 0.86 to -0.87, but lifetimes that are not
    divided by the longest reach 0.96: the division, which is published, does not help here.

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


def _share_of_near_kin(rows: NDArray[Any], y: NDArray[Any]) -> float:
    """Share of rows of length 1 whose nearest other row has their label: Thornton's index."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    return float(np.mean(y[cosines.argmax(axis=1)] == y))


def _index_clusters(rows: NDArray[Any], seed: int) -> tuple[float, float]:
    """Highest Calinski-Harabasz index and highest silhouette of k-means, over numbers of clusters."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import calinski_harabasz_score, silhouette_score

    cuts = [KMeans(k, n_init=1, random_state=seed).fit_predict(rows) for k in (2, 3, 4, 6, 8)]
    one, two = (max(index(rows, cut) for cut in cuts) for index in (calinski_harabasz_score, silhouette_score))
    return float(one), float(two)


@claim(
    ClassSeparability, unit="Spearman correlation with Fisher's ratio, -1 to 1", margin=0.05, seconds=60,
    needs=("wordllama",),
    says="Without labels, the score follows how far the classes of a net move apart while it learns from texts.",
    premise="how far the floor is below 1, so that there is something to win", least=0.05,
    floor="Calinski-Harabasz index of k-means, the highest over 2 to 8 clusters",
    peer="silhouette of k-means, the highest over 2 to 8 clusters",
)  # fmt: skip
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]  # its products are small
def follows_a_net_that_learns_from_texts(seed: int) -> Trial:
    """Docstrings by their package, wordllama: hidden layers of four nets after each of twelve passes, on unseen rows.

    Tried first: hidden layers of a digit net (correlations from -0.87 to 0.83), and the paper's two Gaussian classes,
    here in ten dimensions and 0 to 40 apart, where the score has 0.99 and the floor 1.00, so that nobody could win.
    The latter is printed beside, and so is the correlation with Thornton's index, another of the paper's yardsticks:
    Fisher's ratio is the floor's own formula with labels in place of clusters.
    """
    from scipy.stats import spearmanr
    from sklearn.neural_network import MLPClassifier

    from codomain.measure.one_space.fisher_ratio import fisher_ratio
    from codomain.tasks.docstrings import docstring_texts, docstring_views
    from codomain.tasks.hidden_layers import hidden_layers

    packages = np.array(docstring_texts("text", "package")[1])
    names, counts = np.unique(packages, return_counts=True)
    rng = np.random.default_rng(seed)
    found = []
    for number in range(4):
        rows = rng.permutation(np.flatnonzero(np.isin(packages, names[np.argsort(-counts)][:8])))[:1200]
        X, y = docstring_views("text")[0][rows], packages[rows]
        net, truth, kin, scores = MLPClassifier((64,), random_state=4 * seed + number), [], [], []
        for _ in range(12):
            net.partial_fit(X[:800], y[:800], classes=np.unique(y))
            Z = unit_rows(hidden_layers(net, X[800:])[0])
            truth.append(fisher_ratio(Z, y[800:]))
            kin.append(_share_of_near_kin(Z, y[800:]))
            scores.append((ClassSeparability().fit(Z).separability_, *_index_clusters(Z, seed)))
        rankings = np.transpose(scores)
        found.append([spearmanr(ranking, known).statistic for known in (truth, kin) for ranking in rankings])
    ours, floor, peer, ours_kin, floor_kin, _ = np.transpose(found)

    distances, y = np.linspace(0, 40, 21), np.repeat([0, 1], 200)
    draws = [rng.standard_normal((400, 10)) + np.outer(y, np.eye(10)[0] * distance) for distance in distances]
    apart = [ClassSeparability(normalise=False).fit(rows).separability_ for rows in draws]
    followed = spearmanr(apart, [fisher_ratio(rows, y) for rows in draws]).statistic
    return Trial(
        ours, floor, peer, chance=0.0, premise=float(1 - floor.mean()),
        also={
            "correlation with Thornton's index": float(ours_kin.mean()),
            "the same of the floor": float(floor_kin.mean()),
            "correlation on two Gaussian classes": float(followed),
        },
    )  # fmt: skip
