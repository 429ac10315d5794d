"""Measure how much more a model relies on a shortcut than the best use of the same evidence would."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

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
    ShortcutBias, unit="shortcut bias, -2 to 2", margin=0.05, seconds=60,
    says="One hidden layer makes a net lean on the more available of two latents beyond the optimum.",
    floor="logistic regression on the same inputs", peer="the same net, both latents equally available",
)  # fmt: skip
def hidden_layers_lean_on_what_is_available(seed: int) -> Trial:
    """1,000 rows of a core right in 0.9 and a shortcut right in 0.85, the latter ten times as large in the inputs."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    Z, y = draw_latents(1000, [0.9, 0.85], seed)
    probes = np.random.default_rng(seed).uniform(-3, 3, (2000, 2))
    measure = ShortcutBias().fit(Z, y)

    def embed(latents: NDArray[Any], core: float) -> NDArray[Any]:
        return embed_latents(latents, [core, 1.0], [0, 0], random_state=seed)

    def net_bias(core: float) -> float:
        model = MLPClassifier((128,), batch_size=100, random_state=seed)
        for _ in range(60):
            model.partial_fit(embed(Z, core), y, classes=[0, 1])
        return measure.bias(probes, model.predict(embed(probes, core)))

    linear = LogisticRegression(C=1e6, max_iter=5000).fit(embed(Z, 0.1), y).predict(embed(probes, 0.1))
    return Trial(ours=net_bias(0.1), floor=measure.bias(probes, linear), peer=net_bias(1.0))
