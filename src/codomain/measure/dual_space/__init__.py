"""Compare relations and compositions of words by two similarities: of domain and of function."""

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


@claim(
    DualSpace, unit="share of questions answered rightly, 0 to 1", margin=0.03, seconds=60,
    says="Domain and function together tell which compound two words make better than adding up one space does.",
    floor="cosine to the sum of the two words in one space of both contexts", peer="the sum in the domain space alone",
)  # fmt: skip
def tells_compounds_from_their_parts(seed: int) -> Trial:
    """Words of the standard library's docstrings that are two others written together, as filename; five choices."""
    from codomain.data import frozen_docstrings

    rng = np.random.default_rng(seed)
    texts = frozen_docstrings()["text"].to_pylist()
    words, domain, function = word_spaces(list(rng.permutation(texts)[: len(texts) * 4 // 5]), random_state=seed)
    number = {word: place for place, word in enumerate(words)}
    compounds = [
        (number[word[:cut]], number[word[cut:]], place)
        for place, word in enumerate(words)
        for cut in range(3, len(word) - 2)
        if word[:cut] in number and word[cut:] in number
    ]
    parts, right_ones = np.array(compounds)[:, :2], np.array(compounds)[:, 2]
    rows = []
    for a, b, c in compounds:
        # Wrong choices share a part with the right one where there are such; the first choice is the right one.
        kin = ((parts == [a, b]).any(axis=1)) & (right_ones != c)
        rest = ~np.isin(right_ones, [c, *right_ones[kin]])
        wrong = [*rng.permutation(np.unique(right_ones[kin])), *rng.permutation(np.unique(right_ones[rest]))][:4]
        rows.append([(a, b, int(word)) for word in (c, *wrong)])
    questions = np.array(rows)
    one, two, choice = questions.reshape(-1, 3).T

    def accuracy(scores: NDArray[Any]) -> float:
        table = scores.reshape(len(questions), 5)
        return float(np.mean(table[:, 0] > table[:, 1:].max(axis=1)))

    def accuracy_of_sum(space: NDArray[Any]) -> float:
        vectors = unit_rows(space)
        return accuracy(np.einsum("ij,ij->i", unit_rows(vectors[one] + vectors[two]), vectors[choice]))

    both = np.concatenate([unit_rows(domain), unit_rows(function)], axis=1)
    ours = DualSpace().fit(domain, function).composition(questions.reshape(-1, 3))
    return Trial(ours=accuracy(ours), floor=accuracy_of_sum(both), peer=accuracy_of_sum(domain))
