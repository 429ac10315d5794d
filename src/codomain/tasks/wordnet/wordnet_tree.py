"""Classes that are nodes of WordNet's tree of nouns: name what a definition is a kind of, and how far classes are."""

import re
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from codomain.data import wordnet_glosses
from codomain.tasks.described import Described

LEAST = 28  # kinds that a class has to have
N_NAMES = 8  # of other kinds, among the descriptions
_TAXON = re.compile(r"(genus|family|order)$")  # the definitions of these say only which family is meant


@cache
def _nouns() -> dict[str, dict[str, Any]]:
    """Return the nouns by id, in WordNet's order."""
    return {row["id"]: row for row in wordnet_glosses().to_pylist() if row["id"].startswith("n")}


def _climb(start: str) -> dict[str, int]:
    """Return a noun and all that is above it, with the fewest edges to each."""
    found = {start: 0}
    waiting = [start]
    for node in waiting:  # it grows on the way: breadth first
        for above in _nouns()[node]["hypernyms"]:
            if above not in found:
                found[above] = found[node] + 1
                waiting.append(above)
    return found


@cache
def _classes() -> dict[str, tuple[str, list[str]]]:
    """Return, by name, the id of each class and the ids of its direct kinds that are kinds of no other class.

    A class has at least LEAST direct kinds and no such noun below it.
    """
    kinds: dict[str, list[str]] = {}
    for row in _nouns().values():
        for above in row["hypernyms"]:
            kinds.setdefault(above, []).append(row["id"])
    large = {node for node, below in kinds.items() if len(below) >= LEAST}
    higher = {above for node in large for above in _climb(node) if above != node}
    chosen = [node for node in _nouns() if node in large - higher]
    found: dict[str, tuple[str, list[str]]] = {}
    for node in chosen:
        name = _nouns()[node]["words"][0]
        only = [kind for kind in kinds[node] if len(set(_nouns()[kind]["hypernyms"]) & large) == 1]
        if not _TAXON.search(name) and len(only) >= LEAST:
            found.setdefault(name, (node, only))
    return dict(sorted(found.items()))


def _own_words(words: list[str]) -> re.Pattern[str]:
    """Return what finds the words of a class's names, also in the plural."""
    single = {part for word in words for part in re.findall(r"\w+", word.lower())} - ENGLISH_STOP_WORDS
    return re.compile(rf"\b({'|'.join(map(re.escape, sorted(single)))})(e?s)?\b", re.IGNORECASE)


def described_synsets(seed: int, *, n_test: int = 10, n_few: int = 0) -> Described:
    """Draw definitions of kinds of some two hundred nouns, with words that describe the nouns.

    Parameters
    ----------
    seed : int
        Seed of the draw.
    n_test, n_few : int
        Definitions of a class to be labelled and to learn from; together at most 20.

    Returns
    -------
    Described
        Descriptions are the parts of the class's definition, its examples, the definition of what it is a kind of, and
        the names of eight of its kinds that have no row. No text has a word of its class's names.
    """
    rng = np.random.default_rng(seed)
    nouns = _nouns()
    out: dict[str, Any] = {field: [] for field in Described.__dataclass_fields__}
    for name, (node, kinds) in _classes().items():
        row, own = nouns[node], _own_words(nouns[node]["words"])
        drawn = [nouns[kind] for kind in rng.permutation(kinds)]
        above = [nouns[one]["gloss"] for one in row["hypernyms"]]
        parts = [*row["gloss"].split("; "), *row["examples"], *above, *(each["words"][0] for each in drawn[:N_NAMES])]
        rows = [each["gloss"] for each in drawn[N_NAMES : N_NAMES + n_few + n_test]]
        texts, described = ([" ".join(own.sub("", part).split()) for part in some] for some in (rows, parts))
        described = [part for part in described if part]
        out["names"].append(name)
        for key, of, more in (
            ("descriptions", "description_classes", described),
            ("few", "few_classes", texts[:n_few]),
            ("texts", "classes", texts[n_few:]),
        ):
            out[key] += more
            out[of] += [name] * len(more)
    return Described(**out)


def label_distances(names: ArrayLike) -> NDArray[np.int64]:
    """Return how many edges lie between classes on the shortest way up to a noun above both and down again.

    Parameters
    ----------
    names : array-like of str, shape (n_classes,)
        Names of classes as `described_synsets` gives them.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
        In edges, 0 on the diagonal.
    """
    climbs = [_climb(_classes()[str(name)][0]) for name in np.asarray(names)]
    column = {node: number for number, node in enumerate(dict.fromkeys(node for climb in climbs for node in climb))}
    up = np.full((len(climbs), len(column)), np.inf)
    for row, climb in zip(up, climbs, strict=True):
        row[[column[node] for node in climb]] = list(climb.values())
    return np.stack([(row + up).min(axis=1) for row in up]).astype(np.int64)
