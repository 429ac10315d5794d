"""A real task for claims of classifiers by words: name what a thing is a kind of, by its definition in WordNet."""

import re
from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np

from codomain.data import wordnet_glosses
from codomain.tasks.described import Described, restrict

N_NAMES = 8  # kinds of a class that its descriptions mention by name
N_ROWS = 32  # definitions of other kinds, to learn from and to be labelled


@cache
def _classes() -> list[tuple[str, str, "re.Pattern[str]", list[tuple[str, str]]]]:
    """Return the nouns with enough kinds: name, gloss, a pattern of their own words, name and gloss of each kind."""
    nouns = {row["id"]: row for row in wordnet_glosses().to_pylist() if row["id"][0] == "n"}
    kinds = defaultdict(list)
    for number, row in nouns.items():
        for above in row["hypernyms"]:
            kinds[above].append(number)
    large = {number for number, below in kinds.items() if len(below) >= N_NAMES + N_ROWS}
    found = []
    for number in sorted(large):
        row = nouns[number]
        own = re.compile(rf"\b({'|'.join(map(re.escape, row['words']))})(e?s)?\b", re.IGNORECASE)
        # Only what is a kind of this class and of no other; something to read must be left of its definition.
        below = [nouns[kind] for kind in kinds[number] if len(large.intersection(nouns[kind]["hypernyms"])) == 1]
        pairs = [(own.sub("", kind["words"][0]).strip(), own.sub("", kind["gloss"]).strip()) for kind in below]
        # WordNet gives some kinds the same definition: one of them is enough.
        pairs = list({gloss: (name, gloss) for name, gloss in pairs if name and len(gloss.split()) > 3}.values())
        if len(pairs) >= N_NAMES + N_ROWS:
            found.append((row["words"][0], row["gloss"], own, pairs))
    names = [name for name, *_ in found]
    return [entry for entry in found if names.count(entry[0]) == 1]


def described_kinds(seed: int, *, n_test: int = 16, n_few: int = 0) -> Described:
    """Draw descriptions of nouns and definitions of their kinds, at most N_ROWS of each; a noun's own words are hidden.

    A noun is described by the parts of its definition and by the names of some of its kinds, whose definitions are
    not among the texts.
    """
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {field: [] for field in Described.__dataclass_fields__}
    for name, gloss, own, pairs in sorted(_classes(), key=lambda entry: entry[0]):
        drawn = [pairs[number] for number in rng.permutation(len(pairs))]
        parts = [own.sub("", part).strip() for part in gloss.split(";")]
        parts = [part for part in parts if len(part.split()) > 2] + [kind for kind, _ in drawn[:N_NAMES]]
        texts = [text for _, text in drawn[N_NAMES : N_NAMES + n_few + n_test]]
        out["names"].append(name)
        for key, of, more in (
            ("descriptions", "description_classes", parts),
            ("few", "few_classes", texts[:n_few]),
            ("texts", "classes", texts[n_few:]),
        ):
            out[key] += more
            out[of] += [name] * len(more)
    return Described(**out)


def known_and_new_kinds(seed: int, *, n_test: int = 16, n_few: int = 16) -> tuple[Described, Described, Described]:
    """Return all classes, half of them as known, to learn from, and the others as new."""
    every = described_kinds(seed, n_test=n_test, n_few=n_few)
    known = np.random.default_rng(seed).permutation(every.names)[: len(every.names) // 2]
    return every, restrict(every, known), restrict(every, np.setdiff1d(every.names, known))
