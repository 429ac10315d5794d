"""Make a domain and a function space of the words of some texts, from the words near and next to them."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from sklearn.utils.extmath import randomized_svd

from codomain.core import UserError


def positive_pmi(counts: csr_array) -> csr_array:
    """Return positive pointwise mutual information, in nats, of words (rows) with contexts (columns)."""
    cells = counts.tocoo()
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    value = np.log(cells.data * counts.sum() / rows[cells.coords[0]] / columns[cells.coords[1]])
    return csr_array(coo_array((np.maximum(value, 0), cells.coords), shape=counts.shape))


def word_spaces(
    texts: Sequence[str], *, min_count: int = 5, window: int = 10, n_components: int = 100, random_state: Any = None
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Make a domain and a function space of the words of some texts.

    The paper's contexts are the nouns and the verbs around a word, which need a tagger. Not in the paper: here
    a word's domain is the words near it on either side, and its function the words next to it, with side and distance;
    singular values enter by their square roots.

    Parameters
    ----------
    texts : sequence of str
        Texts; words are runs of letters from a to z, read in lower case.
    min_count : int, default=5
        How often a word must occur to be kept.
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
        The domain space.
    ndarray of shape (n_words, n_components)
        The function space.

    Raises
    ------
    ValueError
        When there are not more words than n_components.
    """
    split = [re.findall("[a-z]+", text.lower()) for text in texts]
    words = [word for word, n in Counter(word for text in split for word in text).most_common() if n >= min_count]
    if len(words) <= n_components:
        raise UserError(
            f"{len(words)} words occur {min_count} times or more.",
            needed=f"more than n_components={n_components}", todo="give more texts",
        )  # fmt: skip
    number, size = {word: place for place, word in enumerate(words)}, len(words)
    # A rare word keeps its place as -1, and a gap as wide as the window separates the texts.
    line = np.array([place for text in split for place in (*(number.get(word, -1) for word in text), *[-1] * window)])

    def pairs(distance: int) -> NDArray[np.intp]:
        both = np.stack([line[:-distance], line[distance:]])
        return both[:, (both >= 0).all(axis=0)]

    near = np.concatenate([pairs(distance) for distance in range(1, window + 1)], axis=1)
    near = np.concatenate([near, near[::-1]], axis=1)
    sides = []
    for block, (distance, step) in enumerate([(1, 1), (1, -1), (2, 1), (2, -1)]):
        sides.append(pairs(distance)[::step] + np.array([[0], [block * size]]))
    spaces = []
    for (here, there), width in ((near, size), (np.concatenate(sides, axis=1), 4 * size)):
        counts = csr_array(coo_array((np.ones(len(here)), (here, there)), shape=(size, width)))
        left, values, _ = randomized_svd(positive_pmi(counts), n_components, random_state=random_state)
        spaces.append(left * np.sqrt(values))
    return words, spaces[0], spaces[1]
