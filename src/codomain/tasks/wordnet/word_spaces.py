"""Words as two corpora see them: two spaces whose directions mean different things, over the same words."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import unit_rows
from codomain.data import wordnet_glosses

WIDTH, N_TEXTS = 64, 30_000


@cache
def _counts() -> Any:
    """Return how often each word stands in each of WordNet's glosses: words that 40 or more glosses have."""
    from sklearn.feature_extraction.text import CountVectorizer

    glosses = wordnet_glosses()["gloss"].to_pylist()
    return CountVectorizer(min_df=40, stop_words="english").fit_transform(glosses)


def twin_word_spaces(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return vectors of the same words from two corpora without a common text.

    Parameters
    ----------
    seed : int
        Seed of which glosses go to which corpus.

    Returns
    -------
    one, two : ndarray of shape (n_words, 64)
        Latent semantic analysis of 30,000 glosses each, rows at length 1, in an order of words drawn by the seed; only
        words that five or more glosses of either corpus have.
    """
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.utils.extmath import randomized_svd

    counts = _counts()
    rng = np.random.default_rng(seed)
    texts = rng.permutation(counts.shape[0])[: 2 * N_TEXTS].reshape(2, -1)
    halves = [counts[some] for some in texts]
    common = np.all([np.asarray((half > 0).sum(axis=0)).ravel() >= 5 for half in halves], axis=0)
    words = rng.permutation(np.flatnonzero(common))
    spaces = []
    for half in halves:
        table = TfidfTransformer(sublinear_tf=True).fit_transform(half[:, words])
        _, lengths, directions = randomized_svd(table, WIDTH, random_state=seed)
        spaces.append(unit_rows(directions.T * lengths))
    return spaces[0], spaces[1]
