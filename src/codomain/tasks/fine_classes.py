"""A thousand fine classes of texts: name the source package that a Debian package is built from."""

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

from codomain.data import debian_descriptions

LEAST = 6  # packages with different summaries that a source has to have
Texts = tuple[list[str], NDArray[np.str_]]


def _without(words: str, text: str) -> str:
    """Take the words of a name out of a text, also where they are parts of longer words."""
    parts = sorted((part for part in re.split(r"[^a-z0-9]+", words.lower()) if len(part) > 1), key=len, reverse=True)
    return " ".join(re.sub("|".join(parts), "", text, flags=re.IGNORECASE).split()) if parts else text


@cache
def _classes() -> dict[str, list[str]]:
    """Return the different summaries of each source's packages, without the words of the source's name."""
    found: dict[str, dict[str, None]] = {}
    for row in debian_descriptions().to_pylist():
        if text := _without(row["source"], row["summary"]):
            found.setdefault(row["source"], {})[text] = None
    return {source: list(found[source]) for source in sorted(found) if len(found[source]) >= LEAST}


def fine_classes(seed: int, *, n_train: int = 4, n_test: int = 2, new: bool = False) -> tuple[Texts, Texts]:
    """Draw summaries of packages, the same number for every source with at least six.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_train, n_test : int
        Rows of a class, together at most six.
    new : bool, default=False
        Learn from one half of the classes, with all rows, and test on all rows of the other half.

    Returns
    -------
    train, test : pair of list of str and ndarray of str
        Summaries and the sources that they are from, about a thousand.
    """
    rng = np.random.default_rng(seed)
    drawn = {name: rng.permutation(np.array(texts, object))[:LEAST] for name, texts in _classes().items()}
    names = np.array(list(drawn))
    if new:
        mixed = rng.permutation(names)
        half = len(names) // 2
        parts = [(np.sort(some), slice(None)) for some in (mixed[:half], mixed[half:])]
    else:
        parts = [(names, slice(n_train)), (names, slice(n_train, n_train + n_test))]
    train, test = (
        (
            [text for name in some for text in drawn[name][rows]],
            np.repeat(some, [len(drawn[name][rows]) for name in some]),
        )
        for some, rows in parts
    )
    return train, test
