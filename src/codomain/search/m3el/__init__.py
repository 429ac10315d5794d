"""Match items with two kinds of features: whole with whole, whole with parts, and one kind by the other."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.core import Int, Paired, Paper, Real, Seed, Trial, UserError, claim, descend, need, unit_rows
from codomain.search.m3el.matching import (
    KINDS,
    apply_heads,
    as_tensors,
    info_nce_with_own_side,
    levels,
    start_weights,
)

_ROWS, _RATE = 64, 1e-3  # pairs in a step, and the learning rate


class M3EL(Paired):
    r"""Link mentions to entities by the mean of six learned similarities.

    In either kind of features, say text and image: :math:`\cos(m, e)` of the wholes, and of the entity's whole with the
    mention's parts, weighted by attention from the entity's parts. Across: :math:`\tanh(w \cdot t)\, t +
    \mathrm{att}(t, I)`, a text plus its attention over the image's parts, compared with the same of the other side; and
    the image likewise over the text. The loss adds InfoNCE of the mean, of each kind, of the crossing, and, in each
    kind, one with negatives of the same side too. Encoders are frozen here, under linear heads.

    Parameters
    ----------
    n_components : int, default=64
        Width of the common space.
    temperature : float, default=0.05
        Cosines are divided by it.
    epochs : int, default=10
        Passes over the pairs.
    random_state : int, RandomState or None, default=None
        Seed of the start and of the order of pairs.

    Attributes
    ----------
    weights_ : dict of str to ndarray
        Heads of both sides and kinds, (width, n_components), attention and gate.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass.

    Raises
    ------
    ValueError
        In `fit`, when the entities are missing or have other rows, or a parameter breaks its rule.

    Notes
    -----
    Checked against the authors' code (zhiweihu1103/MEL-M3EL): the two levels within a kind, their mean, attention from
    an entity's parts to the mention's, the gate by a hyperbolic tangent, crossing in both directions, the mean of all,
    and one loss for the whole, each kind and the contrast with the same side are the same. There a level is an inner
    product after layer norms, undivided, and attention is divided by the root of the width; here cosines by a
    temperature. There the crossing passes five heads and a comparison of both kinds, runs in both directions, with a
    loss for each, on one of the data sets and from the text alone on the others, and negatives of the same side weigh
    0.8 at temperature 0.03, their losses a half; here the whole's attention over parts, both directions with one loss,
    and weight 1. Passes, rates and sizes are not the paper's, which trains its encoder too. Second reading: with parts
    of other rows, in training and search, ours falls from .095 to .041 by one seed, below the floor's .079.

    References
    ----------
    Hu et al. (2024), arXiv:2412.10440.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> text, image = rng.normal(size=(2, 200, 3, 6))  # a whole and two parts of each
    >>> model = M3EL(16, epochs=20, random_state=0).fit(text, text, images=image, other_images=image)
    >>> scores = model.score_all(text[:3], text, images=image[:3], other_images=image)
    >>> scores.argmax(axis=1)
    array([0, 1, 2])
    """

    paper = Paper.get("m3el")
    rules: ClassVar = {
        "n_components": Int(1), "temperature": Real(0, above=True), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"n_components": 2, "epochs": 2, "random_state": 0}
    partner = "the entities"

    def __init__(
        self, n_components: int = 64, *, temperature: float = 0.05, epochs: int = 10, random_state: Any = None
    ) -> None:
        self.n_components = n_components
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, *, images: ArrayLike | None = None, other_images: ArrayLike | None = None
    ) -> Self:
        """Learn from mentions and their entities.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1 + n_parts, n_features) or (n_samples, n_features)
            Text of the mentions: the whole first, then its parts; without parts, the whole is its own part.
        y : array-like of shape (n_samples, 1 + n_parts, n_features) or (n_samples, n_features) or (n_samples,)
            Text of the entities, row i for mention i.
        images, other_images : array-like, default=None
            The other kind of features of mentions and entities, of the same shape; None takes the text again.

        Returns
        -------
        M3EL
            Fitted.
        """
        self._check_params()
        self._need_partner(y)
        data = validate_data(self, X, dtype=(np.float64, np.float32), allow_nd=True, ensure_min_samples=2)
        torch: Any = need("torch", "torch")
        given = as_tensors(data, y, images, other_images)
        check_consistent_length(data, given["entity_text"])
        random = check_random_state(self.random_state)
        start = start_weights(given, self.n_components, random)
        live = {name: torch.nn.Parameter(torch.from_numpy(part)) for name, part in start.items()}

        def loss(rows: Any) -> Any:
            sides = apply_heads(live, {name: part[rows] for name, part in given.items()})
            found, right = levels(live, *sides) / self.temperature, torch.arange(len(rows))
            total = torch.nn.functional.cross_entropy(found.mean(dim=0), right)
            for module in (found[0:2], found[2:4], found[4:6]):
                total = total + torch.nn.functional.cross_entropy(module.mean(dim=0), right)
            for mention, entity in zip(*sides, strict=True):
                total = total + info_nce_with_own_side(mention[:, 0], entity[:, 0], self.temperature)
            return total

        losses = descend(
            loss, live.values(), len(data), epochs=self.epochs, batch=_ROWS, learning_rate=_RATE, random_state=random
        )
        self.losses_ = np.array(losses, data.dtype)
        self.weights_ = {name: part.detach().numpy() for name, part in live.items()}
        return self

    def score_all(
        self, X: ArrayLike, Y: ArrayLike, *, images: ArrayLike | None = None, other_images: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Mean of the six cosines of every mention with every entity, (n_mentions, n_entities); arrays as in `fit`."""
        check_is_fitted(self)
        torch: Any = need("torch", "torch")
        data = check_array(X, dtype=(np.float64, np.float32), allow_nd=True)
        given = as_tensors(data, Y, images, other_images)
        for name, part in given.items():
            if part.shape[2] != len(self.weights_[name]):
                raise UserError(f"{part.shape[2]} features.", needed=f"{len(self.weights_[name])}, as in fit ({name})")
        fixed = {name: torch.from_numpy(part) for name, part in self.weights_.items()}
        with torch.no_grad():
            mentions, entities = apply_heads(fixed, given)
            blocks = [
                levels(fixed, (mentions[0][at : at + _ROWS], mentions[1][at : at + _ROWS]), entities).mean(dim=0)
                for at in range(0, len(data), _ROWS)
            ]
        return np.asarray(torch.cat(blocks).numpy(), data.dtype)


@claim(
    M3EL, needs=("torch", "wordllama"),
    unit="recall at 1 of 1,500, 0 to 1", margin=0.02, seconds=60,
    says="Parts, crossing and negatives of the same side link more halves to their other halves.",
    premise="two kinds say more than one: the floor finds a point more than by its better kind alone", least=0.01,
    floor="heads of both kinds, learned by InfoNCE of the mean of both cosines of wholes, same pairs and passes",
    peer="both cosines of the vectors as they are, with a weight tuned on the same pairs",
)  # fmt: skip
def links_halves(seed: int) -> Trial:
    """Link tokens 1-8 of a docstring, and 1-4 of its name and signature, to the next 8 and 4; 800 pairs teach."""
    import torch

    from codomain.tasks.docstrings import docstring_texts
    from codomain.tasks.tokens import wordllama_tokens

    kinds = []
    for most, texts in zip((16, 8), docstring_texts("text", "head"), strict=True):
        tokens, starts = wordllama_tokens(texts, most)
        kinds.append((tokens, starts, np.diff(starts) == most))
    full = np.flatnonzero(kinds[0][2] & kinds[1][2])
    order = np.random.default_rng(seed).permutation(full)[:2300]
    halves = []
    for tokens, starts, _ in kinds:
        whole = tokens[starts[order][:, None] + np.arange(starts[order[0] + 1] - starts[order[0]])]
        for half in np.split(whole, 2, axis=1):
            runs = half.reshape(len(half), 4, -1, half.shape[2]).mean(axis=2)
            halves.append(np.concatenate([half.mean(axis=1, keepdims=True), runs], axis=1))
    train, test = ([half[some] for half in halves] for some in (slice(800), slice(800, None)))

    def hits(scores: NDArray[Any]) -> NDArray[np.bool_]:
        return np.asarray(scores.argmax(axis=1) == np.arange(len(scores)))

    def cosines(some: list[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        one, other, image, other_image = (unit_rows(part[:, 0]) for part in some)
        return one @ other.T, image @ other_image.T

    ours = M3EL(random_state=seed).fit(train[0], train[1], images=train[2], other_images=train[3])
    found = hits(ours.score_all(test[0], test[1], images=test[2], other_images=test[3]))

    random = np.random.RandomState(seed)
    given = as_tensors(train[0], train[1], train[2], train[3])
    start = start_weights(given, ours.n_components, random)
    live = {name: torch.nn.Parameter(torch.from_numpy(start[name])) for name in given}

    def loss(rows: Any) -> Any:
        mentions, entities = apply_heads(live, {name: part[rows] for name, part in given.items()})
        scores = sum(one[:, 0] @ other[:, 0].T for one, other in zip(mentions, entities, strict=True)) / 2
        return torch.nn.functional.cross_entropy(scores / ours.temperature, torch.arange(len(rows)))

    descend(loss, live.values(), 800, epochs=ours.epochs, batch=_ROWS, learning_rate=_RATE, random_state=random)
    heads = [live[f"{side}_{kind}"].detach().numpy() for kind in KINDS for side in ("mention", "entity")]
    text, image = cosines([unit_rows(part[:, 0])[:, None] @ head for part, head in zip(test, heads, strict=True)])
    floor = hits(text + image)

    known, new = cosines(train), cosines(test)
    share = max(np.linspace(0, 1, 11), key=lambda share: hits((1 - share) * known[0] + share * known[1]).mean())
    return Trial(
        ours=found, floor=floor, peer=hits((1 - share) * new[0] + share * new[1]), chance=1 / len(found),
        premise=float(floor.mean() - max(hits(text).mean(), hits(image).mean())),
    )  # fmt: skip
