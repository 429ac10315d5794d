"""Gather the attributes of a class in groups, and the groups in one vector, as learnt from labelled rows."""

from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from codomain.classify.shared.by_words import WordsHead
from codomain.core import Int, Paper, Real, Seed, Trial, claim, descend, need, unit_rows

if TYPE_CHECKING:
    from torch import Tensor

STEP = 1e-3  # length of a training step


def gather(
    attributes: "Tensor", there: "Tensor", tokens: "Tensor", query: "Tensor", turn: "Tensor", temperature: float
) -> "Tensor":  # fmt: skip
    """Return one vector per class from attributes, (classes, most, dim), padded where not `there`, (classes, most)."""
    torch = need("torch", "torch")
    near = torch.nn.functional.normalize(tokens, dim=1)
    # First level: every attribute is shared out among the groups; a group is the mean of its shares.
    shares = torch.softmax(attributes @ near.T / temperature, dim=2) * there[:, :, None]
    mass = shares.sum(dim=1)  # (classes, groups)
    groups = torch.einsum("cmg,cmd->cgd", shares, attributes) / mass[:, :, None].clamp_min(1e-6)
    groups = groups + groups @ turn
    # Second level: a group's weight is its mass times the learnt factor of the query, which is 1 at the start.
    weights = torch.softmax(torch.log(mass.clamp_min(1e-6)) + groups @ query, dim=1)
    return torch.nn.functional.normalize(torch.einsum("cg,cgd->cd", weights, groups), dim=1)


class AttrSeg(WordsHead):
    r"""Build a class's vector from its attributes through a learnt two-level hierarchy, then classify by cosine.

    Attributes :math:`a` are shared out among learnt group tokens by the softmax of their cosines over the
    temperature, groups are means :math:`g` of their shares plus a learnt linear part, :math:`g + g W`, and the class is
    the sum of the groups weighted by their mass times :math:`e^{q^\top g}`. Tokens, :math:`W` and :math:`q` are
    learnt by the cross-entropy of labelled rows and then used for new classes by `for_classes`. Training starts at
    the plain mean of the attributes. Not in the paper: two levels, one linear map in place of attention blocks, and
    rows in place of pixels.

    Parameters
    ----------
    n_groups : int, default=4
        Groups of the first level.
    temperature : float, default=0.1
        What cosines are divided by, both to share attributes out and in the cross-entropy.
    epochs : int, default=20
        Passes over the labelled rows.
    random_state : int, RandomState or None, default=None
        Seed of the first tokens, drawn from the attributes, and of the batches.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, sorted.
    descriptions_ : ndarray of shape (n_descriptions, n_features)
        Attributes at length 1, in the order of X.
    description_classes_ : ndarray of shape (n_descriptions,)
        The class of each.
    prototypes_ : ndarray of shape (n_classes, n_features)
        The gathered vectors of the classes, at length 1.
    tokens_ : ndarray of shape (n_groups, n_features)
        Learnt group tokens.
    query_ : ndarray of shape (n_features,)
        Direction whose product with a group is the logarithm of its learnt weight.
    turn_ : ndarray of shape (n_features, n_features)
        The linear part, the W above.
    losses_ : ndarray of shape (epochs,)
        Mean cross-entropy of each pass, in nats.

    Raises
    ------
    ValueError
        In `fit` and `for_classes`, when a parameter breaks its rule, y has one class or the rows do not fit.

    References
    ----------
    Ma et al. (2023), arXiv:2309.00096.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.eye(4)
    >>> rows, y = [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]], ["cat", "cat", "dog", "dog"]
    >>> head = AttrSeg(2, random_state=0).fit(X, y, rows, ["cat", "dog"])
    >>> head.predict([[1.0, 0.5, 0.2, 0.0]])
    array(['cat'], dtype='<U3')
    >>> head.for_classes(X[[0, 3]], ["emu", "fox"]).predict([[1.0, 0.5, 0.2, 0.0]])
    array(['emu'], dtype='<U3')
    """

    paper = Paper.get("attrseg")
    rules: ClassVar = {"n_groups": Int(1), "temperature": Real(0, above=True), "epochs": Int(1), "random_state": Seed()}
    small: ClassVar = {"epochs": 2, "random_state": 0}

    def __init__(
        self, n_groups: int = 4, *, temperature: float = 0.1, epochs: int = 20, random_state: Any = None
    ) -> None:  # fmt: skip
        self.n_groups = n_groups
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, rows: ArrayLike | None = None, row_classes: ArrayLike | None = None
    ) -> Self:  # fmt: skip
        """Learn from attribute vectors X of the classes y and labelled rows, (n_samples, n_features).

        Without `rows` and `row_classes` each attribute is a row of its own class, which is not in the paper.
        """
        which = self._keep_descriptions(X, y)
        torch = need("torch", "torch")
        seen, of = self._labelled_rows(which, rows, row_classes)
        rng = check_random_state(self.random_state)
        first = self.descriptions_[rng.choice(len(which), self.n_groups, replace=self.n_groups > len(which))]
        width = first.shape[1]
        zeros = np.zeros((1 + width, width), dtype=first.dtype)
        tokens, query, turn = (
            torch.nn.Parameter(torch.from_numpy(part.copy())) for part in (first, zeros[0], zeros[1:])
        )
        table, there = self._pad(which)
        Q, target = torch.from_numpy(seen), torch.from_numpy(of)

        def loss(batch: "Tensor") -> "Tensor":
            classes = gather(table, there, tokens, query, turn, self.temperature)
            value: Tensor = torch.nn.functional.cross_entropy(Q[batch] @ classes.T / self.temperature, target[batch])
            return value

        parts = [tokens, query, turn]
        losses = descend(loss, parts, len(of), epochs=self.epochs, learning_rate=STEP, random_state=rng)
        self.losses_ = np.array(losses, dtype=first.dtype)
        self.tokens_, self.query_, self.turn_ = (part.detach().numpy() for part in parts)
        self._gather(which)
        return self

    def for_classes(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Return a copy of this head whose classes are y, with attribute vectors X."""
        check_is_fitted(self)
        head = copy(self)
        head._gather(head._keep_descriptions(X, y))
        return head

    def _pad(self, which: NDArray[np.intp]) -> "tuple[Tensor, Tensor]":
        """Return the attributes as a table of classes by attributes, padded, and which entries are there."""
        torch = need("torch", "torch")
        counts = np.bincount(which)
        there = np.arange(counts.max()) < counts[:, None]
        table = np.zeros((*there.shape, self.descriptions_.shape[1]), dtype=self.descriptions_.dtype)
        table[there] = self.descriptions_[np.argsort(which, kind="stable")]
        return torch.from_numpy(table), torch.from_numpy(there)

    def _gather(self, which: NDArray[np.intp]) -> None:
        torch = need("torch", "torch")
        tokens, query, turn = (torch.from_numpy(part) for part in (self.tokens_, self.query_, self.turn_))
        with torch.no_grad():
            found = gather(*self._pad(which), tokens, query, turn, self.temperature).numpy()
        self.prototypes_ = unit_rows(found.astype(self.descriptions_.dtype))


@claim(
    AttrSeg, needs=("torch", "wordllama"),
    unit="accuracy, 0 to 1", margin=0.01, seconds=60,
    says="A way to gather attributes, learnt on half of the packages, describes the other half better than their mean.",
    floor="the mean of the attributes at length 1", peer="TF-IDF of the same attributes, by cosine",
)  # fmt: skip
def gathers_attributes(seed: int) -> Trial:
    """Docstrings of packages, their names hidden, 10 of each for training on half, a static encoder."""
    from codomain.classify.classification_by_description import ByDescription
    from codomain.encode import resolve
    from codomain.tasks.described import known_and_new, tfidf_accuracy

    _, old, new = known_and_new(seed)
    encoder = resolve("static:wordllama")
    X, A, rows, Q = map(encoder.encode, (old.descriptions, new.descriptions, old.few, new.texts))
    head = AttrSeg(random_state=seed).fit(X, old.description_classes, rows, old.few_classes)
    truth = np.array(new.classes)
    return Trial(
        ours=head.for_classes(A, new.description_classes).score(Q, truth),
        floor=ByDescription(normalise=True).fit(A, new.description_classes).score(Q, truth),
        peer=tfidf_accuracy(new),
    )
