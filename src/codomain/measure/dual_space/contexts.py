"""Make a domain and a function space of the words of some texts, from the words near and next to them."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, hstack
from sklearn.utils.extmath import randomized_svd

from codomain.core import UserError


def positive_pmi(counts: csr_array) -> csr_array:
    """Return positive pointwise mutual information, in nats, of words (rows) with contexts (columns)."""
    cells = counts.tocoo()
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)  # a word or context of no counts has no cell
    value = np.log(cells.data * counts.sum() / rows[cells.coords[0]] / columns[cells.coords[1]])
    return csr_array(coo_array((np.maximum(value, 0), cells.coords), shape=counts.shape))


def word_spaces(
    texts: Sequence[str], *, words: Sequence[str] | None = None, min_count: int = 5, n_contexts: int | None = None,
    window: int = 10, n_components: int = 100, random_state: Any = None,
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Make a domain and a function space of the words of some texts.

    The paper's contexts are the nouns and the verbs around a word, which need a tagger. Not in the paper: here
    a word's domain is the words near it on either side, and its function the words next to it, with side and distance;
    singular values enter by their square roots.

    Parameters
    ----------
    texts : sequence of str
        Texts; words are runs of letters from a to z, read in lower case.
    words : sequence of str or None, default=None
        The words to make vectors for, as far as they are frequent enough; None makes them for all.
    min_count : int, default=5
        How often a word must occur to be kept.
    n_contexts : int or None, default=None
        How many of the most frequent words are contexts; None takes all that are kept.
    window : int, default=10
        Words to each side that count for the domain; for the function two count.
    n_components : int, default=100
        Width of both spaces, below the number of words.
    random_state : int, RandomState or None, default=None
        Seed of the singular value decomposition.

    Returns
    -------
    list of str
        Words, the most frequent first.
    ndarray of shape (n_words, n_components)
        The domain space, the strongest direction first.
    ndarray of shape (n_words, n_components)
        The function space.

    Raises
    ------
    ValueError
        When there are not more words than n_components.
    """
    split = [re.findall("[a-z]+", text.lower()) for text in texts]
    frequent = [word for word, n in Counter(word for text in split for word in text).most_common() if n >= min_count]
    wanted = set(frequent if words is None else words)
    kept = [word for word in frequent if word in wanted]
    contexts = frequent[:n_contexts]
    if min(len(kept), len(contexts)) <= n_components:
        raise UserError(
            f"{len(kept)} words and {len(contexts)} contexts occur {min_count} times or more.",
            needed=f"more than n_components={n_components}", todo="give more texts",
        )  # fmt: skip
    rows, columns = ({word: place for place, word in enumerate(some)} for some in (kept, contexts))
    shape = len(kept), len(contexts)
    # A word without a number keeps its place as -1, and a gap as wide as the window separates the texts.
    gap = [""] * window
    line = [word for text in split for word in (*text, *gap)]
    here, there = (np.array([number.get(word, -1) for word in line], dtype=np.int32) for number in (rows, columns))

    def count(distance: int) -> csr_array:
        """How often each context stands that many words behind a word, or before it if below 0."""
        one, two = (here[:-distance], there[distance:]) if distance > 0 else (here[-distance:], there[:distance])
        both = (one >= 0) & (two >= 0)
        cells = one[both].astype(np.int64) * shape[1] + two[both]
        places, times = np.unique(cells, return_counts=True)
        return csr_array((times.astype(float), np.divmod(places, shape[1])), shape=shape)

    near = reduce(add, (count(distance) for distance in (*range(-window, 0), *range(1, window + 1))))
    spaces = []
    for counts in (near, csr_array(hstack([count(distance) for distance in (1, -1, 2, -2)]))):
        left, values, _ = randomized_svd(positive_pmi(counts), n_components, random_state=random_state)
        spaces.append(left * np.sqrt(values))
    return kept, spaces[0], spaces[1]
