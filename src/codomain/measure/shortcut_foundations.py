"""Measure how much more a model relies on a shortcut than the best use of the same evidence would."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import norm
from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from codomain.core import Method, Paper, Trial, UserError, claim


def draw_latents(
    n_samples: int, predictivity: Sequence[float], random_state: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    r"""Draw labels 0 and 1 and latents whose signs match them with given probabilities.

    Parameters
    ----------
    n_samples : int
        Rows.
    predictivity : sequence of float
        For each latent, how often its sign is that of the label, strictly between 0 and 1.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    ndarray of shape (n_samples, n_latents)
        Gaussian latents of variance 1 around :math:`\pm \Phi^{-1}(\rho)`.
    ndarray of shape (n_samples,)
        Labels.

    Raises
    ------
    ValueError
        When a predictivity is not strictly between 0 and 1.
    """
    rates = np.asarray(predictivity, dtype=float)
    if not ((rates > 0) & (rates < 1)).all():
        raise UserError(f"predictivity={list(predictivity)}.", needed="each strictly between 0 and 1")
    random = check_random_state(random_state)
    y = random.randint(0, 2, n_samples)
    return random.standard_normal((n_samples, len(rates))) + np.outer(2 * y - 1, norm.ppf(rates)), y


def embed_latents(
    Z: ArrayLike, amplification: Sequence[float], nesting: Sequence[int], *, width: int = 20, random_state: Any = None
) -> NDArray[np.float64]:
    r"""Write latents into inputs from which some are easier to extract than others.

    Each latent gets `width` inputs of its own: a random direction, then `nesting` random layers of tanh, then a factor.
    The same seed embeds other rows in the same way. Not in the paper: widths and weights of these layers.

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_latents)
        Latents.
    amplification : sequence of float
        For each latent, what its inputs are multiplied by: more is more available.
    nesting : sequence of int
        For each latent, its layers of tanh, at least 0: fewer is more available.
    width : int, default=20
        Inputs for each latent.
    random_state : int, RandomState or None, default=None
        Seed of directions and layers.

    Returns
    -------
    ndarray of shape (n_samples, n_latents * width)
        Inputs, the latents' blocks side by side.

    Raises
    ------
    ValueError
        When there is not one amplification and one nesting for each latent.
    """
    latents, random = np.asarray(Z, dtype=float), check_random_state(random_state)
    if not latents.ndim == 2 or not latents.shape[1] == len(amplification) == len(nesting):
        raise UserError(
            f"Latents of shape {latents.shape}, {len(amplification)} amplifications and {len(nesting)} nestings.",
            needed="one column, one amplification and one nesting for each latent",
        )
    blocks = []
    for latent, size, depth in zip(latents.T, amplification, nesting, strict=True):
        direction = random.standard_normal(width)
        block = np.outer(latent, direction / np.linalg.norm(direction))
        for _ in range(depth):
            block = np.tanh(block @ random.standard_normal((width, width)) * np.sqrt(2 / width))
        blocks.append(size * block)
    return np.concatenate(blocks, axis=1)


class ShortcutBias(ClassifierMixin, Method):
    r"""Measure how much more a model relies on a shortcut than the Bayes-optimal classifier of the latents does.

    With answers :math:`a(z)` on probe points, those of the shortcut alone :math:`s(z)` and of the core alone
    :math:`c(z)`, reliance is :math:`R(a) = P(a = s) - P(a = c)`; the bias is :math:`R(a) - R(b)`, b the optimum for
    Gaussian latents of equal covariance. Fit on latents and labels; it predicts as the optimum does. The
    paper subtracts the optimum's reliance. Not in the paper: the formula of reliance, a difference of two agreements.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    bayes_ : LinearDiscriminantAnalysis
        The optimum on all latents.
    core_ : LinearDiscriminantAnalysis
        The optimum on the first column alone.
    shortcut_ : LinearDiscriminantAnalysis
        The optimum on the last column alone.
    best : str
        "low": nearer to 0 is nearer to the optimum; below 0 relies more on the core than the optimum.
    bounds : tuple of float
        Lowest and highest possible bias.

    Raises
    ------
    ValueError
        In `fit`, when there are fewer than two columns or classes.

    Notes
    -----
    Checked against the abstract only, and summaries of the paper's figures: the generator with its predictivity,
    amplification and nesting, the optimum as the classifier of Fisher, and a bias that is reliance minus its.
    Second reading: with the core ten times as large in place of the shortcut the bias of the net turns from 0.099 to
    -0.073 and that of the linear model from 0.046 to -0.056. Reliance is a formula of our own, so its size cannot be
    held against the published one.

    References
    ----------
    Hermann et al. (2023), arXiv:2310.16228.

    Examples
    --------
    >>> latents, y = draw_latents(500, [0.9, 0.8], random_state=0)  # the core tells more than the shortcut
    >>> found, probes = ShortcutBias().fit(latents, y), latents[::5]
    >>> found.bias(probes, found.predict(probes)), found.bias(probes, probes[:, 1] > 0) > 0.1
    (0.0, True)
    """

    paper = Paper.get("shortcut-foundations")
    rules: ClassVar = {}
    small: ClassVar = {}
    best: ClassVar = "low"
    bounds: ClassVar = (-2.0, 2.0)

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from the latents X of the training rows, (n_samples, n_latents), core first and shortcut last."""
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32), ensure_min_features=2)
        if len(np.unique(labels)) < 2:
            raise UserError(f"There is one class among {len(data)} rows.", needed="at least two classes")
        self.bayes_, self.core_, self.shortcut_ = (
            LinearDiscriminantAnalysis(solver="lsqr").fit(part, labels) for part in (data, data[:, :1], data[:, -1:])
        )
        self.classes_ = self.bayes_.classes_
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels that the optimum gives to latents X, of shape (n_samples,)."""
        check_is_fitted(self)
        data = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        answers: NDArray[Any] = self.bayes_.predict(data)
        return answers

    def reliance(self, X: ArrayLike, answers: ArrayLike) -> float:
        """Share of probe points X answered as by the shortcut alone minus that as by the core alone, -1 to 1."""
        check_is_fitted(self)
        data = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        given = np.asarray(answers)
        if given.shape != (len(data),):
            raise UserError(f"answers of shape {given.shape} to {len(data)} probe points.", needed="one label for each")
        shortcut, core = self.shortcut_.predict(data[:, -1:]), self.core_.predict(data[:, :1])
        return float(np.mean(given == shortcut) - np.mean(given == core))

    def bias(self, X: ArrayLike, answers: ArrayLike) -> float:
        """Reliance of a model's answers to probe points X, (n_samples, n_latents), minus that of the optimum."""
        return self.reliance(X, answers) - self.reliance(X, self.predict(X))


@claim(
    ShortcutBias, unit="shortcut bias, -2 to 2", margin=0.05, seconds=60, rows="fresh",
    says="One hidden layer makes a net lean on the more available of two latents beyond the optimum.",
    premise="the linear model's last training loss as a share of the net's: both have learnt as much", least=0.99,
    floor="a linear model with the same inputs, training and loss", peer="the same net, both latents equally available",
)  # fmt: skip
@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[untyped-decorator]  # its products are small
def hidden_layers_lean_on_what_is_available(seed: int) -> Trial:
    """Twelve data sets of 500 rows: a core right in 0.9, a shortcut right in 0.85 that is ten times as large.

    Both models learn by plain gradient descent on all rows until their loss is 2 % above the lowest of a linear model.
    Adam, which was used before, divides each step by the size of the gradient and so takes the amplification out.
    """
    from itertools import pairwise

    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    def train(X: NDArray[Any], truth: NDArray[Any], hidden: int, goal: float, rng: Any) -> tuple[Any, float]:
        """Return a function from inputs to logits and its loss; without hidden units the model is linear."""
        widths = [X.shape[1], hidden, 1] if hidden else [X.shape[1], 1]
        weights = [rng.standard_normal(shape) * np.sqrt(2 / shape[0]) for shape in pairwise(widths)]
        biases = [np.zeros(width) for width in widths[1:]]

        def layers_of(rows: NDArray[Any]) -> list[NDArray[Any]]:
            layers = [rows]
            for W, b in zip(weights[:-1], biases[:-1], strict=True):
                layers.append(np.maximum(layers[-1] @ W + b, 0))
            return [*layers, layers[-1] @ weights[-1] + biases[-1]]

        loss = np.inf
        for _ in range(10_000):
            layers = layers_of(X)
            logits = layers.pop()[:, 0]
            loss = float(np.mean(np.logaddexp(0, logits) - truth * logits))
            if loss <= goal:
                break
            error = ((expit(logits) - truth) / len(X))[:, None]
            for layer in reversed(range(len(weights))):
                slope, shift = layers[layer].T @ error, error.sum(axis=0)
                error = (error @ weights[layer].T) * (layers[layer] > 0)
                weights[layer] -= slope
                biases[layer] -= shift
        return lambda rows: layers_of(rows)[-1][:, 0], loss

    found, reached = [], []
    for data in range(12):
        state = 100 * seed + data
        Z, y = draw_latents(500, [0.9, 0.85], state)
        probes = np.random.default_rng(state).uniform(-3, 3, (2000, 2))
        measure = ShortcutBias().fit(Z, y)
        biases, losses = [], []
        for hidden, core in ((128, 0.1), (0, 0.1), (128, 1.0)):
            X, P = (embed_latents(part, [core, 1.0], [0, 0], width=1, random_state=state) for part in (Z, probes))
            best = LogisticRegression(C=1e6, max_iter=5000).fit(X, y)
            goal = 1.02 * log_loss(y, best.predict_proba(X))
            model, loss = train(X, y, hidden, goal, np.random.default_rng(state))
            biases.append(measure.bias(probes, (model(P) > 0).astype(int)))
            losses.append(loss)
        found.append(biases)
        reached.append(losses[1] / losses[0])
    ours, floor, peer = np.mean(found, axis=0)
    return Trial(ours, floor, peer, chance=0.0, premise=float(min(reached)))
