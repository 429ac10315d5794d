"""Name the topic of a definition: WordNet's glosses and the lexicographers' files that they come from."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.data import wordnet_glosses
from codomain.encode import resolve


@cache
def _glosses() -> tuple[NDArray[Any], NDArray[Any]]:
    """Return all glosses and their topics."""
    table = wordnet_glosses()
    return np.array(table["gloss"].to_pylist(), object), np.array(table["lexname"].to_pylist())


def gloss_topics(seed: int, n_train: int, n_test: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Draw the same number of glosses from each topic that has so many: 41 topics have 200, and 35 have 500.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_train, n_test : int
        Rows per topic.

    Returns
    -------
    X, y, X_test, y_test : ndarray
        Vectors by wordllama's table and topics, such as noun.animal or verb.motion.
    """
    texts, topics = _glosses()
    names, counts = np.unique(topics, return_counts=True)
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    drawn = np.array([rng.permutation(np.flatnonzero(topics == name))[:n] for name in names[counts >= n]])
    train, test = drawn[:, :n_train].ravel(), drawn[:, n_train:].ravel()
    Z = resolve("static:wordllama").encode(list(texts[np.concatenate([train, test])]))
    return Z[: len(train)], topics[train], Z[len(train) :], topics[test]
