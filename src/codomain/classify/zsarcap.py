"""Give each caption the class of the nearest sentence about a class."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codomain.classify.shared.by_words import WordsHead
from codomain.core import Int, Paper, Trial, claim


class ZSARCap(WordsHead):
    r"""Compare captions of things with sentences about classes by the nearest neighbour rule.

    Both sides are sentences, so one encoder trained on paraphrases serves both and nothing is learned: the score of
    class :math:`c` is :math:`\max_{d \in D_c} z^\top d` for a caption :math:`z` and sentences :math:`d` of length 1.
    It differs from `ByDescription` only in taking the best instead of the mean. Not in the paper: `n_neighbors`, which
    leads from one to the other. Something with several captions is the mean of their vectors.

    Parameters
    ----------
    n_neighbors : int, default=1
        Sentences of a class whose cosines are averaged, the nearest ones; all of a class that has fewer.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, sorted.
    descriptions_ : ndarray of shape (n_descriptions, n_features)
        Sentences at length 1, in the order of X.
    description_classes_ : ndarray of shape (n_descriptions,)
        The class of each.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule or y has one class.

    References
    ----------
    Estevam et al. (2021), arXiv:2112.09976.

    Examples
    --------
    >>> X = [[1.0, 0.0], [-1.0, 0.0], [0.7, 0.7]]
    >>> ZSARCap().fit(X, ["juggle", "juggle", "yoyo"]).predict([[0.9, 0.2]])
    array(['juggle'], dtype='<U6')
    >>> ZSARCap(2).fit(X, ["juggle", "juggle", "yoyo"]).predict([[0.9, 0.2]])
    array(['yoyo'], dtype='<U6')
    """

    paper = Paper.get("zsarcap")
    rules: ClassVar = {"n_neighbors": Int(1)}

    def __init__(self, n_neighbors: int = 1) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Keep sentence vectors X, (n_descriptions, n_features), and the class of each, y."""
        self._keep_descriptions(X, y)
        return self

    def _scores(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the mean of the highest cosines in each class."""
        out = np.empty((len(rows), len(self.classes_)), dtype=rows.dtype)
        for number, name in enumerate(self.classes_):
            near = rows @ self.descriptions_[self.description_classes_ == name].T.astype(rows.dtype)
            k = min(self.n_neighbors, near.shape[1])
            out[:, number] = -np.partition(-near, k - 1, axis=1)[:, :k].mean(axis=1)
        return out


@claim(
    ZSARCap, needs=("minilm", "wordllama"),
    unit="accuracy, 0 to 1", margin=0.02, seconds=60,
    says="The nearest sentence is found better by a sentence encoder than by averaged word vectors.",
    floor="the same rule on averaged word vectors (a static table)",
    peer="the mean cosine to all sentences of a class, with the sentence encoder",
)  # fmt: skip
def sentences_beat_words(seed: int) -> Trial:
    """Docstrings of the packages with at least 10 documented objects, package names hidden, MiniLM."""
    from codomain.classify.classification_by_description import ByDescription
    from codomain.encode import resolve
    from codomain.tasks.described import described_packages, encode_once

    task = described_packages(seed, n_test=2)
    y, truth = np.array(task.description_classes), np.array(task.classes)
    (X, Q), (words, word_Q) = (
        (encode_once(encoder, task.descriptions), encode_once(encoder, task.texts))
        for encoder in map(resolve, ("builtin:minilm", "static:wordllama"))
    )
    return Trial(
        ours=ZSARCap().fit(X, y).score(Q, truth),
        floor=ZSARCap().fit(words, y).score(word_Q, truth),
        peer=ByDescription().fit(X, y).score(Q, truth),
    )
