"""Name rows without a list of classes: the words come from the captions nearest to each row."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from codomain.classify.cased.captions import name_as_caption, products, words_of
from codomain.core import Int, Method, Paper, Real, Trial, UserError, claim, unit_rows

_CHUNK = 2**24  # numbers of a table held at once


class CaSED(ClassifierMixin, Method):
    r"""Answer with the word, among those of a row's nearest captions, that fits the row and these captions.

    Row :math:`z` retrieves captions with mean direction :math:`\bar t`; their words :math:`w` are its candidates.
    The answer has the highest :math:`(1 - \beta)\, \mathrm{softmax}_w(z^\top w / \tau) + \beta\, \mathrm{softmax}_w(
    \bar t^\top w / \tau)`, everything at length 1. The paper filters candidates by part of speech; here words shorter
    than three letters and the commonest English ones are left out.

    Parameters
    ----------
    n_neighbors : int, default=10
        Captions retrieved for each row, all when there are fewer.
    weight_of_neighbors : float, default=0.3
        Share of the retrieved captions in the score, 0 to 1, the :math:`\beta` above.
    temperature : float, default=1.0
        What cosines are divided by.

    Attributes
    ----------
    classes_ : ndarray of shape (n_words,)
        Words that are possible answers, sorted; the labels themselves when y holds numbers.
    captions_ : ndarray of shape (n_captions, n_features)
        Captions at length 1 that mention at least one of them.
    mentions_ : csr_array of shape (n_captions, n_words)
        1 where a caption mentions a word.
    word_vectors_ : ndarray of shape (n_words, n_features)
        Vectors of the words at length 1.

    Raises
    ------
    ValueError
        In `fit`, when a parameter breaks its rule, no caption has a word or the words' vectors do not fit.

    References
    ----------
    Conti et al. (2023), arXiv:2306.00917.

    Examples
    --------
    >>> captions = ["a cat on a mat", "the cat and the dog"]
    >>> CaSED.vocabulary(captions)
    ['cat', 'dog', 'mat']
    >>> head = CaSED(1).fit([[1.0, 0.0], [0.6, 0.8]], captions, ["cat", "dog", "mat"], [[1, 0], [0, 1], [1, -1]])
    >>> head.predict([[0.6, -0.8], [0.1, 1.0]])
    array(['mat', 'dog'], dtype='<U3')
    """

    paper = Paper.get("cased")
    rules: ClassVar = {"n_neighbors": Int(1), "weight_of_neighbors": Real(0, 1), "temperature": Real(0, above=True)}

    def __init__(
        self, n_neighbors: int = 10, *, weight_of_neighbors: float = 0.3, temperature: float = 1.0
    ) -> None:  # fmt: skip
        self.n_neighbors = n_neighbors
        self.weight_of_neighbors = weight_of_neighbors
        self.temperature = temperature

    @staticmethod
    def vocabulary(captions: Iterable[str]) -> list[str]:
        """Words of captions, sorted, to be encoded for `fit`."""
        return sorted({word for caption in captions for word in words_of(caption)})

    def fit(
        self, X: ArrayLike, y: ArrayLike, words: ArrayLike | None = None, word_vectors: ArrayLike | None = None
    ) -> Self:  # fmt: skip
        """Keep caption vectors X, (n_captions, n_features), and the captions y; a label is a caption of one word.

        `words` with `word_vectors`, (n_words, n_features), are the possible answers. Without them the vector of a word
        is the mean of the captions that mention it, which is not in the paper.
        """
        self._check_params()
        data, labels = validate_data(self, X, y, dtype=(np.float64, np.float32))
        if labels.dtype.kind not in "OUS":
            check_classification_targets(labels)
        if (words is None) != (word_vectors is None):
            raise UserError("One of words and word_vectors is missing.", needed="both or neither")
        mentioned = [words_of(text) if isinstance(text, str) else [text] for text in labels.tolist()]
        every = np.array(sorted({word for part in mentioned for word in part})) if words is None else np.asarray(words)
        self.classes_, first = np.unique(every, return_index=True)
        place = {word: number for number, word in enumerate(self.classes_.tolist())}
        found = [[place[word] for word in part if word in place] for part in mentioned]
        counts = [len(part) for part in found]
        columns = np.array([number for part in found for number in part], dtype=np.intp)
        if not len(columns):
            raise UserError("No caption has a word that is a possible answer.", needed="captions of English words")
        ones = np.ones(len(columns), dtype=data.dtype)
        mentions = csr_array((ones, columns, np.cumsum([0, *counts])), shape=(len(data), len(self.classes_)))
        kept = np.flatnonzero(counts)
        self.captions_, self.mentions_ = unit_rows(data)[kept], mentions[kept]
        if word_vectors is None:
            vectors = self.mentions_.T @ self.captions_
        else:
            vectors = np.asarray(word_vectors, dtype=data.dtype)
            if every.ndim != 1 or len(first) != len(every) or vectors.shape != (len(every), data.shape[1]):
                raise UserError(
                    f"words of shape {every.shape} and word_vectors of shape {vectors.shape}.",
                    needed=f"different words, each with a vector of {data.shape[1]} features",
                )
            vectors = vectors[first]
        self.word_vectors_ = unit_rows(vectors)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Word of each row, of shape (n_samples,)."""
        check_is_fitted(self)
        rows = unit_rows(validate_data(self, X, reset=False, dtype=(np.float64, np.float32)))
        step = max(1, _CHUNK // max(len(self.captions_), self.n_neighbors * rows.shape[1]))
        parts = [self._answer(rows[start : start + step]) for start in range(0, len(rows), step)]
        return self.classes_[np.concatenate(parts)]

    def _answer(self, rows: NDArray[Any]) -> NDArray[np.intp]:
        """Return the number of the word of each row."""
        n, k = len(rows), min(self.n_neighbors, len(self.captions_))
        captions, words = (part.astype(rows.dtype) for part in (self.captions_, self.word_vectors_))
        near = np.argpartition(-(rows @ captions.T), k - 1, axis=1)[:, :k]
        middle = unit_rows(captions[near].mean(axis=1))
        chosen = csr_array((np.ones(n * k, dtype=rows.dtype), near.ravel(), np.arange(0, n * k + 1, k)),
                           shape=(n, len(captions)))  # fmt: skip
        candidates = csr_array(chosen @ self.mentions_)
        candidates.sort_indices()
        starts, word = candidates.indptr, candidates.indices
        row = np.repeat(np.arange(n), np.diff(starts))

        def softmax(queries: NDArray[Any]) -> NDArray[Any]:
            """Probabilities of the candidates of each row, one after another."""
            raised = np.exp((products(queries, words, row, word, _CHUNK) - 1) / self.temperature)
            return np.asarray(
                raised / np.maximum(np.add.reduceat(raised, starts[:-1]), np.finfo(raised.dtype).tiny)[row]
            )

        scores = (1 - self.weight_of_neighbors) * softmax(rows) + self.weight_of_neighbors * softmax(middle)
        # The best word of each row: sort by row, then by score from high to low, then by word.
        order = np.lexsort((word, -scores, row))
        return np.asarray(word[order[starts[:-1]]], dtype=np.intp)


@claim(
    CaSED, needs=("wordllama",),
    unit="share of rows whose word is in the documented object's name, 0 to 1", margin=0.01, seconds=60,
    says="A word out of the nearest docstrings names an object better than the nearest of all words.",
    floor="the nearest word of the whole vocabulary",
    peer="the word most often mentioned by the same neighbours, weighed by how rare it is",
)  # fmt: skip
def names_without_a_list(seed: int) -> Trial:
    """At most 500 objects of a quarter of the packages; captions are the docstrings of the others, a static encoder."""
    from codomain.data import frozen_docstrings
    from codomain.encode import resolve

    table = [row for row in frozen_docstrings().to_pylist() if row["kind"] != "module"]
    rng = np.random.default_rng(seed)
    packages = np.unique([row["package"] for row in table])
    held = set(rng.permutation(packages)[: len(packages) // 4].tolist())
    base = [row["text"][:300] for row in table if row["package"] not in held]
    objects = [row for row in table if row["package"] in held]
    objects = [objects[number] for number in rng.permutation(len(objects))[:500]]
    truth = [set(words_of(name_as_caption(row["name"]))) for row in objects]
    objects, truth = map(
        list, zip(*((row, name) for row, name in zip(objects, truth, strict=True) if name), strict=True)
    )

    encoder = resolve("static:wordllama")
    words = CaSED.vocabulary(base)
    X, W, Q = encoder.encode(base), encoder.encode(words), encoder.encode([row["text"][:300] for row in objects])
    ours = CaSED().fit(X, base, words, W)
    mentions, rare = ours.mentions_, np.log(len(X) / ours.mentions_.sum(axis=0))
    rows = unit_rows(Q)
    near = np.argpartition(-(rows @ ours.captions_.T), 9, axis=1)[:, :10]
    often = np.stack([mentions[part].sum(axis=0) * rare for part in near]).argmax(axis=1)
    predicted = ours.predict(Q), ours.classes_[(rows @ ours.word_vectors_.T).argmax(axis=1)], ours.classes_[often]
    return Trial(*(float(np.mean([w in t for w, t in zip(part, truth, strict=True)])) for part in predicted))
