"""Compose queries that may be coarse: train against targets that fluctuate, and weigh the loss by how much."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from codomain.core import Int, Paired, Paper, Real, Seed, Trial, claim, need
from codomain.search.shared.combiner import (
    Combiner,
    check_conditions,
    compose,
    cross_entropy,
    fluctuate,
    learn,
    regularise,
    start_weights,
)
from codomain.search.shared.partners import draw_partners
from codomain.search.shared.rows import unit_float32


class MultiGrainedUncertainty(Combiner, Paired):
    r"""Learn queries from a reference and a modifier that also serve when the modifier says little.

    Early on, a query is matched with fluctuating targets, :math:`\hat t = \alpha \bar t + \beta`, where :math:`\bar t`
    is the whitened target and :math:`\alpha \sim N(1, s\sigma_t), \beta \sim N(\mu_t, s\sigma_t)`; this loss becomes
    :math:`\tfrac12 (e^{-\sigma} L(q, \hat t) + \sigma)`, with :math:`\sigma` the spread of all :math:`\hat t`. By
    :math:`\gamma = e^{-\text{pass} / \text{passes}}` it fades into the plain one: :math:`\gamma L_u + (1 - \gamma) L`.
    Encoders are frozen here, under linear heads. Not in the paper: sizes and rates.

    Parameters
    ----------
    n_components : int, default=256
        Width of queries and targets.
    n_hidden : int, default=256
        Units of the hidden layer that joins reference and modifier.
    noise : float, default=1.0
        Standard deviation of the fluctuation, in units of each target's own spread.
    temperature : float, default=0.05
        Cosines are divided by it.
    epochs : int, default=20
        Passes over the triplets.
    random_state : int, RandomState or None, default=None
        Seed of the start, the order of triplets and the fluctuation.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Heads "reference", "condition" and "target" of shape (width, n_components), and the layers that join them.

    Raises
    ------
    ValueError
        In `fit`, when the targets are missing or have other rows, or a parameter breaks its rule.

    References
    ----------
    Chen et al. (2022), arXiv:2211.07394.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> A, B = rng.normal(size=(2, 300, 6))
    >>> model = MultiGrainedUncertainty(16, epochs=100, random_state=0).fit(A, A + B, conditions=B)
    >>> found = model.transform(A[:5], conditions=B[:5]) @ model.transform_targets(A + B).T
    >>> found.argmax(axis=1)
    array([0, 1, 2, 3, 4])
    """

    paper = Paper.get("cir-multigrained-uncertainty")
    rules: ClassVar = {
        "n_components": Int(1), "n_hidden": Int(1), "noise": Real(0), "temperature": Real(0, above=True),
        "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 2, "n_hidden": 4, "epochs": 2, "random_state": 0}
    partner = "the targets"

    def __init__(
        self, n_components: int = 256, *, n_hidden: int = 256, noise: float = 1.0, temperature: float = 0.05,
        epochs: int = 20, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.noise = noise
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, *, conditions: ArrayLike | None = None) -> Self:
        """Learn from triplets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Vectors of the references; rows are scaled to length 1 here, those of targets and conditions too.
        y : array-like of shape (n_samples, n_target_features) or (n_samples,)
            Vectors of the targets, row i being what reference i and condition i ask for.
        conditions : array-like of shape (n_samples, n_condition_features), default=None
            Vectors of what the target should be like; None takes the references themselves.

        Returns
        -------
        MultiGrainedUncertainty
            Fitted.
        """
        return self._learn(X, y, conditions, coarse=True)

    def _learn(self, X: ArrayLike, y: ArrayLike, conditions: ArrayLike | None, coarse: bool) -> Self:
        """Learn with the coarse loss, or without it: the claim's floor."""
        data, wanted = self._pairs(X, y, least=2)
        given = check_conditions(conditions, data)
        torch: Any = need("torch", "torch")
        random = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(random.randint(2**31 - 1))
        references, targets, conditional = (torch.from_numpy(unit_float32(part)) for part in (data, wanted, given))
        # Triplets may share a target, which is then no negative.
        _, number = np.unique(wanted, axis=0, return_inverse=True)
        place = torch.from_numpy(number.ravel())

        def loss(weights: dict[str, Any], rows: Any, epoch: int) -> Any:
            queries, right = compose(weights, references[rows], conditional[rows]), targets[rows] @ weights["target"]
            same = place[rows][:, None] == place[rows]
            fine = cross_entropy(queries, right, self.temperature, same)
            if not coarse:
                return fine
            near = fluctuate(right, self.noise, generator)
            share = np.exp(-epoch / self.epochs)
            rough = regularise(cross_entropy(queries, near, self.temperature, same), near.std(correction=0))
            return share * rough + (1 - share) * fine

        widths = {"reference": data.shape[1], "condition": given.shape[1], "target": wanted.shape[1]}
        start = start_weights(widths, self.n_components, self.n_hidden, random)
        self.weights_ = learn(start, loss, len(data), self.epochs, random)
        self._n_features_out = self.n_components
        return self


@claim(
    MultiGrainedUncertainty, needs=("torch", "wordllama"),
    unit="recall at 10 of 1,000, 0 to 1", margin=0.01, seconds=60,
    says="Fluctuating targets and the weighted loss bring more targets of coarse queries among the first ten.",
    floor="the same combiner trained by the plain loss",
    peer="a weighted sum of both vectors, tuned on the same triplets",
)  # fmt: skip
def finds_siblings_by_a_name(seed: int) -> Trial:
    """Ask by a docstring and a sibling's name, which fits several, for the sibling among 1,000 of unseen packages."""
    from codomain.tasks.triplets import named_docstrings, tune_share

    (groups, X, names), (owners, Z, other_names) = named_docstrings(seed, 1500, 1000)
    random = np.random.RandomState(seed)
    partners, right = draw_partners(groups, random), draw_partners(owners, random)
    rows, tested = np.flatnonzero(partners >= 0), np.flatnonzero(right >= 0)
    wanted, right = partners[rows], right[tested]

    def recall(scores: NDArray[Any]) -> float:
        scores[np.arange(len(tested)), tested] = -np.inf  # the reference itself does not count
        bar = np.take_along_axis(scores, right[:, None], 1)
        return float(np.mean(np.sum(scores > bar, axis=1) < 10))

    found = []
    for coarse in (True, False):
        model = MultiGrainedUncertainty(random_state=seed)._learn(X[rows], X[wanted], names[wanted], coarse)
        found.append(recall(model.transform(Z[tested], conditions=other_names[right]) @ model.transform_targets(Z).T))
    share = tune_share(X, names, partners)
    found.append(recall(((1 - share) * Z[tested] + share * other_names[right]) @ Z.T))
    return Trial(*found)
