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
    to copy columns of noise is strongest there, since no other column predicts them: then lower n_hidden.

    Columns are first scaled to mean 0 and variance 1. Nothing of size d * h is ever made: memory is 100 * links, and
    time n_samples * links * epochs, where links = 2 * n_links * (n_features + n_hidden).

    Parameters
    ----------
    n_components : int, default=50
        Columns to keep, at most n_features.
    n_hidden : int, default=1000
        Units of the hidden layer, h.
    n_links : int, default=13
        Links of a layer for each of its units on both sides, epsilon; at most d * h in total.
    share_replaced : float, default=0.2
        Share of the links that is replaced after each pass, 0 to 1.
    noise : float, default=0.2
        Standard deviation of the noise added to the scaled columns in training.
    dropout : float, default=0.2
        Share of the hidden units that a step leaves out, 0 to 0.9.
    learning_rate : float, default=0.01
        Learning rate, above 0.
    epochs : int, default=100
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

    Notes
    -----
    Checked against the authors' code (zahraatashgahi/QuickSelection): sizes, share replaced, noise, dropout, rate and
    momentum are theirs. They drop links of both signs by their size and do not scale what dropout leaves in training,
    as here; they draw the noise once, and rank by the links that are left when the last pass begins, without those
    grown then. Second reading: over 10 passes, against the Laplacian score alone (.64 to .71, less than at random), the
    claim held though ours, .775, was level with a net without training, .774, and with 50 random columns, .769; hence
    another floor, premise and number of passes now.

    References
    ----------
    Atashgahi et al. (2020), arXiv:2012.00560.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.hstack([rng.normal(size=(300, 1)) + 0.1 * rng.normal(size=(300, 4)), rng.normal(size=(300, 4))])
    >>> net = QuickSelection(4, n_hidden=1, n_links=2, dropout=0, learning_rate=0.05, random_state=0)
    >>> net.fit(X).get_support().astype(int)
    array([1, 1, 1, 1, 0, 0, 0, 0])
    """

    paper = Paper.get("quickselection")
    rules: ClassVar = {
        "n_components": Int(1), "n_hidden": Int(1), "n_links": Int(1), "share_replaced": Real(0, 1), "noise": Real(0),
        "dropout": Real(0, 0.9),
        "learning_rate": Real(0, above=True), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 1, "n_hidden": 5, "n_links": 1, "epochs": 2, "random_state": 0}

    def __init__(
        self,
        n_components: int = 50,
        *,
        n_hidden: int = 1000,
        n_links: int = 13,
        share_replaced: float = 0.2,
        noise: float = 0.2,
        dropout: float = 0.2,
        learning_rate: float = 0.01,
        epochs: int = 100,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.n_links = n_links
        self.share_replaced = share_replaced
        self.noise = noise
        self.dropout = dropout
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
        if self.dropout:
            hidden *= rng.random_sample(hidden.shape) >= self.dropout
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
    QuickSelection, unit="accuracy of extremely randomised trees, 0 to 1", margin=0.02, seconds=600,
    scale="minutes", why="1,000 hidden units and 100 passes, as published", needs=("dataset-fashion-mnist",),
    says="The 50 strongest of 784 pixels tell clothes apart better than those of best Laplacian score or at random.",
    premise="a choice pays: the 50 pixels that trees with labels find most important beat 50 random ones, by",
    least=0.02, floor="the better of the 50 columns of best Laplacian score and 50 at random",
    peer="the 50 columns of largest variance",
)  # fmt: skip
def selects_pixels(seed: int) -> Trial:
    """Select among the pixels of Fashion-MNIST, 3,000 rows without labels, 5,000 to test.

    As published: 1,000 hidden units, 13 links a unit, a fifth of the links replaced after each of 100 passes, noise and
    share dropped 0.2, rate 0.01, 50 columns, 50 trees. Not: 60,000 rows; 100 passes are 3,000 steps here, where 10 are
    6,000 there. Fashion-MNIST is not among the paper's sets. Tried first: 10 passes, too few to change the choice.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.neighbors import kneighbors_graph

    from codomain.tasks.fashion import fashion
    from codomain.tasks.heads import majority_share

    (X, y), (Q, truth) = fashion(seed, n_train=3000, n_test=5000)

    # Laplacian score: how rough a column is on the graph of neighbours, for its variance there; low is good.
    graph = kneighbors_graph(X, 5)
    graph = graph.maximum(graph.T)
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    centred = X - degrees @ X / degrees.sum()
    variance = degrees @ centred**2
    rough = variance - np.einsum("ij,ij->j", centred, graph @ centred)

    def hits(goodness: NDArray[Any]) -> NDArray[np.bool_]:
        kept = np.argsort(-goodness, kind="stable")[:50]
        trees = ExtraTreesClassifier(50, random_state=seed).fit(X[:, kept], y)
        return np.asarray(trees.predict(Q[:, kept]) == truth)

    random = hits(np.random.default_rng(seed).permutation(X.shape[1]).astype(float))
    # A column without variance says nothing: last.
    smooth = hits(np.where(variance > 0, -rough / np.where(variance > 0, variance, 1), -np.inf))
    useful = hits(ExtraTreesClassifier(50, random_state=seed).fit(X, y).feature_importances_)
    return Trial(
        ours=hits(QuickSelection(50, epochs=100, random_state=seed).fit(X).strengths_),
        floor=max(smooth, random, key=np.mean), peer=hits(X.var(axis=0)),
        chance=majority_share(truth), premise=float(useful.mean() - random.mean()),
        also={"50 columns of best Laplacian score": float(smooth.mean())},
    )  # fmt: skip
