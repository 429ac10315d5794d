"""Compare relations and compositions of words by two similarities: of domain and of function."""

import re
from collections import Counter
from functools import cache, partial
from itertools import product
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from codomain.core import Paired, Paper, Trial, UserError, claim, unit_rows
from codomain.measure.dual_space.contexts import word_spaces as word_spaces


def geometric_mean(*similarities: NDArray[Any]) -> NDArray[Any]:
    """Return the geometric mean, 0 where one of them is not positive."""
    product = np.prod([np.maximum(one, 0) for one in similarities], axis=0)
    return np.asarray(product ** (1 / len(similarities)), dtype=similarities[0].dtype)


class DualSpace(Paired):
    r"""Score relations and compositions of words by cosines in a domain and in a function space.

    With :math:`g` the geometric mean (0 if a cosine is not positive), "a is to b as c to d"
    scores :math:`g(f_{ac}, f_{bd})` if :math:`g(d_{ab}, d_{cd}) \ge g(d_{ad}, d_{cb})` and else 0; "the composition ab
    is c" scores :math:`g(d_{ac}, d_{bc}, f_{bc})`, and 0 if c is a or b. Words are rows of X and y, given by their
    number. The user chooses the domain and the function space. Not in the paper: the contexts that `word_spaces`
    counts, and their weights.

    Attributes
    ----------
    domain_ : ndarray of shape (n_words, n_features)
        Domain vectors of length 1.
    function_ : ndarray of shape (n_words, n_outputs)
        Function vectors of length 1.
    best : str
        "high": a higher score is more similar.
    bounds : tuple of float
        Lowest and highest possible score.

    Raises
    ------
    ValueError
        In `fit`, when y is missing or has other rows; in `relation` and `composition`, when a number is no word's.

    Notes
    -----
    Checked against the abstract only, and the table of results on the questions in the wiki of the Association for
    Computational Linguistics: both geometric means, and the choices of a question. Singular values to a power that is
    chosen on other questions are published; here the power is one half. Second reading: on a small scale, 550
    questions with glosses alone as texts and widths of 60, ours falls from 0.38 to 0.32 with the words of the
    function space in another order (floor 0.35), but only to 0.36 with the modifier taken as the head: wrong choices
    are near one word of the pair alone, which the domain space tells by itself (0.38). The turned pairs that are
    printed beside test the head.

    References
    ----------
    Turney (2013), arXiv:1309.4035.

    Examples
    --------
    >>> domain = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]  # carpenter, wood; mason, stone
    >>> function = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]  # artisan, material; artisan, material
    >>> DualSpace().fit(domain, function).relation([[0, 1, 2, 3], [0, 1, 3, 2]])
    array([1., 0.])
    """

    paper = Paper.get("dual-space")
    rules: ClassVar = {}
    small: ClassVar = {}
    partner = "the function space"
    best: ClassVar = "high"
    bounds: ClassVar = (0.0, 1.0)

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Keep the domain space X, (n_words, n_features), and the function space y, (n_words, n_outputs)."""
        domain, function = self._pairs(X, y)
        self.domain_, self.function_ = unit_rows(domain), unit_rows(function)
        return self

    def relation(self, questions: ArrayLike) -> NDArray[Any]:
        """Score how similar a:b and c:d are, 0 to 1, (n_questions,), for rows (a, b, c, d) of numbers of words."""
        a, b, c, d = self._check_questions(questions, 4)
        similarity = geometric_mean(self._cosines("function_", a, c), self._cosines("function_", b, d))
        straight = geometric_mean(self._cosines("domain_", a, b), self._cosines("domain_", c, d))
        crossed = geometric_mean(self._cosines("domain_", a, d), self._cosines("domain_", c, b))
        return np.where(straight >= crossed, similarity, np.zeros_like(similarity))

    def composition(self, questions: ArrayLike) -> NDArray[Any]:
        """Score how similar the composition ab is to c, 0 to 1, (n_questions,), for rows (a, b, c); b is the head."""
        a, b, c = self._check_questions(questions, 3)
        near, head = self._cosines("domain_", a, c), self._cosines("domain_", b, c)
        similarity = geometric_mean(near, head, self._cosines("function_", b, c))
        return np.where((a != c) & (b != c), similarity, np.zeros_like(similarity))

    def _check_questions(self, questions: ArrayLike, width: int) -> NDArray[np.intp]:
        """Check numbers of words and return one row for each role."""
        check_is_fitted(self)
        numbers, count = np.asarray(questions), len(self.domain_)
        if numbers.ndim != 2 or numbers.shape[1] != width or numbers.dtype.kind not in "iu":
            raise UserError(
                f"questions of shape {numbers.shape} and type {numbers.dtype}.",
                needed=f"whole numbers, {width} in each row",
            )
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
            raise UserError(f"Words {numbers.min()} to {numbers.max()}.", needed=f"numbers from 0 to {count - 1}")
        return numbers.T

    def _cosines(self, space: str, one: NDArray[np.intp], two: NDArray[np.intp]) -> NDArray[Any]:
        """Return the cosines of pairs of words in a space."""
        vectors = getattr(self, space)
        return np.clip(np.einsum("ij,ij->i", vectors[one], vectors[two]), -1, 1)


@cache
def _read() -> tuple[list[str], NDArray[np.float32], NDArray[np.float32], Any]:
    """Return the words of WordNet's questions, their two spaces, and the questions' maker bound to these words."""
    from codomain.data import debian_descriptions, frozen_docstrings, wordnet_glosses
    from codomain.tasks.noun_modifiers import noun_modifier_questions

    glosses = wordnet_glosses()
    meanings = zip(glosses["gloss"].to_pylist(), glosses["examples"].to_pylist(), strict=True)
    texts = [
        *frozen_docstrings()["text"].to_pylist(),
        *(". ".join([gloss, *examples]) for gloss, examples in meanings),
        *debian_descriptions()["text"].to_pylist(),
    ]
    frequent = {word for word, n in Counter(re.findall("[a-z]+", " ".join(texts).lower())).items() if n >= 20}
    asked = noun_modifier_questions(frequent.__contains__)
    words, domain, function = word_spaces(
        texts, words=[*asked.stems.ravel(), *asked.choices[:, :5].ravel()], min_count=20, n_contexts=3000, window=7,
        n_components=200, random_state=0,
    )  # fmt: skip
    return (
        words,
        domain.astype(np.float32),
        function.astype(np.float32),
        partial(noun_modifier_questions, set(words).__contains__),
    )


@claim(
    DualSpace, unit="share of questions answered rightly, 0 to 1", margin=0.04, seconds=120,
    needs=("apt-lists", "wordnet-base"), scale="minutes", why="The words of many texts are counted.",
    says="Domain and function together tell which word means the same as a noun with its modifier better than adding "
    "up one space does.",
    premise="share that the floor answers rightly", least=0.25,
    floor="cosine to the sum of the two words in one space of both contexts, not allowed to choose either word",
    peer="the same in the domain space alone",
)  # fmt: skip
def tells_what_a_pair_of_words_means(seed: int) -> Trial:
    """Ask the paper's questions from WordNet with seven choices; widths are chosen on 300 other questions.

    Compounds of docstrings, as filename, were tried first: too few texts and choices of one kind. Here the texts are
    WordNet's glosses, Debian's descriptions and docstrings, far fewer than the paper's; contexts are within 7 words
    as published.
    """
    words, domain, function, ask = _read()
    asked = ask(random_state=seed)
    number = {word: place for place, word in enumerate(words)}
    stems, choices = (np.vectorize(number.__getitem__)(part) for part in asked)
    order = np.random.default_rng(seed).permutation(len(stems))
    chosen_on, scored_on = order[:300], order[300:]
    both = np.concatenate([unit_rows(domain), unit_rows(function)], axis=1)

    def rows_of(some: NDArray[Any], flip: bool = False) -> NDArray[np.intp]:
        pairs = np.repeat(stems[some][:, ::-1] if flip else stems[some], 7, axis=0)
        return np.column_stack([pairs, choices[some].ravel()])

    def answers(scores: NDArray[Any]) -> NDArray[np.bool_]:
        table = scores.reshape(-1, 7)
        return np.asarray(table[:, 0] > table[:, 1:].max(axis=1))

    def dual(some: NDArray[Any], wide: int, deep: int, flip: bool = False) -> NDArray[Any]:
        return DualSpace().fit(domain[:, :wide], function[:, :deep]).composition(rows_of(some, flip))

    def add(space: NDArray[Any], some: NDArray[Any]) -> NDArray[Any]:
        vectors, (a, b, c) = unit_rows(space), rows_of(some).T
        cosines = np.einsum("ij,ij->i", unit_rows(vectors[a] + vectors[b]), vectors[c])
        return np.where((a != c) & (b != c), cosines, -1)

    widths = (50, 100, 200)
    wide, deep = max(product(widths, widths), key=lambda pair: answers(dual(chosen_on, *pair)).mean())

    def best_sum(spaces: list[NDArray[Any]]) -> NDArray[Any]:
        return add(max(spaces, key=lambda space: answers(add(space, chosen_on)).mean()), scored_on)

    ours = dual(scored_on, wide, deep)
    floor = answers(best_sum([both[:, np.r_[:k, 200 : 200 + k]] for k in widths]))
    flipped = dual(scored_on, wide, deep, flip=True).reshape(-1, 7).max(axis=1)
    return Trial(
        ours=answers(ours),
        floor=floor,
        peer=answers(best_sum([domain[:, :k] for k in widths])),
        chance=1 / 5,  # of the seven choices two are the words themselves
        premise=float(floor.mean()),
        also={
            "share right with the pair turned round among the choices": float(
                np.mean(answers(ours) & (ours.reshape(-1, 7)[:, 0] > flipped))
            ),
            "questions": float(len(scored_on)),
        },
    )
