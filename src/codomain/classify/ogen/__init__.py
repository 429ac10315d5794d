"""Synthesise rows of classes that have none, from their names and the rows of similar classes, and train on them."""

from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from codomain.classify.ogen.synthesis import nearest_known_classes, synthesise, train
from codomain.classify.shared.by_words import WordsHead
from codomain.classify.shared.contrast import adapt
from codomain.core import Int, Paper, Real, Seed, Trial, UserError, claim, need, unit_rows
from codomain.core.maths.means import class_means


class OGEN(WordsHead):
    r"""Train a head on rows of the known classes and on synthetic rows of the unknown ones, so that it suits both.

    A class's name :math:`w_c` is the mean of its descriptions at length 1. Its synthetic row is
    :math:`w_c + \sum_k a_k (z_k - w_k)` at length 1: what rows :math:`z_k` of the `n_neighbors` classes of the
    nearest names add to these names, weighted by :math:`a = \mathrm{softmax}_k(s\, g(w_c)^\top g(w_k))`,
    :math:`g(w) = w + w G`. Adapters of rows and of names, as in `AdaptCLIPZS`, and the generator's :math:`G` and
    :math:`s` together lower the sum of: cross-entropy of the true rows among all classes; that of the synthetic rows;
    one minus the cosine of a synthetic row to a true one where a class has rows (it is then treated as unknown, as it
    is not its own neighbour); and Kullback-Leibler divergence from a teacher, the mean of the model's states after the
    last passes, 2 at first and 9 in the end. Written from recollection of the paper. Not in the paper: the adapters in
    place of prompts, the sum in place of a cross-attention block, the third term and all constants.

    Parameters
    ----------
    n_neighbors : int, default=3
        Classes with rows that a synthetic row is made from, at most.
    n_synthetic : int, default=4
        Rows synthesised for each class in a step; 0 for none.
    weight_of_teacher : float, default=1.0
        Weight of the divergence from earlier states.
    temperature : float, default=0.05
        What cosines are divided by.
    epochs : int, default=40
        Passes over the rows.
    random_state : int, RandomState or None, default=None
        Seed of the batches and of the rows drawn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, sorted.
    descriptions_ : ndarray of shape (n_descriptions, n_features)
        Descriptions at length 1 after the adapter, in the order of X.
    description_classes_ : ndarray of shape (n_descriptions,)
        The class of each.
    prototypes_ : ndarray of shape (n_classes, n_features)
        Names at length 1 after the adapter.
    synthetic_ : ndarray of shape (n_trained, n_features)
        Row synthesised for each class of `fit` from its neighbours' mean rows, length 1, before the adapter.
    row_turn_ : ndarray of shape (n_features, n_features)
        Adapter of rows: the product of a row with it is added to the row.
    text_turn_ : ndarray of shape (n_features, n_features)
        Adapter of descriptions and names.
    losses_ : ndarray of shape (epochs,)
        Mean of the sum of these terms in each pass.

    Raises
    ------
    ValueError
        In `fit` and `for_classes`, when a parameter breaks its rule, y has one class, the rows do not fit or are of
        one class.

    References
    ----------
    Zang et al. (2024), arXiv:2401.15914.

    Examples
    --------
    >>> X, rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]], [[0.8, 0.1, 0.6], [0.2, 0.9, 0.6]]
    >>> head = OGEN(random_state=0).fit(X, ["cat", "dog", "fox"], rows, ["cat", "dog"])
    >>> bool(head.synthetic_[2, 2] > 0.3)  # no fox was seen, but cats and dogs have a third feature
    True
    """

    paper = Paper.get("ogen")
    rules: ClassVar = {
        "n_neighbors": Int(1), "n_synthetic": Int(0), "weight_of_teacher": Real(0),
        "temperature": Real(0, above=True), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"epochs": 2, "random_state": 0}

    def __init__(
        self, n_neighbors: int = 3, *, n_synthetic: int = 4, weight_of_teacher: float = 1.0,
        temperature: float = 0.05, epochs: int = 40, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_neighbors = n_neighbors
        self.n_synthetic = n_synthetic
        self.weight_of_teacher = weight_of_teacher
        self.temperature = temperature
        self.epochs = epochs
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, rows: ArrayLike | None = None, row_classes: ArrayLike | None = None
    ) -> Self:  # fmt: skip
        """Learn from description vectors X of the classes y and labelled rows, (n_samples, n_features).

        Without `rows` and `row_classes` each description is a row, which is not in the paper. Classes of y without rows
        are the unknown ones; at least two need rows.
        """
        which = self._keep_descriptions(X, y)
        seen, of = self._labelled_rows(which, rows, row_classes)
        known = np.unique(of)
        if len(known) < 2:
            raise UserError("The rows are of one class.", needed="rows of at least two classes")
        names = self._name_vectors(which)
        near = nearest_known_classes(names, known, self.n_neighbors)
        states, losses = train(
            names, near, seen, of, n_synthetic=self.n_synthetic, weight_of_teacher=self.weight_of_teacher,
            temperature=self.temperature, epochs=self.epochs, rng=check_random_state(self.random_state),
        )  # fmt: skip
        self.losses_ = np.array(losses, dtype=seen.dtype)
        self.row_turn_, self.text_turn_ = (state.detach().numpy() for state in states[:2])
        means = np.zeros_like(names)
        means[known] = class_means(seen, np.searchsorted(known, of), len(known))
        torch = need("torch", "torch")
        with torch.no_grad():
            made = synthesise(states[2:], torch.from_numpy(names), near, torch.from_numpy(means[near][:, None]))
        self.synthetic_ = made[:, 0].numpy()
        return self._average(which)

    def for_classes(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Return a copy of this head whose classes are y, with description vectors X."""
        check_is_fitted(self)
        head = copy(self)
        return head._average(head._keep_descriptions(X, y))

    def _name_vectors(self, which: NDArray[np.intp]) -> NDArray[Any]:
        return unit_rows(class_means(self.descriptions_, which, len(self.classes_)))

    def _average(self, which: NDArray[np.intp]) -> Self:
        self.prototypes_ = adapt(self._name_vectors(which), self.text_turn_)
        self.descriptions_ = adapt(self.descriptions_, self.text_turn_)
        return self

    def _check_rows(self, Z: ArrayLike) -> NDArray[Any]:
        """Check and adapt rows."""
        return adapt(super()._check_rows(Z), self.row_turn_)


@claim(
    OGEN, needs=("torch", "wordllama"),
    unit="accuracy on packages never trained on, 0 to 1", margin=0.01, seconds=60,
    says="A head trained on half of the packages finds the other half better if made-up rows of these train it too.",
    floor="the same head trained on the known packages alone, with no made-up rows and no teacher",
    peer="the mean cosine to the descriptions, nothing trained",
)  # fmt: skip
def helps_unknown_classes(seed: int) -> Trial:
    """Docstrings of packages, their names hidden, 10 of each for training on half, a static encoder."""
    from codomain.classify.classification_by_description import ByDescription
    from codomain.encode import resolve
    from codomain.tasks.described import encode_once, known_and_new

    every, old, new = known_and_new(seed)
    encoder = resolve("static:wordllama")
    texts = (every.descriptions, old.descriptions, new.descriptions, old.few, new.texts)
    both, X, A, rows, Q = (encode_once(encoder, part) for part in texts)
    y, truth = new.description_classes, np.array(new.classes)
    ours = OGEN(random_state=seed).fit(both, every.description_classes, rows, old.few_classes)
    floor = OGEN(n_synthetic=0, weight_of_teacher=0, random_state=seed)
    return Trial(
        ours=ours.for_classes(A, y).score(Q, truth),
        floor=floor.fit(X, old.description_classes, rows, old.few_classes).for_classes(A, y).score(Q, truth),
        peer=ByDescription().fit(A, y).score(Q, truth),
    )
