"""Words of captions, and products of chosen pairs of rows."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

# Words of captions that say what shows a thing and not what it is, as the authors leave them out.
_MEDIA = frozenset(
    "image photo picture thumbnail logo symbol clipart portrait painting illustration icon profile".split()
)


def words_of(caption: str) -> list[str]:
    """Return the words of at least three letters of a caption, as often as it has them: in lower case and singular.

    English stop words and words such as "photo" are left out. A caption without a space is a label and stays as it is.
    """
    if caption and not re.search(r"\s", caption):
        return [caption]
    found = map(singular, re.findall(r"[^\W\d_]{3,}", caption.lower()))
    return [word for word in found if word not in ENGLISH_STOP_WORDS and word not in _MEDIA]


def singular(word: str) -> str:
    """Return a word of lower-case letters without the ending of a plural; endings that mislead are left."""
    if not word.endswith("s") or word.endswith(("ss", "us", "is", "ies", "oes")):
        return word
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zes")) else word[:-1]


def products(A: NDArray[Any], B: NDArray[Any], a: NDArray[Any], b: NDArray[Any], most: int) -> NDArray[Any]:
    """Return the products of row a[i] of A and row b[i] of B, at most `most` numbers at once."""
    step = max(1, most // A.shape[1])
    parts = [np.einsum("ij,ij->i", A[a[s : s + step]], B[b[s : s + step]]) for s in range(0, len(a), step)]
    return np.concatenate(parts)
