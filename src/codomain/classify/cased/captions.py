"""Words of captions, and products of chosen pairs of rows."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS


def words_of(caption: str) -> list[str]:
    """Return the different words of at least three letters of a caption, in lower case, without English stop words.

    A caption without a space is a label and stays as it is.
    """
    if caption and not re.search(r"\s", caption):
        return [caption]
    found = re.findall(r"[^\W\d_]{3,}", caption.lower())
    return [word for word in dict.fromkeys(found) if word not in ENGLISH_STOP_WORDS]


def name_as_caption(name: str) -> str:
    """Write the last part of a dotted name as a caption, as in getMessage: get Message."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name.rpartition(".")[2]) + " "


def products(A: NDArray[Any], B: NDArray[Any], a: NDArray[Any], b: NDArray[Any], most: int) -> NDArray[Any]:
    """Return the products of row a[i] of A and row b[i] of B, at most `most` numbers at once."""
    step = max(1, most // A.shape[1])
    parts = [np.einsum("ij,ij->i", A[a[s : s + step]], B[b[s : s + step]]) for s in range(0, len(a), step)]
    return np.concatenate(parts)
