"""Which row holds which word: a table of the words and two-word phrases of texts."""

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from codomain.cluster.engine.boilerplate import own_lines

# Letters first, then anything a name in code may hold: os.path, utf-8, c++, max_iter.
TOKEN = re.compile(r"[^\W\d_]\w*(?:[.\-+'’]\w+)*(?:\+\+|#)?")
CHARACTERS = 60_000_000  # read in all; longer corpora are cut evenly, each text keeping its beginning
STOP = ENGLISH_STOP_WORDS | frozenset(
    "don't doesn't isn't didn't can't won't it's i'm i've that's you're does did doing just like use used using "
    "der die das und ist ein eine einer nicht mit von zu den dem des im auf für sich als auch es er sie wir ich "
    "le la les un une des et est dans pour que qui sur pas par au aux du ce cette il elle nous vous je son sa ses "
    "el los las una unos unas es en de del por con para se su al lo como más pero fue "
    "il lo gli uno di che non per sono si da nel della dei delle ma anche o e "
    "os um uma em não mais foi ao dos na no nas nos ou "
    "het een van ik te dat op zijn met voor niet aan er maar om hem dan ook".split()
)


def word_table(texts: Sequence[str], sizes: NDArray[Any]) -> tuple[list[str], sparse.csc_array]:
    """Which row holds which word or two-word phrase.

    Parameters
    ----------
    texts : sequence of str, of length n_samples
        The rows' texts.
    sizes : ndarray of shape (n_groups,)
        Rows in each group: what is too rare to name the smallest is left out.

    Returns
    -------
    words : list of str, of length n_words
        Words, then phrases.
    has : csc_array of shape (n_samples, n_words)
        1 where a row holds a word.
    """
    n = len(texts)
    cut = max(300, CHARACTERS // max(n, 1))
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__
    tokens, lengths = array("i"), np.empty(n, dtype=np.int64)
    for row, text in enumerate(own_lines([str(text)[:cut].lower() for text in texts])):
        before = len(tokens)
        tokens.extend(map(number.__getitem__, TOKEN.findall(text)))
        lengths[row] = len(tokens) - before
    said = np.frombuffer(tokens, dtype=np.int32).astype(np.int64) if len(tokens) else np.zeros(0, dtype=np.int64)
    of_row = np.repeat(np.arange(n), lengths)
    vocabulary = list(number)
    word_like = np.array([len(word) > 1 for word in vocabulary], dtype=bool)
    # A word in fewer rows than this cannot name even a tenth of the smallest group.
    least = max(2, int(0.1 * sizes.min(initial=0)))
    one = _once_per_row(of_row, said, len(vocabulary), n, word_like, least)
    useful = np.zeros(len(vocabulary), dtype=bool)
    useful[[i for i in one[1] if vocabulary[i] not in STOP]] = True
    follows = np.flatnonzero(
        (of_row[1:] == of_row[:-1]) & useful[said[1:]] & useful[said[:-1]] & (said[1:] != said[:-1])
    )
    pairs, pair = np.unique(said[follows] * len(vocabulary) + said[follows + 1], return_inverse=True)
    two = _once_per_row(of_row[follows], pair, len(pairs), n, np.ones(len(pairs), dtype=bool), least)
    words = [vocabulary[i] for i in one[1]]
    words += [
        f"{vocabulary[i]} {vocabulary[j]}" for i, j in zip(*np.divmod(pairs[two[1]], len(vocabulary) or 1), strict=True)
    ]
    return words, sparse.csc_array(sparse.hstack([one[0], two[0]], format="csc"))


def _once_per_row(
    row: NDArray[Any], item: NDArray[Any], n_items: int, n: int, wanted: NDArray[np.bool_], least: int
) -> tuple[sparse.csc_array, NDArray[np.int64]]:
    keep = wanted[item]
    seen = np.unique(item[keep] * n + row[keep])
    item, row = seen // max(n, 1), seen % max(n, 1)
    often = np.flatnonzero(np.bincount(item, minlength=n_items) >= least)
    place = np.full(n_items, -1)
    place[often] = np.arange(len(often))
    keep = place[item] >= 0
    data = np.ones(keep.sum(), dtype=np.float32)
    return sparse.csc_array((data, (row[keep], place[item[keep]])), shape=(n, len(often))), often
