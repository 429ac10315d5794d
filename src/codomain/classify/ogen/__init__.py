"""Synthesise rows of classes that have none, from their names and the rows of similar classes, and train on them."""

from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from codomain.classify.ogen.synthesis import BATCH, nearest_classes, synthesise, train
from codomain.classify.shared.by_words import WordsHead
from codomain.classify.shared.contrast import adapt
from codomain.classify.shared.names import adapt_names, train_names
from codomain.core import Int, Paper, Real, Seed, Trial, UserError, claim, need, unit_rows
from codomain.core.maths.means import class_means


class OGEN(WordsHead):
    r"""Train names of classes on rows of the known ones and on synthetic rows of the unknown, so that they suit both.

    A class's name :math:`w_c` is the mean of its descriptions at length 1, and training learns an adapter
    :math:`w + w B` of all names, at length 1 again. A generator makes rows of a class of which there are none:
    attention from the class's name to names of similar known classes, over the rows of these, plus two layers of the
    name itself. It learns on known classes, treated as unknown, by the squared distance to their true rows: a row from
    its nearest classes, and rows of these from it. After a fifth of the passes, cross-entropy of true and synthetic
    rows is added, weights 0.25 for known and 0.5 for unknown classes, and the divergence from a teacher, the mean of
    the adapter after the last passes, 2 of them at first and 9 in the end.

    Parameters
    ----------
    n_neighbors : int, default=3
        Classes with rows that a synthetic row is made from, at most, as published.
    weight_of_teacher : float, default=1.0
        Weight of the divergence from the teacher.
    temperature : float, default=0.01
        What cosines are divided by, as published.
    learning_rate : float, default=0.001
        Size of a step of AdamW.
    epochs : int, default=10
        Passes over the rows, as published; the authors also show 50 and 200.
    random_state : int, RandomState or None, default=None
        Seed of the generator's first weights, the batches and the rows drawn.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, sorted.
    descriptions_ : ndarray of shape (n_descriptions, n_features)
        Descriptions at length 1, in the order of X.
    description_classes_ : ndarray of shape (n_descriptions,)
        The class of each.
    prototypes_ : ndarray of shape (n_classes, n_features)
        Names at length 1 after the adapter.
    synthetic_ : ndarray of shape (n_trained, n_features)
        Row synthesised for each class of `fit` from the mean rows of the classes of the nearest names, at length 1.
    text_turn_ : ndarray of shape (n_features, n_features)
        Adapter of names, the B above.
    losses_ : ndarray of shape (epochs,)
        Mean of the sum of these terms in each pass.

    Raises
    ------
    ValueError
        In `fit` and `for_classes`, when a parameter breaks its rule, y has one class, the rows do not fit or are of
        one class.

    Notes
    -----
    Checked against the authors' code (apple/ml-ogen): neighbours by the classes' mean rows, the generator with its
    four heads, dropout and first values, rows drawn as mean plus a uniform share of the standard deviation, the three
    reconstructions, all weights, the warm-up, batches of 32 and the temperature agree. There words of a prompt are
    learnt by plain gradient descent with a cosine schedule; vectors of names allow only an adapter. The released
    trainer makes a teacher but leaves it out of its loss; the divergence follows the paper's description.
    Second reading: losses, weights, draws, neighbours and warm-up agree line by line with the released trainer, the
    optimiser does not (0.002 with a cosine there). The lack of a premise is right: training on the first half gained
    .005 to .019 for the other half in all five seeds, so there is no loss to mend. No mutation was run; by reasoning
    alone, one could not show there, as ours and the floor differ by at most .009.

    References
    ----------
    Zang et al. (2024), arXiv:2401.15914.

    Examples
    --------
    >>> X, rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]], [[0.8, 0.1, 0.6], [0.2, 0.9, 0.6]]
    >>> head = OGEN(random_state=0).fit(X, ["cat", "dog", "fox"], rows, ["cat", "dog"])
    >>> head.predict(rows), head.synthetic_.shape  # no fox was seen: its row is made up from those of cats and dogs
    (array(['cat', 'dog'], dtype='<U3'), (3, 3))
    """

    paper = Paper.get("ogen")
    rules: ClassVar = {
        "n_neighbors": Int(1), "weight_of_teacher": Real(0), "temperature": Real(0, above=True),
        "learning_rate": Real(0), "epochs": Int(1), "random_state": Seed(),
    }  # fmt: skip
    small: ClassVar = {"epochs": 2, "random_state": 0}

    def __init__(
        self, n_neighbors: int = 3, *, weight_of_teacher: float = 1.0, temperature: float = 0.01,
        learning_rate: float = 1e-3, epochs: int = 10, random_state: Any = None,
    ) -> None:  # fmt: skip
        self.n_neighbors = n_neighbors
        self.weight_of_teacher = weight_of_teacher
        self.temperature = temperature
        self.learning_rate = learning_rate
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
        names, number = self._name_vectors(which), np.searchsorted(known, of)
        turn, generator, losses = train(
            names[known], seen, number, np.delete(names, known, axis=0), n_neighbors=self.n_neighbors,
            weight_of_teacher=self.weight_of_teacher, temperature=self.temperature, learning_rate=self.learning_rate,
            epochs=self.epochs, rng=check_random_state(self.random_state),
        )  # fmt: skip
        self.losses_, self.text_turn_ = np.array(losses, dtype=seen.dtype), turn.detach().numpy()
        torch = need("torch", "torch")
        with torch.no_grad():
            adapted = adapt_names(torch.from_numpy(names), turn)
            near = nearest_classes(names, names[known], self.n_neighbors)
            means = torch.from_numpy(class_means(seen, number, len(known)))
            made = synthesise(generator, adapted[:, None], adapted[known[near]], means[near])
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
        return self


@claim(
    OGEN, needs=("torch", "wordllama", "wordnet-base"),
    unit="accuracy over 81 nouns never trained on, 0 to 1", margin=0.02, seconds=500, scale="minutes",
    why="Fifty passes over the rows, in steps of 32, with a generator at every step.",
    says="Names trained on half of the nouns find the other half better if made-up rows of these train them too.",
    premise="accuracy on the other half that training on the first half alone costs, the pitfall", least=0.01,
    floor="the same names trained by the cross-entropy of the true rows alone, as long",
    peer="the cosine to the names, nothing trained",
)  # fmt: skip
def helps_unknown_classes(seed: int) -> Trial:
    """Definitions of kinds of things in WordNet, 16 rows of each class for training on half, a static encoder.

    Fifty passes, as the authors' longer setting. Tried first: docstrings of packages, and these nouns with the ten
    passes of the shorter setting; both times training on the known classes helped the new ones too.
    """
    from codomain.classify.classification_by_description import ByDescription
    from codomain.encode import resolve
    from codomain.tasks.described import Described
    from codomain.tasks.hyponyms import known_and_new_kinds

    every, known, new = known_and_new_kinds(seed)
    encoder = resolve("static:wordllama")

    def vectors(task: Described) -> NDArray[np.float32]:
        pairs = zip(task.description_classes, task.descriptions, strict=True)
        return encoder.encode([f"{name}: {text}" for name, text in pairs])

    rows, Q, old_Q = (encoder.encode(texts) for texts in (known.few, new.texts, known.texts))
    ours = OGEN(epochs=50, random_state=seed).fit(vectors(every), every.description_classes, rows, known.few_classes)
    old = ByDescription(normalise=True).fit(vectors(known), known.description_classes)
    still = ByDescription(normalise=True).fit(vectors(new), new.description_classes)
    turn = train_names(
        old.prototypes_, unit_rows(rows), np.searchsorted(old.classes_, known.few_classes),
        temperature=ours.temperature, learning_rate=ours.learning_rate, epochs=ours.epochs, batch=BATCH,
        random_state=seed,
    )  # fmt: skip
    truth, old_truth = np.array(new.classes), np.array(known.classes)

    def hits(prototypes: NDArray[Any], head: WordsHead, texts: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.bool_]:
        return np.asarray(head.classes_[(texts @ prototypes.T).argmax(axis=1)] == labels)

    floor, peer = (hits(names, still, Q, truth) for names in (adapt(still.prototypes_, turn), still.prototypes_))
    known_hits = [hits(adapt(old.prototypes_, part), old, old_Q, old_truth) for part in (ours.text_turn_, turn)]
    return Trial(
        ours=ours.for_classes(vectors(new), new.description_classes).predict(Q) == truth,
        floor=floor,
        peer=peer,
        chance=1 / len(new.names),
        premise=float(peer.mean() - floor.mean()),
        also={
            "accuracy on known classes": float(known_hits[0].mean()),
            "accuracy of the floor on known classes": float(known_hits[1].mean()),
        },
    )
