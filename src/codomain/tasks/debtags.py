"""Labels that people gave: Debian's packages and their tags, many of each package, some of them never seen."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from codomain.data import debian_descriptions

# What a package is about and made with; left out is how it is filed, as in suite::gnome.
FACETS = frozenset(
    "admin devel field game hardware implemented-in interface made-of network protocol role security sound uitoolkit "
    "use web works-with works-with-format".split()
)
N_TAGS, N_UNSEEN, N_CHARACTERS = 80, 16, 300


@dataclass(frozen=True)
class Tagged:
    """Descriptions of packages and which of 80 tags each has.

    Attributes
    ----------
    texts : list of str
        Summary and description, the first 300 characters.
    labels : ndarray of bool, shape (n_texts, 80)
        Whether a text has a tag.
    tags : list of str
        Names of the columns, as in use::gameplaying.
    seen, unseen : ndarray of int, shapes (64,) and (16,)
        Columns to learn from and columns to be kept back.
    train, test : ndarray of int
        Rows to learn from and rows to be labelled.
    """

    texts: list[str]
    labels: NDArray[np.bool_]
    tags: list[str]
    seen: NDArray[np.intp]
    unseen: NDArray[np.intp]
    train: NDArray[np.intp]
    test: NDArray[np.intp]


@cache
def _pool() -> tuple[list[str], NDArray[np.bool_], list[str]]:
    """Return texts, labels and the 80 most frequent tags, of one package of each source: others describe the same."""
    texts: dict[str, str] = {}
    tags_of: dict[str, list[str]] = {}
    for row in debian_descriptions().to_pylist():
        tags = [tag for tag in row["tags"] if tag.partition("::")[0] in FACETS and not tag.endswith("::TODO")]
        if tags and row["source"] not in texts:
            texts[row["source"]] = " ".join(row["text"].split())[:N_CHARACTERS]
            tags_of[row["source"]] = tags
    counts = Counter(tag for tags in tags_of.values() for tag in tags)
    kept = sorted(sorted(counts, key=lambda tag: (-counts[tag], tag))[:N_TAGS])
    column = {tag: number for number, tag in enumerate(kept)}
    labels = np.zeros((len(texts), len(kept)), bool)
    pairs = [(row, column[tag]) for row, tags in enumerate(tags_of.values()) for tag in tags if tag in column]
    labels[tuple(np.array(pairs).T)] = True
    held = np.flatnonzero(labels.any(axis=1))
    every = list(texts.values())
    return [every[row] for row in held], labels[held], kept


def debtags(seed: int, *, n_train: int = 3000, n_test: int = 1500) -> Tagged:
    """Draw packages, each from another source package, and the tags that are kept back.

    Parameters
    ----------
    seed : int
        Seed of both draws.
    n_train, n_test : int
        Packages to learn from and to be labelled, at most 13,000 together.
    """
    texts, labels, tags = _pool()
    rng = np.random.default_rng(seed)
    columns = rng.permutation(len(tags))
    rows = rng.permutation(len(texts))[: n_train + n_test]
    return Tagged(
        [texts[row] for row in rows], labels[rows], tags, np.sort(columns[N_UNSEEN:]), np.sort(columns[:N_UNSEEN]),
        np.arange(len(rows))[:n_train], np.arange(len(rows))[n_train:],
    )  # fmt: skip
