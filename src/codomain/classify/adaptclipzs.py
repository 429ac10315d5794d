"""Teach a space which texts are of which class, a bag at a time, and use it on classes it has not seen."""

from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from codomain.classify.shared.by_words import WordsHead
from codomain.classify.shared.contrast import adapt, train_adapters
from codomain.core import Int, Paper, Real, Seed, Trial, claim
from codomain.core.maths.means import class_means


class AdaptCLIPZS(WordsHead):
    r"""Align labelled rows with the bag of their class's descriptions, then classify by description.

    In each step a row draws one description of its class. Adapters :math:`z + z A` of rows and :math:`t + t B` of
    texts, at length 1, lower the mean of :math:`-\log \mathrm{softmax}_j(z_i^\top t_j / \tau)` over all texts
    :math:`j` of row :math:`i`'s class in the batch, and the same the other way round. Classes score
    the mean cosine to their adapted descriptions, also those of `for_classes`, which need no rows. Not in the paper:
    the adapters, in place of fine-tuning the encoder; `GIST` shares them, with single rows and texts as its pairs.

    Parameters
    ----------
    temperature : float, default=0.05
        What cosines are divided by.
    epochs : int, default=20
        Passes over the rows.
    random_state : int, RandomState or None, default=None
        Seed of the batches and of the descriptions drawn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, sorted.
    descriptions_ : ndarray of shape (n_descriptions, n_features)
        Descriptions at length 1 after the adapter, in the order of X.
    description_classes_ : ndarray of shape (n_descriptions,)
        The class of each.
    prototypes_ : ndarray of shape (n_classes, n_features)
        Means of each class's adapted descriptions, without unit.
    row_turn_ : ndarray of shape (n_features, n_features)
        Adapter of rows, the A above.
    text_turn_ : ndarray of shape (n_features, n_features)
        Adapter of texts, the B above.
    losses_ : ndarray of shape (epochs,)
        Mean loss of each pass, in nats.

    Raises
    ------
    ValueError
        In `fit` and `for_classes`, when a parameter breaks its rule, y has one class or the rows do not fit.

    References
    ----------
    Saha et al. (2024), arXiv:2401.02460.

    Examples
    --------
    >>> X, rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.8, 0.1, 0.1], [0.2, 0.9, 0.0]]
    >>> head = AdaptCLIPZS(random_state=0).fit(X, ["cat", "dog"], rows, ["cat", "dog"])
    >>> head.for_classes([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]], ["emu", "fox"]).predict([[0.1, 0.1, 0.9]])
    array(['emu'], dtype='<U3')
    """

    paper = Paper.get("adaptclipzs")
    rules: ClassVar = {"temperature": Real(0, above=True), "epochs": Int(1), "random_state": Seed()}
    small: ClassVar = {"epochs": 2, "random_state": 0}

    def __init__(self, temperature: float = 0.05, *, epochs: int = 20, random_state: Any = None) -> None:
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, rows: ArrayLike | None = None, row_classes: ArrayLike | None = None
    ) -> Self:  # fmt: skip
        """Learn from description vectors X of the classes y and labelled rows, (n_samples, n_features).

        Without `rows` and `row_classes` each description is a row: not in the paper. Not every class needs rows.
        """
        which = self._keep_descriptions(X, y)
        seen, of = self._labelled_rows(which, rows, row_classes)
        rng = check_random_state(self.random_state)
        order, counts = np.argsort(which, kind="stable"), np.bincount(which)
        starts = np.cumsum(counts) - counts

        def draw_pairs(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
            label = of[samples]
            drawn = order[starts[label] + rng.randint(counts[label])]
            return samples, drawn, label[:, None] == label

        self.row_turn_, self.text_turn_, losses = train_adapters(
            seen, self.descriptions_, len(seen), draw_pairs, temperature=self.temperature, epochs=self.epochs, rng=rng
        )
        self.losses_ = np.array(losses, dtype=seen.dtype)
        self._average(which)
        return self

    def for_classes(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Return a copy of this head whose classes are y, with description vectors X."""
        check_is_fitted(self)
        head = copy(self)
        head._average(head._keep_descriptions(X, y))
        return head

    def _average(self, which: NDArray[np.intp]) -> None:
        self.descriptions_ = adapt(self.descriptions_, self.text_turn_)
        self.prototypes_ = class_means(self.descriptions_, which, len(self.classes_))

    def _check_rows(self, Z: ArrayLike) -> NDArray[Any]:
        """Check and adapt rows."""
        return adapt(super()._check_rows(Z), self.row_turn_)


@claim(
    AdaptCLIPZS, needs=("torch", "wordllama"),
    unit="accuracy on packages never trained on, 0 to 1", margin=0.01, seconds=60,
    says="Adapters trained on half of the packages find the other half better by their descriptions.",
    floor="the mean cosine to the same descriptions, nothing trained",
    peer="TF-IDF of the same descriptions, by cosine",
)  # fmt: skip
def helps_new_classes(seed: int) -> Trial:
    """Docstrings of packages, their names hidden, 10 of each for training on half, a static encoder."""
    from codomain.classify.classification_by_description import ByDescription
    from codomain.encode import resolve
    from codomain.tasks.described import known_and_new, tfidf_accuracy

    _, old, new = known_and_new(seed)
    encoder = resolve("static:wordllama")
    X, A, rows, Q = map(encoder.encode, (old.descriptions, new.descriptions, old.few, new.texts))
    head = AdaptCLIPZS(random_state=seed).fit(X, old.description_classes, rows, old.few_classes)
    truth = np.array(new.classes)
    return Trial(
        ours=head.for_classes(A, new.description_classes).score(Q, truth),
        floor=ByDescription().fit(A, new.description_classes).score(Q, truth),
        peer=tfidf_accuracy(new),
    )
