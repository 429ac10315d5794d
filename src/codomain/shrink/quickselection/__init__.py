"""Keep the columns that a sparse autoencoder relies on most after training."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Method, Paper, Real, Seed, Trial, UserError, claim
from codomain.shrink.quickselection.links import MOMENTUM, Links

BATCH = 100  # rows in a step


class QuickSelection(SelectorMixin, Method, BaseEstimator):
    r"""Select columns by the strength of their unit in a sparsely linked denoising autoencoder.

    The net has one hidden layer and only :math:`\epsilon (d + h)` links a layer. After each pass the links nearest to
    zero are dropped and as many new ones grown at random (sparse evolutionary training). The strength of column i is
    :math:`s_i = \sum_j |w_{ij}|` over its links into the hidden layer; the strongest columns are kept. A net with room
    to copy columns of noise is strongest there, since no other column predicts them: see the claim, and lower n_hidden.

    Columns are first scaled to mean 0 and variance 1. Nothing of size d * h is ever made: memory is 100 * links, and
    time n_samples * links * epochs, where links = 2 * n_links * (n_features + n_hidden). Not in the paper:
    step, decay and widths.

    Parameters
    ----------
    n_components : int, default=32
        Columns to keep, at most n_features.
    n_hidden : int, default=200
        Units of the hidden layer, h.
    n_links : int, default=10
        Links of a layer for each of its units on both sides, epsilon; at most d * h in total.
    share_replaced : float, default=0.2
        Share of the links that is replaced after each pass, 0 to 1.
    noise : float, default=0.2
        Standard deviation of the noise added to the scaled columns in training.
    learning_rate : float, default=0.05
        Learning rate, above 0.
    epochs : int, default=60
        Passes over the rows.
    random_state : int, RandomState or None, default=None
        Seed of links, noise and order.

    Attributes
    ----------
    strengths_ : ndarray of shape (n_features,)
        Strength of each column, at least 0.
    losses_ : ndarray of shape (epochs,)
        Mean squared error of each pass, in units of a column's variance.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, n_components exceeds n_features, or the steps are too long.

    References
    ----------
    Atashgahi et al. (2020), arXiv:2012.00560.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.hstack([rng.normal(size=(300, 1)) + 0.1 * rng.normal(size=(300, 4)), rng.normal(size=(300, 4))])
    >>> QuickSelection(4, n_hidden=1, n_links=2, random_state=0).fit(X).get_support().astype(int)
    array([1, 1, 1, 1, 0, 0, 0, 0])
    """

    paper = Paper.get("quickselection")
    rules: ClassVar = {
        "n_components": Int(1), "n_hidden": Int(1), "n_links": Int(1), "share_replaced": Real(0, 1), "noise": Real(0),
        "learning_rate": Real(0, above=True), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 1, "n_hidden": 5, "n_links": 1, "epochs": 2, "random_state": 0}

    def __init__(
        self,
        n_components: int = 32,
        *,
        n_hidden: int = 200,
        n_links: int = 10,
        share_replaced: float = 0.2,
        noise: float = 0.2,
        learning_rate: float = 0.05,
        epochs: int = 60,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.n_links = n_links
        self.share_replaced = share_replaced
        self.noise = noise
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Train the autoencoder on X, of shape (n_samples, n_features); y is ignored."""
        self._check_params()
        data: NDArray[Any] = validate_data(self, X, dtype=(np.float64, np.float32))
        n, d = data.shape
        if self.n_components > d:
            raise UserError(f"n_components={self.n_components} of {d} columns.", needed=f"n_components of at most {d}")
        spread = data.std(axis=0)
        data = (data - data.mean(axis=0)) / np.where(spread == 0, 1, spread)
        rng = check_random_state(self.random_state)
        links = self.n_links * (d + self.n_hidden)
        into = Links(d, self.n_hidden, links, rng, data.dtype)
        out = Links(self.n_hidden, d, links, rng, data.dtype)
        biases = np.zeros((4, max(d, self.n_hidden)), dtype=data.dtype)  # hidden, output, and the momentum of both
        losses = np.zeros(self.epochs, dtype=data.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # steps that are too long are refused below
            for epoch in range(self.epochs):
                if epoch:
                    into.evolve(self.share_replaced)
                    out.evolve(self.share_replaced)
                order = rng.permutation(n)
                for start in range(0, n, BATCH):
                    batch = data[order[start : start + BATCH]]
                    losses[epoch] += self._step(batch, into, out, biases, rng) / (n * d)
        if not np.isfinite(losses).all():
            raise UserError(
                f"The error grew without bound at learning_rate={self.learning_rate}.", todo="lower learning_rate"
            )
        self.losses_ = losses
        self.strengths_ = np.bincount(into.sources, np.abs(into.weights), minlength=d).astype(data.dtype)
        return self

    def _step(
        self, batch: NDArray[Any], into: Links, out: Links, biases: NDArray[Any], rng: np.random.RandomState
    ) -> float:
        """Take one step on a batch and return its summed squared error before it."""
        noisy = batch + (self.noise * rng.normal(size=batch.shape)).astype(batch.dtype)
        h, d = out.shape
        hidden = expit(noisy @ into.matrix + biases[0, :h])
        wrong = (hidden @ out.matrix + biases[1, :d]) - batch
        error = wrong / len(batch)
        back = (error @ out.matrix.T) * hidden * (1 - hidden)
        steps = into.gradient(noisy, back), out.gradient(hidden, error)
        for layer, (gradient, bias) in enumerate(zip(steps, (back, error), strict=True)):
            (into, out)[layer].step(gradient, self.learning_rate)
            speed, width = biases[2 + layer], bias.shape[1]
            speed *= MOMENTUM
            speed[:width] -= self.learning_rate * bias.sum(axis=0)
            biases[layer] += speed
        return float(np.einsum("ij,ij->", wrong, wrong))

    def _get_support_mask(self) -> NDArray[np.bool_]:
        """Mark the columns that are kept; of equally strong ones the first."""
        check_is_fitted(self)
        mask = np.zeros(len(self.strengths_), dtype=bool)
        mask[np.argsort(-self.strengths_, kind="stable")[: self.n_components]] = True
        return mask


@claim(
    QuickSelection, unit="accuracy of five nearest neighbours, 0 to 1", margin=0.05, seconds=60,
    says="The 20 strongest of 64 pixels and 128 columns of noise tell digits apart better than the Laplacian score's.",
    floor="the 20 columns of best Laplacian score",
    peer="the 20 columns that weigh most in the first 20 principal directions",
)  # fmt: skip
def finds_pixels_in_noise(seed: int) -> Trial:
    """Select among pixels of digits and columns of noise, all of variance 1; half to learn from, half to test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph
    from sklearn.preprocessing import StandardScaler

    pixels, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(pixels)
    X = np.hstack([X, np.random.default_rng(seed).normal(size=(len(X), 128))])
    X, Q, y, truth = train_test_split(X, y, test_size=0.5, random_state=seed, stratify=y)

    # Laplacian score: how rough a column is on the graph of neighbours, for its variance there; low is good.
    graph = kneighbors_graph(X, 5)
    graph = graph.maximum(graph.T)
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    centred = X - degrees @ X / degrees.sum()
    variance = degrees @ centred**2
    rough = variance - np.einsum("ij,ij->j", centred, graph @ centred)
    directions = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:20]

    def accuracy(goodness: NDArray[Any]) -> float:
        kept = np.argsort(-goodness, kind="stable")[:20]
        return float(KNeighborsClassifier().fit(X[:, kept], y).score(Q[:, kept], truth))

    return Trial(
        ours=accuracy(QuickSelection(20, random_state=seed).fit(X).strengths_),
        # A column without variance says nothing: last.
        floor=accuracy(-rough / np.where(variance == 0, 1, variance) - (variance == 0)),
        peer=accuracy((directions**2).sum(axis=0)),
    )
